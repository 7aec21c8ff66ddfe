"""The grid of settings: what came out of every run, and which is chosen."""

import dataclasses
from collections.abc import Mapping, Sequence

import pandas as pd

from icl_gen.reporting import answers
from icl_gen.reporting.answers import MEAN, Result
from icl_gen.reporting.records import CONDITIONS, Cell, kinds
from icl_gen.reporting.runs import DEVELOPMENT, Place, loss
from icl_gen.types import Score


@dataclasses.dataclass(frozen=True)
class Point:
  """One row of grid.csv; the attributes are its columns, in order.

  Attributes:
    world: the world's name.
    model: the model's name.
    condition: the cells' condition.
    run: the cells' name; '' for those with the experiment's own settings.
    chosen: 'yes' if the rule chooses this run; 'no'; '' if there are no
      development questions.
    kind: the questions' kind, or '<kind>:<stratum>'.
    role: 'development' if the rule sees these questions, otherwise 'test'.
    questions: questions answered, summed over the seeds.
    accuracy: mean of the seeds' shares that were answered right.
    low: lower end of its 95 % interval.
    high: upper end.
    loss: mean over seeds of the mean -log p of the right choice, in nats.
  """

  world: str
  model: str
  condition: str
  run: str
  chosen: str
  kind: str
  role: str
  questions: int
  accuracy: float
  low: float
  high: float
  loss: float


def points(
  cells: Sequence[Cell],
  answered: pd.DataFrame,
  chosen: Mapping[Place, str | None],
  *,
  normalisation: str,
) -> tuple[Point, ...]:
  """Returns a row per run and kind, wherever there are several runs.

  Args:
    cells: as they were run.
    answered: the table of their answers; see `answers.table`.
    chosen: place with several runs -> the run that the rule chooses.
    normalisation: of the rows.
  """
  seeds: dict[tuple[Place, str, str], list[list[Score]]] = {}
  for cell in cells:
    place = cell.world, cell.model, cell.condition
    by_kind: dict[str, list[Score]] = {}
    for score in cell.scores:
      for kind in kinds(score):
        by_kind.setdefault(kind, []).append(score)
    for kind, scores in by_kind.items():
      seeds.setdefault((place, cell.run, kind), []).append(scores)
  found = [
    _point(row, chosen[place], seeds[place, row.run, row.kind])
    for row in (answers.results(answered) if chosen else ())
    for place in [(row.world, row.model, row.condition)]
    if place in chosen
    and (row.seed, row.normalisation) == (MEAN, normalisation)
    and (place, row.run, row.kind) in seeds
  ]
  order = list(CONDITIONS)
  return tuple(
    sorted(
      found,
      key=lambda p: (p.world, p.model, order.index(p.condition), p.run),
    )
  )


def _point(
  row: Result, chosen: str | None, seeds: Sequence[Sequence[Score]]
) -> Point:
  plain = row.kind.partition(':')[0]
  return Point(
    world=row.world,
    model=row.model,
    condition=row.condition,
    run=row.run,
    chosen='' if chosen is None else 'yes' if row.run == chosen else 'no',
    kind=row.kind,
    role='development' if plain in DEVELOPMENT else 'test',
    questions=row.questions,
    accuracy=row.accuracy,
    low=row.low,
    high=row.high,
    loss=loss(seeds),
  )
