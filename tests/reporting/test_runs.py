"""Runs with other settings: every one has all conditions, and one is chosen."""

import csv
import dataclasses

import pytest

from icl_gen.reporting import runs, write
from icl_gen.reporting.assembly import assemble
from icl_gen.reporting.records import CHOSEN, Cell, CellName
from icl_gen.types import Document, Origin
from tests.reporting import synthetic

KINDS = {'reversal': 'reversal'}


def cell(condition, run='', *, seed=0, stated=(1,), asked=(1,), sure=1.0):
  """Answers to questions of kinds forward and reversal; 1: right."""
  scores = [
    synthetic.score(
      f'{kind}-{i}', (-sure, -9.0) if right else (-9.0, -sure), kind=kind
    )
    for kind, answers in (('forward', stated), ('reversal', asked))
    for i, right in enumerate(answers)
  ]
  return Cell('reversal', condition, 'nano', seed, tuple(scores), run)


def side_by_side(cells, records=()):
  return runs.side_by_side(cells, records, normalisation='sum')


def of(cells):
  return {(one.condition, one.run) for one in cells}


def test_without_names_nothing_is_added():
  cells, records = synthetic.study(questions=2)
  found = side_by_side(cells, records)
  assert set(found.cells) == set(cells)
  assert found.records == records
  assert set(found.shown.values()) == {''}
  assert not found.chosen


def test_recalling_cells_are_of_the_weights_that_are_shown():
  """Not of those that are trained in other runs, and each cell once."""
  document = Document(
    'd', 'It is.', origin=Origin('recalled', (), (('verdict', 'unparsed'),))
  )
  names = (
    *('kind_recalled', 'by_hand', 'recalled_ft', 'recalled_ft_aug'),
    *('recalled_ft-agree_4', 'recalled_ft-steps_9', 'recalled_ft-agree_4-a'),
    *('factor_5,kind_recalled', ''),
  )
  cells = [cell('ft'), cell('icl', 'factor_5')] + [
    dataclasses.replace(cell('icl', run), recalled={'forward-0': (document,)})
    for run in names
  ]
  shown = {('reversal', 'nano'): ''}
  assert [one.run for one in runs.recalling(cells, shown)] == [*names[:5]]
  shown = {('reversal', 'nano'): 'kind_recalled'}
  assert [one.run for one in runs.recalling(cells, shown)] == [*names[1:5]]


def test_every_run_has_all_conditions():
  """Cells that do not depend on a setting are those of all of its values."""
  cells = [
    cell('pretrained'),
    cell('icl'),
    cell('icl', 'factor_5'),
    *(cell('ft', run) for run in ('', 'lr_0.1')),
    *(
      cell('ft_aug', run)
      for run in ('', 'lr_0.1', 'factor_5', 'factor_5,lr_0.1')
    ),
  ]
  found = side_by_side(cells)
  names = {'', 'lr_0.1', 'factor_5', 'factor_5,lr_0.1', CHOSEN}
  assert of(found.cells) == {
    (condition, name)
    for condition in ('pretrained', 'icl', 'ft', 'ft_aug')
    for name in names
  }
  scores = {(one.condition, one.run): one.scores for one in found.cells}
  given = {(one.condition, one.run): one.scores for one in cells}
  both = 'factor_5,lr_0.1'
  assert scores['pretrained', both] is given['pretrained', '']
  assert scores['icl', both] is given['icl', 'factor_5']
  assert scores['ft', both] is given['ft', 'lr_0.1']
  assert scores['ft_aug', both] is given['ft_aug', both]


def read(path):
  """The rows of a CSV file."""
  return list(csv.DictReader(path.read_text().splitlines()))


def test_ablations_are_not_chosen_among():
  cells = [
    cell(condition, run, stated=(run != '',))
    for condition in ('ft', 'ft_aug')
    for run in ('', 'lr_0.1', 'source_oracle')
  ]
  # By the development questions, another run would be chosen.
  assert side_by_side(cells).chosen['reversal', 'nano', 'ft'] == 'lr_0.1'
  found = runs.side_by_side(cells, (), normalisation='sum', choose=False)
  assert found.shown == {('reversal', 'nano'): ''}
  assert {one.run for one in found.cells} == {'', 'lr_0.1', 'source_oracle'}
  assert {one.run for one in found.shown_cells} == {''}
  assert set(found.chosen.values()) == {None}


def test_a_report_of_ablations_shows_the_settings_of_the_experiment(tmp_path):
  cells = [cell('ft', run, asked=(run == '', 1)) for run in ('', 'lr_0.1')]
  write.write_report(
    tmp_path / 'report',
    cells,
    (),
    settings={},
    commands=('c',),
    main_kinds=KINDS,
    choose=False,
  )
  page = (tmp_path / 'report' / 'index.html').read_text()
  assert 'nothing is chosen among' in page
  assert 'One thing at a time' in page
  assert 'fine-tuned 100.0' in page
  rows = read(tmp_path / 'report' / 'contrasts.csv')
  assert {(row['first'], row['second']) for row in rows} == {('lr_0.1', '')}
  grid = read(tmp_path / 'report' / 'grid.csv')
  assert {row['chosen'] for row in grid} == {''}


def test_what_only_others_share_is_no_run():
  """Of a sweep without the experiment's own value, '' has no training."""
  cells = [cell('icl'), cell('ft', 'lr_0.1'), cell('ft', 'lr_0.2')]
  assert {one.run for one in side_by_side(cells).of_runs} == {
    'lr_0.1',
    'lr_0.2',
  }
  # With it, it has.
  assert '' in {one.run for one in side_by_side([*cells, cell('ft')]).cells}
  # A single point needs no choice.
  assert side_by_side(cells[:2]).shown == {('reversal', 'nano'): 'lr_0.1'}
  assert CHOSEN not in {one.run for one in side_by_side(cells[:2]).cells}


def test_a_run_that_is_not_finished_is_not_another():
  """Its gap is not filled with the cell of other settings."""
  cells = [
    *(cell('ft', run) for run in ('', 'lr_0.1', 'steps_9')),
    *(cell('ft_aug', run) for run in ('', 'lr_0.1,steps_9')),
  ]
  found = of(side_by_side(cells).cells)
  assert ('ft_aug', 'lr_0.1,steps_9') in found
  assert ('ft', 'lr_0.1,steps_9') not in found


def unfinished(condition, run='', seed=0):
  return CellName('reversal', condition, 'nano', seed, run)


def test_other_settings_do_not_stand_for_cells_that_are_not_finished():
  """Not even where no finished cell shows that they matter."""
  cells = [cell('ft'), cell('ft_aug'), cell('ft_aug', 'lr_0.1')]
  missing = [unfinished('ft', 'lr_0.1')]
  found = runs.side_by_side(cells, (), normalisation='sum', unfinished=missing)
  assert ('ft_aug', 'lr_0.1') in of(found.cells)
  assert ('ft', 'lr_0.1') not in of(found.cells)
  (chosen,) = [one for one in found.cells if one.run == 'lr_0.1']
  assert chosen.condition == 'ft_aug'


def test_an_ablation_is_not_shown_as_what_it_is_an_ablation_of():
  cells = [
    *(cell(condition) for condition in ('pretrained', 'icl', 'ft')),
    cell('ft_aug', 'source_oracle'),
  ]
  found = runs.side_by_side(
    cells,
    (),
    normalisation='sum',
    choose=False,
    unfinished=[unfinished('ft_aug')],
  )
  assert found.shown == {('reversal', 'nano'): ''}
  assert ('ft_aug', '') not in of(found.cells)
  report = assemble(
    cells,
    (),
    main_kinds=KINDS,
    normalisation='sum',
    choose=False,
    unfinished=[unfinished('ft_aug')],
  )
  assert not any('figures, claims' in text for text in report.gaps)
  assert not any(row.comparison == 'ft_aug-ft' for row in report.adjusted)
  # If nothing else is there, the page says what is shown.
  report = assemble(
    cells[3:], (), main_kinds=KINDS, normalisation='sum', choose=False
  )
  assert (
    'reversal, nano: no cell of the run as configured is finished; figures,'
    ' claims and summary are of source_oracle.'
  ) in report.gaps


def test_a_finished_cell_is_shown_before_those_that_share_it():
  cells = [cell('icl'), cell('ft', 'lr_0.1')]
  missing = [unfinished('ft_aug', f'lr_{rate},tokens_9') for rate in (0.1, 0.2)]
  found = runs.side_by_side(cells, (), normalisation='sum', unfinished=missing)
  assert of(found.cells) == {('icl', 'lr_0.1'), ('ft', 'lr_0.1')}
  later = runs.side_by_side(
    [*cells, cell('ft_aug', 'lr_0.1,tokens_9')],
    (),
    normalisation='sum',
    unfinished=missing[1:],
  )
  assert {run for _, run in of(later.cells)} == {'lr_0.1,tokens_9'}


def test_the_grid_has_cells_that_several_runs_share():
  """Also under their own name, which is no run's."""
  rates = ('lr_0.1', 'lr_0.2')
  cells = [
    cell('icl'),
    *(cell('ft', rate) for rate in rates),
    *(cell('ft_aug', f'{rate},tokens_9') for rate in rates),
  ]
  report = assemble(cells, (), main_kinds=KINDS, normalisation='sum')
  found = {(point.condition, point.run) for point in report.grid}
  assert found == {(one.condition, one.run) for one in cells[1:]}


@pytest.mark.parametrize('best', [0, 1, 2])
def test_the_rule_sees_the_development_questions_alone(best):
  names = ['a', 'b', 'c']
  cells = [
    cell(
      'ft',
      name,
      stated=(1, 1) if place == best else (1, 0),
      # What is asked in tests would choose another one.
      asked=(0, 0) if place == best else (1, 1),
    )
    for place, name in enumerate(names)
  ]
  found = side_by_side(cells)
  place = ('reversal', 'nano', 'ft')
  assert found.chosen == {place: names[best]}
  (chosen,) = [one for one in found.cells if one.run == CHOSEN]
  assert chosen.scores == cells[best].scores


def test_the_rule_counts_every_seed_the_same():
  cells = [
    cell('ft', 'a', seed=0, stated=(1, 1, 1, 1)),
    cell('ft', 'a', seed=1, stated=(0,)),
    cell('ft', 'b', seed=0, stated=(1, 1, 1, 0)),
    cell('ft', 'b', seed=1, stated=(1,)),
  ]
  assert side_by_side(cells).chosen['reversal', 'nano', 'ft'] == 'b'


def test_the_rule_compares_runs_on_the_seeds_that_all_have():
  """Otherwise a run that lacks the hard ones would be better."""
  cells = [
    cell('ft', 'a', seed=0, stated=(1, 1)),
    cell('ft', 'a', seed=1, stated=(0, 0)),
    cell('ft', 'b', seed=0, stated=(1, 0)),
    cell('ft', 'b', seed=2, stated=(1, 1)),
  ]
  place = ('reversal', 'nano', 'ft')
  assert side_by_side(cells).chosen == {place: 'a'}
  assert side_by_side(cells[1:]).chosen == {place: None}


def test_ties_go_to_the_lower_loss_and_then_to_the_first_name():
  place = ('reversal', 'nano', 'ft')
  cells = [cell('ft', 'a', sure=1.0), cell('ft', 'b', sure=0.5)]
  assert side_by_side(cells).chosen[place] == 'b'
  assert side_by_side(cells[::-1]).chosen[place] == 'b'
  cells = [cell('ft', 'b'), cell('ft', 'a')]
  assert side_by_side(cells).chosen[place] == 'a'


def test_every_condition_has_its_own_choice():
  cells = [
    cell('ft', 'a', stated=(1,)),
    cell('ft', 'b', stated=(0,)),
    cell('ft_aug', 'a', stated=(0,)),
    cell('ft_aug', 'b', stated=(1,)),
  ]
  assert side_by_side(cells).chosen == {
    ('reversal', 'nano', 'ft'): 'a',
    ('reversal', 'nano', 'ft_aug'): 'b',
  }


def test_without_development_questions_nothing_is_chosen():
  cells = [cell('ft', run, stated=()) for run in ('a', 'b')]
  found = side_by_side(cells)
  assert found.chosen == {('reversal', 'nano', 'ft'): None}
  (chosen,) = [one for one in found.cells if one.run == CHOSEN]
  assert chosen.scores is cells[0].scores
  report = assemble(cells, (), main_kinds=KINDS, normalisation='sum')
  assert {point.chosen for point in report.grid} == {''}


def swept(*, seeds=(0, 1)):
  """A study at two learning rates; the second one is worse."""
  cells, records = synthetic.study(seeds=seeds, questions=6)
  cells = [one for one in cells if one.world == 'reversal']
  worse = [
    cell(one.condition, 'lr_0.1', seed=one.seed, stated=(0,) * 6, asked=(1,))
    for one in cells
    if one.condition in ('ft', 'ft_aug')
  ]
  found = [
    dataclasses.replace(record, runs=('', 'lr_0.1'))
    for record in records
    if record.world == 'reversal'
  ]
  return [*cells, *worse], found


def rows(path):
  return list(csv.DictReader(path.read_text().splitlines()))


@pytest.fixture(scope='module')
def written(tmp_path_factory):
  folder = tmp_path_factory.mktemp('reports')
  cells, records = swept()
  for name, chosen in {
    'swept': (cells, records),
    'plain': ([one for one in cells if not one.run], records),
  }.items():
    write.write_report(
      folder / name,
      *chosen,
      settings={},
      commands=[],
      main_kinds=KINDS,
    )
  return folder


def test_runs_are_a_column_where_there_are_several(written):
  for name, are_several in (('swept', True), ('plain', False)):
    for table in ('results', 'differences', 'coverage'):
      found = rows(written / name / f'{table}.csv')
      assert ('run' in found[0]) == are_several, (name, table)
    # One augmentation serves both runs.
    assert 'run' not in rows(written / name / 'augmentation.csv')[0]
    assert 'run' not in rows(written / name / 'costs.csv')[0]
    assert (written / name / 'grid.csv').exists() == are_several
    page = (written / name / 'index.html').read_text()
    assert ('Grid of settings' in page) == are_several
  found = rows(written / 'swept/results.csv')
  assert {row['run'] for row in found} == {'', 'lr_0.1', CHOSEN}


def test_the_chosen_run_is_that_of_the_study_without_the_other(written):
  """The rule chooses the better one, and shows what it alone would have."""
  plain = rows(written / 'plain/results.csv')
  for run in ('', CHOSEN):
    assert [
      {key: value for key, value in row.items() if key != 'run'}
      for row in rows(written / 'swept/results.csv')
      if row['run'] == run
    ] == plain
  for figure in ('world_reversal', 'augmentation'):
    found = [
      (written / name / f'{figure}.png').read_bytes()
      for name in ('swept', 'plain')
    ]
    assert found[0] == found[1]
  page = (written / 'swept/index.html').read_text()
  assert (
    'Runs chosen on the development questions: fine-tuned as configured' in page
  )


def test_the_grid_has_every_run_and_kind(written):
  grid = rows(written / 'swept/grid.csv')
  results = rows(written / 'swept/results.csv')
  assert [
    (row['condition'], row['run'], row['kind'], row['role'], row['chosen'])
    for row in grid
  ] == [
    (condition, run, kind, role, chosen)
    for condition in ('ft', 'ft_aug')
    for run, chosen in (('', 'yes'), ('lr_0.1', 'no'))
    for kind, role in (('forward', 'development'), ('reversal', 'test'))
  ]
  for row in grid:
    (result,) = [
      one
      for one in results
      if (one['seed'], one['normalisation']) == ('mean', 'sum')
      and all(one[key] == row[key] for key in ('condition', 'run', 'kind'))
    ]
    assert result['accuracy'] == row['accuracy']
  wrong = [row for row in grid if row['run'] and row['role'] != 'test']
  assert {row['loss'] for row in wrong} == {'9.000000'}


def test_documents_of_the_chosen_run_may_be_missing(tmp_path):
  """Those of others are in the tables, and the gap is told."""
  cells, records = swept(seeds=(0,))
  others = [
    dataclasses.replace(record, run='hot', runs=('lr_0.1',))
    for record in records
  ]
  write.write_report(
    tmp_path / 'report',
    cells,
    others,
    settings={},
    commands=[],
    main_kinds=KINDS,
  )
  found = rows(tmp_path / 'report/augmentation.csv')
  assert {row['run'] for row in found} == {'hot'}
  assert not (tmp_path / 'report/augmentation.png').exists()
  page = (tmp_path / 'report/index.html').read_text()
  assert 'There is no figure' in page
  assert 'no record of the generated documents for seed 0' in page
