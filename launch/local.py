"""Runs units on this host, in several processes."""

import sys

from absl import flags

from launch import experiment as experiments
from launch import finish, plan, pool, processes, table
from launch.experiment import Experiment, Unit
from launch.plan import Plan

_DEVICES = flags.DEFINE_integer(
  'devices_per_worker',
  0,
  'local: devices of each worker; 0: whatever JAX finds.',
)
_PLATFORM = flags.DEFINE_enum(
  'platform', 'cpu', processes.PLATFORMS, 'local: what these devices are.'
)


def make_plan(experiment: Experiment, *, machines: int, retries: int) -> Plan:
  """What `run` does.

  Raises:
    ValueError: workers that cannot have so many devices.
  """
  commands = []
  for number, unit in enumerate(experiment.units):
    arguments, env = _command(unit, number % machines)
    commands.append(f'{plan.shell(arguments, env)} >>{unit.log} 2>&1')
  last = [sys.executable, *experiments.command(experiment.report)]
  devices = _DEVICES.value or 'all'
  return Plan(
    [
      f'this host: {min(machines, len(experiment.units))} processes at once,'
      f' {devices} {_PLATFORM.value} devices each',
      pool.rule(retries),
    ],
    [*commands, plan.shell(last)],
  )


def run(experiment: Experiment, *, machines: int, retries: int) -> None:
  """Runs all units, then writes the report.

  Raises:
    ValueError: a unit failed.
  """
  with table.shown() as look:
    ended = pool.run(
      experiment.units, _command, workers=machines, retries=retries, look=look
    )
  finish.require_done(ended)
  finish.write_report(experiment)


def _command(unit: Unit, worker: int) -> pool.Command:
  env = processes.of_worker(
    _PLATFORM.value, worker=worker, devices=_DEVICES.value
  )
  return [sys.executable, *unit.command], env
