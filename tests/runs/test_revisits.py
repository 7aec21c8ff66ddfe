"""Fine-tuned models are asked once more, in the contexts of other cells."""

import dataclasses

import pytest

from icl_gen.reporting import runs
from icl_gen.reporting.records import Cell
from icl_gen.runs import directories, reported, studies, units
from tests.reporting import synthetic
from tests.runs.test_experiments import EXPERIMENT
from tests.runs.test_studies import VALUES

SYLLOGISM = dataclasses.replace(
  EXPERIMENT, world='syllogism', size={'examples': 8}
)
SETTINGS = VALUES | {
  'experiments': {
    'reversal': dataclasses.asdict(EXPERIMENT),
    'syllogism': dataclasses.asdict(SYLLOGISM),
  },
  'main_kinds': {'reversal': 'reversal', 'syllogism': 'syllogism'},
  'conditions': directories.CONDITIONS,
  'choose': False,
  'after_training': ('other_worlds',),
}


def asked(root='x', **changes):
  """The study with changes, its usual jobs and those of `after_training`."""
  study = studies.read(SETTINGS | changes)
  usual = studies.jobs(dataclasses.replace(study, after_training=()), root)
  every = studies.jobs(study, root)
  assert every[: len(usual)] == usual
  return study, usual, every[len(usual) :]


def test_every_fine_tuned_model_is_asked_about_the_other_world():
  _, usual, again = asked(seeds=(0, 1), models=('nano', 'nano_small'))
  trained = {job.result: job.experiment for job in usual if job.door == 'train'}
  assert len(again) == len(trained) == 2 * 2 * 2 * 2
  for job in again:
    corpus, weights = job.needs
    of, by = job.experiment, trained[weights]
    assert {of.world, by.world} == {'reversal', 'syllogism'}
    assert (of.seed, of.model) == (by.seed, by.model)
    assert of.run == f'after_{by.world}_{by.condition}'
    assert corpus.parent.name == f'{of.world}-s{of.seed}'


def test_it_has_the_questions_and_the_context_of_the_cell_as_configured():
  _, usual, again = asked()
  plain = {
    job.experiment.world: job.experiment
    for job in usual
    if job.experiment.condition == 'icl'
  }
  for job in again:
    weights = {'run': '', 'checkpoint': '', 'tokenizer': ''}
    assert (
      dataclasses.replace(job.experiment, **weights)
      == plain[job.experiment.world]
    )
    assert job.needs_weights
  assert not any(job.needs_weights for job in usual)


def test_every_fine_tuned_model_recalls_the_documents_of_its_own_world():
  _, usual, again = asked(after_training=('recalled',))
  trained = {job.result: job.experiment for job in usual if job.door == 'train'}
  assert len({job.result for job in again}) == 2 * len(trained)
  for job in again:
    of, by = job.experiment, trained[job.needs[1]]
    assert (of.world, of.condition) == (by.world, 'icl')
    assert of.context.kind == 'recalled'
    # What one sample says is enough, or all must say it.
    name = {1: '', of.context.documents: '-agree_4'}[of.context.agree]
    assert of.run == f'recalled_{by.condition}{name}'
    usual_settings = {'kind': by.context.kind, 'agree': by.context.agree}
    assert dataclasses.replace(of.context, **usual_settings) == by.context


def test_what_is_recalled_is_part_of_a_unit(tmp_path):
  study, _, again = asked(tmp_path, after_training=('recalled',))
  of_units = {
    job.result
    for unit in units.units(study).values()
    for job in studies.jobs(unit, tmp_path)
  }
  assert {job.result for job in again} <= of_units


def test_ablations_are_asked_too_and_keep_their_other_conditions():
  sweep = ' | train.steps=9 augment.temperature=1.0'
  _, usual, again = asked(sweep=sweep)
  assert {job.experiment.run for job in again} == {
    f'after_{world}_{run}'
    for world in ('reversal', 'syllogism')
    for run in ('ft', 'ft-steps_9', 'ft_aug', 'ft_aug-temperature_1.0-steps_9')
  }
  score = synthetic.score('a', (0.0, -1.0))
  cells = [
    Cell(of.world, of.condition, of.model, of.seed, (score,), of.run)
    for of in (job.experiment for job in (*usual, *again))
    if of.world == 'syllogism'
  ]
  cells = list({cell.name: cell for cell in cells}.values())
  there = runs.side_by_side(cells, [], normalisation='sum', choose=False)
  conditions = {}
  for cell in there.cells:
    conditions.setdefault(cell.run, set()).add(cell.condition)
  assert all(
    found == set(directories.CONDITIONS) for found in conditions.values()
  )


def test_the_names_of_cells_can_be_read():
  _, _, again = asked(sweep=' | train.steps=9 augment.temperature=1.0')
  for job in again:
    name = job.result.parent.name
    assert directories.read_run(name) == directories.CellName(
      job.experiment.world,
      'icl',
      'nano',
      0,
      job.experiment.run,
    )


def test_they_are_not_in_units_but_in_the_whole_study(tmp_path):
  study, usual, again = asked(tmp_path)
  of_units = {
    job.result
    for unit in units.units(study).values()
    for job in studies.jobs(unit, tmp_path)
  }
  assert of_units == {job.result for job in usual}
  assert not of_units & {job.result for job in again}


def test_a_study_without_them_is_as_before():
  without = {k: v for k, v in SETTINGS.items() if k != 'after_training'}
  study = studies.read(without)
  assert study.after_training == ()
  assert 'after_training' not in reported.shown(study)
  shown = reported.shown(studies.read(SETTINGS))
  assert shown['after_training'] == ['other_worlds']


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    (
      {'after_training': ('a',)},
      "unknown 'a'; allowed are other_worlds, recalled",
    ),
    ({'choose': True}, r'must not choose .*--config.choose=False'),
    ({'conditions': ('icl',)}, r'no condition of icl trains; add ft or ft_aug'),
    (
      {'experiments': {'reversal': SETTINGS['experiments']['reversal']}},
      'no world but reversal',
    ),
  ],
)
def test_what_cannot_be_asked_is_a_mistake(changes, message):
  with pytest.raises(ValueError, match=message):
    studies.read(SETTINGS | changes)
