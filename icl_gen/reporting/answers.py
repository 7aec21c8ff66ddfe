"""One long table of answers, and the accuracies and differences in it."""

import collections
import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import pandas as pd

from icl_gen.reporting import intervals, records, statistics
from icl_gen.reporting.records import CONDITIONS, Cell, kinds, ordered

MEAN = records.MEAN

# First minus second.
COMPARISONS = (('icl', 'ft'), ('ft_aug', 'ft'), ('ft_aug', 'icl'))


@dataclasses.dataclass(frozen=True)
class Result:
  """One row of results.csv; the attributes are its columns, in order.

  Attributes:
    world: the world's name.
    condition: the cell's condition.
    model: the model's name.
    run: its name among those with other settings; '' for the first one.
    kind: the questions' kind, or '<kind>:<stratum>'.
    normalisation: how choices were ranked; 'exact': generated text.
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
  run: str
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
    run: as in `Result`.
    kind: the questions' kind, or '<kind>:<stratum>'.
    normalisation: how choices were ranked; 'exact': generated text.
    comparison: '<first>-<second>', two conditions.
    seed: the cells' seed as text, or 'mean' over the seeds.
    questions: questions that both answered; for 'mean' summed over the seeds.
    clusters: distinct clusters among them, the unit of interval and p-value.
    unpaired: answers without a counterpart, left out.
    difference: accuracy of the first minus that of the second.
    low: lower end of the 95 % interval.
    high: upper end.
    p_value: of the t test; see `intervals.difference`.
  """

  world: str
  model: str
  run: str
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


def table(cells: Sequence[Cell]) -> pd.DataFrame:
  """The answers of all cells, one row per answer and kind.

  A question with a stratum has two rows: one under its kind, one under
  '<kind>:<stratum>'. Columns: world, condition (categorical, in the order of
  `CONDITIONS`), model, run, seed, kind, question (id), cluster (a number),
  chance, and for each of `statistics.MEASURES` whether the answer is right (1.0
  or 0.0; NaN for 'exact' where nothing was generated).

  Raises:
    ValueError: no cells, or the same cell twice.
  """
  rows = []
  for cell in ordered(cells):
    for score in cell.scores:
      right = [statistics.correct(score, m) for m in statistics.MEASURES]
      chance = statistics.chance([score])
      rows += [
        (
          *(cell.world, cell.condition, cell.model, cell.run, cell.seed),
          *(kind, score.question_id, score.cluster, chance),
          *right,
        )
        for kind in kinds(score)
      ]
  columns = [
    *('world', 'condition', 'model', 'run', 'seed', 'kind', 'question'),
    *('cluster', 'chance', *statistics.MEASURES),
  ]
  found = pd.DataFrame(rows, columns=columns)
  found['cluster'], _ = pd.factorize(found['cluster'])
  return found.astype(
    {'condition': pd.CategoricalDtype(list(CONDITIONS), ordered=True)}
    | dict.fromkeys(statistics.MEASURES, float)
  )


def measures(answers: pd.DataFrame) -> tuple[str, ...]:
  """The measures that all answers have; 'exact' may be missing."""
  if answers.empty or answers[statistics.EXACT].isna().any():
    return tuple(statistics.NORMALISATIONS)
  return statistics.MEASURES


def per_seed(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
  """Each seed's rows under the seed, then all rows under 'mean'."""
  for seed, rows in frame.groupby('seed'):
    yield str(seed), rows
  if len(frame):
    yield MEAN, frame


def estimate(
  frame: pd.DataFrame, column: str, *, pooled: bool = False
) -> intervals.Estimate:
  """Mean and interval of a column, over the frame's clusters and seeds.

  Args:
    frame: one row per value, with its cluster and seed.
    column: of values from 0 to 1.
    pooled: whether every row counts the same, instead of every seed.
  """
  return intervals.accuracy(
    frame[column].to_numpy(),
    clusters=frame['cluster'].to_numpy(),
    seeds=frame['seed'].to_numpy(),
    pooled=pooled,
  )


def results(answers: pd.DataFrame) -> tuple[Result, ...]:
  """Accuracy per cell, kind and measure, and means over seeds."""
  by = ['world', 'condition', 'model', 'run', 'kind']
  rows = []
  for key, group in answers.groupby(by, observed=True):
    labelled = [(*found, _chance(found[1])) for found in per_seed(group)]
    rows += [
      _result((*key, measure, label), chosen, chance)
      for measure in measures(group)
      for label, chosen, chance in labelled
    ]
  return tuple(rows)


def _chance(rows: pd.DataFrame) -> float:
  """Mean over seeds of the mean over questions."""
  by_seed = rows.groupby('seed')['chance']
  return statistics.mean(statistics.mean(chances) for _, chances in by_seed)


def _result(key: tuple[str, ...], rows: pd.DataFrame, chance: float) -> Result:
  world, condition, model, run, kind, measure, label = key
  found = estimate(rows, measure)
  return Result(
    world=world,
    condition=condition,
    model=model,
    run=run,
    kind=kind,
    normalisation=measure,
    seed=label,
    questions=len(rows),
    accuracy=found.mean,
    low=found.low,
    high=found.high,
    # A model does not generate a right choice by chance.
    chance=0.0 if measure == statistics.EXACT else chance,
  )


def comparisons(answers: pd.DataFrame) -> tuple[Comparison, ...]:
  """Paired differences of `COMPARISONS` per seed, and over the seeds.

  A comparison with a missing side has no row.
  """
  rows = []
  for key, group in answers.groupby(['world', 'model', 'run', 'kind']):
    sides = dict(list(group.groupby('condition', observed=True)))
    pairs = [pair for pair in COMPARISONS if all(c in sides for c in pair)]
    joined = {pair: _paired(*(sides[c] for c in pair)) for pair in pairs}
    shared = {
      pair: set.intersection(*(set(measures(sides[c])) for c in pair))
      for pair in pairs
    }
    rows += [
      _comparison((*key, measure, label), pair, both, unpaired)
      for measure, pair in itertools.product(statistics.MEASURES, pairs)
      if measure in shared[pair]
      for label, both, unpaired in joined[pair]
    ]
  return tuple(rows)


def _paired(
  first: pd.DataFrame, second: pd.DataFrame
) -> list[tuple[str, pd.DataFrame, int]]:
  """Per seed and for 'mean': answers side by side, and the unpaired ones."""
  joined = first.merge(
    second,
    how='outer',
    on=['seed', 'cluster', 'question'],
    suffixes=(' of first', ' of second'),
    indicator=True,
  )
  found = []
  for label, rows in per_seed(joined):
    both = rows[rows['_merge'] == 'both']
    if len(both):
      found.append((label, both, len(rows) - len(both)))
  return found


def _comparison(
  key: tuple[str, ...],
  pair: tuple[str, str],
  both: pd.DataFrame,
  unpaired: int,
) -> Comparison:
  world, model, run, kind, measure, label = key
  first, second = pair
  found = intervals.difference(
    both[f'{measure} of first'].to_numpy(),
    both[f'{measure} of second'].to_numpy(),
    clusters=both['cluster'].to_numpy(),
    seeds=both['seed'].to_numpy(),
  )
  return Comparison(
    world=world,
    model=model,
    run=run,
    kind=kind,
    normalisation=measure,
    comparison=f'{first}-{second}',
    seed=label,
    questions=len(both),
    clusters=found.clusters,
    unpaired=unpaired,
    difference=found.estimate.mean,
    low=found.estimate.low,
    high=found.estimate.high,
    p_value=found.p_value,
  )


def ties(cells: Sequence[Cell]) -> dict[str, int]:
  """Normalisation -> answers, over all cells, with several best choices."""
  scores = [score for cell in cells for score in cell.scores]
  return {
    normalisation: sum(statistics.is_tied(s, normalisation) for s in scores)
    for normalisation in statistics.NORMALISATIONS
  }


def _seeds(rows: Sequence[Result]) -> str:
  """How many seeds a mean is over, as in '3 seeds' or '2 to 3 seeds'."""
  counts = collections.Counter(
    (
      *(row.world, row.condition, row.model, row.run),
      *(row.kind, row.normalisation),
    )
    for row in rows
    if row.seed != MEAN
  ).values()
  few, many = min(counts), max(counts)
  count = f'{many}' if few == many else f'{few} to {many}'
  return f'{count} seed{"s" * (many != 1)}'


def questions_and_seeds(rows: Sequence[Result]) -> str:
  """How many questions were asked, as in '60 questions × 3 seeds'.

  Where seeds differ it is the total: '142 questions over 3 seeds'; where not
  all rows have all seeds, '60 questions × 2 to 3 seeds'.

  Args:
    rows: results for one kind and measure, under any conditions; both the
      seeds' rows and their mean.
  """
  each = {row.questions for row in rows if row.seed != MEAN}
  totals = {row.questions for row in rows if row.seed == MEAN}
  if not each:
    return 'no questions'
  seeds = _seeds(rows)
  if len(each) == 1:
    (only,) = each
    return f'{only} question{"s" * (only != 1)} × {seeds}'
  few, many = min(totals), max(totals)
  count = f'{many}' if few == many else f'{few} to {many}'
  return f'{count} questions over {seeds}'
