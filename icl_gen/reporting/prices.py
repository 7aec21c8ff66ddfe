"""What own inferences cost per point of accuracy and per question gained."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import pandas as pd

from icl_gen.reporting.answers import MEAN, Comparison
from icl_gen.reporting.augmentations import Cost
from icl_gen.reporting.statistics import mean

_PAIR = ('ft', 'ft_aug')


@dataclasses.dataclass(frozen=True)
class Price:
  """One row of prices.csv; the attributes are its columns, in order.

  The cost is that of all documents generated for a world, whichever kind of
  question it is compared with. A point is a percentage point of accuracy.

  Attributes:
    world: the world's name.
    model: the model's name.
    run: as in `answers.Result`; one per world and model.
    kind: the questions' kind, or '<kind>:<stratum>'.
    normalisation: how choices were ranked.
    seed: the cells' seed as text, or 'mean' over the seeds.
    gain: accuracy of ft_aug minus that of ft, as a share of 1.
    low: lower end of its 95 % interval.
    high: upper end.
    won: questions that ft answered wrong and ft_aug right (mean: over the
      seeds).
    lost: questions that ft answered right and ft_aug wrong.
    tokens_read: tokens of prompts and contexts (mean: over the seeds).
    tokens_written: tokens that were generated.
    seconds: time that generation took.
    tokens_per_point: tokens written per point gained; None without a gain.
    tokens_per_point_low: if the gain is the upper end of its interval.
    tokens_per_point_high: if it is the lower end; None if that is no gain.
    seconds_per_point: likewise.
    tokens_per_question: tokens written per question won; None if none was.
    seconds_per_question: likewise.
  """

  world: str
  model: str
  run: str
  kind: str
  normalisation: str
  seed: str
  gain: float
  low: float
  high: float
  won: float
  lost: float
  tokens_read: float
  tokens_written: float
  seconds: float
  tokens_per_point: float | None
  tokens_per_point_low: float | None
  tokens_per_point_high: float | None
  seconds_per_point: float | None
  tokens_per_question: float | None
  seconds_per_question: float | None


def prices(
  comparisons: Sequence[Comparison],
  costs: Sequence[Cost],
  table: pd.DataFrame,
  *,
  normalisation: str,
) -> tuple[Price, ...]:
  """Costs per gain of own inferences over plain fine-tuning.

  Args:
    comparisons: rows of differences.csv, of one run per world and model.
    costs: rows of costs.csv, of the same runs.
    table: the table of answers that the comparisons were computed from.
    normalisation: one of `statistics.NORMALISATIONS`.
  """
  spent = _spent(costs)
  flips = _flips(table, normalisation)
  return tuple(
    _price(row, counted, found)
    for row in comparisons
    if row.comparison == 'ft_aug-ft' and row.normalisation == normalisation
    for counted in [flips[row.world, row.model, row.kind]]
    for found in _costs_of(row, spent, map(str, counted.index))
  )


# (world, model, seed) -> the name of a cost without its augmentation -> sum.
_Spent = dict[tuple[str, str, str], dict[str, float]]


def _spent(costs: Sequence[Cost]) -> _Spent:
  found: _Spent = {}
  for row in costs:
    sums = found.setdefault((row.world, row.model, row.seed), {})
    name = row.cost.rpartition(' ')[2]
    sums[name] = sums.get(name, 0.0) + row.value
  return found


def _costs_of(
  row: Comparison, spent: _Spent, seeds: Iterable[str]
) -> Iterator[dict[str, float]]:
  """What a row's inferences cost, unless that is not known of all seeds.

  Args:
    row: of one seed, or the mean over those that both conditions have.
    spent: the costs.
    seeds: of the mean.
  """
  wanted = [*seeds] if row.seed == MEAN else [row.seed]
  each = [spent.get((row.world, row.model, seed), {}) for seed in wanted]
  if all('tokens_out' in found and 'seconds' in found for found in each):
    yield {
      name: mean(found.get(name, 0.0) for found in each)
      for name in set().union(*each)
    }


def _flips(
  table: pd.DataFrame, normalisation: str
) -> dict[tuple[str, str, str], pd.DataFrame]:
  """World, model and kind -> per seed (index), how many were won and lost."""
  by = ['world', 'model', 'kind', 'seed', 'question']
  before, after = (
    table[table['condition'] == condition][[*by, normalisation]]
    for condition in _PAIR
  )
  both = before.merge(after, on=by, suffixes=(' before', ' after'))
  change = both[f'{normalisation} after'] - both[f'{normalisation} before']
  both['won'], both['lost'] = change > 0, change < 0
  counts = both.groupby(by[:-1])[['won', 'lost']].sum()
  return {
    key: rows.droplevel(by[:3]) for key, rows in counts.groupby(level=by[:3])
  }


def _price(
  row: Comparison, flips: pd.DataFrame, spent: dict[str, float]
) -> Price:
  counted = flips if row.seed == MEAN else flips[flips.index == int(row.seed)]
  won, lost = float(counted['won'].mean()), float(counted['lost'].mean())
  tokens, seconds = spent['tokens_out'], spent['seconds']
  return Price(
    world=row.world,
    model=row.model,
    run=row.run,
    kind=row.kind,
    normalisation=row.normalisation,
    seed=row.seed,
    gain=row.difference,
    low=row.low,
    high=row.high,
    won=won,
    lost=lost,
    tokens_read=spent.get('tokens_in', 0.0) + spent.get('context_tokens', 0.0),
    tokens_written=tokens,
    seconds=seconds,
    tokens_per_point=_per(tokens, 100 * row.difference),
    tokens_per_point_low=_per(tokens, 100 * row.high),
    tokens_per_point_high=_per(tokens, 100 * row.low),
    seconds_per_point=_per(seconds, 100 * row.difference),
    tokens_per_question=_per(tokens, won),
    seconds_per_question=_per(seconds, won),
  )


def _per(cost: float, gained: float) -> float | None:
  """None for nothing, and for less than nothing."""
  return cost / gained if gained > 0 else None
