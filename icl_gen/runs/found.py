"""What a directory holds, read without the config that made it."""

import dataclasses
import pathlib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from icl_gen.reporting.records import AugmentationRecord, Cell, kinds
from icl_gen.runs import directories
from icl_gen.runs.stage import Stage, result
from icl_gen.storage import corpus_files, files, scores
from icl_gen.worlds import catalog


@dataclasses.dataclass(frozen=True)
class Found:
  """The finished cells under a directory, and what was generated for them.

  Attributes:
    cells: name of the cell's directory -> the cell.
    records: of the augmentations that these cells were trained on.
    missing: results that should be there and are not.
    report: settings of the last report; {} if there is none.
  """

  cells: Mapping[str, Cell]
  records: tuple[AugmentationRecord, ...]
  missing: tuple[pathlib.Path, ...]
  report: Mapping[str, Any]

  @property
  def experiments(self) -> Mapping[str, Any]:
    """Name -> settings, of a study that was reported; else {}."""
    found: Mapping[str, Any] = self.report.get('experiments', {})
    return found

  @property
  def main_kinds(self) -> dict[str, str]:
    """World -> the kind of question in the main figure.

    That of the last report; else reversals, if there are any.
    """
    asked: dict[str, set[str]] = {}
    for one in self.cells.values():
      asked.setdefault(one.world, set()).update(*map(kinds, one.scores))
    return {
      world: 'reversal' if 'reversal' in found else min(found)
      for world, found in asked.items()
    } | {
      world: kind
      for world, kind in _by_world(self.report).items()
      if world in asked
    }

  def is_reported(self, settings: Mapping[str, Any]) -> bool:
    """Whether the last report is of the same cells and main kinds."""
    return (
      self.report.get('cells') == settings['cells']
      and {**settings['main_kinds'], **_by_world(self.report)}
      == settings['main_kinds']
    )


def _by_world(report: Mapping[str, Any]) -> dict[str, str]:
  """World -> main kind, of a report whose main kinds are by experiment."""
  named = report.get('experiments', {})
  return {
    named[name]['world'] if name in named else name: kind
    for name, kind in report.get('main_kinds', {}).items()
    if name in named or not named
  }


def roots(workdir: pathlib.Path) -> list[pathlib.Path]:
  """Returns the directories with runs: the workdir, and the studies in it.

  Raises:
    ValueError: if there are none.
  """
  there = sorted(workdir.iterdir()) if workdir.is_dir() else []
  found = [path for path in (workdir, *there) if (path / 'runs').is_dir()]
  if not found:
    raise ValueError(
      f'nothing to report in {str(workdir)!r}: neither it nor a directory in it'
      ' has runs/; give the --workdir of a study or of evaluated cells, or a'
      ' --config'
    )
  return found


def look(root: pathlib.Path, names: Collection[str] | None = None) -> Found:
  """Reads what was computed in a directory.

  Args:
    root: has runs/.
    names: of the cells to read; None: all that are there, or were when the last
      report was written.

  Raises:
    ValueError: a file is damaged.
  """
  report = _last_report(root)
  if names is None:
    there = {path.name for path in (root / 'runs').iterdir() if path.is_dir()}
    names = sorted(there | set(report.get('cells', ())))
  cells, records = {}, []
  for name in names:
    if (path := result('evaluate', root / 'runs' / name)).exists():
      cells[name] = cell(path)
    if all(path.exists() for path in _augmentation(root, name)):
      records += [record(root, *of) for of in _generated(name)]
  missing = tuple(missing_results(root, names))
  return Found(cells, tuple(records), missing, report)


def missing_results(
  root: pathlib.Path, names: Collection[str]
) -> list[pathlib.Path]:
  """Returns what a report would have of these cells, and is not there."""
  return [
    path
    for name in names
    for path in (
      result('evaluate', root / 'runs' / name),
      *_augmentation(root, name),
    )
    if not path.exists()
  ]


def _generated(cell_name: str) -> list[tuple[str, str, int]]:
  """World, model and seed of what a cell's model generated, if it did."""
  of = re.fullmatch(r'(.+)-ft_aug-(.+)-s(\d+)', cell_name)
  return [(of[1], of[2], int(of[3]))] if of else []


def _augmentation(root: pathlib.Path, cell_name: str) -> list[pathlib.Path]:
  """What the record of a cell's augmentation is read from."""
  paths = []
  for world, model, seed in _generated(cell_name):
    made = directories.augmented(root, world=world, seed=seed, model=model)
    source = directories.corpus(root, world=world, seed=seed)
    paths += [result('augment', made), result('build', source)]
  return paths


def cell(path: pathlib.Path) -> Cell:
  """Returns the cell that scores are of.

  Raises:
    ValueError: the file is damaged, or does not say what it is of.
  """
  answered, of = scores.read_scores(path), scores.read_metadata(path)
  return Cell(of['world'], of['condition'], of['model'], of['seed'], answered)


def record(
  root: files.Path, world: str, model: str, seed: int
) -> AugmentationRecord:
  """Returns what a model generated for a world.

  Raises:
    ValueError: the augmentation or its source is missing or damaged.
  """
  directory = directories.augmented(root, world=world, seed=seed, model=model)
  source = directories.corpus(root, world=world, seed=seed)
  manifest = corpus_files.read_manifest(directory)['corpus']
  costs = {
    f'{kind} {what}': float(value)
    for kind, spent in manifest['costs'].items()
    for what, value in spent.items()
  }
  questions = corpus_files.read(source).questions
  return AugmentationRecord(
    world,
    model,
    seed,
    corpus_files.read_documents([directory]),
    questions,
    costs,
    catalog.said_right(world, questions),
  )


def settings(root: pathlib.Path, there: Found) -> dict[str, Any]:
  """Returns the settings that stages recorded: of each cell, by its name."""
  return {
    'cells': {
      name: dict(_recorded(root / 'runs' / name)) for name in there.cells
    }
  }


def _recorded(directory: pathlib.Path) -> Iterator[tuple[str, Any]]:
  for door in ('train', 'evaluate'):
    path = Stage(door, directory, {}).settings_file
    if path.exists():
      yield door, files.read_sealed_json(path)


def _last_report(root: pathlib.Path) -> Mapping[str, Any]:
  stage = Stage('report', root, {})
  if not stage.settings_file.exists() or not stage.result.exists():
    return {}
  return files.read_sealed_json(stage.settings_file)
