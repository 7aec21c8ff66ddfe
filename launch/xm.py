"""Hands units to XManager: on this host, on Vertex AI, or on Kubernetes.

What is handed over is a file, spec.json, which xm_script.py turns into
XManager's own objects. That script may run in another environment
(--xmanager_python), because the libraries that xmanager requires exclude the
versions of ours.
"""

import json
import pathlib
import sys
from collections.abc import Mapping
from typing import Any

from absl import flags

from icl_gen.runs import units as names
from icl_gen.storage import objects
from launch import experiment as experiments
from launch import finish, found
from launch import plan as plans
from launch.experiment import Experiment
from launch.plan import Plan

_EXECUTOR = flags.DEFINE_enum(
  'xmanager_executor',
  'local',
  ('local', 'vertex', 'kubernetes'),
  'xmanager: who runs the units.',
)
_PYTHON = flags.DEFINE_string(
  'xmanager_python', sys.executable, 'xmanager: a Python that has xmanager.'
)
_IMAGE = flags.DEFINE_string(
  'image', 'python:3.12', 'xmanager: the base of containers.'
)
_REMOTE = flags.DEFINE_string(
  'remote_workdir',
  '',
  'xmanager: the workdir in containers, on a disk that they share, unless'
  ' --workdir is in a bucket.',
)

_SCRIPT = pathlib.Path(__file__).with_name('xm_script.py')
# Runs a unit on this host: run.sh LOG ARGUMENTS OF PYTHON...
_RUN = """\
#!/bin/bash
log=$1
shift
mkdir -p "$(dirname "$log")"
{python} "$@" >>"$log" 2>&1
status=$?
echo "{ended}" >>"$log"
exit $status
"""


def make_plan(experiment: Experiment, *, machines: int, retries: int) -> Plan:
  """What `run` does; what fails is not started again, whatever `retries` says.

  Raises:
    ValueError: containers, but no workdir that they share, or a config or
      documents that they do not get.
  """
  del retries
  _require(experiment)
  folder = (experiment.files / 'xmanager').absolute()
  script, spec = folder / 'run.sh', folder / 'spec.json'
  made = _spec(experiment, script, machines)
  files = {spec: json.dumps(made, indent=2) + '\n'}
  if _EXECUTOR.value == 'local':
    files[script] = _RUN.format(
      python=sys.executable, ended=names.ENDED.format('$status')
    )
  needs = made['requirements'] or 'nothing in particular'
  return Plan(
    [f'XManager, {_EXECUTOR.value}: {machines} units at once, each {needs}'],
    [plans.shell([_PYTHON.value, str(_SCRIPT), f'--spec={spec}'])],
    files,
  )


def run(experiment: Experiment, *, machines: int, retries: int) -> None:
  """Launches everything and waits for it.

  Raises:
    ValueError: as `make_plan`; or a unit failed.
  """
  plan = make_plan(experiment, machines=machines, retries=retries)
  plans.write(plan)
  for path in plan.files:
    path.chmod(0o755)
  spec = next(iter(plan.files))
  finish.require_success([_PYTHON.value, str(_SCRIPT), f'--spec={spec}'])


def _require(experiment: Experiment) -> None:
  if _EXECUTOR.value == 'local':
    return
  remote = _REMOTE.value
  if objects.is_url(remote) or (remote and experiment.is_in_bucket):
    raise ValueError(
      f'--remote_workdir={remote}: give a bucket as --workdir, alone, and a'
      ' directory on a disk that all containers share as --remote_workdir'
    )
  if not remote and not experiment.is_in_bucket:
    raise ValueError(
      f'--xmanager_executor={_EXECUTOR.value} needs --remote_workdir, a'
      ' directory on a disk that all containers share, or a --workdir in a'
      ' bucket'
    )
  found.require(
    experiment.report,
    who='containers',
    copied='.',
    shared=pathlib.Path(remote) if remote else None,
  )


def _spec(
  experiment: Experiment, script: pathlib.Path, machines: int
) -> dict[str, Any]:
  """What xm_script.py reads; a sweep is a list of the arguments of jobs."""
  last = experiment.files / 'report.log'
  return {
    'title': experiment.name,
    'executor': _EXECUTOR.value,
    'at_once': machines,
    'script': str(script),
    'code': str(pathlib.Path.cwd()),
    'image': _IMAGE.value,
    'docker': _docker(pathlib.Path.cwd().name),
    'requirements': _requirements(experiment.requirements.topology),
    'jobs': [
      {'name': unit.name, 'args': _arguments(unit.flags, unit.log)}
      for unit in experiment.units
    ],
    'last': {'name': 'report', 'args': _arguments(experiment.report, last)},
  }


def _arguments(given: experiments.Flags, log: pathlib.Path) -> list[str]:
  if _EXECUTOR.value == 'local':
    return [str(log.absolute()), *experiments.command(given)]
  there = {**given, 'workdir': _REMOTE.value or given['workdir']}
  return [f'--{name}={value}' for name, value in there.items()]


def _requirements(topology: str) -> Mapping[str, Any]:
  """Arguments of `xm.JobRequirements`; {} for a CPU."""
  kind, _, shape = topology.partition(':')
  return {} if kind == 'cpu' else {f'tpu_{kind}': shape}


def _docker(folder: str) -> list[str]:
  """How a container is made; --no-deps as in the Makefile."""
  return [
    f'COPY {folder}/ icl_gen',
    'WORKDIR icl_gen',
    'RUN pip install --no-deps --requirement requirements.txt',
    "RUN pip install --no-deps 'libtpu==0.0.50.*' --editable .",
  ]
