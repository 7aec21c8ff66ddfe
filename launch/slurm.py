"""Submits units to Slurm: one array job, then the report.

A task of the array is a unit. It is queued again when it is preempted, when its
node fails, when its time runs out (a minute before that, it is asked to save
its state), and, a number of times, when it fails. Slurm does all of this.
"""

import os
import pathlib
import shlex
import subprocess
import sys

from absl import flags

from icl_gen.runs import units as names
from icl_gen.storage import working_copies
from launch import experiment as experiments
from launch import plan as plans
from launch.experiment import Experiment
from launch.plan import Plan

# Flag of this command, and of sbatch -> what it is for.
_OPTIONS = {
  name: flags.DEFINE_string(name, '', f'slurm: {what}')
  for name, what in {
    'partition': 'where units run.',
    'account': 'who pays.',
    'qos': 'the quality of service.',
    'time': 'the limit of one attempt, such as 4:00:00.',
    'gres': 'generic resources of a node, such as gpu:4.',
    'mem': 'memory of a node, such as 64G.',
    'constraint': 'features that nodes must have.',
  }.items()
}
_CPUS = flags.DEFINE_integer('cpus_per_task', 1, 'slurm: cores of a process.')
_PROLOGUE = flags.DEFINE_string(
  'prologue',
  '',
  'slurm: a shell command before each unit, such as module load.',
)

_REPORT = 'report'


def make_plan(experiment: Experiment, *, machines: int, retries: int) -> Plan:
  """What `run` does.

  Raises:
    ValueError: the workdir is in a bucket.
  """
  working_copies.require_local(
    experiment.root,
    '--on=slurm',
    why='its scripts and logs are there, on a disk that all nodes share',
  )
  folder = experiment.files / 'slurm'
  array, report = folder / 'units.sbatch', folder / f'{_REPORT}.sbatch'
  scripts, commands = {}, []
  if experiment.units:
    scripts[array] = _units(experiment, machines, retries)
    submitted = plans.shell(['sbatch', '--parsable', str(array)])
    commands.append(f'array=$({submitted})')
  scripts[report] = _report(experiment)
  after = ' '.join(_after('$array')) if experiment.units else ''
  commands.append(f'sbatch --parsable {after} {shlex.quote(str(report))}')
  needs = experiment.requirements
  return Plan(
    [
      f'Slurm: {len(experiment.units)} tasks, {machines} at once, each on'
      f' {needs.processes} nodes with {_CPUS.value} cores',
      f'a task that fails is queued again up to {retries} times',
    ],
    commands,
    scripts,
  )


def run(experiment: Experiment, *, machines: int, retries: int) -> None:
  """Submits everything; prints the numbers of the jobs and returns.

  Raises:
    ValueError: sbatch is not there, or refused a job.
  """
  plan = make_plan(experiment, machines=machines, retries=retries)
  plans.write(plan)
  *array, report = plan.files
  after: list[str] = []
  for script in array:
    number = _submit(script)
    print(f'submitted {len(experiment.units)} units as job {number}: {script}')
    after = _after(number)
  last = _submit(report, *after)
  print(
    f'submitted the report as job {last}. `squeue` shows the jobs, `scancel'
    ' NUMBER` ends one, and `python -m icl_gen.status --workdir='
    f'{experiment.root.parent}` shows the stages'
  )


def _after(number: str) -> list[str]:
  return [f'--dependency=afterok:{number}', '--kill-on-invalid-dep=yes']


def _submit(script: pathlib.Path, *more: str) -> str:
  """Returns the number of the job."""
  command = ['sbatch', '--parsable', *more, str(script)]
  try:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
  except FileNotFoundError as error:
    raise ValueError(
      'there is no sbatch on this machine: run the command where jobs are'
      ' submitted'
    ) from error
  except subprocess.CalledProcessError as error:
    raise ValueError(
      f'sbatch refused {script}: {error.stderr.strip()}'
    ) from error
  return done.stdout.strip().split(';')[0]  # NUMBER or NUMBER;CLUSTER


def _units(experiment: Experiment, machines: int, retries: int) -> str:
  """The script of the array."""
  count, needs = len(experiment.units), experiment.requirements
  directives = {
    'job-name': experiment.name,
    'array': f'0-{count - 1}%{machines}',
    'nodes': needs.processes,
    'ntasks-per-node': 1,
    'requeue': None,
    'open-mode': 'append',
    'output': experiment.files / 'slurm' / 'units-%a.out',
    'signal': 'B:USR1@60',
  }
  cases = [
    f'  {number}) name={shlex.quote(unit.name)}'
    f' log={shlex.quote(str(unit.log.absolute()))}'
    f'\n     set -- {shlex.join(unit.command)} ;;'
    for number, unit in enumerate(experiment.units)
  ]
  return '\n'.join(
    [
      *_head(directives),
      'case $SLURM_ARRAY_TASK_ID in',
      *cases,
      'esac',
      _RUN.format(
        python=shlex.quote(sys.executable),
        retries=retries,
        ended=names.ENDED.format('$status'),
      ),
    ]
  )


def _report(experiment: Experiment) -> str:
  """The script of the last job."""
  directives = {
    'job-name': f'{experiment.name}-{_REPORT}',
    'ntasks': 1,
    'open-mode': 'append',
    'output': experiment.files / 'slurm' / f'{_REPORT}.out',
  }
  command = [sys.executable, *experiments.command(experiment.report)]
  return '\n'.join([*_head(directives), f'exec {shlex.join(command)}', ''])


def _head(directives: dict[str, object]) -> list[str]:
  given = {
    name: option.value for name, option in _OPTIONS.items() if option.value
  }
  every = {
    **directives,
    'cpus-per-task': _CPUS.value,
    'chdir': os.getcwd(),
    **given,
  }
  return [
    '#!/bin/bash',
    *(
      f'#SBATCH --{name}' + ('' if value is None else f'={_quoted(value)}')
      for name, value in every.items()
    ),
    *([_PROLOGUE.value] if _PROLOGUE.value else []),
  ]


def _quoted(value: object) -> str:
  """As sbatch reads it, which is not as a shell does."""
  return f'"{value}"' if ' ' in str(value) else str(value)


# Slurm asks the shell, with USR1, before the time runs out. Not with TERM: that
# is how a job is cancelled, after which it must not run again. The shell passes
# it on with scancel, which signals the command alone; srun, asked to end, would
# kill the command before its state is saved.
_RUN = """\
out_of_time=
# Not SLURM_JOB_ID, which for one of the tasks is also that of the whole array.
task="${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID"
trap 'out_of_time=1; scancel --signal=TERM "$task"' USR1
# Since Slurm 22.05, srun does not inherit the cores.
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" --kill-on-bad-exit=1 \\
  --open-mode=append --output="$log" {python} "$@" &
wait $!
status=$?
# A trapped signal ends `wait` before the command has ended.
while kill -0 $! 2>/dev/null; do wait $!; status=$?; done
echo "{ended}" >>"$log"
echo "$name ended with exit status $status"
if [ "$out_of_time" ] || {{ [ $status != 0 ] && [ $status != 2 ] &&
  [ "${{SLURM_RESTART_COUNT:-0}}" -lt {retries} ]; }}
then
  scontrol requeue "$task"
  # Until it takes effect: an end of its own would count as the job's.
  sleep 60
fi
exit $status
"""
