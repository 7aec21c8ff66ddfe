"""A command killed at any moment and re-run gives the same result."""

import json
import random
import signal
import time

import pyarrow.parquet as pq
import pytest

from icl_gen.runs import directories
from icl_gen.storage import corpus_files, scores

ROUNDS = 3


def wait_for(text, commands, *, seconds=120):
  """Waits until the running command has printed the text."""
  until = time.monotonic() + seconds
  while text not in commands.printed()[0]:
    assert time.monotonic() < until, commands.printed()
    time.sleep(0.01)


def succeed(commands, *command):
  ended = commands.run(*command)
  assert ended.code == 0, ended.stderr
  return ended


def check(ended, signum):
  """A killed command; one that ended before or after its work is fine too."""
  if signum == signal.SIGKILL:
    return
  assert ended.code in (0, 128 + signum, -signum), ended
  assert 'Traceback' not in ended.stderr
  if ended.code == 128 + signum:
    assert ended.stderr.strip().startswith('interrupted by SIGTERM; ')
    assert ended.stderr.strip().count('\n') == 0


def cell(workdir, condition='ft'):
  return directories.run(
    workdir, world='reversal', condition=condition, model='nano', seed=0
  )


@pytest.fixture
def elsewhere(tmp_path_factory):
  """A workdir for the run that is not interrupted."""
  return tmp_path_factory.mktemp('elsewhere')


def test_training_resumes_from_its_last_checkpoint(
  commands, flags, same_weights, tmp_path, elsewhere
):
  flags = (*flags, '--config.train.steps=20', '--config.train.save_every=3')
  for workdir in (tmp_path, elsewhere):
    succeed(commands, 'build', *flags, f'--workdir={workdir}')
  succeed(commands, 'train', *flags, f'--workdir={elsewhere}')

  pid = commands.start('train', *flags)
  # Before a state is written, the one before it is complete: here, that of 3.
  wait_for('step 8/20', commands)
  time.sleep(random.uniform(0, 0.3))
  assert commands.kill(pid).code == -9
  assert not (cell(tmp_path) / 'params').exists()
  ended = succeed(commands, 'train', *flags)
  assert 'step 2/20' not in ended.stdout  # it did not start again
  assert 'step 20/20' in ended.stdout
  assert same_weights(cell(tmp_path) / 'params', cell(elsewhere) / 'params')


def result(door, workdir):
  """The result without times and paths, which may differ."""
  corpus = directories.corpus(workdir, world='reversal', seed=0)
  if door == 'build':
    return {path.name: path.read_bytes() for path in corpus.iterdir()}, sorted(
      path.name
      for path in corpus.parent.iterdir()
      # Of a build that was killed once its corpus was in place: nothing is
      # left to write there, so nothing removes it.
      if not path.name.startswith('.partial-')
    )
  if door == 'augment':
    directory = directories.augmented(
      workdir, world='reversal', seed=0, model='nano'
    )
    found = corpus_files.read(directory)
    return found.documents, found.manifest['dropped']
  assert door == 'evaluate'
  path = cell(workdir, 'icl') / 'scores.parquet'
  return scores.read_scores(path), json.loads(
    pq.read_schema(path).metadata[scores.METADATA_KEY]
  )


@pytest.mark.slow
@pytest.mark.parametrize('signum', [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize('door', ['build', 'augment', 'evaluate'])
def test_a_door_killed_at_random_moments_gives_the_same_result(
  commands, flags, tmp_path, elsewhere, door, signum
):
  flags = (*flags, '--config.condition=icl')
  if door != 'build':
    for workdir in (tmp_path, elsewhere):
      succeed(commands, 'build', *flags, f'--workdir={workdir}')
  began = time.monotonic()
  succeed(commands, door, *flags, f'--workdir={elsewhere}')
  lasts = time.monotonic() - began
  for _ in range(ROUNDS):
    pid = commands.start(door, *flags)
    time.sleep(random.uniform(0, lasts))
    check(commands.kill(pid, signum), signum)
  succeed(commands, door, *flags)
  assert result(door, tmp_path) == result(door, elsewhere)


@pytest.mark.slow
@pytest.mark.parametrize('signum', [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize('door', ['train', 'pretrain'])
def test_training_killed_at_random_moments_gives_the_same_weights(
  commands, flags, same_weights, tmp_path, elsewhere, door, signum
):
  if door == 'train':
    flags = (*flags, '--config.train.steps=12')
    for workdir in (tmp_path, elsewhere):
      succeed(commands, 'build', *flags, f'--workdir={workdir}')
    places_of = cell
  else:
    flags = ('--config=configs/pretrain.py:tiny', f'--workdir={tmp_path}')

    def places_of(workdir):
      return workdir / 'pretrain' / 'nano'

  succeed(commands, door, *flags, f'--workdir={elsewhere}')
  began = time.monotonic()  # everything is compiled now
  (elsewhere / 'again').mkdir()
  if door == 'train':
    succeed(commands, 'build', *flags, f'--workdir={elsewhere / "again"}')
  succeed(commands, door, *flags, f'--workdir={elsewhere / "again"}')
  lasts = time.monotonic() - began
  for _ in range(ROUNDS):
    pid = commands.start(door, *flags)
    time.sleep(random.uniform(0, lasts))
    check(commands.kill(pid, signum), signum)
  succeed(commands, door, *flags)
  assert same_weights(
    places_of(tmp_path) / 'params', places_of(elsewhere) / 'params'
  )
  assert same_weights(
    places_of(elsewhere / 'again') / 'params', places_of(elsewhere) / 'params'
  )
