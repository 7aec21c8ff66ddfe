"""Two processes of four devices each do what one process of eight does."""

import os
import re
import shutil
import signal
import time

import numpy as np
import pytest
import safetensors.numpy

from icl_gen.storage import scores
from tests.doors import conftest
from tests.doors.hosts import COUNT, by_flags, copied, free_port, saved
from tests.doors.test_kill import cell, result, succeed
from tests.doors.test_signals import lines

FOUR, ONE = (
  {'XLA_FLAGS': f'--xla_force_host_platform_device_count={count}'}
  for count in (4, 1)
)
# Seconds until a process counts as lost.
HEARTBEAT = 10


def by_slurm(index, port):
  return ('--distributed=slurm',), {
    'JAX_COORDINATOR_PORT': str(port),
    'SLURM_JOB_ID': '1',
    'SLURM_STEP_NODELIST': 'localhost',
    'SLURM_NTASKS': str(COUNT),
    'SLURM_PROCID': str(index),
    'SLURM_LOCALID': str(index),
  }


def start(commands, *command, told=by_flags, devices=FOUR):
  """Starts a command in every process; returns their ids."""
  port = free_port()
  pids = []
  for index in range(COUNT):
    flags, env = told(index, port)
    flags += (f'--heartbeat={HEARTBEAT}',)
    pids.append(commands.start(*command, *flags, env=devices | env))
  return pids


def run(commands, *command, told=by_flags, devices=FOUR):
  """Runs a command in every process; returns how they ended."""
  pids = start(commands, *command, told=told, devices=devices)
  ended = [commands.end(pid) for pid in pids]
  for one in ended:
    assert one.code == 0, ended
  # The first one speaks for all of them.
  assert ended[0].stdout
  assert not any(one.stdout for one in ended[1:])
  return ended


def wait_for(text, commands, pid, *, seconds=600):
  until = time.monotonic() + seconds
  while text not in commands.printed(pid)[0]:
    assert time.monotonic() < until, commands.printed(pid)
    time.sleep(0.01)


@pytest.fixture
def elsewhere(tmp_path_factory):
  """A workdir for one process."""
  return tmp_path_factory.mktemp('elsewhere')


def losses(workdir):
  return {one['step']: one['loss'] for one in lines(cell(workdir))}


def assert_close(one, other):
  """Weights are as those of a mesh with another order of sums."""
  one, other = conftest.leaves(one), conftest.leaves(other)
  assert one.keys() == other.keys()
  for name in one:
    np.testing.assert_allclose(one[name], other[name], atol=1e-4)


@pytest.mark.parametrize(
  'how',
  [
    'fsdp=2',
    pytest.param('fsdp=4 model=2', marks=pytest.mark.slow),
    pytest.param('lora_rank=2', marks=pytest.mark.slow),
  ],
)
def test_two_processes_train_like_one(
  commands, flags, apart, tmp_path, elsewhere, url, how
):
  """On a disk that they share, and if they share nothing but a bucket."""
  flags = (*flags, '--config.train.report_every=1')
  flags += tuple(f'--config.train.{one}' for one in how.split())
  succeed(commands, 'build', *flags)
  shutil.copytree(tmp_path / 'corpora', elsewhere / 'corpora')
  succeed(commands, 'train', *flags, f'--workdir={elsewhere}')
  run(commands, 'train', *flags)
  assert losses(tmp_path) == pytest.approx(losses(elsewhere), rel=1e-5)
  assert_close(cell(tmp_path) / 'params', cell(elsewhere) / 'params')
  if 'lora_rank' in how:
    one, two = (
      safetensors.numpy.load_file(
        cell(path) / 'adapters/adapter_model.safetensors'
      )
      for path in (tmp_path, elsewhere)
    )
    assert one.keys() == two.keys()
    for name in one:
      np.testing.assert_allclose(one[name], two[name], atol=1e-4)
  for door in ('build', 'train'):
    run(commands, door, *flags, f'--workdir={url}', told=apart)
  with copied(url) as root:
    assert losses(root) == losses(tmp_path)
    assert saved(cell(root)) == saved(cell(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize(
  ('config', 'name'), [('pretrain', 'nano'), ('nano2', 'nano2')]
)
def test_two_processes_pretrain_like_one(
  commands, tmp_path, elsewhere, config, name
):
  """Also if they measure skills, which say when the next lesson begins."""
  flags = (f'--config=configs/{config}.py:tiny',)
  succeed(commands, 'pretrain', *flags, f'--workdir={elsewhere}')
  run(commands, 'pretrain', *flags, f'--workdir={tmp_path}')
  found, wanted = (
    {
      one['step']: one['loss']
      for one in lines(workdir / 'pretrain' / name)
      if 'loss' in one
    }
    for workdir in (tmp_path, elsewhere)
  )
  assert found == pytest.approx(wanted, rel=1e-4)


@pytest.mark.slow
def test_two_processes_score_and_sample_like_one(
  commands, flags, tmp_path, elsewhere
):
  """Samples are the same; scores are, to the rounding of another order."""
  flags = (*flags, '--config.condition=icl')
  # Two batches.
  flags += ('--config.augment.documents_per_fact=3',)
  flags += ('--config.augment.local_samples=4',)
  for workdir in (tmp_path, elsewhere):
    succeed(commands, 'build', *flags, f'--workdir={workdir}')
  for door in ('augment', 'evaluate'):
    extra = ('--config.scoring.data=0',) if door == 'evaluate' else ()
    succeed(commands, door, *flags, *extra, f'--workdir={elsewhere}')
    run(commands, door, *flags, *extra)
  assert result('augment', tmp_path) == result('augment', elsewhere)
  found = scores.read_scores(cell(tmp_path, 'icl') / 'scores.parquet')
  wanted = scores.read_scores(cell(elsewhere, 'icl') / 'scores.parquet')
  assert [one.question_id for one in found] == [
    one.question_id for one in wanted
  ]
  for one, other in zip(found, wanted, strict=True):
    for mine, theirs in zip(one.choices, other.choices, strict=True):
      assert mine.logp == pytest.approx(theirs.logp, abs=1e-4)
      assert mine.logp_unconditional == pytest.approx(
        theirs.logp_unconditional, abs=1e-4
      )


@pytest.mark.slow
def test_two_processes_that_share_a_model_recall_like_one(
  commands, flags, tmp_path, elsewhere
):
  """Neither can sample alone, since each has half of the weights."""
  flags = (*flags, '--config.condition=icl', '--config.context.kind=recalled')
  flags += ('--config.augment.max_tokens=16',)
  for workdir in (tmp_path, elsewhere):
    succeed(commands, 'build', *flags, f'--workdir={workdir}')
  succeed(commands, 'evaluate', *flags, f'--workdir={elsewhere}')
  run(commands, 'evaluate', *flags, '--config.scoring.model=2', devices=ONE)
  ours, theirs = (
    (cell(workdir, 'icl') / 'recalled.jsonl').read_text()
    for workdir in (tmp_path, elsewhere)
  )
  assert ours == theirs


STUDY = """
from configs import reversal
from ml_collections import ConfigDict

def get_config():
  experiment = reversal.get_config('tiny')
  experiment.update(checkpoint={noise!r}, tokenizer={tokenizer!r})
  experiment.train.batch_size = 8
  experiment.scoring.data = 0
  return ConfigDict(dict(
    name='study',
    experiments=dict(reversal=experiment),
    main_kinds=dict(reversal='reversal'),
    conditions=('pretrained', 'ft_aug'),
    seeds=(0,),
    models=('nano',),
    checkpoint='',
    tokenizer='',
    dtype='',
  ))
"""


@pytest.mark.slow
def test_two_processes_run_a_study(commands, noise, tmp_path):
  text = STUDY.format(noise=str(noise), tokenizer=str(conftest.TOKENIZER))
  (tmp_path / 'study.py').write_text(text)
  flags = (f'--config={tmp_path}/study.py', f'--workdir={tmp_path}')
  first, _ = run(commands, 'study', *flags)
  # Every job once, and then none.
  jobs = re.findall(r'^\[(\d/\d)', first.stdout, re.M)
  assert jobs == ['1/1', '1/4', '2/4', '3/4', '4/4']
  assert 'the study is finished' in first.stdout
  assert (tmp_path / 'study/report/index.html').is_file()
  again, _ = run(commands, 'study', *flags)
  assert again.stdout.count('\n') == 1


STEPS = 24


def begin_training(commands, flags, *, told=by_flags, step=7):
  """Starts training in both processes; returns their ids after some steps."""
  pids = start(commands, 'train', *flags, told=told)
  wait_for(f'step {step}/', commands, pids[0])
  return pids


def assert_resumes(commands, flags, tmp_path, *, last):
  """The same command resumes after the last state, and ends."""
  first, _ = run(commands, 'train', *flags)
  assert re.search(r': step (\d+)/', first.stdout)[1] == str(last + 1)
  assert (cell(tmp_path) / 'params').is_dir()
  assert list(losses(tmp_path)) == [*range(1, STEPS + 1)]


def states(tmp_path):
  return [
    int(path.name)
    for path in (cell(tmp_path) / 'checkpoints').iterdir()
    if path.name.isdigit()
  ]


@pytest.fixture
def longer(commands, flags):
  """Flags of a training that is long enough to be ended."""
  succeed(commands, 'build', *flags)
  return (
    *flags,
    f'--config.train.steps={STEPS}',
    '--config.train.report_every=1',
    '--config.train.save_every=3',
  )


@pytest.mark.slow
@pytest.mark.parametrize('victim', range(COUNT))
def test_if_one_is_killed_the_other_says_so_and_both_resume(
  commands, longer, tmp_path, victim
):
  pids = begin_training(commands, longer)
  began = time.monotonic()
  assert commands.kill(pids[victim]).code == -signal.SIGKILL
  other = commands.end(pids[1 - victim])
  assert time.monotonic() - began < 2 * HEARTBEAT + 10
  assert other.code == 4
  assert re.fullmatch(
    f'error: another process ended or was lost, so process {1 - victim} of 2'
    ' ended too; re-run the command in all of them to resume\n',
    other.stderr,
  )
  assert_resumes(commands, longer, tmp_path, last=max(states(tmp_path)))


@pytest.mark.slow
@pytest.mark.parametrize('how', ['cut off', 'changed'])
def test_a_damaged_state_gives_way_to_the_one_before(
  commands, longer, tmp_path, how
):
  pids = begin_training(commands, longer)
  os.kill(pids[0], signal.SIGTERM)
  for pid in pids:
    commands.end(pid)
  before, newest = sorted(states(tmp_path))
  state = cell(tmp_path) / 'checkpoints' / str(newest)
  if how == 'cut off':
    for path in state.glob('state/**/d/*'):
      os.truncate(path, 0)
    # Not all of them may notice, so the run ends.
    ended = [commands.end(pid) for pid in start(commands, 'train', *longer)]
    assert {one.code for one in ended} <= {2, 4}
    told = ''.join(one.stderr for one in ended)
    assert f'the training state {newest} cannot be read' in told
    assert 're-run the command' in told
  else:
    position = state / 'position' / 'metadata'
    position.write_text(position.read_text().replace(str(newest), '2'))
  assert_resumes(commands, longer, tmp_path, last=before)
  assert (state.parent / f'damaged-{newest}').is_dir()


@pytest.mark.slow
@pytest.mark.parametrize('asked', range(COUNT))
def test_if_one_is_asked_to_stop_both_save_the_same_step(
  commands, longer, tmp_path, asked
):
  longer = (*longer, '--config.train.save_every=1000')
  pids = begin_training(commands, longer)
  os.kill(pids[asked], signal.SIGTERM)
  ended = [commands.end(pid) for pid in pids]
  (step,) = states(tmp_path)
  for one in ended:
    assert one.code == 143
    assert one.stderr.strip().startswith(
      f'interrupted by SIGTERM; the state of step {step} is saved'
    )
    assert one.stderr.strip().count('\n') == 0
  assert_resumes(commands, longer, tmp_path, last=step)


@pytest.mark.parametrize('told', [by_flags, by_slurm])
def test_what_is_not_computed_together_runs_once(commands, flags, told):
  ended = run(commands, 'build', *flags, told=told)
  assert ended[0].stdout.startswith('built ')


@pytest.mark.slow
def test_a_mistake_ends_all_of_them(commands, flags, tmp_path):
  succeed(commands, 'build', *flags)
  flags = (*flags, '--config.condition=icl')  # and scoring.data=1
  ended = [commands.end(pid) for pid in start(commands, 'evaluate', *flags)]
  assert ended[0].code == 2
  assert 'leaves out some of the 8 devices of 2 processes' in ended[0].stderr
  # It makes the same mistake, unless it is ended before it can say so.
  assert ended[1].code in (2, 4)
  assert ended[1].stderr.startswith('error: ')
  assert not (cell(tmp_path, 'icl') / 'scores.parquet').exists()
