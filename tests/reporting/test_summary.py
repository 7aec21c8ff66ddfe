"""What `evaluate` prints is what the report's table has of the cell."""

import re

from icl_gen.reporting import answers, summary
from icl_gen.reporting.formatting import interval, percent
from tests.reporting import synthetic


def test_the_lines_are_the_rows_of_the_results():
  cells, _ = synthetic.study()
  for cell in cells[-6:]:
    rows = [
      row
      for row in answers.results(answers.table([cell]))
      if (row.normalisation, row.seed) == ('sum', str(cell.seed))
    ]
    found = summary.lines(cell)
    assert len(found) == len(rows) > 1
    for row, line in zip(
      sorted(rows, key=lambda r: r.kind), found, strict=True
    ):
      told = (
        f'{row.kind} {percent(row.accuracy)} {interval(row.low, row.high)},'
        f' chance {percent(row.chance)} ({row.questions} questions)'
      )
      assert re.sub(' +', ' ', line) == f' {told}'


def test_accuracies_are_below_each_other():
  cell = synthetic.cell([True, False])
  (line,) = summary.lines(cell)
  assert line == '  reversal   50.0 [0.2, 99.8], chance 50.0 (2 questions)'
