"""Cells that differ in one thing are compared on the same questions."""

import dataclasses

import pytest

from icl_gen.reporting import answers, claims, contrasts, intervals, write
from icl_gen.reporting.contrasts import (
  MODELS,
  PRETRAINING,
  RECALL,
  RUNS,
  WORLDS,
)
from icl_gen.reporting.rules import FAILS, HOLDS, UNDECIDED
from tests.reporting.test_runs import cell


def of(*cells):
  return contrasts.contrasts(answers.table(cells), cells)


def pairs(*cells):
  return {(row.between, row.first, row.second) for row in of(*cells)}


def test_runs_with_one_setting_more_are_compared():
  runs = ('', 'source_o', 'noise_1,source_o', 'noise_2,source_o', 'lr_1')
  found = pairs(*(cell('ft_aug', run) for run in runs))
  assert found == {
    (RUNS, 'source_o', ''),
    (RUNS, 'lr_1', ''),
    (RUNS, 'noise_1,source_o', 'source_o'),
    (RUNS, 'noise_2,source_o', 'source_o'),
  }


def test_what_recalls_is_compared_with_the_same_model_that_does_not():
  recalling = ('recalled_ft', 'recalled_ft-agree_4', 'recalled_ft_aug')
  of_ablation = 'recalled_ft-steps_9'
  found = pairs(
    *(cell(condition) for condition in ('ft', 'ft_aug')),
    *(cell('icl', run) for run in (*recalling, of_ablation)),
    cell('ft_aug', 'recalled_ft'),
  )
  assert {row for row in found if row[0] == RECALL} == {
    (RECALL, 'recalled_ft', 'ft'),
    (RECALL, 'recalled_ft-agree_4', 'ft'),
    (RECALL, 'recalled_ft_aug', 'ft_aug'),
  }


def test_ways_of_pretraining_that_differ_in_one_setting_are_compared():
  """Each with those before it: the first one has the recipe's own values."""
  factors = {
    name: dict(zip(('a', 'b'), name, strict=True))
    for name in ('01', '00', '11', '10')
  }
  cells = [cell('icl', name) for name in factors]
  table = answers.table(cells)
  assert not contrasts.contrasts(table, cells)
  found = {
    (row.between, row.first, row.second)
    for row in contrasts.contrasts(table, cells, factors)
  }
  assert found == {
    (PRETRAINING, '00', '01'),
    (PRETRAINING, '11', '01'),
    (PRETRAINING, '10', '00'),
    (PRETRAINING, '10', '11'),
  }


def test_only_cells_of_one_condition_are_compared():
  assert not pairs(cell('ft'), cell('ft_aug', 'lr_1'), cell('icl', 'kind_a'))


def test_the_difference_is_paired_over_questions_and_seeds():
  right = {0: (1, 1, 1, 0), 1: (1, 1, 0, 0)}
  worse = {0: (1, 0, 1, 0), 1: (0, 1, 0, 0)}
  cells = [
    cell('ft', run, seed=seed, asked=asked)
    for run, seeds in (('a_1', right), ('', worse))
    for seed, asked in seeds.items()
  ]
  (row,) = [
    r for r in of(*cells) if (r.kind, r.normalisation) == ('reversal', 'sum')
  ]
  assert row.accuracy == pytest.approx((3 / 4 + 2 / 4) / 2)
  wanted = intervals.difference(
    sum(right.values(), ()),
    sum(worse.values(), ()),
    clusters=2 * [f'reversal-{i}' for i in range(4)],
    seeds=4 * [0] + 4 * [1],
  )
  assert row.questions == 8
  assert row.difference == pytest.approx(1 / 4)
  estimate = wanted.estimate
  assert (row.low, row.high) == pytest.approx((estimate.low, estimate.high))
  assert row.p_value == pytest.approx(wanted.p_value)


def test_questions_that_one_did_not_answer_are_left_out():
  first, second = cell('ft', 'a_1', asked=(1, 1)), cell('ft', asked=(0,))
  rows = [row for row in of(first, second) if row.kind == 'reversal']
  assert {(row.questions, row.difference) for row in rows} == {(1, 1.0)}


def test_models_of_a_family_are_compared_as_configured():
  small = [
    dataclasses.replace(cell('ft', run, asked=(0,)), model='nano_small')
    for run in ('', 'a_1')
  ]
  found = of(*small, cell('ft'), cell('ft', 'a_1'))
  rows = [row for row in found if row.between == MODELS]
  assert {(r.model, r.first, r.second) for r in rows} == {
    ('nano', 'nano', 'nano_small')
  }
  # Each kind and measure once: not of the other run, too.
  assert len({(r.kind, r.normalisation) for r in rows}) == len(rows)
  assert {r.difference for r in rows if r.kind == 'reversal'} == {1.0}


def test_worlds_that_draw_the_same_are_compared():
  plain, nonsense = (
    dataclasses.replace(cell('icl', asked=asked), world=world)
    for world, asked in (('celebrity_plain', (1,)), ('celebrity', (0,)))
  )
  rows = of(plain, nonsense)
  assert {(r.between, r.world, r.first, r.second) for r in rows} == {
    (WORLDS, 'celebrity_plain', 'celebrity_plain', 'celebrity')
  }
  assert {r.difference for r in rows if r.kind == 'reversal'} == {1.0}


def row(low, high, between, first, second, *, condition, world, kind):
  return contrasts.Contrast(
    world=world,
    model='nano',
    condition=condition,
    kind=kind,
    normalisation='sum',
    between=between,
    first=first,
    second=second,
    questions=60,
    clusters=20,
    accuracy=0.5,
    difference=(low + high) / 2,
    low=low,
    high=high,
    p_value=0.5,
  )


SPLIT = (RUNS, 'splitting_independent', '')
NOISE = (RUNS, 'noise_0.5,source_oracle', 'source_oracle')


@pytest.mark.parametrize(
  ('claim', 'sides', 'condition', 'world', 'kind', 'sign'),
  [
    ('C9', SPLIT, 'ft_aug', 'syllogism', 'syllogism', 1),
    ('C9', SPLIT, 'ft', 'syllogism', 'syllogism', -1),
    (
      *('C10', (WORLDS, 'celebrity_plain', 'celebrity'), 'icl'),
      *('celebrity_plain', 'reversal', 1),
    ),
    ('C12', (MODELS, 'nano', 'nano_small'), 'icl', 'reversal', 'reversal', 1),
    (
      'C12',
      (MODELS, 'nano', 'nano_small'),
      'ft_aug',
      'reversal',
      'reversal',
      1,
    ),
    ('C14', NOISE, 'ft_aug', 'reversal', 'reversal', -1),
  ],
)
def test_the_claims_expect_a_sign(claim, sides, condition, world, kind, sign):
  def verdicts(low, high, **changes):
    where = {'condition': condition, 'world': world, 'kind': kind} | changes
    bounds = sorted((sign * low, sign * high))
    checks = claims.judge(
      (), (), (), [row(*bounds, *sides, **where)], normalisation='sum'
    )
    return [check.verdict for check in checks if check.claim == claim]

  assert verdicts(0.1, 0.3) == [HOLDS]
  assert verdicts(-0.1, 0.3) == [UNDECIDED]
  assert verdicts(-0.3, -0.1) == [FAILS]
  assert verdicts(0.1, 0.3, condition='pretrained') == []
  assert verdicts(0.1, 0.3, world='custom') == []


def test_runs_that_claims_name_are_runs_of_ablations():
  """A rule about a run that no ablation has would never be judged."""
  from configs import study as config
  from icl_gen.runs import studies

  study = studies.read(config.get_config('full').to_dict())
  there = {
    claims.contrasted(job.experiment.condition, RUNS, job.experiment.run, other)
    for job in studies.jobs(study, '.')
    for other in ('', 'source_oracle')
    if job.door == 'evaluate'
  }
  named = {
    rule.measured
    for claim in claims.CLAIMS
    for rule in claim.rules
    if 'as configured' in rule.measured or 'oracle' in rule.measured
  }
  assert len(named) == 3
  assert named <= there


def test_differences_of_runs_have_a_label_and_a_sign():
  for name in (
    claims.contrasted('ft', *SPLIT),
    claims.contrasted('icl', MODELS, 'a', 'b'),
  ):
    assert claims.is_difference(name)
    assert ' \N{MINUS SIGN} ' in claims.label(name)
  assert claims.is_difference('icl-ft') and not claims.is_difference('icl')


def test_the_page_says_what_recall_is_compared_with(tmp_path):
  cells = [cell('ft'), cell('icl', 'recalled_ft'), cell('icl')]
  write.write_report(
    tmp_path / 'report',
    cells,
    [],
    settings={},
    commands=['run'],
    main_kinds={'reversal': 'reversal'},
    choose=False,
  )
  page = (tmp_path / 'report' / 'index.html').read_text('utf-8')
  section = page.split('One thing at a time')[1].split('</section>')[0]
  pairs = ['as configured', 'fine-tuned']
  rows = [row for row in section.split('<tr>') if 'recalled_ft</td>' in row]
  assert {
    one for row in rows for one in pairs if f'<td>{one}</td>' in row
  } == set(pairs)
