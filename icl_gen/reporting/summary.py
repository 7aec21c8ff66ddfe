"""The accuracies of one cell in a few lines, for the door that scored it."""

from collections.abc import Sequence

from icl_gen.reporting import statistics
from icl_gen.reporting.formatting import interval, percent
from icl_gen.reporting.records import Cell, kinds
from icl_gen.types import Score

_MEASURE = 'sum'


def lines(cell: Cell) -> list[str]:
  """Returns a line per kind of question: accuracy, interval and chance.

  The choice with the highest log-probability counts as the answer. Numbers are
  those of the cell's row in a report's results.csv, in per cent.
  """
  by_kind: dict[str, list[Score]] = {}
  for score in cell.scores:
    for kind in kinds(score):
      by_kind.setdefault(kind, []).append(score)
  width = max(map(len, by_kind))
  return [
    f'  {kind:{width}}  {_accuracy(cell, kind, found)}'
    for kind, found in sorted(by_kind.items())
  ]


def _accuracy(cell: Cell, kind: str, scores: Sequence[Score]) -> str:
  seed = str(cell.seed)
  key = cell.world, cell.condition, cell.model, kind, _MEASURE, seed
  found = statistics.estimate(
    [float(statistics.choose(s, _MEASURE) in s.answers) for s in scores],
    clusters=[score.cluster for score in scores],
    seeds=[cell.seed] * len(scores),
    name='/'.join(key),  # as in `answers`, for the same interval
  )
  number = len(scores)
  return (
    f'{percent(found.mean):>5} {interval(found.low, found.high)}, chance'
    f' {percent(statistics.chance(scores))}'
    f' ({number} question{"s" * (number != 1)})'
  )
