"""Units as commands, and what a launch imports."""

import subprocess
import sys

import pytest

from configs import study as study_config
from icl_gen.runs import studies
from launch import experiment, plan, processes, slurm
from launch.experiment import Requirements
from launch.plan import Plan
from tests.rules import HEAVY, ROOT


def test_a_unit_is_a_command_that_names_it(launched):
  made = launched()
  assert [unit.name for unit in made.units] == [
    'reversal-nano-s0',
    'reversal-nano-s1',
  ]
  first = made.units[0]
  assert first.command[:2] == ['-m', 'icl_gen.study']
  assert '--config=configs/study.py:tiny' in first.command
  assert '--config.seeds=(0, 1)' in first.command
  assert first.command[-1] == '--only=reversal-nano-s0'
  assert first.log == made.root / 'launch/reversal-nano-s0.log'
  assert not any('--only' in flag for flag in made.report)


def test_complete_units_are_left_out(launched):
  first, second = launched().units
  for path in first.results[:-1]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
  assert first.complete() == len(first.results) - 1
  assert [unit.name for unit in launched().units] == [first.name, second.name]
  first.results[-1].parent.mkdir(parents=True, exist_ok=True)
  first.results[-1].touch()
  assert [unit.name for unit in launched().units] == [second.name]


def test_stages_that_need_several_units_are_left_to_the_last_command(tmp_path):
  config = study_config.get_config('forgetting')
  config.seeds, config.conditions = (0,), ('icl', 'ft')
  study = studies.read(config.to_dict())

  def launched():
    return experiment.make(
      study,
      tmp_path,
      flags={'config': 'configs/study.py:forgetting'},
      requirements=Requirements('cpu:1', 1),
      on='local',
    )

  def told():
    lines = plan.text(launched(), Plan([], [])).splitlines()
    return lines[lines.index('last command:') + 1]

  worlds = len(study.experiments)
  rest = launched().rest
  assert len(rest) == worlds * (worlds - 1)
  assert told() == f'  {len(rest)} stages, then the report'
  for path in rest:
    path.parent.mkdir(parents=True)
    path.touch()
  assert told() == '  0 stages, then the report'


def test_several_processes_are_told_of_each_other(launched):
  for on, how in (('slurm', 'slurm'), ('tpu_vm', 'tpu')):
    made = launched(processes=2, on=on)
    assert made.units[0].flags['distributed'] == how
    assert 'distributed' not in made.report
    assert 'distributed' not in launched(on=on).units[0].flags
  with pytest.raises(ValueError, match='=2: only slurm and tpu_vm start sev'):
    launched(processes=2)
  with pytest.raises(ValueError, match='unit=0; give 1 or more'):
    launched(processes=0)


@pytest.mark.parametrize('name', ['nonsense', 'v5e', 'v5e:0x2', 'cpu:2x2'])
def test_a_topology_that_cannot_be_is_refused(launched, name):
  with pytest.raises(ValueError, match=f"'{name}'; give cpu:N, or one of v4,"):
    launched(topology=name)


@pytest.mark.parametrize('processes', [1, 2])
def test_machines_write_to_a_bucket_and_slurm_refuses_it(
  launched, copy, url, processes
):
  made = launched(processes=processes, on='tpu_vm', copy=copy)
  assert made.units[0].flags['workdir'] == url
  with pytest.raises(ValueError, match='^--on=slurm works in .* all nodes sh'):
    slurm.make_plan(
      launched(processes=processes, on='slurm', copy=copy),
      machines=1,
      retries=0,
    )


def test_a_plan_says_everything(launched, tmp_path):
  files = {tmp_path / 'x/a.sh': 'first\nsecond\n'}
  made = plan.text(launched(), Plan(['two cores'], ['run this'], files))
  for line in (
    '  reversal-nano-s0: 4 of 4 stages',
    '  two cores',
    f'  {tmp_path}/x/a.sh',
    '    | second',
    '  run this',
  ):
    assert line in made.splitlines()
  assert not (tmp_path / 'x').exists()


def test_a_launch_and_a_status_import_nothing_heavy():
  modules = [
    f'launch.{path.stem}'
    for path in sorted((ROOT / 'launch').glob('*.py'))
    if path.stem[0] != '_' and path.stem != 'xm_script'
  ]
  code = f"""
import importlib, sys
for module in {[*modules, 'launch.__main__', 'icl_gen.status']}:
  importlib.import_module(module)
print(*{HEAVY | {'pandas', 'scipy', 'xmanager'}} & set(sys.modules))
"""
  done = subprocess.run(
    [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True
  )
  assert done.returncode == 0, done.stderr
  assert done.stdout.strip() == ''


@pytest.mark.parametrize(
  ('platform', 'env'),
  [
    ('gpu', {'CUDA_VISIBLE_DEVICES': '2,3'}),
    (
      'tpu',
      {
        'TPU_VISIBLE_CHIPS': '2,3',
        'TPU_CHIPS_PER_PROCESS_BOUNDS': '1,2,1',
        'TPU_PROCESS_BOUNDS': '1,1,1',
      },
    ),
    (
      'cpu',
      {
        'JAX_PLATFORMS': 'cpu',
        'XLA_FLAGS': '--a --xla_force_host_platform_device_count=2',
      },
    ),
  ],
)
def test_workers_have_devices_of_their_own(platform, env, monkeypatch):
  monkeypatch.setenv(
    'XLA_FLAGS', '--a --xla_force_host_platform_device_count=8'
  )
  for inherited in ('CUDA_VISIBLE_DEVICES', 'TPU_VISIBLE_CHIPS'):
    monkeypatch.delenv(inherited, raising=False)
  assert processes.of_worker(platform, worker=1, devices=2) == env
  assert processes.of_worker(platform, worker=1, devices=0) == {}


@pytest.mark.parametrize(
  ('platform', 'variable'),
  [('gpu', 'CUDA_VISIBLE_DEVICES'), ('tpu', 'TPU_VISIBLE_CHIPS')],
)
def test_workers_have_only_devices_that_are_left_to_us(
  platform, variable, monkeypatch
):
  def devices(worker, *, each):
    found = processes.of_worker(platform, worker=worker, devices=each)
    return found[variable]

  monkeypatch.setenv(variable, '6,3,GPU-a,1')
  assert [devices(0, each=2), devices(1, each=2)] == ['6,3', 'GPU-a,1']
  assert devices(2, each=1) == 'GPU-a'
  with pytest.raises(
    ValueError,
    match=f'{variable}=6,3,GPU-a,1 leaves 4 devices, but 3 workers with'
    ' --devices_per_worker=2 need 6',
  ):
    devices(2, each=2)
  monkeypatch.setenv(variable, '')
  with pytest.raises(ValueError, match=f'{variable}= leaves 0 devices'):
    devices(0, each=1)


def test_a_tpu_host_is_not_cut_into_threes():
  with pytest.raises(ValueError, match='_worker=3: a process can have 1, 2, 4'):
    processes.of_worker('tpu', worker=0, devices=3)


@pytest.mark.parametrize('on', ['local', 'slurm', 'tpu_vm', 'xmanager'])
def test_a_dry_run_starts_and_writes_nothing(on, tmp_path):
  done = subprocess.run(
    [
      *(sys.executable, '-m', 'launch', f'--on={on}', '--dry_run'),
      *('--config=configs/study.py:tiny', '--config.seeds=(4,)'),
      *(f'--workdir={tmp_path / "out"}', '--zone=z', '--retries=5'),
      *('--heartbeat=90', '--debug'),
    ],
    cwd=ROOT,
    capture_output=True,
    text=True,
  )
  assert done.returncode == 0, done.stderr
  assert '  reversal-nano-s4: 8 of 8 stages\n' in done.stdout
  for flag in ('--config.seeds=(4,)', '--heartbeat=90', '--debug=True'):
    assert done.stdout.count(flag) >= 6  # five units, and the report
  assert '--documents' not in done.stdout
  assert (' up to 5 times' in done.stdout) == (on != 'xmanager')
  assert ('-lt 5 ]' in done.stdout) == (on == 'slurm')
  assert '--only=syllogism-nano-s4' in done.stdout
  assert '--topology=cpu:1 --stage=train\n' in done.stdout
  assert not list(tmp_path.iterdir())


def test_an_estimate_is_no_launch(tmp_path):
  """Whoever asks what fits does not want it started."""
  done = subprocess.run(
    [
      *(sys.executable, '-m', 'launch', '--on=local', '--estimate_memory'),
      *('--config=configs/study.py:tiny', f'--workdir={tmp_path / "out"}'),
    ],
    cwd=ROOT,
    capture_output=True,
    text=True,
  )
  assert (done.returncode, done.stdout) == (2, '')
  assert 'give --dry_run with it' in done.stderr
  assert not list(tmp_path.iterdir())


def test_help_lists_the_flags_of_the_executors():
  done = subprocess.run(
    [sys.executable, '-m', 'launch', '--help'],
    cwd=ROOT,
    capture_output=True,
    text=True,
  )
  assert (done.returncode, done.stderr) == (0, '')
  lines = done.stdout.splitlines()
  for told in (
    '  --on=local|slurm|tpu_vm|xmanager',
    '  --documents=TEXT',
    '  --machines=1',
    '  --topology=cpu:1',
    '  --spot',
    '  --set_up=VALUE',
    '  --devices_per_worker=0',
    '  --partition=VALUE',
    '  --xmanager_executor=local|vertex|kubernetes',
  ):
    assert told in lines
    assert lines[lines.index(told) + 1].startswith('      ')
    assert '<' not in lines[lines.index(told) + 1]


def test_own_documents_are_launched_as_they_are_studied(tmp_path):
  (tmp_path / 'notes').mkdir()
  (tmp_path / 'notes' / 'a.md').write_text('A.')
  command = [
    *(sys.executable, '-m', 'launch', '--on=local', '--dry_run'),
    *('--config=configs/study.py:custom,tiny', '--config.seeds=(4,)'),
    f'--workdir={tmp_path / "out"}',
  ]

  def launched(folder):
    return subprocess.run(
      [*command, f'--documents={tmp_path / folder}'],
      cwd=ROOT,
      capture_output=True,
      text=True,
    )

  done = launched('notes')
  assert done.returncode == 0, done.stderr
  # Without questions, documents are generated and nothing is trained.
  assert '  custom-nano-s4: 2 of 2 stages\n' in done.stdout
  assert f'--documents={tmp_path / "notes"} ' in done.stdout
  assert 'note: The embedded model nano' in done.stdout
  missing = launched('nothing')
  assert (missing.returncode, missing.stdout) == (2, '')
  assert 'nothing does not exist; give the folder' in missing.stderr
