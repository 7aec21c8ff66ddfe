"""Paired differences between cells that differ in one thing.

Two runs of a condition, of which one has one more setting that is not the
experiment's own; two models of a family, the larger one and the next smaller;
two worlds that draw the same, in plain names and in nonsense; a fine-tuned
model that recalls before it answers, and the same without; or two models that
were pretrained alike but for one setting.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import pandas as pd

from icl_gen.reporting import intervals
from icl_gen.reporting.answers import measures
from icl_gen.reporting.records import (
  NO_FACTORS,
  RECALLS,
  Cell,
  Factors,
  parts,
)

# From small to large.
FAMILIES = (
  ('nano_small', 'nano'),
  ('gemma2_2b', 'gemma2_9b', 'gemma2_27b'),
  ('gemma3_270m', 'gemma3_1b', 'gemma3_4b', 'gemma3_12b', 'gemma3_27b'),
)
# World in plain names -> the same with nonsense names.
NONSENSE = {'celebrity_plain': 'celebrity'}

RUNS, MODELS, WORLDS = 'runs', 'models', 'worlds'
RECALL = 'recall'
PRETRAINING = 'pretraining'


@dataclasses.dataclass(frozen=True)
class Contrast:
  """One row of contrasts.csv; the attributes are its columns, in order.

  Attributes:
    world: the world's name; of two, the first one's.
    model: the model's name; of two, the first one's.
    condition: the cells' condition.
    kind: the questions' kind, or '<kind>:<stratum>'.
    normalisation: how choices were ranked.
    between: `RUNS`, `MODELS`, `WORLDS`, `RECALL` or `PRETRAINING`.
    first: name of the first run, model or world; '' for the run with the
      experiment's own settings.
    second: name of the second; of `RECALL`, its condition.
    questions: questions that both answered, summed over the seeds.
    clusters: distinct clusters among them.
    accuracy: of the first, on these questions, mean over the seeds.
    difference: that minus the accuracy of the second.
    low: lower end of the 95 % interval of the difference.
    high: upper end.
    p_value: of the t test; see `intervals.difference`.
  """

  world: str
  model: str
  condition: str
  kind: str
  normalisation: str
  between: str
  first: str
  second: str
  questions: int
  clusters: int
  accuracy: float
  difference: float
  low: float
  high: float
  p_value: float


def contrasts(
  answered: pd.DataFrame, cells: Sequence[Cell], factors: Factors = NO_FACTORS
) -> tuple[Contrast, ...]:
  """Every pair of cells that differ in one thing, over all seeds.

  Args:
    answered: the table of their answers; see `answers.table`.
    cells: as they were run.
    factors: what each run's model was pretrained with, where that differs.
  """
  places = sorted({(c.world, c.model, c.condition, c.run) for c in cells})
  groups = {
    key: dict(list(rows.groupby('kind')))
    for key, rows in answered.groupby(
      ['world', 'model', 'condition', 'run'], observed=True
    )
  }
  return tuple(
    row
    for between, first, second in _pairs(places, factors)
    for kind, rows in groups[first].items()
    if kind in groups[second]
    for row in _rows(between, first, second, rows, groups[second][kind])
  )


# World, model, condition, run.
_Place = tuple[str, str, str, str]


def _pairs(
  places: Sequence[_Place], factors: Factors
) -> Iterator[tuple[str, _Place, _Place]]:
  there = set(places)
  smaller = {
    large: small
    for family in FAMILIES
    for small, large in zip(family, family[1:], strict=False)
  }
  for first in places:
    world, model, condition, run = first
    for second in places:
      if second[:3] == first[:3] and _adds_one(run, second[3]):
        yield RUNS, first, second
      if second[:3] == first[:3] and _differs_in_one(run, second[3], factors):
        yield PRETRAINING, first, second
    # Of other runs, models and worlds are compared in no table.
    recalls = RECALLS.fullmatch(run) if condition == 'icl' else None
    if recalls and (without := (world, model, recalls[1], '')) in there:
      yield RECALL, first, without
    for between, second in (
      (MODELS, (world, smaller.get(model, ''), condition, run)),
      (WORLDS, (NONSENSE.get(world, ''), model, condition, run)),
    ):
      if second in there and not run:
        yield between, first, second


def _adds_one(run: str, other: str) -> bool:
  """Whether a run has the settings of another one, and one more."""
  has, had = parts(run), parts(other)
  return had < has and len(has) == len(had) + 1


def _differs_in_one(run: str, other: str, factors: Factors) -> bool:
  """Whether pretrainings differ in one setting, and the second comes before."""
  order = list(factors)
  if run not in factors or other not in order[: order.index(run)]:
    return False
  pairs = zip(factors[run].values(), factors[other].values(), strict=True)
  return sum(one != another for one, another in pairs) == 1


def _rows(
  between: str,
  first: _Place,
  second: _Place,
  rows: pd.DataFrame,
  others: pd.DataFrame,
) -> Iterator[Contrast]:
  """One row for every measure that both have."""
  joined = rows.merge(
    others.drop(columns='cluster'),
    on=['seed', 'kind', 'question'],
    suffixes=(' of first', ' of second'),
  )
  if joined.empty:
    return
  places = {MODELS: (1, 1), WORLDS: (0, 0), RECALL: (3, 2)}
  of_first, of_second = places.get(between, (3, 3))
  names = first[of_first], second[of_second]
  world, model, condition, _ = first
  for measure in measures(rows):
    if measure not in measures(others):
      continue
    sides = [joined[f'{measure} of {side}'] for side in ('first', 'second')]
    found = intervals.difference(
      *(side.to_numpy() for side in sides),
      clusters=joined['cluster'].to_numpy(),
      seeds=joined['seed'].to_numpy(),
    )
    estimate = found.estimate
    yield Contrast(
      world=world,
      model=model,
      condition=condition,
      kind=str(joined['kind'].iloc[0]),
      normalisation=measure,
      between=between,
      first=names[0],
      second=names[1],
      questions=len(joined),
      clusters=found.clusters,
      accuracy=float(sides[0].groupby(joined['seed']).mean().mean()),
      difference=estimate.mean,
      low=estimate.low,
      high=estimate.high,
      p_value=found.p_value,
    )
