"""Every ablation has a figure of its levels, where results depend on them."""

import dataclasses

import pytest

from configs import ablations as configured
from configs import study as config
from icl_gen.reporting import ablation_figures, write
from icl_gen.reporting.ablation_figures import ablations, panels
from icl_gen.reporting.answers import results, table
from icl_gen.runs import reported, studies
from tests.reporting import synthetic

NAMES = reported.names_of_settings()
NOISE = ('source_oracle', 'noise_0.5,source_oracle', 'noise_0.25,source_oracle')


def runs(name):
  """The runs of a variant of the study."""
  study = studies.read(config.get_config(name).to_dict())
  return {
    job.experiment.run
    for job in studies.jobs(study, 'x')
    if job.door == 'evaluate'
  }


def levels(*names):
  return {one.settings: one.levels for one in ablations(names, NAMES)}


def cell(condition, run='', *, world='reversal', right=(True, False)):
  found = synthetic.cell(right, world=world, condition=condition)
  return dataclasses.replace(found, run=run)


@pytest.mark.parametrize(
  'name', [*configured.ABLATIONS, 'forgetting', 'noise,controls', 'full']
)
def test_every_run_of_a_study_is_in_a_figure_beside_what_is_configured(name):
  every = runs(name)
  found = ablations(every, NAMES)
  assert {run for one in found for run in one.levels} == every
  for one in found:
    assert one.levels[0] == ''
    assert len(set(one.levels)) == len(one.levels)
  assert len({one.file for one in found}) == len(found)


def test_what_an_ablation_builds_on_is_among_its_levels():
  assert levels('', *NOISE, 'source_originals', 'steps_600', 'steps_75') == {
    ('noise', 'source'): (
      '',
      'source_oracle',
      'noise_0.25,source_oracle',
      'noise_0.5,source_oracle',
    ),
    ('source',): ('', 'source_oracle', 'source_originals'),
    ('steps',): ('', 'steps_75', 'steps_600'),
  }


def test_an_ablation_within_another_one_has_no_figure_of_its_own():
  assert set(levels('', *NOISE)) == {('noise', 'source')}
  wordings = levels(*runs('wordings'))
  assert list(wordings) == [('openings', 'source', 'wordings')]


def test_values_may_have_the_mark_between_settings_and_values():
  assert levels('', 'source_wrong_pairs', 'source_oracle') == {
    ('source',): ('', 'source_oracle', 'source_wrong_pairs')
  }
  # Who names a run by hand need not name settings.
  assert levels('', 'my_run') == {('my_run',): ('', 'my_run')}


def test_panels_are_of_the_conditions_that_were_run_at_several_levels():
  cells = [
    cell('icl'),
    cell('ft'),
    cell('ft', 'steps_9', right=(True, True)),
    cell('ft_aug'),
    cell('ft_aug', 'steps_9'),
    cell('ft_aug', 'source_oracle'),
    cell('ft', world='syllogism'),
  ]
  of = results(table(cells))
  (source, steps) = ablations({one.run for one in cells}, NAMES)
  shown = {
    one.settings: panels(one, of, cells, normalisation='sum')
    for one in (source, steps)
  }
  assert [one.condition for one in shown['source',]] == ['ft_aug']
  assert [one.condition for one in shown['steps',]] == ['ft', 'ft_aug']
  rows = shown['steps',][0].rows
  assert {(row.run, row.accuracy) for row in rows} == {
    ('', 0.5),
    ('steps_9', 1.0),
  }
  assert {one.world for found in shown.values() for one in found} == {
    'reversal'
  }


@pytest.mark.parametrize('choose', [True, False])
def test_figures_are_of_ablations_and_not_of_candidates(choose, tmp_path):
  cells = [cell('ft'), cell('ft', 'steps_9')]
  directory = tmp_path / 'report'
  write.write_report(
    directory,
    cells,
    [],
    settings={},
    commands=['run'],
    main_kinds={'reversal': 'reversal'},
    choose=choose,
    swept=NAMES,
  )
  drawn = sorted(path.name for path in directory.glob('ablation_*.png'))
  assert drawn == ([] if choose else ['ablation_steps.png'])
  page = (directory / 'index.html').read_text('utf-8')
  assert ('<h2>Ablations</h2>' in page) != choose


def test_equal_cells_give_equal_bytes():
  cells = [cell('ft'), cell('ft', 'steps_9'), cell('ft', 'steps_75')]
  images = [
    ablation_figures.drawn(of, names=NAMES, normalisation='sum')
    for of in (cells, cells[::-1])
  ]
  assert images[0] == images[1]
  assert images[0]['ablation_steps.png'].startswith(b'\x89PNG')
