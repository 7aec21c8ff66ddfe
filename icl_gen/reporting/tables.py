"""Accuracies and their paired differences, as rows.

Knows cells; refuses to know how rows are written or drawn.
"""

import dataclasses
import itertools
from collections.abc import Sequence

from icl_gen.reporting import statistics
from icl_gen.reporting.records import CONDITIONS, Cell, kinds, ordered
from icl_gen.types import Score

MEAN = 'mean'

# First minus second.
COMPARISONS = (('icl', 'ft'), ('ft_aug', 'ft'), ('ft_aug', 'icl'))


@dataclasses.dataclass(frozen=True)
class Result:
  """One row of results.csv; the attributes are its columns, in order.

  Attributes:
    world: the world's name.
    condition: the cell's condition.
    model: the model's name.
    kind: the questions' kind, or '<kind>:<stratum>'.
    normalisation: how choices were compared; 'exact': what was written.
    seed: the cell's seed as text, or 'mean' over the seeds.
    questions: questions answered; for 'mean' their sum over the seeds (60
      under each of 3 seeds: 180).
    accuracy: share answered right; for 'mean' the mean of the seeds' shares.
    low: lower end of the 95 % interval, over clusters of questions and seeds.
    high: upper end.
    chance: expected accuracy of guessing.
  """

  world: str
  condition: str
  model: str
  kind: str
  normalisation: str
  seed: str
  questions: int
  accuracy: float
  low: float
  high: float
  chance: float


@dataclasses.dataclass(frozen=True)
class Comparison:
  """One row of differences.csv; the attributes are its columns, in order.

  Attributes:
    world: the world's name.
    model: the model's name.
    kind: the questions' kind, or '<kind>:<stratum>'.
    normalisation: how choices were compared; 'exact': what was written.
    comparison: '<first>-<second>', two conditions.
    seed: the cells' seed as text, or 'mean' over the seeds.
    questions: questions that both answered; for 'mean' summed over the seeds.
    clusters: distinct clusters of these: what interval and p-value count.
    unpaired: answers without a counterpart, left out.
    difference: accuracy of the first minus that of the second.
    low: lower end of the 95 % interval.
    high: upper end.
    p_value: exact sign test on clusters; see `statistics.difference`.
  """

  world: str
  model: str
  kind: str
  normalisation: str
  comparison: str
  seed: str
  questions: int
  clusters: int
  unpaired: int
  difference: float
  low: float
  high: float
  p_value: float


def results(cells: Sequence[Cell]) -> tuple[Result, ...]:
  """Accuracy per cell, kind and normalisation, and means over seeds.

  Raises:
    ValueError: no cells, or the same cell twice.
  """
  rows = []
  for (world, condition, model), group in _grouped(cells):
    for kind, by_seed in _by_kind(group).items():
      for normalisation in _measures(by_seed):
        rows += _result_rows(
          (world, condition, model, kind, normalisation), by_seed
        )
  return tuple(rows)


def _result_rows(key, by_seed: dict[int, list[Score]]) -> list[Result]:
  normalisation = key[-1]
  outcomes = {
    seed: statistics.outcomes(scores, normalisation)
    for seed, scores in by_seed.items()
  }
  chances = {
    seed: statistics.chance(scores, normalisation)
    for seed, scores in by_seed.items()
  }

  def row(label: str, seeds: list[int]) -> Result:
    found = statistics.estimate(
      {seed: outcomes[seed] for seed in seeds}, name='/'.join((*key, label))
    )
    return Result(
      *key,
      seed=label,
      questions=sum(len(outcomes[seed]) for seed in seeds),
      accuracy=found.mean,
      low=found.low,
      high=found.high,
      chance=sum(chances[seed] for seed in seeds) / len(seeds),
    )

  seeds = sorted(by_seed)
  return [row(str(seed), [seed]) for seed in seeds] + [row(MEAN, seeds)]


def comparisons(cells: Sequence[Cell]) -> tuple[Comparison, ...]:
  """Paired differences of `COMPARISONS` per seed, and over the seeds.

  A comparison with a missing side has no row.
  """
  groups = {key: _by_kind(group) for key, group in _grouped(cells)}
  rows = []
  for world, model in sorted({(world, model) for world, _, model in groups}):
    sides = {c: groups.get((world, c, model), {}) for c in CONDITIONS}
    found_kinds = sorted(set().union(*sides.values()))
    for kind, measure, pair in itertools.product(
      found_kinds, statistics.MEASURES, COMPARISONS
    ):
      found = tuple(sides[side].get(kind, {}) for side in pair)
      if all(found) and all(measure in _measures(side) for side in found):
        rows += _comparison_rows((world, model, kind, measure), pair, found)
  return tuple(rows)


def _measures(by_seed: dict[int, list[Score]]) -> tuple[str, ...]:
  return statistics.measures(list(itertools.chain(*by_seed.values())))


def _comparison_rows(key, pair, sides) -> list[Comparison]:
  first, second = (
    {seed: statistics.outcomes(s, key[-1]) for seed, s in by_seed.items()}
    for by_seed in sides
  )

  def row(label: str, seeds: list[int]) -> list[Comparison]:
    names = tuple('/'.join((*key, label, side)) for side in pair)
    found = statistics.difference(
      {seed: first[seed] for seed in seeds if seed in first},
      {seed: second[seed] for seed in seeds if seed in second},
      names=names,
    )
    if found is None:
      return []
    return [
      Comparison(
        *key,
        comparison='-'.join(pair),
        seed=label,
        questions=found.questions,
        clusters=found.clusters,
        unpaired=found.unpaired,
        difference=found.estimate.mean,
        low=found.estimate.low,
        high=found.estimate.high,
        p_value=found.p_value,
      )
    ]

  shared = sorted(first.keys() & second.keys())
  rows = [r for seed in shared for r in row(str(seed), [seed])]
  return rows + row(MEAN, sorted(first.keys() | second.keys()))


def ties(cells: Sequence[Cell]) -> dict[str, int]:
  """Normalisation -> questions, over all cells, with several best choices."""
  return {
    normalisation: sum(statistics.ties(c.scores, normalisation) for c in cells)
    for normalisation in statistics.NORMALISATIONS
  }


def asked(rows: Sequence[Result]) -> str:
  """How much was asked, as words: '60 questions × 3 seeds'.

  Where seeds differ it is the total: '142 questions over 3 seeds'.

  Args:
    rows: results of one kind and measure, of one condition or several; of
      every seed, and their mean.
  """
  each = {row.questions for row in rows if row.seed != MEAN}
  totals = {row.questions for row in rows if row.seed == MEAN}
  number = len({row.seed for row in rows} - {MEAN})
  seeds = f'{number} seed{"s" * (number != 1)}'
  if not each:
    return 'nothing asked'
  if len(each) == 1:
    (only,) = each
    return f'{only} question{"s" * (only != 1)} × {seeds}'
  few, many = min(totals), max(totals)
  count = f'{many}' if few == many else f'{few} to {many}'
  return f'{count} questions over {seeds}'


def _grouped(cells: Sequence[Cell]):
  key = lambda cell: (cell.world, cell.condition, cell.model)  # noqa: E731
  return [(k, list(g)) for k, g in itertools.groupby(ordered(cells), key)]


def _by_kind(cells: Sequence[Cell]) -> dict[str, dict[int, list[Score]]]:
  """Kind -> seed -> scores; a kind's strata are kinds of their own besides."""
  found: dict[str, dict[int, list[Score]]] = {}
  for cell in cells:
    for score in cell.scores:
      for name in kinds(score):
        found.setdefault(name, {}).setdefault(cell.seed, []).append(score)
  return dict(sorted(found.items()))
