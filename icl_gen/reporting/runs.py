"""Runs of one world and model that differ in their settings, side by side.

A run's name lists settings, 'lr_0.001,steps_200'; a cell is named after those
that its condition depends on, and shared by all runs that have them. Here every
run gets all conditions: of each, the cells with that part of its name which
occurs in the names of the condition's cells. The run `CHOSEN` has of every
condition the one that is best on the development questions, which ask for what
documents state. Runs that are ablations of the one without a name are not
chosen among.
"""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence

from icl_gen.reporting import statistics
from icl_gen.reporting.records import (
  CHOSEN,
  CONDITIONS,
  RECALLED,
  RECALLS,
  AugmentationRecord,
  Cell,
  CellName,
  ordered,
  parts,
)
from icl_gen.types import Score

# Kinds of questions about what documents state; all others are test questions.
DEVELOPMENT = ('forward', 'forward_name', 'rephrase', 'stated')

# World, model, condition.
Place = tuple[str, str, str]


@dataclasses.dataclass(frozen=True)
class SideBySide:
  """Cells and records with every condition of every run.

  Attributes:
    cells: those of each run, and of `CHOSEN` where there are several.
    records: with the runs that were trained on them, likewise.
    shown: (world, model) -> the run in figures and summary.
    chosen: place with several runs -> the one that is chosen; None if nothing
      compares them, as there are no development questions.
  """

  cells: tuple[Cell, ...]
  records: tuple[AugmentationRecord, ...]
  shown: Mapping[tuple[str, str], str]
  chosen: Mapping[Place, str | None]

  @property
  def of_runs(self) -> tuple[Cell, ...]:
    """The cells without those of `CHOSEN`."""
    return tuple(cell for cell in self.cells if cell.run != CHOSEN)

  @property
  def shown_cells(self) -> tuple[Cell, ...]:
    """The cells of the runs in figures and summary."""
    return tuple(
      cell
      for cell in self.cells
      if self.shown[cell.world, cell.model] == cell.run
    )

  @property
  def shown_records(self) -> tuple[AugmentationRecord, ...]:
    """The records that those cells were trained on."""
    return tuple(
      one
      for one in self.records
      # There may be documents of a world without cells.
      if self.shown.get((one.world, one.model), one.runs[0]) in one.runs
    )


def side_by_side(
  cells: Sequence[Cell],
  records: Sequence[AugmentationRecord],
  *,
  normalisation: str,
  choose: bool = True,
  shown_run: str = '',
  unfinished: Sequence[CellName] = (),
) -> SideBySide:
  """Gives every run all conditions, and chooses among runs.

  Args:
    cells: finished cells.
    records: of generated documents.
    normalisation: how choices are ranked, for the choice.
    choose: whether runs are candidates; otherwise there is no `CHOSEN`, and the
      run without a name is shown, or the first one if all have names.
    shown_run: the run in figures and summary, wherever it is there; nothing is
      chosen then. '': `CHOSEN`, or the only one.
    unfinished: cells that should be there and are not. Their names say which
      settings a condition depends on, so that no other cell stands for them.
  """
  places = _places(cells)
  names = _names(places, unfinished)
  chosen = {
    place: best(found, normalisation=normalisation) if choose else None
    for place, found in places.items()
    if len(found) > 1
  }
  shown, standing = {}, {}
  for key in dict.fromkeys((cell.world, cell.model) for cell in cells):
    runs = _finished(key, places, names)
    is_given = bool(shown_run) and shown_run in runs
    chooses = choose and len(runs) > 1 and not is_given
    shown[key] = CHOSEN if chooses else shown_run if is_given else runs[0]
    for condition in CONDITIONS:
      there = places.get((*key, condition), {})
      for run in runs:
        name = _standing_for(run, names.get((*key, condition), ()))
        standing[*key, condition, run] = name if name in there else None
      if chooses:
        found = chosen.get((*key, condition))
        standing[*key, condition, CHOSEN] = (
          min(there, default=None) if found is None else found
        )
  return SideBySide(
    ordered(tuple(_repeated(places, standing))),
    tuple(_with_runs(record, standing) for record in records),
    shown,
    chosen,
  )


def recalling(
  cells: Sequence[Cell], shown: Mapping[tuple[str, str], str]
) -> tuple[Cell, ...]:
  """Cells in which a model recalls before it answers, besides those shown.

  Its weights are those before fine-tuning or of a cell as configured; what
  models of other runs recall is left out.

  Args:
    cells: as they were run.
    shown: as `SideBySide.shown`.
  """
  return tuple(
    cell
    for cell in cells
    if cell.recalled
    and cell.run != shown[cell.world, cell.model]
    and len(parts(cell.run)) == 1
    and (RECALLS.fullmatch(cell.run) or not cell.run.startswith(RECALLED))
  )


def label(run: str) -> str:
  """The name of a run as readers see it."""
  return run or 'as configured'


def best(
  runs: Mapping[str, Sequence[Cell]], *, normalisation: str
) -> str | None:
  """The run that is best on the development questions.

  That is the one with the highest accuracy; among equals, that with the lowest
  loss; then the first by name. Only seeds count that all runs have: others may
  be easier.

  Args:
    runs: name -> its cells, one a seed, all of one world, model and condition.
    normalisation: how choices are ranked.

  Returns:
    None if there is no such seed, or a run has no development questions.
  """
  shared = set.intersection(
    *({cell.seed for cell in cells} for cells in runs.values())
  )
  asked = {
    name: [_of_development(cell) for cell in cells if cell.seed in shared]
    for name, cells in runs.items()
  }
  if not shared or not all(map(all, asked.values())):
    return None

  def rank(name: str) -> tuple[float, float, str]:
    # Sums in another order must not decide.
    right = round(_accuracy(asked[name], normalisation), 9)
    return -right, round(loss(asked[name]), 9), name

  return min(asked, key=rank)


def loss(seeds: Sequence[Sequence[Score]]) -> float:
  """Mean over seeds of the mean -log p of the likeliest right choice.

  Args:
    seeds: the scores of each seed, at least one of each.
  """
  return statistics.mean(statistics.mean(map(_loss, one)) for one in seeds)


def _loss(score: Score) -> float:
  return -max(score.choices[answer].logp for answer in score.answers)


def _accuracy(seeds: Sequence[Sequence[Score]], normalisation: str) -> float:
  return statistics.mean(
    statistics.mean(
      float(statistics.choose(score, normalisation) in score.answers)
      for score in one
    )
    for one in seeds
  )


def _of_development(cell: Cell) -> list[Score]:
  return [score for score in cell.scores if score.kind in DEVELOPMENT]


def _places(cells: Sequence[Cell]) -> dict[Place, dict[str, list[Cell]]]:
  """Place -> the names of its runs -> their cells."""
  found: dict[Place, dict[str, list[Cell]]] = {}
  for cell in cells:
    place = found.setdefault((cell.world, cell.model, cell.condition), {})
    place.setdefault(cell.run, []).append(cell)
  return found


def _names(
  places: Mapping[Place, Collection[str]], unfinished: Sequence[CellName]
) -> dict[Place, list[str]]:
  """Place -> the names of its runs, of cells that are not finished too."""
  found = {place: dict.fromkeys(there) for place, there in places.items()}
  for one in unfinished:
    place = found.setdefault((one.world, one.model, one.condition), {})
    place.setdefault(one.run)
  return {place: list(names) for place, names in found.items()}


def _finished(
  key: tuple[str, str],
  places: Mapping[Place, Collection[str]],
  names: Mapping[Place, Collection[str]],
) -> list[str]:
  """The runs of a world and model that have a finished cell, sorted.

  A finished cell that stands for none of them, as those that share it are not
  finished, is in a run of the finished cells.
  """

  def standing(run: str) -> set[tuple[str, str | None]]:
    return {
      (condition, _standing_for(run, names.get((*key, condition), ())))
      for condition in CONDITIONS
    }

  there = {
    (condition, name)
    for condition in CONDITIONS
    for name in places.get((*key, condition), ())
  }
  own = {name for _, name in there}
  found = {run for run in _runs(key, names) if run in own}
  left = there.difference(*map(standing, found))
  found |= {run for run in _runs(key, places) if left & standing(run)}
  return sorted(found)


def _runs(
  key: tuple[str, str], places: Mapping[Place, Collection[str]]
) -> list[str]:
  """The runs of a world and model, sorted.

  A name is not a run of its own if it lacks a condition and only has what other
  runs share: so it is with the cells without a name, if no run has the
  experiment's own settings.
  """
  of = {
    condition: places[*key, condition]
    for condition in CONDITIONS
    if (*key, condition) in places
  }
  names = sorted(set().union(*of.values()))

  def is_shared(name: str, condition: str) -> bool:
    return any(
      other != name and _standing_for(other, list(of[condition])) == name
      for other in names
    )

  return [
    name
    for name in names
    if all(name in there for there in of.values())
    or not all(
      is_shared(name, condition)
      for condition, there in of.items()
      if name in there
    )
  ]


def _standing_for(run: str, names: Collection[str]) -> str | None:
  """The name of a condition's cells that stand for a run; None if none do.

  Args:
    run: its name.
    names: those of all cells of the condition.
  """
  known = set().union(*map(parts, names))
  wanted = parts(run) & known
  return next((name for name in names if parts(name) == wanted), None)


def _repeated(
  places: Mapping[Place, Mapping[str, Sequence[Cell]]],
  standing: Mapping[tuple[str, str, str, str], str | None],
) -> Iterator[Cell]:
  for (*place, run), name in standing.items():
    if name is not None:
      for cell in places[place[0], place[1], place[2]][name]:
        yield dataclasses.replace(cell, run=run)


def _with_runs(
  record: AugmentationRecord,
  standing: Mapping[tuple[str, str, str, str], str | None],
) -> AugmentationRecord:
  """A record with all runs in which a cell that was trained on it stands."""
  runs = [
    run
    for (world, model, condition, run), name in standing.items()
    if (world, model, condition) == (record.world, record.model, 'ft_aug')
    and name in record.runs
  ]
  return dataclasses.replace(record, runs=tuple(runs) or record.runs)
