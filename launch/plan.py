"""What an executor would do: files to write, commands to run."""

import dataclasses
import pathlib
import shlex
from collections.abc import Mapping, Sequence

from launch.experiment import Experiment


@dataclasses.dataclass(frozen=True)
class Plan:
  """Everything that a launch does, in order.

  Attributes:
    resources: what is taken, in words.
    commands: of the shell.
    files: path -> its content, written before the first command.
  """

  resources: Sequence[str]
  commands: Sequence[str]
  files: Mapping[pathlib.Path, str] = dataclasses.field(default_factory=dict)


def text(experiment: Experiment, plan: Plan) -> str:
  """A plan in words, for --dry_run."""
  left = [
    f'  {unit.name}: {len(unit.results) - unit.complete()} of'
    f' {len(unit.results)} stages'
    for unit in experiment.units
  ]
  files = []
  for path, content in plan.files.items():
    files += [f'  {path}', *(f'    | {line}' for line in content.splitlines())]
  blocks = {
    'units': left or ['  none: all of their stages are complete'],
    'last command': [f'  {len(experiment.rest)} stages, then the report'],
    'resources': [f'  {line}' for line in plan.resources],
    'files': files or ['  none but logs'],
    'commands': [f'  {line}' for line in plan.commands],
  }
  return '\n'.join(
    line for title, lines in blocks.items() for line in (f'{title}:', *lines)
  )


def write(plan: Plan) -> None:
  """Writes the files of a plan."""
  for path, content in plan.files.items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding='utf-8')


def shell(
  arguments: Sequence[str], env: Mapping[str, str] | None = None
) -> str:
  """A command with its variables, as a shell reads it."""
  given = [
    f'{name}={shlex.quote(value)}' for name, value in (env or {}).items()
  ]
  return ' '.join([*given, shlex.join(arguments)])
