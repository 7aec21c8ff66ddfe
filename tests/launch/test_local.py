"""A study in several processes of this host, also if they are killed."""

import os
import random
import signal
import subprocess
import time

import pytest

from icl_gen.storage import working_copies
from launch import local
from tests import gcs
from tests.launch import studies as commands


def test_the_plan_has_the_devices_of_every_worker(launched, given, monkeypatch):
  monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
  given(devices_per_worker=4, platform='gpu')
  made = launched()
  plan = local.make_plan(made, machines=2, retries=0)
  assert plan.resources == [
    'this host: 2 processes at once, 4 gpu devices each',
    'a unit that fails is started again up to 0 times without progress',
  ]
  first, second, report = plan.commands
  assert first.startswith('CUDA_VISIBLE_DEVICES=0,1,2,3 ')
  assert second.startswith('CUDA_VISIBLE_DEVICES=4,5,6,7 ')
  assert second.endswith(f' >>{made.units[1].log} 2>&1')
  assert '--only' not in report and 'CUDA' not in report


def launch(given, *more, **options):
  flags = ('--on=local', '--machines=2', *given)
  return commands.start('launch', *flags, *more, **options)


def workers(launcher):
  """The process ids of a launcher's workers."""
  found = subprocess.run(
    ['ps', '-o', 'pid=', '--ppid', str(launcher.pid)],
    capture_output=True,
    text=True,
  )
  return [int(line) for line in found.stdout.split()]


@pytest.mark.slow
def test_two_workers_give_the_results_of_one_process(two_worlds, tmp_path):
  given = two_worlds.begin(tmp_path)
  launcher = launch(given, stdout=subprocess.PIPE, text=True)
  said, _ = launcher.communicate()
  assert launcher.returncode == 0
  assert commands.results(tmp_path) == two_worlds.expected
  for number, unit in enumerate(commands.UNITS):
    assert f'{unit}: running on worker {number}, attempt 1' in said
    assert f'{unit}: done' in said
    assert f'{unit} is complete' in commands.log(tmp_path, unit)
  again = launch(given, stdout=subprocess.PIPE, text=True)
  assert 'running' not in again.communicate()[0]


@pytest.mark.slow
def test_workers_share_a_bucket(two_worlds, server, url):
  env = commands.environment() | gcs.environment(server)
  flags = (two_worlds.config, f'--workdir={url}')
  launcher = launch(flags, stdout=subprocess.PIPE, text=True, env=env)
  said, _ = launcher.communicate()
  assert launcher.returncode == 0
  with working_copies.opened(url) as root:
    assert commands.results(root) == two_worlds.expected
    for unit in commands.UNITS:
      assert f'{unit}: done' in said
      assert f'{unit} is complete' in commands.log(root, unit)
  refused = commands.start(
    'launch',
    '--on=slurm',
    *flags,
    stderr=subprocess.PIPE,
    text=True,
    env=env,
  )
  assert (
    '--on=slurm works in a local directory only' in (refused.communicate()[1])
  )
  assert 'nothing is damaged or missing' in verified(flags, env, code=0)
  corpus = f'{url}/study/corpora/reversal-s0'
  server.put(f'{corpus.removeprefix("gs://bucket/")}/documents.jsonl', b'other')
  repair = f"to repair: gcloud storage rm --recursive '{corpus}'\n"
  assert repair in verified(flags, env, code=2)


def verified(flags, env, *, code):
  """What `study --verify` prints."""
  flags = (*flags, '--verify')
  started = commands.start(
    'icl_gen.study', *flags, env=env, stdout=subprocess.PIPE, text=True
  )
  said, _ = started.communicate()
  assert started.returncode == code, said
  return said


@pytest.mark.slow
def test_killed_workers_and_launchers_give_the_same_results(
  two_worlds, tmp_path
):
  given = two_worlds.begin(tmp_path)
  for signum in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
    launcher = launch(given, '--retries=50')
    for _ in range(2):
      time.sleep(random.uniform(5, 25))
      if own := workers(launcher):
        os.kill(random.choice(own), random.choice([9, 15]))
    time.sleep(random.uniform(0, 10))
    if launcher.poll() is None:
      own = workers(launcher)
      launcher.send_signal(signum)
      code = launcher.wait(300)
      assert code in (-9, 128 + signum, 0), code
      # Nobody works on: the next launcher gives the devices to others.
      commands.wait(lambda own=own: not any(map(_runs, own)), seconds=300)
  assert launch(given, '--retries=50').wait() == 0
  assert commands.results(tmp_path) == two_worlds.expected


def _runs(pid):
  found = subprocess.run(
    ['ps', '-o', 'stat=', '-p', str(pid)], capture_output=True, text=True
  )
  return bool(found.stdout) and not found.stdout.startswith('Z')
