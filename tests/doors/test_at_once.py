"""Of two same commands at once, one works and the other one waits for it."""

import re
import time

import pytest

from icl_gen.storage import files
from tests.doors.test_kill import cell, result, succeed, wait_for

WAITING = r'waiting: \S+ \(\w+\) is being written by pid (\d+) on \S+ since 20'


@pytest.fixture
def elsewhere(tmp_path_factory):
  """A workdir for the command that runs alone."""
  return tmp_path_factory.mktemp('elsewhere')


def both(commands, *command):
  """Runs a command twice at once; returns how they ended, by process id."""
  pids = [commands.start(*command) for _ in range(2)]
  ended = {pid: commands.end(pid) for pid in pids}
  assert [one.code for one in ended.values()] == [0, 0], ended
  return ended


def steps(workdir):
  """What training measured, without times."""
  return [
    {k: v for k, v in record.items() if 'second' not in k}
    for record in files.read_json_lines(cell(workdir) / 'metrics.jsonl')
  ]


def names(workdir):
  """All files but TensorBoard's, which are named after the time, by path."""
  return sorted(
    re.sub('tfevents.*', 'tfevents', str(path.relative_to(workdir)))
    for path in workdir.rglob('*')
    if '/d/' not in str(path)  # content-addressed files of checkpoints
  )


@pytest.mark.parametrize(
  'door',
  ['build', 'augment', pytest.param('evaluate', marks=pytest.mark.slow)],
)
def test_two_at_once_give_the_result_of_one(
  commands, flags, tmp_path, elsewhere, door
):
  flags = (*flags, '--config.condition=icl')
  if door != 'build':
    for workdir in (tmp_path, elsewhere):
      succeed(commands, 'build', *flags, f'--workdir={workdir}')
  alone = succeed(commands, door, *flags, f'--workdir={elsewhere}')
  ended = both(commands, door, *flags)
  assert result(door, tmp_path) == result(door, elsewhere)
  assert names(tmp_path) == names(elsewhere)
  # 'scored <cell>: 12 questions' and the like; only the one that worked.
  verb = {'build': 'built', 'augment': 'augmented', 'evaluate': 'scored re'}
  (line,) = re.findall(f'^{verb[door]}.*', alone.stdout, re.MULTILINE)
  last = line.split(':')[-1].split(',')[0]
  printed = [one.stdout for one in ended.values()]
  assert sum(last in text for text in printed) == 1, printed


@pytest.mark.slow
def test_two_trainings_at_once_give_the_weights_and_metrics_of_one(
  commands, flags, same_weights, tmp_path, elsewhere
):
  for workdir in (tmp_path, elsewhere):
    succeed(commands, 'build', *flags, f'--workdir={workdir}')
  succeed(commands, 'train', *flags, f'--workdir={elsewhere}')
  ended = both(commands, 'train', *flags)
  assert same_weights(cell(tmp_path) / 'params', cell(elsewhere) / 'params')
  assert steps(tmp_path) == steps(elsewhere)
  assert names(tmp_path) == names(elsewhere)
  texts = {pid: one.stdout for pid, one in ended.items()}
  (waited,) = [pid for pid, text in texts.items() if 'waiting' in text]
  (worked,) = ended.keys() - {waited}
  assert re.match(WAITING, texts[waited])[1] == str(worked)
  assert 'step' not in texts[waited]


@pytest.mark.slow
def test_who_waits_for_a_killed_command_resumes_its_work(
  commands, flags, same_weights, tmp_path, elsewhere
):
  flags = (*flags, '--config.train.steps=60', '--config.train.save_every=3')
  for workdir in (tmp_path, elsewhere):
    succeed(commands, 'build', *flags, f'--workdir={workdir}')
  succeed(commands, 'train', *flags, f'--workdir={elsewhere}')
  first = commands.start('train', *flags)
  wait_for('step 2/60', commands)
  second = commands.start('train', *flags)
  until = time.monotonic() + 120
  while 'waiting' not in commands.printed(second)[0]:
    assert time.monotonic() < until
    time.sleep(0.01)
  assert commands.kill(first).code == -9
  assert commands.end(second).code == 0
  assert same_weights(cell(tmp_path) / 'params', cell(elsewhere) / 'params')
  assert steps(tmp_path) == steps(elsewhere)
  assert not list(cell(tmp_path).glob('.*'))
