"""What a directory holds, read without the config that made it."""

import dataclasses
import pathlib
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from icl_gen.reporting.records import AugmentationRecord, Cell, CellName, kinds
from icl_gen.runs import directories, units
from icl_gen.runs.stage import Stage, result
from icl_gen.storage import corpus_files, files, recollections, scores
from icl_gen.types import Corpus
from icl_gen.worlds import catalog

_UNKNOWN: Mapping[str, str] = types.MappingProxyType({})


@dataclasses.dataclass(frozen=True)
class Found:
  """The finished cells under a directory, and what was generated for them.

  Attributes:
    cells: name of the cell's directory -> the cell.
    records: of the augmentations that these cells were trained on.
    corpora: (world, seed) -> what cells were asked, as far as it is there.
    missing: results that should be there and are not.
    unfinished: the cells among them.
    report: settings of the last report; {} if there is none.
    choose: whether a report chooses among runs; as the last one, if there is
      one, else as the study says, if there was one.
  """

  cells: Mapping[str, Cell]
  records: tuple[AugmentationRecord, ...]
  corpora: Mapping[tuple[str, int], Corpus]
  missing: tuple[pathlib.Path, ...]
  unfinished: tuple[CellName, ...]
  report: Mapping[str, Any]
  choose: bool = True

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
    """Whether the last report is of the same cells, runs and main kinds.

    And names all cells that are not finished.
    """
    unfinished = set(settings.get('unfinished', ()))
    return (
      unfinished <= set(self.report.get('unfinished', ()))
      and self.report.get('cells') == settings['cells']
      and self.report.get('choose', True) == settings.get('choose', True)
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


def look(
  root: pathlib.Path,
  names: Collection[str] | None = None,
  augmented: Mapping[str, str] = _UNKNOWN,
) -> Found:
  """Reads what was computed in a directory.

  Args:
    root: has runs/.
    names: of the cells to read; None: all that are there, or that the last
      report has or names as not finished.
    augmented: name of a cell -> that of its augmentation, as far as it is
      known, for cells that are not trained yet.

  Raises:
    ValueError: a file is damaged.
  """
  report = _last_report(root)
  if names is None:
    there = {path.name for path in (root / 'runs').iterdir() if path.is_dir()}
    told = {*report.get('cells', ()), *report.get('unfinished', ())}
    names = sorted(there | told)
  cells: dict[str, Cell] = {}
  trained: dict[pathlib.Path, list[CellName]] = {}
  for name in names:
    if (path := result('evaluate', root / 'runs' / name)).exists():
      cells[name] = cell(path)
    for directory, of in _generated(root, name, augmented):
      if all(path.exists() for path in _inputs(root, directory, of)):
        trained.setdefault(directory, []).append(of)
  corpora = _corpora(
    root,
    {(one.world, one.seed) for one in cells.values()}
    | {(of.world, of.seed) for cells_of in trained.values() for of in cells_of},
  )
  records = tuple(
    record(directory, corpora[of[0].world, of[0].seed], of)
    for directory, of in trained.items()
  )
  missing = tuple(missing_results(root, names, augmented))
  unfinished = tuple(
    of
    for of in map(directories.read_run, sorted(set(names) - cells.keys()))
    if of is not None
  )
  # Reports, as studies, only say so if they do not choose.
  choose = bool((report or _of_study(root)).get('choose', True))
  return Found(
    cells, records, corpora, missing, unfinished, report, choose=choose
  )


def _of_study(root: pathlib.Path) -> Mapping[str, Any]:
  """The settings of the study that was last run there; {} if none was."""
  path = units.record_of(root)
  return files.read_sealed_json(path) if path.exists() else {}


def missing_results(
  root: pathlib.Path,
  names: Collection[str],
  augmented: Mapping[str, str] = _UNKNOWN,
) -> list[pathlib.Path]:
  """Returns what a report would have of these cells, and is not there."""
  wanted: dict[pathlib.Path, None] = {}  # in order, each once
  for name in names:
    wanted[result('evaluate', root / 'runs' / name)] = None
    for directory, of in _generated(root, name, augmented):
      wanted |= dict.fromkeys(_inputs(root, directory, of))
  return [path for path in wanted if not path.exists()]


def _generated(
  root: pathlib.Path, name: str, augmented: Mapping[str, str]
) -> list[tuple[pathlib.Path, CellName]]:
  """The augmentation that a cell was trained on, if it has one.

  Several cells may share one, so training recorded which it read. Of a run that
  is not trained and of which nothing else is known, that is not to be guessed:
  it may be of documents of its own.
  """
  of = directories.read_run(name)
  if of is None or of.condition != 'ft_aug':
    return []
  plain = directories.augmented(
    root, world=of.world, seed=of.seed, model=of.model
  )
  settings = Stage('train', root / 'runs' / name, {}).settings_file
  recorded = files.read_sealed_json(settings) if settings.exists() else {}
  read = [one for one in recorded if directories.is_named(one, plain.name)]
  usual = '' if of.run else plain.name
  known = read or [augmented.get(name, usual)]
  return [(plain.with_name(one), of) for one in known if one]


def _inputs(
  root: pathlib.Path, directory: pathlib.Path, of: CellName
) -> list[pathlib.Path]:
  """What the record of an augmentation is read from."""
  source = directories.corpus(root, world=of.world, seed=of.seed)
  return [result('augment', directory), result('build', source)]


def cell(path: pathlib.Path) -> Cell:
  """Returns the cell that scores are of, with what was recalled before them.

  Raises:
    ValueError: a file is damaged, does not say what it is of, or what was
      recalled is missing.
  """
  answered, of = scores.read_scores(path), scores.read_metadata(path)
  recalled = {}
  if recollections.COST in of:
    recalled = recollections.read(
      path.parent, questions={score.question_id for score in answered}
    )
  return Cell(
    of['world'],
    of['condition'],
    of['model'],
    of['seed'],
    answered,
    of.get('run', ''),  # only named ones have it
    recalled,
  )


def _corpora(
  root: pathlib.Path, asked: Collection[tuple[str, int]]
) -> dict[tuple[str, int], Corpus]:
  """The corpora of worlds and seeds, without those that are not there."""
  directory_of = {
    (world, seed): directories.corpus(root, world=world, seed=seed)
    for world, seed in sorted(asked)
  }
  return {
    of: corpus_files.read(directory)
    for of, directory in directory_of.items()
    if result('build', directory).exists()
  }


def record(
  directory: pathlib.Path, source: Corpus, trained: Sequence[CellName]
) -> AugmentationRecord:
  """Returns what a model generated for a world.

  Args:
    directory: of the augmentation.
    source: the corpus that it was inferred from.
    trained: the cells that were trained on it.

  Raises:
    ValueError: the augmentation is missing or damaged.
  """
  of = trained[0]
  manifest = corpus_files.read_manifest(directory)['corpus']
  costs = {
    f'{kind} {what}': float(value)
    for kind, spent in manifest['costs'].items()
    for what, value in spent.items()
  }
  return AugmentationRecord(
    of.world,
    of.model,
    of.seed,
    corpus_files.read_documents([directory]),
    source.questions,
    costs,
    directories.name_of(directory.name),
    tuple(one.run for one in trained),
    catalog.said_right(of.world, source.questions),
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
