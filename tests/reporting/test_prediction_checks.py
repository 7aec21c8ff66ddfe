"""Predictions are judged on the models that they are about."""

import csv

import pytest

from icl_gen.reporting import answers, prediction_checks
from icl_gen.reporting.rules import (
  FAILS,
  HOLDS,
  NOT_RUN,
  UNDECIDED,
  Claim,
  Rule,
)
from tests.reporting.test_pretraining_figure import CELLS, FACTORS, report

WITH, WITHOUT = ({'reversals': value} for value in ('0.7', '0.0'))


def rule(where, *, measured='icl', kinds=('reversal',), **bounds):
  bounds = {'low': -1.0, 'high': 1.0} | bounds
  return Rule(measured, kinds=kinds, where=where, **bounds)


def verdict(*rules, cells=CELLS, factors=FACTORS):
  claim = Claim('P1', 'It is so.', rules)
  table = answers.table(cells)
  checks = prediction_checks.judge(
    [claim],
    answers.results(table),
    answers.comparisons(table),
    factors,
    normalisation='sum',
  )
  return prediction_checks.verdicts([claim], checks, factors)['P1']


def test_each_rule_is_about_its_own_models():
  """In context, 90 % with reversals and 10 % without."""
  assert verdict(rule(WITH, low=0.5), rule(WITHOUT, high=0.5)) == HOLDS
  assert verdict(rule(WITH, high=0.5), rule(WITHOUT, high=0.5)) == FAILS
  assert verdict(rule(WITHOUT, low=0.5)) == FAILS
  # Of all models.
  assert verdict(rule({}, low=0.5)) == FAILS
  assert verdict(rule({}, low=0.0)) == HOLDS


def test_differences_are_of_one_model():
  better = {'measured': 'icl-ft', 'low': 0.0}
  assert verdict(rule(WITH, **better)) == HOLDS
  assert verdict(rule(WITHOUT, **better)) != HOLDS


def test_chance_is_subtracted():
  assert verdict(rule(WITH, low=0.55, above_chance=True)) == FAILS
  assert verdict(rule(WITH, low=0.0, above_chance=True)) == HOLDS


@pytest.mark.parametrize(
  'absent',
  [
    {'kinds': ('reversal', 'swap')},
    {'measured': 'ft_aug'},
    {'where': {'reversals': '0.1'}},
    {'where': {'reversals': '0.7', 'both_orders': 'True'}},
  ],
)
def test_a_prediction_that_was_measured_in_part_cannot_be_said(absent):
  where = absent.get('where', WITH)
  rest = {key: value for key, value in absent.items() if key != 'where'}
  holds, other = rule(WITH, low=0.5), rule(where, **rest)
  assert verdict(holds, other) == UNDECIDED
  assert verdict(rule(WITH, high=0.5), other) == FAILS
  alone = UNDECIDED if 'kinds' in absent else NOT_RUN
  assert verdict(other) == alone


def test_a_model_that_is_missing_is_noticed():
  there = [cell for cell in CELLS if cell.run == 'reversals_0.7']
  holds = rule(WITH, low=0.5)
  assert verdict(holds, cells=there) == HOLDS
  assert verdict(holds, rule({}, low=0.5), cells=there) == UNDECIDED


def test_the_page_has_the_verdicts_and_a_file_the_checks(tmp_path):
  claims = (
    Claim('P1', 'Seen is inferred.', (rule(WITH, low=0.5),)),
    Claim('P2', 'Unseen is inferred.', (rule(WITHOUT, low=0.5),)),
  )
  directory = report(tmp_path, predictions=claims)
  page = (directory / 'index.html').read_text('utf-8')
  told = page.split('<h3>Predictions</h3>')[1].split('</section>')[0]
  first, second = told.split('<details')[1:]
  assert 'Seen is inferred.' in first and f'>{HOLDS}</span>' in first
  assert 'Unseen is inferred.' in second and f'>{FAILS}</span>' in second
  with open(directory / 'predictions.csv') as file:
    rows = list(csv.DictReader(file))
  assert [(row['claim'], row['run'], row['verdict']) for row in rows] == [
    ('P1', 'reversals_0.7', HOLDS),
    ('P2', 'reversals_0.0', FAILS),
  ]
