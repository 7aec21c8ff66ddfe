"""Training that is asked to stop saves its step; re-run, it ends the same."""

import json
import os
import re
import signal

import pytest

from tests.doors.test_kill import cell, succeed, wait_for

# So many that a signal arrives before the last one.
STEPS = 60
# Names of stages start with a digit, which no override can.
LONGER = f"""
from configs import pretrain

def get_config():
  config = pretrain.get_config('tiny')
  config.stages['1_short'].steps = {STEPS}
  return config
"""


def lines(directory):
  """The metrics of each reported step, without the speed."""
  text = (directory / 'metrics.jsonl').read_text()
  return [
    {k: v for k, v in json.loads(line).items() if 'second' not in k}
    for line in text.splitlines()
  ]


def pretrained(workdir):
  return workdir / 'pretrain' / 'nano'


@pytest.fixture
def elsewhere(tmp_path_factory):
  """A workdir for the run that is not interrupted."""
  return tmp_path_factory.mktemp('elsewhere')


@pytest.mark.parametrize(
  ('signum', 'status', 'words'),
  [
    (signal.SIGTERM, 143, 'interrupted by SIGTERM; '),
    pytest.param(
      *(signal.SIGINT, 130, 'interrupted; '), marks=pytest.mark.slow
    ),
  ],
)
@pytest.mark.parametrize(
  'door', ['train', pytest.param('pretrain', marks=pytest.mark.slow)]
)
def test_training_saves_the_step_reached_and_resumes_from_it(
  commands,
  flags,
  same_weights,
  tmp_path,
  elsewhere,
  door,
  signum,
  status,
  words,
):
  if door == 'train':
    directory_of, every = cell, 'train.'
    flags = (*flags, f'--config.train.steps={STEPS}')
    for workdir in (tmp_path, elsewhere):
      succeed(commands, 'build', *flags, f'--workdir={workdir}')
  else:
    directory_of, every = pretrained, ''
    (tmp_path / 'longer.py').write_text(LONGER)
    flags = (f'--config={tmp_path}/longer.py', f'--workdir={tmp_path}')
  flags += (f'--config.{every}save_every=1000',)
  flags += (f'--config.{every}report_every=2',)
  succeed(commands, door, *flags, f'--workdir={elsewhere}')

  pid = commands.start(door, *flags)
  wait_for(': step 4/', commands)
  os.kill(pid, signum)
  ended = commands.end()
  assert ended.code == status, ended.stderr
  assert ended.stderr.strip().startswith(words)
  assert ended.stderr.strip().count('\n') == 0
  step = int(re.search(r'state of step (\d+) is saved', ended.stderr)[1])
  saved = directory_of(tmp_path) / 'checkpoints' / str(step)
  assert saved.is_dir()
  assert not (directory_of(tmp_path) / 'params').exists()

  again = succeed(commands, door, *flags)
  first = int(re.search(r': step (\d+)/', again.stdout)[1])
  assert first in (step + 1, step + 2)  # the next that is reported
  ours, theirs = directory_of(tmp_path), directory_of(elsewhere)
  assert same_weights(ours / 'params', theirs / 'params')
  assert lines(ours) == lines(theirs)
