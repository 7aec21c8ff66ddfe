"""The sources keep the rules of the architecture.

Each rule of tests/rules.py is first shown to complain about made-up sources.
"""

import importlib.util
import subprocess
import sys

import pytest

from tests.rules import (
  HEAVY,
  LATE,
  LIGHT,
  ROOT,
  SLOW,
  KeysRead,
  annotation_complaints,
  call_complaints,
  config_complaints,
  except_complaints,
  floor,
  floor_complaints,
  is_door,
  leaves,
  length_complaints,
  length_warnings,
  name_complaints,
  owner_complaints,
  sources,
  unread,
)


def instances():
  """(name, config) of every config file with each of its variants."""
  for path in sorted((ROOT / 'configs').glob('*.py')):
    if 'def get_config' not in path.read_text('utf-8'):
      continue
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for arg in ('', *module.VARIANTS):
      yield f'{path.name}:{arg}', module.get_config(arg)
    with pytest.raises(ValueError, match='no-such-variant'):
      module.get_config('no-such-variant')


# --- every rule can complain ------------------------------------------------


@pytest.mark.parametrize(
  ('rule', 'module', 'source'),
  [
    (floor_complaints, 'icl_gen.attic.junk', ''),
    (floor_complaints, 'icl_gen.worlds.logic', 'import icl_gen.runs'),
    (floor_complaints, 'icl_gen.text.context', 'from icl_gen import worlds'),
    (floor_complaints, 'icl_gen.worlds.logic', 'from . import lexicon'),
    (floor_complaints, 'icl_gen.worlds.logic', 'import jax.numpy as jnp'),
    (floor_complaints, 'icl_gen.worlds.logic', 'def f():\n  import flax'),
    (floor_complaints, 'icl_gen.storage.files', 'import tensorflow as tf'),
    (
      floor_complaints,
      'icl_gen.training.loop',
      'import icl_gen.scoring.scorer',
    ),
    (floor_complaints, 'icl_gen.training.loop', 'from icl_gen import cli'),
    (floor_complaints, 'icl_gen.training.loop', 'from icl_gen import train'),
    (floor_complaints, 'icl_gen.train', 'from icl_gen.evaluate import run'),
    (floor_complaints, 'icl_gen.types', 'import icl_gen.worlds'),
    (owner_complaints, 'icl_gen.training.loop', 'from gemma import gm'),
    (owner_complaints, 'icl_gen.train', 'import gemma'),
    (owner_complaints, 'icl_gen.model.lora', 'import orbax.checkpoint as ocp'),
    (owner_complaints, 'icl_gen.training.loop', 'import tensorflow_datasets'),
    (owner_complaints, 'icl_gen.scoring.scorer', 'import sentencepiece'),
    (owner_complaints, 'icl_gen.worlds.logic', 'import grain'),
    (owner_complaints, 'icl_gen.report', 'import matplotlib.pyplot as plt'),
    (owner_complaints, 'icl_gen.scoring.scorer', 'from absl import logging'),
    (owner_complaints, 'icl_gen.export', 'from lm_eval.api import model'),
    (except_complaints, 'm', 'try:\n  f()\nexcept:\n  pass'),
    (except_complaints, 'm', 'try:\n  f()\nexcept (E, Exception):\n  pass'),
    (call_complaints, 'icl_gen.train', 'config.get("steps", 3)'),
    (call_complaints, 'icl_gen.train', 'getattr(config, "steps")'),
    (call_complaints, 'icl_gen.model.lora', 'importlib.import_module(x)'),
    (length_complaints, 'm', 'def f():\n' + '  x = 1\n' * 80),
    (length_warnings, 'icl_gen.train', '\n' * 121),
    (length_warnings, 'icl_gen.model.lora', '\n' * 401),
    (config_complaints, 'icl_gen.runs.stages', 'def f(config): pass'),
    (config_complaints, 'icl_gen.runs.stages', 'def f(*, config=0): pass'),
    (
      config_complaints,
      'icl_gen.training.loop',
      'class C:\n  def f(self, train: ml_collections.ConfigDict): pass',
    ),
    (annotation_complaints, 'icl_gen.types', 'def f(x) -> None: pass'),
    (annotation_complaints, 'icl_gen.types', 'def f(*x) -> None: pass'),
    (annotation_complaints, 'icl_gen.types', 'def f(*, x=1) -> None: pass'),
    (annotation_complaints, 'icl_gen.types', 'def f(x: int): pass'),
    (
      annotation_complaints,
      'icl_gen.types',
      'class C:\n  def f(self, x) -> None: pass',
    ),
    (
      annotation_complaints,
      'icl_gen.types',
      'class C:\n  @staticmethod\n  def f(x) -> None: pass',
    ),
    (
      annotation_complaints,
      'icl_gen.types',
      'class C:\n  def __init__(self, x): pass',
    ),
    (name_complaints, 'icl_gen.model.utils', ''),
    (name_complaints, 'm', 'class TaskManager: pass'),
    (name_complaints, 'm', 'def get_steps(): pass'),
    (name_complaints, 'm', 'def _setup_mesh(): pass'),
  ],
)
def test_rule_complains(rule, module, source):
  assert len(rule(module, source)) == 1


@pytest.mark.parametrize(
  ('rule', 'module', 'source'),
  [
    (
      floor_complaints,
      'icl_gen.text.tokens',
      'from icl_gen.text import prompts',
    ),
    (
      floor_complaints,
      'icl_gen.text.context',
      'from icl_gen.types import Fact',
    ),
    (owner_complaints, 'icl_gen.training.batches', 'import grain'),
    (
      floor_complaints,
      'icl_gen.training.loop',
      'import jax, icl_gen.model.lora',
    ),
    (floor_complaints, 'icl_gen.train', 'from icl_gen import cli, types'),
    (floor_complaints, 'icl_gen.study', 'from icl_gen import train'),
    (owner_complaints, 'icl_gen.train', 'from absl import logging'),
    (owner_complaints, 'icl_gen.model.lora', 'from gemma import gm'),
    (except_complaints, 'm', 'try:\n  f()\nexcept ValueError:\n  pass'),
    (call_complaints, 'icl_gen.text.context', 'words.get(x)'),
    (length_warnings, 'icl_gen.train', '\n' * 120),
    (config_complaints, 'icl_gen.train', 'def run(config, workdir): pass'),
    (config_complaints, 'icl_gen.runs.stages', 'def f(experiment): pass'),
    (
      annotation_complaints,
      'icl_gen.types',
      'def f(x: int, *, y: int = 0) -> None: pass\ndef _g(x): pass',
    ),
    (
      annotation_complaints,
      'icl_gen.types',
      'class C:\n  def f(self) -> int: pass\n'
      '  def __init__(self, x: int): pass\n  def _g(self, x): pass\n'
      'class _D:\n  def f(self, x): pass',
    ),
    (name_complaints, 'configs.x', 'def get_config(): pass'),
    (name_complaints, 'icl_gen.worlds.process', 'def getter(): pass'),
    (name_complaints, 'm', 'class Lora(nn.Module):\n  def setup(self): pass'),
  ],
)
def test_rule_does_not_complain(rule, module, source):
  assert rule(module, source) == []


def test_keys_read_follows_blocks():
  source = """
def run(config, workdir):
  train = config.train
  loop(steps=train.steps, seed=config.seed, other=train.opt.rate)
  build(**config.world)
  words = config.names.items()
"""
  read = KeysRead(source).keys
  assert read == {'train.steps', 'train.opt.rate', 'seed', 'world', 'names'}
  keys = [
    'train.steps',
    'train.step',
    'train.opt.b',
    'seed',
    'world.a',
    'world2',
  ]
  assert unread(keys, read) == ['train.step', 'train.opt.b', 'world2']


def test_keys_read_includes_a_block_passed_on():
  read = KeysRead('train = config.train\nloop(train)\nrun(config)').keys
  assert read == {'train'}


def test_keys_read_includes_those_of_a_configs_typed_record():
  read = KeysRead('loop(experiment.train.steps, study.seeds)').keys
  assert read == {'train.steps', 'seeds'}


# --- the sources keep them --------------------------------------------------


@pytest.mark.parametrize(
  'rule',
  [
    floor_complaints,
    owner_complaints,
    except_complaints,
    call_complaints,
    config_complaints,
    length_complaints,
    name_complaints,
    annotation_complaints,
  ],
)
def test_the_sources_keep_the_rule(rule):
  ours = sources('icl_gen')
  assert 'icl_gen.cli' in ours
  if rule not in (floor_complaints, config_complaints):
    ours |= sources('configs', 'launch')
  assert [c for module in ours for c in rule(module, ours[module])] == []


def test_long_files_are_printed(capsys):
  ours = sources('icl_gen', 'configs', 'launch')
  with capsys.disabled():
    for module in ours:
      for warning in length_warnings(module, ours[module]):
        print(f'warning: {warning}')


def test_every_module_imports_and_none_imports_more_than_it_may():
  doors = [m for m in sources('icl_gen') if is_door(m)]
  light = [m for m in sources('icl_gen') if floor(m) <= LIGHT]
  others = [m for m in sources('icl_gen') if m not in (*doors, *light)]
  code = f"""
import importlib, sys
for module in {doors}: importlib.import_module(module)
print(*{HEAVY | LATE} & set(sys.modules))
for module in {light}: importlib.import_module(module)
print(*{HEAVY} & set(sys.modules))
for module in {others}: importlib.import_module(module)
print(*{SLOW} & set(sys.modules))
"""
  done = subprocess.run(
    [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True
  )
  assert done.returncode == 0, done.stderr
  by_doors, by_light, by_any = done.stdout.split('\n')[:3]
  assert by_doors == '', 'mistakes are reported only after these are imported'
  assert by_light == '', 'the lower floors import these'
  assert by_any == '', 'commands would start more slowly because of these'


def test_every_config_loads_and_every_key_is_read():
  ours = sources('icl_gen')
  # The rooms that turn a config into the settings of stages.
  readers = [m for m in ours if is_door(m) or m.startswith('icl_gen.runs.')]
  read = {key for module in readers for key in KeysRead(ours[module]).keys}
  names = []
  for name, config in instances():
    names.append(name)
    types = dict(leaves(config))
    assert unread(types, read) == [], f'{name}: keys that no command reads'
    for key, kind in types.items():
      assert kind is not type(None), f'{name}: {key} needs placeholder(type)'
  assert names, 'there is no experiment under configs/'
