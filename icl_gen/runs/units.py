"""Work units: a study cut into one world, model and seed each.

A unit is itself a study, of the same directory: the chain of stages from the
corpus to the scores of all conditions, which one process can run while others
run the other units. `<root>/study.json` says what the whole study is, and
`<root>/launch/<unit>.log` is what the unit's process printed.
"""

import dataclasses
import pathlib

from icl_gen.runs import experiments, studies
from icl_gen.runs.studies import Study
from icl_gen.storage import files, working_copies

# The last line of a unit's log after each attempt; `{}` is the exit status.
ENDED = '--- ended with exit status {} ---'


def units(study: Study) -> dict[str, Study]:
  """Returns the units of a study by name, in the study's order."""
  return {
    f'{experiment.world}-{model}-s{seed}': dataclasses.replace(
      study, experiments={name: experiment}, seeds=(seed,), models=(model,)
    )
    for name, experiment in study.experiments.items()
    for seed in study.seeds
    for model in study.models
  }


def of(study: Study, name: str) -> Study:
  """Returns one unit of a study.

  Raises:
    ValueError: the study has no unit of that name.
  """
  found = units(study)
  if name not in found:
    raise ValueError(
      f'unit {name!r}: a unit is <world>-<model>-s<seed>; those of this study'
      f' are {", ".join(found)}'
    )
  return found[name]


def log(root: files.Path, name: str) -> pathlib.Path:
  """The log of a unit."""
  return pathlib.Path(root) / 'launch' / f'{name}.log'


def record_of(root: files.Path) -> pathlib.Path:
  """The file that says what the study of a directory is."""
  return pathlib.Path(root) / 'study.json'


def record(study: Study, root: files.Path) -> None:
  """Writes what the study is, for those who look at its directory."""
  path, values = record_of(root), dataclasses.asdict(study)
  if _digest(path) != files.digest(values):
    files.write_sealed_json(path, values)
    working_copies.publish(path)


def recorded(root: files.Path) -> Study:
  """Returns the study that was last run in a directory.

  Raises:
    ValueError: none was, or its record is damaged.
  """
  path = record_of(root)
  if not path.exists():
    raise ValueError(
      f'there is no {str(path)!r}: `python -m icl_gen.study` and `python -m'
      ' launch` write it'
    )
  values = files.read_sealed_json(path)
  completed = {
    name: experiments.with_defaults(experiment)
    for name, experiment in values['experiments'].items()
  }
  return studies.read({**values, 'experiments': completed})


def _digest(path: pathlib.Path) -> str:
  """The digest of a record; '' if there is none, or a damaged one."""
  try:
    return files.digest(files.read_sealed_json(path))
  except (FileNotFoundError, ValueError):
    return ''
