"""The accuracies of one cell in a few lines, for the door that scored it."""

from collections.abc import Sequence

from icl_gen.reporting import intervals, statistics
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
    f'  {kind:{width}}  {_accuracy(cell, found)}'
    for kind, found in sorted(by_kind.items())
  ]


def _accuracy(cell: Cell, scores: Sequence[Score]) -> str:
  found = intervals.accuracy(
    [float(statistics.choose(s, _MEASURE) in s.answers) for s in scores],
    clusters=[score.cluster for score in scores],
    seeds=[cell.seed] * len(scores),
  )
  number = len(scores)
  return (
    f'{percent(found.mean):>5} {interval(found.low, found.high)}, chance'
    f' {percent(statistics.chance(scores))}'
    f' ({number} question{"s" * (number != 1)})'
  )
