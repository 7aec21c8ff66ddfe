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
    f'  {kind:{width}}  {_accuracy(found)}'
    for kind, found in sorted(by_kind.items())
  ]


def accuracy(
  scores: Sequence[Score],
  *,
  seeds: Sequence[int] | None = None,
  normalisation: str = _MEASURE,
) -> intervals.Estimate:
  """The accuracy of scores with its interval, as shares of 1.

  Args:
    scores: at least one.
    seeds: theirs, in the same order; None: all have the same.
    normalisation: one of `statistics.NORMALISATIONS`.

  Raises:
    ValueError: unknown normalisation.
  """
  return intervals.accuracy(
    [float(statistics.choose(s, normalisation) in s.answers) for s in scores],
    clusters=[score.cluster for score in scores],
    seeds=[0] * len(scores) if seeds is None else seeds,
  )


def _accuracy(scores: Sequence[Score]) -> str:
  found = accuracy(scores)
  number = len(scores)
  return (
    f'{percent(found.mean):>5} {interval(found.low, found.high)}, chance'
    f' {percent(statistics.chance(scores))}'
    f' ({number} question{"s" * (number != 1)})'
  )
