"""What is launched: the units of a study as commands, with what each needs.

A sweep is a list of dicts of flags; a unit's command is `python -m
icl_gen.study` with the flags of one of them. Executors decide where commands
run; they know nothing of worlds, models or stages.
"""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

from icl_gen.runs import studies, topologies, units
from icl_gen.runs.studies import Study
from icl_gen.storage import working_copies
from launch import processes

Flags = Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Requirements:
  """What one unit needs.

  Attributes:
    topology: of its devices, as in `icl_gen.compile`: 'cpu:1', 'v5e:2x2'.
    processes: that run its command together, one a host.
  """

  topology: str
  processes: int


@dataclasses.dataclass(frozen=True)
class Unit:
  """A chain of stages that one command runs.

  Attributes:
    name: <world>-<model>-s<seed>.
    flags: of the command.
    results: what exists once each of its stages is complete.
    log: the file that the command's output is appended to.
  """

  name: str
  flags: Flags
  results: Sequence[pathlib.Path]
  log: pathlib.Path

  @property
  def command(self) -> list[str]:
    """The arguments of Python."""
    return command(self.flags)

  def complete(self) -> int:
    """How many of its stages are complete."""
    working_copies.refresh(self.log)
    return sum(path.exists() for path in self.results)


@dataclasses.dataclass(frozen=True)
class Experiment:
  """A study to be launched.

  Attributes:
    name: of the study.
    root: the study's own directory.
    units: those that are not complete.
    requirements: of every unit.
    report: flags of the last command, which writes the report.
    rest: results of no unit, which need several: the last command's, without
      those that are complete.
  """

  name: str
  root: pathlib.Path
  units: Sequence[Unit]
  requirements: Requirements
  report: Flags
  rest: Sequence[pathlib.Path]

  @property
  def files(self) -> pathlib.Path:
    """Directory of what a launch writes: logs and scripts."""
    return self.root / 'launch'

  @property
  def is_in_bucket(self) -> bool:
    """Whether the units write to a bucket, and the root is a copy of it."""
    return working_copies.of(self.root) is not None


def make(
  study: Study,
  workdir: pathlib.Path,
  *,
  flags: Flags,
  requirements: Requirements,
  on: str,
) -> Experiment:
  """Returns the units of a study that have something left to do.

  Args:
    study: its settings.
    workdir: where the study's directory is.
    flags: of `python -m icl_gen.study`, for the whole study.
    requirements: of every unit.
    on: the executor.

  Raises:
    ValueError: a topology, or several processes a unit, that cannot be.
  """
  topologies.read(requirements.topology)
  root = workdir / study.name
  together = processes.flags(requirements.processes, on=on)
  found = [
    Unit(
      name,
      {**flags, 'only': name, **together},
      [job.result for job in studies.jobs(unit, root)],
      units.log(root, name),
    )
    for name, unit in units.units(study).items()
  ]
  left = [unit for unit in found if unit.complete() < len(unit.results)]
  of_units = {result for unit in found for result in unit.results}
  rest = [
    job.result
    for job in studies.jobs(study, root)
    if job.result not in of_units and not job.result.exists()
  ]
  return Experiment(study.name, root, left, requirements, flags, rest)


def command(flags: Flags) -> list[str]:
  """The arguments of Python for a study's command."""
  return [
    '-m',
    'icl_gen.study',
    *(f'--{name}={value}' for name, value in flags.items()),
  ]
