"""Units as an array job of Slurm: the scripts, and a real Slurm of one host."""

import dataclasses
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from launch import slurm
from tests.launch import slurm_host
from tests.launch import studies as commands


def scripts(launched, **more):
  plan = slurm.make_plan(launched, **({'machines': 3, 'retries': 5} | more))
  return {path.name: text for path, text in plan.files.items()}


def directives(script):
  found = re.findall(r'^#SBATCH --([\w-]+)(?:=(.*))?$', script, re.MULTILINE)
  return dict(found)


def test_every_unit_is_a_task_of_the_array(launched):
  made = launched()
  script = scripts(made)['units.sbatch']
  assert directives(script)['array'] == '0-1%3'
  for number, unit in enumerate(made.units):
    assert f'  {number}) name={unit.name} log={unit.log}\n' in script
    assert f'     set -- {shlex.join(unit.command)} ;;' in script
  assert directives(script).keys() >= {'requeue', 'signal', 'output', 'chdir'}
  assert '-lt 5 ]' in script


def test_flags_become_directives(launched, given):
  asked = {'partition': 'tpu', 'account': 'us', 'time': '4:00:00', 'mem': '8G'}
  given(**asked, prologue='module load python')
  for script in scripts(launched()).values():
    assert asked.items() <= directives(script).items()
    assert 'qos' not in directives(script)
    assert '\nmodule load python\n' in script


def test_the_cores_are_passed_to_the_command(launched, given):
  given(cpus_per_task=6)
  script = scripts(launched())['units.sbatch']
  assert directives(script)['cpus-per-task'] == '6'
  (command,) = re.findall(r'^srun .*', script, re.MULTILINE)
  assert ' --cpus-per-task="$SLURM_CPUS_PER_TASK" ' in command


def test_names_may_have_spaces(launched):
  made = dataclasses.replace(launched(), name='my study')
  assert directives(scripts(made)['units.sbatch'])['job-name'] == '"my study"'


def test_several_processes_are_one_a_node(launched):
  script = scripts(launched(processes=4, on='slurm'))['units.sbatch']
  assert directives(script)['nodes'] == '4'
  assert directives(script)['ntasks-per-node'] == '1'
  assert '--distributed=slurm' in script


def test_the_scripts_are_bash(launched):
  for script in scripts(launched()).values():
    subprocess.run(['bash', '-n'], input=script, text=True, check=True)


@pytest.fixture
def sbatch(monkeypatch, tmp_path):
  """Stands for sbatch: gives numbers to jobs and keeps its arguments."""
  program = tmp_path / 'bin/sbatch'
  program.parent.mkdir()
  program.write_text(
    f'#!/bin/sh\necho "$@" >>{tmp_path}/args\n'
    f'echo "7$(wc -l <{tmp_path}/args);here"\n'
  )
  program.chmod(0o755)
  monkeypatch.setenv('PATH', str(program.parent), prepend=':')
  return lambda: (tmp_path / 'args').read_text().splitlines()


def test_the_report_waits_for_all_units(launched, sbatch, capsys):
  slurm.run(launched(), machines=1, retries=0)
  array, report = sbatch()
  assert array.startswith('--parsable /') and array.endswith('/units.sbatch')
  assert '--dependency=afterok:71 --kill-on-invalid-dep=yes' in report
  assert report.endswith('/report.sbatch')
  assert pathlib.Path(array.split()[-1]).read_text().startswith('#!/bin/bash\n')
  assert 'units as job 71' in capsys.readouterr().out


def test_without_units_only_the_report_is_submitted(launched, sbatch):
  made = launched()
  for unit in made.units:
    for path in unit.results:
      path.parent.mkdir(parents=True, exist_ok=True)
      path.touch()
  slurm.run(launched(), machines=1, retries=0)
  (report,) = sbatch()
  assert 'dependency' not in report and report.endswith('/report.sbatch')
  plan = slurm.make_plan(launched(), machines=1, retries=0)
  assert [path.name for path in plan.files] == ['report.sbatch']


def test_without_slurm_it_says_so(launched, monkeypatch):
  monkeypatch.setenv('PATH', '')
  with pytest.raises(ValueError, match='there is no sbatch on this machine'):
    slurm.run(launched(), machines=1, retries=0)


def test_what_sbatch_refuses_is_reported(launched, sbatch, tmp_path):
  (tmp_path / 'bin/sbatch').write_text(
    '#!/bin/sh\necho no such part >&2; exit 1'
  )
  with pytest.raises(ValueError, match=r'refused .*units.sbatch: no such part'):
    slurm.run(launched(), machines=1, retries=0)


# --- a real Slurm -----------------------------------------------------------


@pytest.fixture(scope='module')
def cluster(tmp_path_factory):
  """The variables of a Slurm of this host."""
  if lacking := slurm_host.missing():
    pytest.skip(
      f'no {", ".join(lacking)}: apt-get install slurm-wlm munge (Debian)'
    )
  with slurm_host.running(
    tmp_path_factory.mktemp('slurm') / 'host', commands.environment()
  ) as env:
    yield env


def told(env, *command):
  done = subprocess.run(command, env=env, capture_output=True, text=True)
  return done.stdout.strip()


def submit(env, given):
  """Launches; returns the number of the array."""
  done = subprocess.run(
    [
      *(sys.executable, '-m', 'launch', '--on=slurm', '--machines=2'),
      *given,
    ],
    env=env,
    capture_output=True,
    text=True,
    cwd=commands.ROOT,
  )
  assert done.returncode == 0, done.stderr
  return re.search(r'units as job (\d+)', done.stdout)[1]


def queued(env):
  return told(env, 'squeue', '--noheader', '--array')


@pytest.mark.slow
def test_a_study_cancelled_and_requeued_on_slurm_gives_the_same_results(
  cluster, two_worlds, tmp_path
):
  given = two_worlds.begin(tmp_path)
  first, second = commands.UNITS

  def said(unit, text):
    commands.wait(
      lambda: text in commands.log(tmp_path, unit),
      what=lambda: f'{queued(cluster)}\n{commands.log(tmp_path, unit)}',
    )

  # A user cancels everything: it ends, and nothing is queued again.
  submit(cluster, given)
  said(first, 'evaluate')
  told(cluster, 'scancel', '--user=' + told(cluster, 'id', '-un'))
  commands.wait(lambda: not queued(cluster), seconds=90)
  assert not (tmp_path / 'study/report').exists()

  job = submit(cluster, given)
  said(first, 'train reversal')
  told(cluster, 'scontrol', 'requeue', f'{job}_0')  # as preemption does
  said(second, 'train syllogism')
  # As if a minute were left.
  told(cluster, 'scancel', '--signal=USR1', '--batch', f'{job}_1')
  commands.wait(lambda: not queued(cluster), what=lambda: queued(cluster))
  assert commands.results(tmp_path) == two_worlds.expected
  restarts = [
    re.search(r'Restarts=(\d+)', told(cluster, 'scontrol', 'show', 'job', one))
    for one in (f'{job}_0', f'{job}_1')
  ]
  assert [found and found[1] for found in restarts] == ['1', '1']
