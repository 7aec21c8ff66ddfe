"""Two processes that share nothing but a bucket do what they do on one disk."""

import os
import signal

import pytest

from icl_gen.model import digests
from icl_gen.storage import working_copies
from tests.doors import test_processes
from tests.doors.hosts import COUNT, copied, saved
from tests.doors.test_bucket import content, has_results_of
from tests.doors.test_evaluations import CHOOSING
from tests.doors.test_kill import cell
from tests.doors.test_processes import (
  STEPS,
  STUDY,
  begin_training,
  losses,
)


def left_by(hosts):
  """What is left of the working copies, of which each process had one."""
  copies = [next(host.glob('icl_gen-*')) for host in hosts]
  # The programs of a study are kept.
  return {path.name for copy in copies for path in copy.iterdir()} - {
    'compiled'
  }


def run_both(commands, flags, there, apart, *doors):
  """Runs doors in two processes on a disk that they share, and in a bucket."""
  for door in doors:
    test_processes.run(commands, door, *flags)
    test_processes.run(commands, door, *there, told=apart)


@pytest.mark.slow
def test_they_train_and_score_alike(
  commands, flags, apart, hosts, tmp_path, url
):
  flags = (*flags, '--config.train.report_every=1', '--config.scoring.data=0')
  there = (*flags, f'--workdir={url}')
  run_both(commands, flags, there, apart, 'build', 'train', 'evaluate')
  assert left_by(hosts) == set()
  with copied(url) as root:
    assert saved(cell(root)) == saved(cell(tmp_path))
    assert losses(root) == losses(tmp_path)
  has_results_of(url, content(tmp_path))


@pytest.mark.slow
def test_they_choose_and_sample_alike(commands, flags, apart, tmp_path, url):
  """The weights are of the best state, and adapters are saved as well."""
  flags = (
    *flags,
    '--config.condition=ft_aug',
    '--config.scoring.data=0',
    '--config.augment.documents_per_fact=3',
    '--config.augment.local_samples=4',
    '--config.train.lora_rank=2',
    '--config.train.keep_best=True',
    *(f'--config.train.{name}={value}' for name, value in CHOOSING.items()),
  )
  there = (*flags, f'--workdir={url}')
  run_both(
    commands, flags, there, apart, 'build', 'augment', 'train', 'evaluate'
  )
  with copied(url) as root:
    found, wanted = (cell(workdir, 'ft_aug') for workdir in (root, tmp_path))
    assert saved(found) == saved(wanted)
    # One was read back.
    assert len(list((found / 'checkpoints').iterdir())) == 3
    for path in wanted.glob('adapters/*'):
      assert (found / 'adapters' / path.name).read_bytes() == path.read_bytes()
  has_results_of(url, content(tmp_path))


@pytest.mark.slow
def test_they_run_a_study_alike(commands, noise, apart, hosts, tmp_path, url):
  tokenizer = test_processes.conftest.TOKENIZER
  text = STUDY.format(noise=str(noise), tokenizer=str(tokenizer))
  (tmp_path / 'study.py').write_text(text)
  flags = (f'--config={tmp_path}/study.py', f'--workdir={tmp_path}/shared')
  there = (*flags, f'--workdir={url}')
  run_both(commands, flags, there, apart, 'study')
  has_results_of(url, content(tmp_path / 'shared'))
  again, _ = test_processes.run(commands, 'study', *there, told=apart)
  assert again.stdout.count('\n') == 1
  assert left_by(hosts) == set()


@pytest.mark.slow
def test_they_pretrain_alike(commands, apart, tmp_path, url):
  flags = ('--config=configs/pretrain.py:tiny', f'--workdir={tmp_path}')
  there = (*flags, f'--workdir={url}')
  run_both(commands, flags, there, apart, 'pretrain')
  with copied(url) as root:
    found, wanted = (
      digests.saved(test_processes.pretrained(workdir) / 'params')
      for workdir in (root, tmp_path)
    )
  assert found == wanted != {}


@pytest.fixture
def longer(commands, flags, apart, url):
  """Flags of a training in the bucket that is long enough to be ended."""
  there = (*flags, f'--workdir={url}')
  test_processes.run(commands, 'build', *there, told=apart)
  return (
    *there,
    '--config.train.fsdp=2',
    f'--config.train.steps={STEPS}',
    '--config.train.report_every=1',
    '--config.train.save_every=3',
  )


def resumed(commands, longer, apart):
  """The number of the first step of the same command, which ends well."""
  first, _ = test_processes.run(commands, 'train', *longer, told=apart)
  return int(first.stdout.partition(': step ')[2].partition('/')[0])


def newest_state(url):
  """The step of the newest training state that is whole in the bucket."""
  with working_copies.opened(url) as root:
    found = [*(cell(root) / 'checkpoints').glob('*')]
  return max(int(path.name) for path in found if path.name.isdigit())


@pytest.mark.slow
@pytest.mark.parametrize('which', range(COUNT))
def test_asked_to_stop_and_killed_they_resume_from_the_bucket(
  commands, longer, apart, hosts, tmp_path, url, which
):
  pids = begin_training(commands, longer, told=apart)
  os.kill(pids[which], signal.SIGTERM)
  ended = [commands.end(pid) for pid in pids]
  assert [one.code for one in ended] == [143, 143], ended
  step = newest_state(url)
  for one in ended:
    assert f'the state of step {step} is saved' in one.stderr
    assert one.stderr.strip().count('\n') == 0
  assert left_by(hosts) == set()

  pids = begin_training(commands, longer, told=apart, step=step + 3)
  assert commands.kill(pids[which]).code == -signal.SIGKILL
  assert commands.end(pids[1 - which]).code == 4
  last = newest_state(url)
  assert last >= step
  assert resumed(commands, longer, apart) == last + 1
  assert left_by(hosts) == set()

  on_disk = (*longer, f'--workdir={tmp_path}')
  for door in ('build', 'train'):
    test_processes.run(commands, door, *on_disk)
  with copied(url) as root:
    found, wanted = saved(cell(root)), saved(cell(tmp_path))
    assert found['params'] == wanted['params']
    assert losses(root) == losses(tmp_path)
