"""Reports of studies whose models differ in how they were pretrained."""

import csv
import dataclasses

import pytest
from matplotlib.axes import Axes

from icl_gen.reporting import pretraining_figure, runs, write
from icl_gen.reporting.answers import results, table
from tests.reporting import synthetic

FACTORS = {
  'reversals_0.7': {'reversals': '0.7'},
  'reversals_0.0': {'reversals': '0.0'},
}
# The models with reversals are right in context, the others are not.
RIGHT = {
  ('reversals_0.7', 'icl'): 9,
  ('reversals_0.0', 'icl'): 1,
  ('reversals_0.7', 'ft'): 5,
  ('reversals_0.0', 'ft'): 4,
}
CELLS = [
  dataclasses.replace(
    synthetic.cell(
      [i < right for i in range(10)], condition=condition, seed=seed
    ),
    run=run,
  )
  for (run, condition), right in RIGHT.items()
  for seed in (0, 1)
]
KINDS = {'reversal': 'reversal'}


def report(directory, **given):
  """Writes a report of the cells; returns its directory."""
  write.write_report(
    directory / 'report',
    CELLS,
    [],
    settings={},
    commands=['run'],
    main_kinds=KINDS,
    factors=FACTORS,
    **given,
  )
  return directory / 'report'


@pytest.fixture(scope='module')
def reported(tmp_path_factory):
  return report(tmp_path_factory.mktemp('pretrained'))


def test_the_page_has_a_section_with_every_way_of_pretraining(reported):
  page = (reported / 'index.html').read_text('utf-8')
  section = page.split('What pretraining changes')[1].split('</section>')[0]
  rows = section.split('<tr>')[1:]
  assert 'reversals' in rows[0]
  assert ['0.7' in rows[1], '90.0' in rows[1]] == [True, True]
  assert ['0.0' in rows[2], '10.0' in rows[2]] == [True, True]
  assert (
    (reported / pretraining_figure.NAME).read_bytes().startswith(b'\x89PNG')
  )


def test_a_study_that_predicts_nothing_has_no_verdicts(reported):
  assert not (reported / 'predictions.csv').exists()
  assert 'Predictions' not in (reported / 'index.html').read_text('utf-8')


def test_no_run_is_chosen_but_the_first_one_is_shown(reported):
  page = (reported / 'index.html').read_text('utf-8')
  assert 'Grid of settings' not in page
  summary = page.split('<h2>Summary</h2>')[1].split('</section>')[0]
  assert '90.0' in summary and '10.0' not in summary
  with open(reported / 'results.csv') as file:
    found = {row['run'] for row in csv.DictReader(file)}
  assert found == set(FACTORS)


def test_a_single_run_that_is_not_the_first_is_shown():
  only = [cell for cell in CELLS if cell.run == 'reversals_0.0']
  every = runs.side_by_side(
    only, [], normalisation='sum', shown_run='reversals_0.7'
  )
  assert {*every.shown.values()} == {'reversals_0.0'}


def test_worlds_models_and_kinds_have_panels_of_their_own(monkeypatch):
  """Bars of several, drawn over one another, would show one of them."""
  drawn = []
  bar = Axes.bar

  def counted(axis, x, *args, **given):
    drawn.append((axis.get_subplotspec().num1, x))
    return bar(axis, x, *args, **given)

  monkeypatch.setattr(Axes, 'bar', counted)
  others = [dataclasses.replace(cell, model='nano_small') for cell in CELLS]
  rows = results(table([*CELLS, *others]))
  pretraining_figure.figure(
    rows, FACTORS, main_kinds=KINDS, normalisation='sum'
  )
  # Two models, two conditions, two runs.
  assert len(drawn) == len(set(drawn)) == 8


def test_the_figure_has_a_bar_for_every_run_and_condition():
  rows = results(table(CELLS))
  chosen = pretraining_figure.of_main_kinds(
    rows, FACTORS, main_kinds=KINDS, normalisation='sum'
  )
  means = {(r.run, r.condition): r.accuracy for r in chosen if r.seed == 'mean'}
  assert means == {key: right / 10 for key, right in RIGHT.items()}
  data = [
    pretraining_figure.figure(
      rows, factors, main_kinds=KINDS, normalisation='sum'
    )
    for factors in (FACTORS, FACTORS, dict(list(FACTORS.items())[:1]))
  ]
  assert data[0] == data[1] != data[2]
