"""A sweep's points are runs of their own, and share what does not depend."""

import dataclasses
import itertools

import pytest

from icl_gen.runs import (
  directories,
  experiments,
  reported,
  stages,
  studies,
  sweeps,
)
from icl_gen.runs.stage import Stage
from icl_gen.storage import corpus_files, distributions
from tests.runs.test_experiments import EXPERIMENT
from tests.runs.test_studies import VALUES

EVERY = {'conditions': directories.CONDITIONS}


def names(study, root, door):
  """The directories of a door, each once."""
  return [
    job.result.parent.name
    for job in studies.jobs(study, root)
    if job.door == door
  ]


def swept(sweep, **changes):
  return studies.read(VALUES | EVERY | {'sweep': sweep} | changes)


def another(setting):
  """A value that the experiment does not have."""
  block, _, field = setting.partition('.')
  value = getattr(getattr(EXPERIMENT, block), field)
  if setting in experiments.CHOICES:
    return next(v for v in experiments.CHOICES[setting] if v != value)
  if isinstance(value, bool):
    return not value
  # Shares stay below 1.
  return value + 1 if isinstance(value, int) else value / 2 + 0.25


def test_without_a_sweep_names_are_as_they_were(tmp_path):
  without = {name: value for name, value in VALUES.items() if name != 'sweep'}
  for values in (without, VALUES | {'sweep': ''}):
    study = studies.read(values | EVERY)
    assert [
      str(job.result.relative_to(tmp_path))
      for job in studies.jobs(study, tmp_path)
    ] == [
      'corpora/reversal-s0/manifest.json',
      'runs/reversal-pretrained-nano-s0/scores.parquet',
      'runs/reversal-icl-nano-s0/scores.parquet',
      'runs/reversal-ft-nano-s0/params',
      'runs/reversal-ft-nano-s0/scores.parquet',
      'corpora/reversal-s0-augmented-nano/manifest.json',
      'runs/reversal-ft_aug-nano-s0/params',
      'runs/reversal-ft_aug-nano-s0/scores.parquet',
    ]
    assert 'sweep' not in reported.shown(study)


def test_only_what_depends_on_a_setting_is_run_again(tmp_path):
  # The experiment trains for 4 steps: that point is the run without a name.
  rates = swept('train.learning_rate=1e-3,4e-3 train.steps=4,9')
  assert names(rates, tmp_path, 'evaluate') == [
    'reversal-pretrained-nano-s0',
    'reversal-icl-nano-s0',
    *(
      f'reversal-{condition}-nano-s0+lr_{rate}'
      for condition in ('ft', 'ft_aug')
      for rate in ('0.001', '0.001,steps_9', '0.004', '0.004,steps_9')
    ),
  ]
  assert names(rates, tmp_path, 'augment') == ['reversal-s0-augmented-nano']
  samples = swept('augment.temperature=0.7,1.0')
  assert names(samples, tmp_path, 'train') == [
    'reversal-ft-nano-s0',
    'reversal-ft_aug-nano-s0',
    'reversal-ft_aug-nano-s0+temperature_1.0',
  ]
  assert names(samples, tmp_path, 'augment') == [
    'reversal-s0-augmented-nano',
    'reversal-s0-augmented-nano+temperature_1.0',
  ]
  contexts = swept('context.kind=all,bm25')
  assert names(contexts, tmp_path, 'evaluate')[1:3] == [
    'reversal-icl-nano-s0',
    'reversal-icl-nano-s0+kind_bm25',
  ]
  assert names(contexts, tmp_path, 'augment') == ['reversal-s0-augmented-nano']


def test_what_depends_is_what_stages_record(monkeypatch, tmp_path):
  """A condition depends on a setting if the settings of its stages do."""
  manifest = {'sha256': '', 'questions': {'count': 1}}
  manifest['files'] = {distributions.NAME: ''}
  monkeypatch.setattr(stages, 'require_built', lambda *given: tmp_path)
  monkeypatch.setattr(stages, '_sources', lambda *given: (tmp_path,))
  made = Stage('augment', tmp_path, {})
  monkeypatch.setattr(stages, '_augmented', lambda *given: made)
  monkeypatch.setattr(stages, '_of_models', lambda one: {})
  monkeypatch.setattr(stages, '_of_cell', lambda *given: {})
  monkeypatch.setattr(stages, '_require_apart', lambda *given: None)
  monkeypatch.setattr(corpus_files, 'read_manifest', lambda path: manifest)

  def recorded(cell):
    doors = {'evaluate': stages.evaluate}
    if cell.condition in directories.TRAINED:
      doors['train'] = stages.train
    if cell.condition == 'ft_aug':
      doors['augment'] = stages.augment
    return {
      door: stage(cell, tmp_path).settings for door, stage in doors.items()
    }

  for setting in sweeps.settings():
    block, _, field = setting.partition('.')
    changed = dataclasses.replace(
      getattr(EXPERIMENT, block), **{field: another(setting)}
    )
    for condition in directories.CONDITIONS:
      cell = dataclasses.replace(EXPERIMENT, condition=condition)
      other = dataclasses.replace(cell, **{block: changed})
      depends = recorded(cell) != recorded(other)
      assert sweeps.depends(condition, setting) == depends, (condition, setting)
    cell = dataclasses.replace(EXPERIMENT, condition='ft_aug')
    other = dataclasses.replace(cell, **{block: changed})
    differ = recorded(cell)['augment'] != recorded(other)['augment']
    assert sweeps.shapes_samples(setting) == differ, setting


def test_a_point_is_the_same_settings_with_a_name():
  cell = dataclasses.replace(EXPERIMENT, condition='ft_aug')
  for setting in sweeps.settings():
    if not sweeps.depends('ft_aug', setting):
      continue
    value = another(setting)
    (point,) = sweeps.points(f'{setting}={value}')
    found = sweeps.applied(cell, point)
    block, _, field = setting.partition('.')
    assert getattr(getattr(found, block), field) == value
    unnamed = dataclasses.replace(
      found, run='', augment=dataclasses.replace(found.augment, name='')
    )
    assert unnamed == dataclasses.replace(
      cell,
      **{block: dataclasses.replace(getattr(cell, block), **{field: value})},
    )
    assert found.run
    # It is a config that a door takes.
    experiments.read(dataclasses.asdict(found))


def test_names_are_unique_and_parse_back(tmp_path):
  """Every combination of two settings has a directory that says which."""
  found = {}
  for pair in itertools.combinations(sweeps.settings(), 2):
    for changed in (pair[:1], pair[1:], pair):
      point = {setting: another(setting) for setting in changed}
      found.setdefault(sweeps.name(point), set()).add(changed)
      # In whatever order they are given.
      turned = dict(reversed(point.items()))
      assert sweeps.name(turned) == sweeps.name(point)
  assert all(len(settings) == 1 for settings in found.values())
  for name in found:
    directory = directories.run(
      tmp_path, world='w', condition='ft', model='m', seed=3, run=name
    ).name
    assert directories.read_run(directory) == directories.CellName(
      'w', 'ft', 'm', 3, name
    )


@pytest.mark.parametrize(
  ('sweep', 'message'),
  [
    ('train.steps', 'is not SETTING=VALUE,VALUE; e.g. --config.sweep='),
    ('train.steps=', 'is not SETTING=VALUE,VALUE'),
    (
      'train.step=1',
      "'train.step' cannot be swept; those that can are context",
    ),
    ('size.facts=3', "'size.facts' cannot be swept"),
    ('train.fsdp=2', "'train.fsdp' cannot be swept"),
    ('augment.name=a', "'augment.name' cannot be swept"),
    ('train.steps=1,x', "train.steps='x' is not a whole number"),
    ('train.learning_rate=x', "learning_rate='x' is not a number"),
    ('train.learning_rate=-1', 'sweep: train.learning_rate=-1.0; give more th'),
    ('train.optimizer=sgd', "optimizer='sgd'; allowed are adamw, adafactor"),
    ('train.scan=True', "'train.scan' cannot be swept"),
    ('train.steps=1,1', 'train.steps=1,1: give each value once'),
    ('train.steps=1 train.steps=2', 'train.steps is given twice'),
    (
      f'train.steps={",".join(map(str, range(1, 1002)))}',
      'has more than 1,000 points',
    ),
    ('augment.local_samples=0 augment.global_samples=0', 'nothing would be'),
    (
      ' '.join(f'{s}={another(s)}' for s in sweeps.settings()),
      'give up to 100 letters',
    ),
  ],
)
def test_mistakes_in_a_sweep(sweep, message):
  with pytest.raises(ValueError, match=message):
    swept(sweep)


def test_a_setting_that_nothing_depends_on_is_a_mistake():
  with pytest.raises(
    ValueError, match=r'no condition of icl depends on train.steps; add ft or'
  ):
    swept('train.steps=1', conditions=('icl',))


def test_the_point_of_other_settings_is_the_study_with_those(tmp_path):
  """But for the names, its jobs are those of a study that has them."""
  values = VALUES['experiments']['reversal']
  longer = values | {'train': values['train'] | {'steps': 9}}
  other = swept('', experiments={'reversal': longer}, conditions=('ft_aug',))
  found = swept('train.steps=9', conditions=('ft_aug',))

  def settings(job):
    one = job.experiment
    plain = dataclasses.replace(one.augment, name='')
    return job.door, dataclasses.replace(one, run='', augment=plain)

  assert [settings(job) for job in studies.jobs(found, tmp_path)] == [
    settings(job) for job in studies.jobs(other, tmp_path)
  ]
