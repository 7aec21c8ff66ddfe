"""A verdict follows from where an interval lies, and from nothing else."""

import dataclasses

import pytest

from icl_gen.reporting import (
  answers,
  augmentations,
  claims,
  contrasts,
  intervals,
)
from icl_gen.reporting.rules import FAILS, HOLDS, NOT_RUN, UNDECIDED
from tests.reporting import synthetic

CELLS, RECORDS = synthetic.study(questions=60)


def judged(cells=CELLS, records=RECORDS, normalisation='sum'):
  table = answers.table(cells)
  return claims.judge(
    answers.results(table),
    answers.comparisons(table),
    augmentations.coverage(records, table),
    contrasts.contrasts(table, cells),
    normalisation=normalisation,
  )


def result(low, high, *, kind='forward', condition='ft', chance=0.25, **more):
  return answers.Result(
    **{
      'world': 'celebrity',
      'condition': condition,
      'model': 'nano',
      'run': '',
      'kind': kind,
      'normalisation': 'sum',
      'seed': answers.MEAN,
      'questions': 60,
      'accuracy': (low + high) / 2,
      'low': low,
      'high': high,
      'chance': chance,
    }
    | more
  )


def one(claim, *rows):
  checks = claims.judge(rows, (), (), (), normalisation='sum')
  return claims.verdicts(checks)[claim]


@pytest.mark.parametrize(
  ('low', 'high', 'verdict'),
  [
    (0.9, 1.0, HOLDS),
    (0.95, 0.99, HOLDS),
    (0.8, 0.99, UNDECIDED),
    (0.5, 0.9, UNDECIDED),
    (0.5, 0.89, FAILS),
  ],
)
def test_the_interval_decides(low, high, verdict):
  assert one('C2', result(low, high)) == verdict


def test_certainty_is_within_the_range():
  """Rounding does not put an interval's end beyond 1."""
  for number in range(20, 120):
    low, high = intervals.wilson(1.0, number)
    assert 0 < low < high == 1.0
    assert intervals.wilson(0.0, number)[0] == 0.0


def test_chance_is_subtracted():
  def verdict(chance):
    row = result(0.1, 0.52, kind='reversal', chance=chance)
    return one('C3', row)

  assert verdict(0.5) == HOLDS
  assert verdict(0.25) == UNDECIDED
  assert verdict(0.04) == FAILS


def test_one_check_that_fails_is_enough_and_all_must_hold():
  right, open_, wrong = ((0.95, 1.0), (0.7, 1.0), (0.1, 0.2))

  def verdict(*bounds):
    rows = [result(*b, model=f'm{i}') for i, b in enumerate(bounds)]
    return one('C2', *rows)

  assert verdict(right, right) == HOLDS
  assert verdict(right, open_) == UNDECIDED
  assert verdict(right, open_, wrong) == FAILS
  assert verdict() == NOT_RUN


def difference(comparison, low, high):
  return answers.Comparison(
    world='process',
    model='nano',
    run='',
    kind='seen',
    normalisation='sum',
    comparison=comparison,
    seed=answers.MEAN,
    questions=60,
    clusters=60,
    unpaired=0,
    difference=(low + high) / 2,
    low=low,
    high=high,
    p_value=0.01,
  )


def test_a_claim_of_which_a_part_was_not_measured_does_not_hold():
  def verdict(*rows):
    checks = claims.judge((), rows, (), (), normalisation='sum')
    return claims.verdicts(checks)['C11']

  in_context = difference('icl-ft', 0.1, 0.3)
  assert verdict(in_context) == UNDECIDED
  assert verdict(in_context, difference('ft_aug-ft', 0.1, 0.3)) == HOLDS
  assert verdict(in_context, difference('ft_aug-ft', -0.3, -0.1)) == FAILS
  assert verdict(difference('icl-ft', -0.3, -0.1)) == FAILS


def test_a_claim_must_hold_in_held_out_forms_too():
  seen = result(0.0, 0.2, kind='reversal')
  in_forms = result(0.8, 0.9, kind='reversal', world='celebrity_forms')
  assert one('C3', seen) == HOLDS
  assert one('C3', seen, in_forms) == FAILS


def test_kinds_of_own_questions_are_their_own():
  assert one('C2', result(0.95, 1, world='custom')) == NOT_RUN


def test_only_means_under_the_normalisation_count():
  assert one('C2', result(0.95, 1, seed='0')) == NOT_RUN
  assert one('C2', result(0.95, 1, normalisation='byte')) == NOT_RUN
  assert one('C2', result(0.95, 1, kind='forward:p2d')) == NOT_RUN


def test_the_synthetic_study_is_judged_as_it_was_made():
  found = claims.verdicts(judged())
  assert found['C2'] == HOLDS
  assert found['C4'] == HOLDS
  assert found['C5'] == UNDECIDED
  assert found['C7'] == found['C8'] == found['C11'] == NOT_RUN


def test_checks_are_rows_of_the_other_tables():
  table = answers.table(CELLS)
  rows = {
    (r.world, r.kind, r.comparison): (r.difference, r.low, r.high)
    for r in answers.comparisons(table)
    if (r.seed, r.normalisation) == (answers.MEAN, 'sum')
  }
  checks = [check for check in judged() if check.measured == 'icl-ft']
  assert checks
  for check in checks:
    assert (check.value, check.low, check.high) == rows[
      check.world, check.kind, check.measured
    ]


def test_uncovered_questions_have_the_chance_of_their_kind():
  (check, *_) = [c for c in judged() if c.claim == 'C13']
  rows = augmentations.coverage(RECORDS, answers.table(CELLS))
  (row,) = [
    row
    for row in rows
    if (row.world, row.kind, row.augmentation, row.seed, row.normalisation)
    == (check.world, check.kind, 'all', answers.MEAN, 'sum')
  ]
  chance = 1 / synthetic.CHOICES[check.world]
  assert check.value == pytest.approx(row.uncovered_accuracy - chance)
  assert check.measured == 'uncovered-chance'


def test_everything_measured_has_a_label():
  for check in judged():
    assert claims.label(check.measured)
  assert claims.label('icl-ft') == 'in context − fine-tuned'


def test_claims_have_names_of_their_own_and_possible_ranges():
  names = [claim.name for claim in claims.CLAIMS]
  assert len(set(names)) == len(names)
  for claim in claims.CLAIMS:
    for rule in claim.rules:
      assert -1 <= rule.low < rule.high <= 1


@pytest.mark.slow
def test_the_order_of_rows_does_not_matter():
  shuffled = [dataclasses.replace(cell) for cell in reversed(CELLS)]
  assert judged(shuffled) == judged()
