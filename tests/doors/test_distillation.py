"""Training on distributions: same rows, resumed to the bit, damage refused."""

import re

import pytest

from icl_gen import augment, build, train
from icl_gen.runs import directories
from icl_gen.storage import corpus_files, distributions, files
from icl_gen.training import metrics
from tests import interrupts

pytestmark = pytest.mark.usefixtures('compile_once')


@pytest.fixture(scope='module')
def workdir(experiment, compile_once, tmp_path_factory):
  """With a corpus, and inferences with distributions."""
  folder = tmp_path_factory.mktemp('distillation')
  build.run(experiment(), folder)
  augment.run(experiment(augment={'likeliest': 4}), folder)
  return folder


@pytest.fixture(scope='module')
def cell(experiment):
  """Makes the config of a cell that is trained on own inferences."""

  def make(run, **changed):
    changed = {'targets': 'distribution'} | changed
    return experiment(condition='ft_aug', run=run, train=changed)

  return make


def ended(workdir, run):
  return workdir / f'runs/reversal-ft_aug-nano-s0+{run}'


def metrics_of(workdir, run):
  lines = files.read_json_lines(ended(workdir, run) / 'metrics.jsonl')
  return [{name: line[name] for name in ('step', 'loss')} for line in lines]


@pytest.mark.slow
def test_an_interrupted_run_ends_as_an_uninterrupted_one(
  workdir, cell, same_weights
):
  train.run(cell('whole'), workdir)
  with interrupts.interrupted(metrics.Writer, 'write', after=1):
    train.run(cell('parts'), workdir)
  train.run(cell('parts'), workdir)
  train.run(cell('tokens', targets='tokens'), workdir)
  whole, parts, tokens = (
    ended(workdir, run) / 'params' for run in ('whole', 'parts', 'tokens')
  )
  assert same_weights(whole, parts)
  assert not same_weights(whole, tokens)
  steps = [
    [line['step'] for line in metrics_of(workdir, run)]
    for run in ('whole', 'tokens')
  ]
  assert steps[0] == steps[1]


def test_without_distributions_it_says_how_to_get_some(tmp_path, experiment):
  plain = {'source': 'originals', 'tokens': 99, 'name': 'plain'}
  build.run(experiment(), tmp_path)
  augment.run(experiment(augment=plain), tmp_path)
  config = experiment(
    condition='ft_aug', augment=plain, train={'targets': 'distribution'}
  )
  with pytest.raises(ValueError, match='plain has no .*augment.likeliest=32'):
    train.run(config, tmp_path)


@pytest.mark.slow
def test_damage_is_refused_in_one_line(workdir, cell):
  directory = directories.augmented(
    workdir, world='reversal', seed=0, model='nano'
  )
  assert corpus_files.is_written(directory)
  path = directory / distributions.NAME
  content = path.read_bytes()
  path.write_bytes(content[:-9] + b'x' + content[-8:])
  message = f'{path} is changed since it was written; delete the directory'
  with pytest.raises(ValueError, match=re.escape(message)) as error:
    train.run(cell('damaged'), workdir)
  assert '\n' not in str(error.value)
  path.write_bytes(content)
