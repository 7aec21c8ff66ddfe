"""Runs units on TPU VMs: makes them, copies the code, runs, fetches, deletes.

What is done on one machine is a script of the shell, tpu_vm.sh, which --dry_run
prints. A machine that is taken away is made again, and its unit resumes from
what is in the workdir: at once if the workdir is in a bucket, or the machines
mount it (--mount), otherwise from what was fetched after the last attempt.
"""

import os
import pathlib
import re
import shlex
import subprocess
from collections.abc import Mapping

from absl import flags

from icl_gen import signals
from icl_gen.storage import files
from launch import experiment as experiments
from launch import finish, found, packed, pool, table
from launch import plan as plans
from launch.experiment import Experiment, Unit
from launch.plan import Plan

_ZONE = flags.DEFINE_string('zone', '', 'tpu_vm: where, such as us-west4-a.')
_PROJECT = flags.DEFINE_string('project', '', 'tpu_vm: who pays.')
_TYPE = flags.DEFINE_string(
  'accelerator_type', 'v5litepod-4', 'tpu_vm: what a machine is.'
)
_RUNTIME = flags.DEFINE_string(
  'runtime_version', 'v2-alpha-tpuv5-lite', 'tpu_vm: image of the machines.'
)
_QUEUED = flags.DEFINE_bool(
  'queued', False, 'tpu_vm: wait in the queue for machines (queued resources).'
)
_SPOT = flags.DEFINE_bool(
  'spot', False, 'tpu_vm: cheaper machines that may be taken away.'
)
_KEEP = flags.DEFINE_bool(
  'keep', False, 'tpu_vm: do not delete the machines at the end.'
)
_MOUNT = flags.DEFINE_string(
  'mount',
  '',
  'tpu_vm: an NFS share (HOST:/SHARE) that machines mount at --workdir; if not'
  ' given, results are copied, unless --workdir is in a bucket.',
)
# Ubuntu's own Python is too old. --no-deps: as in the Makefile.
_SET_UP = flags.DEFINE_string(
  'set_up',
  'python3 -m pip install --quiet --user uv'
  ' && python3 -m uv venv --quiet --allow-existing --python=3.12 .venv'
  ' && python3 -m uv pip install --quiet --python=.venv --no-deps'
  ' --requirements=requirements.txt'
  ' && python3 -m uv pip install --quiet --python=.venv --no-deps'
  " 'libtpu==0.0.50.*' --editable=.",
  'tpu_vm: a shell command, in the folder of the code, that makes'
  ' .venv/bin/python.',
)

_CODE = ('icl_gen', 'configs', 'setup.py', 'pyproject.toml', 'requirements.txt')
_REPORT = 'report'
_REMOTE_WORKDIR = 'out'
_SECONDS_BETWEEN_LOOKS = 10  # at a machine that is being made


def make_plan(experiment: Experiment, *, machines: int, retries: int) -> Plan:
  """What `run` does.

  Raises:
    ValueError: no zone; a config or documents that machines do not get; or both
      a share and a bucket.
  """
  _require(experiment)
  names = _machines(experiment, machines)
  script = experiment.files / 'tpu_vm' / 'tpu_vm.sh'
  commands = [packed.command(_CODE, _archive(experiment))]
  for number, unit in enumerate(experiment.units):
    machine = names[number % len(names)]
    commands.append(
      f'bash {script} run {machine} {unit.name} >>{unit.log} 2>&1'
    )
  last = plans.shell(['python', *experiments.command(experiment.report)])
  mounted = f'bash {script} run {names[0]} {_REPORT}'
  commands.append(mounted if _MOUNT.value else last)
  if not _KEEP.value:
    commands += [f'bash {script} delete {machine}' for machine in names]
  how = [
    *(['queued'] if _QUEUED.value else []),
    *(['spot'] if _SPOT.value else []),
  ]
  return Plan(
    [
      f'{len(names)} TPU VMs {_TYPE.value} ({", ".join(how) or "on demand"}) in'
      f' {_ZONE.value}: {", ".join(names)}',
      pool.rule(retries),
    ],
    commands,
    {
      script: pathlib.Path(__file__).with_suffix('.sh').read_text('utf-8'),
      script.with_suffix('.env'): _environment(experiment),
    },
  )


def run(experiment: Experiment, *, machines: int, retries: int) -> None:
  """Runs all units, then writes the report; deletes the machines at the end.

  Raises:
    ValueError: as `make_plan`; or a unit or the report failed.
  """
  plan = make_plan(experiment, machines=machines, retries=retries)
  plans.write(plan)
  script, _ = plan.files
  names = _machines(experiment, machines)
  subprocess.run(plan.commands[0], shell=True, check=True)

  def command(unit: Unit, worker: int) -> pool.Command:
    return ['bash', str(script), 'run', names[worker], unit.name], {}

  try:
    with table.shown() as look:
      ended = pool.run(
        experiment.units,
        command,
        workers=len(names),
        retries=retries,
        look=look,
      )
    finish.require_done(ended)
    if _MOUNT.value:
      finish.require_success(['bash', str(script), 'run', names[0], _REPORT])
    else:
      finish.write_report(experiment)
  finally:
    if not _KEEP.value:
      _delete(script, names)


def _delete(script: pathlib.Path, names: list[str]) -> None:
  """Deletes all machines at once, also if somebody asks us to stop."""
  with signals.deferred():
    print(f'deleting {", ".join(names)}', flush=True)
    deletions = {
      # Ctrl-C in a terminal must not reach them.
      name: subprocess.Popen(
        ['bash', str(script), 'delete', name], start_new_session=True
      )
      for name in names
    }
    for name, deletion in deletions.items():
      if deletion.wait():
        print(
          f'{name} could not be deleted, and may go on costing money: see'
          f' `gcloud compute tpus tpu-vm list --zone={_ZONE.value}`',
          flush=True,
        )


def _require(experiment: Experiment) -> None:
  if not _ZONE.value:
    raise ValueError('no --zone given: say where the machines are to be')
  if _MOUNT.value and experiment.is_in_bucket:
    raise ValueError(
      f'--mount={_MOUNT.value}: machines write to the bucket of --workdir, and'
      ' need no share; leave one of them out'
    )
  shared = pathlib.Path(_mounted_at(experiment)) if _MOUNT.value else None
  found.require(
    experiment.report, who='machines', copied='configs', shared=shared
  )


def _machines(experiment: Experiment, machines: int) -> list[str]:
  # Letters, digits and hyphens, and a letter first.
  name = re.sub('[^a-z0-9]+', '-', experiment.name.lower()).strip('-')
  return [
    f'icl-gen-{name}-{number}'
    for number in range(max(1, min(machines, len(experiment.units))))
  ]


def _archive(experiment: Experiment) -> pathlib.Path:
  return experiment.files.absolute() / 'tpu_vm' / 'code.tar.gz'


def _environment(experiment: Experiment) -> str:
  """What tpu_vm.sh reads."""
  version = '--runtime-version' if _QUEUED.value else '--version'
  create = [
    f'--accelerator-type={_TYPE.value}',
    f'{version}={_RUNTIME.value}',
    *(['--spot'] if _SPOT.value else []),
  ]
  set_up = _SET_UP.value + _mounting(experiment)
  remote = f'icl_gen/{_REMOTE_WORKDIR}/{experiment.name}'
  values = {
    'ZONE': _ZONE.value,
    'QUEUED': 'yes' if _QUEUED.value else '',
    'CREATE': ' '.join(create),
    'SET_UP': set_up,
    'DIGEST': files.digest([set_up, packed.contents(_CODE)]),
    # Part of a command of the machine's shell.
    'REMOTE': '' if _see_ours(experiment) else shlex.quote(remote),
    'ROOT': str(experiment.root.absolute()),
    'ARCHIVE': str(_archive(experiment)),
    'SECONDS_BETWEEN_LOOKS': str(_SECONDS_BETWEEN_LOOKS),
  }
  if _PROJECT.value:
    values['CLOUDSDK_CORE_PROJECT'] = _PROJECT.value
  workdir = _workdir(experiment)
  commands = {
    unit.name: _command(unit.flags, workdir) for unit in experiment.units
  }
  commands[_REPORT] = _command(experiment.report, workdir)
  folders = {
    unit.name: ' '.join(_folders(unit, experiment.root))
    for unit in experiment.units
  }
  return '\n'.join(
    [
      *(f'export {key}={shlex.quote(value)}' for key, value in values.items()),
      _table('COMMANDS', commands),
      _table('FOLDERS', {**folders, _REPORT: ''}),
      '',
    ]
  )


def _table(name: str, values: Mapping[str, str]) -> str:
  """An associative array of bash."""
  rows = [f'  [{key}]={shlex.quote(value)}' for key, value in values.items()]
  return '\n'.join([f'declare -A {name}=(', *rows, ')'])


def _see_ours(experiment: Experiment) -> bool:
  """Whether machines write where we read, so that nothing is copied."""
  return bool(_MOUNT.value) or experiment.is_in_bucket


def _workdir(experiment: Experiment) -> str:
  """The flag on machines."""
  if experiment.is_in_bucket:
    return experiment.report['workdir']
  return _mounted_at(experiment) if _MOUNT.value else _REMOTE_WORKDIR


def _mounted_at(experiment: Experiment) -> str:
  """Where machines have the share: as here, whatever their own directory."""
  return os.path.abspath(experiment.root.parent)


def _command(given: experiments.Flags, workdir: str) -> str:
  """A unit's command on a machine."""
  here = {**given, 'workdir': workdir}
  return shlex.join(['.venv/bin/python', *experiments.command(here)])


def _folders(unit: Unit, root: pathlib.Path) -> list[str]:
  """What a unit writes, under the study's directory; settings come first."""
  made = dict.fromkeys(path.parent.relative_to(root) for path in unit.results)
  return [
    str(folder)
    for one in made
    for folder in (one.with_name(f'{one.name}.settings'), one)
  ]


def _mounting(experiment: Experiment) -> str:
  """What set-up ends with; a machine that was kept may have another share."""
  if not _MOUNT.value:
    return ''
  at, share = map(shlex.quote, (_mounted_at(experiment), _MOUNT.value))
  return (
    f' && sudo mkdir -p {at} &&'
    f' {{ [ "$(findmnt -no SOURCE --mountpoint {at})" = {share} ] ||'
    f' {{ {{ ! mountpoint -q {at} || sudo umount {at}; }} &&'
    f' sudo mount -t nfs {share} {at}; }}; }}'
  )
