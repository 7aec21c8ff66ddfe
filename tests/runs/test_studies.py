"""A study's own settings: names, seeds and models."""

import dataclasses

import pytest

from icl_gen.runs import released, studies
from icl_gen.runs.stage import Stage
from tests.rules import ROOT
from tests.runs.test_experiments import EXPERIMENT

VALUES = {
  'name': 'study',
  'experiments': {'reversal': dataclasses.asdict(EXPERIMENT)},
  'main_kinds': {'reversal': 'reversal'},
  'conditions': ('icl',),
  'seeds': (0,),
  'models': ('nano',),
  'checkpoint': '',
  'tokenizer': '',
  'dtype': '',
  'sweep': '',
}


@pytest.mark.parametrize('name', ['study', 'my study', '.hidden', 'a..b'])
def test_a_study_is_named_after_a_directory(name):
  assert studies.read(VALUES | {'name': name}).name == name


@pytest.mark.parametrize(
  'name', ['', '.', '..', '../x', 'a/b', '/x', 'x/', 'a\\b', 'a\0b']
)
def test_a_study_is_not_written_outside_the_workdir(name):
  with pytest.raises(
    ValueError, match='^--config.name=.*: give the name of a dir'
  ):
    studies.read(VALUES | {'name': name})


def test_jobs_of_other_processes_cannot_start(tmp_path):
  study = studies.read(VALUES | {'conditions': ('ft',)})
  build, train, evaluate = studies.jobs(study, tmp_path)
  assert [studies.can_start(job) for job in (build, train)] == [True, False]
  built = Stage('build', build.result.parent, {})
  with built.guard():
    assert not studies.can_start(build)
  assert studies.can_start(build)
  build.result.parent.mkdir(parents=True)
  build.result.touch()
  assert studies.can_start(train) and not studies.can_start(evaluate)
  with Stage('train', train.result.parent, {}).guard():
    assert not studies.can_start(train)
  assert studies.left(study, tmp_path) == [train, evaluate]


def test_what_is_made_of_something_that_is_gone_is_looked_at_again(tmp_path):
  """It may be made anew with other settings."""
  study = studies.read(VALUES | {'conditions': ('icl', 'ft_aug')})
  every = studies.jobs(study, tmp_path)
  for job in every:
    job.result.parent.mkdir(parents=True, exist_ok=True)
    job.result.touch()
  assert studies.left(study, tmp_path) == []
  doors = {job.door: job for job in every}
  doors['train'].result.unlink()
  assert studies.left(study, tmp_path) == [doors['train'], doors['evaluate']]
  doors['build'].result.unlink()
  assert studies.left(study, tmp_path) == every


def test_flags_in_messages_are_those_of_the_study():
  study = studies.read(VALUES)
  told = 'give --config.train.length=99, --config.checkpoint or --config.seed'
  assert studies.flags(told, study, 'reversal') == (
    'give --config.experiments.reversal.train.length=99, --config.checkpoint or'
    ' --config.seeds'
  )


def test_a_study_keeps_results_of_both_settings_with_a_sweep():
  told = 'give --config.run=NAME or --config.augment.name=NAME to keep both'
  assert studies.flags(told, studies.read(VALUES), 'reversal') == (
    "give --config.sweep='SETTING=VALUE' or --config.sweep='SETTING=VALUE' to"
    ' keep both'
  )


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    ({'models': ('foo',)}, r"--config.models=\('foo',\): unknown model 'foo'"),
    ({'conditions': ('tf',)}, "condition 'tf'; allowed are pretrained, icl"),
    ({'dtype': 'float17'}, "--config.dtype='float17'; allowed are float32"),
    # Before the first of the worlds is built.
    ({'seeds': (0, 10**12)}, '--config.seeds=1000000000000; give 0 to'),
    ({'seeds': (-1,)}, '--config.seeds=-1; give 0 to 4,294,967,295'),
    ({'seeds': (0.5,)}, r'--config.seeds=\(0.5,\): seeds are whole numbers'),
    (
      {'experiments': {'a': {**VALUES['experiments']['reversal'], 'seed': -1}}},
      '--config.experiments.a.seed=-1; give 0 to',
    ),
  ],
)
def test_mistakes_name_the_flag_of_the_study(change, message):
  with pytest.raises(ValueError, match=message):
    studies.read(VALUES | change)


def config_file():
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(ROOT)
    from configs import study
  return study


def jobs_of(variant):
  """The study of a variant, and the paths of its jobs without their files."""
  study = studies.read(config_file().get_config(variant).to_dict())
  return study, [job.result.parent.name for job in studies.jobs(study, 'x')]


def test_every_cell_has_the_augmentation_that_it_is_trained_on():
  config = config_file().get_config('custom')
  config.sweep = '| augment.temperature=0.0 train.steps=9'
  config.seeds = (0,)
  found = studies.augmented(studies.read(config.to_dict()))
  assert {cell: made for cell, made in found.items() if made} == {
    'custom-ft_aug-nano-s0': 'custom-s0-augmented-nano',
    'custom-ft_aug-nano-s0+temperature_0.0,steps_9': (
      'custom-s0-augmented-nano+temperature_0.0'
    ),
  }
  assert 'custom-ft-nano-s0+steps_9' in found


def test_codebooks_are_rows_of_a_study():
  study, names = jobs_of('codebook')
  assert (study.name, set(study.experiments)) == ('codebook', {'codebook'})
  assert study.main_kinds['codebook'] == 'reversal'
  # Per seed: a corpus, an augmentation, two trainings, four scores.
  assert len(names) == 3 * 8
  assert 'codebook-ft_aug-nano-s2' in names


def test_other_variants_are_as_they_were():
  study, names = jobs_of('')
  assert study.sweep == '' and 'codebook' not in study.main_kinds
  assert len(names) == 5 * 3 * 8
  assert {one.context.documents for one in study.experiments.values()} == {4}


def test_variants_of_models_are_those_of_every_world():
  config = config_file()
  assert set(released.MODELS) < set(config.VARIANTS)
  made = studies.read(config.get_config('gemma3_1b').to_dict())
  assert made.models == ('gemma3_1b',)
  assert len(made.experiments) == 5
  for experiment in made.experiments.values():
    assert (experiment.dtype, experiment.train.length) == ('bfloat16', 1024)


def test_a_study_of_ft_aug_needs_samples():
  augment = dataclasses.replace(
    EXPERIMENT.augment, local_samples=0, global_samples=0
  )
  without = dataclasses.asdict(dataclasses.replace(EXPERIMENT, augment=augment))
  values = VALUES | {'experiments': {'reversal': without}}
  studies.read(values)
  with pytest.raises(ValueError, match='nothing would be sampled'):
    studies.read(values | {'conditions': ('icl', 'ft_aug')})
