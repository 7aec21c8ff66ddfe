"""The losses that training logged, read without the room that wrote them."""

import pathlib
from collections.abc import Mapping

from icl_gen.reporting.records import Cell, Curve
from icl_gen.runs import directories
from icl_gen.storage import checksums, files

LOG = 'metrics.jsonl'
SUMS = f'{LOG}.sha256'


def curves(root: pathlib.Path, cells: Mapping[str, Cell]) -> tuple[Curve, ...]:
  """Returns the curves of cells whose weights were trained.

  A run whose log is missing or not as it was written has none: `--verify`
  names it, and nothing else is computed from it.

  Args:
    root: has runs/.
    cells: name of the cell's directory -> the cell.
  """
  found = []
  for name, cell in cells.items():
    log = root / 'runs' / name / LOG
    if cell.condition in directories.TRAINED and not checksums.differences(
      log.with_name(SUMS), [LOG]
    ):
      # Lines of evaluations while training have no loss. By step, whatever the
      # order of the lines was when an interrupted training resumed.
      loss_at = {
        int(line['step']): float(line['loss'])
        for line in files.read_json_lines(log)
        if 'loss' in line
      }
      steps = sorted(loss_at)
      found.append(
        Curve(
          cell.world,
          cell.condition,
          cell.model,
          cell.seed,
          steps=tuple(steps),
          losses=tuple(loss_at[step] for step in steps),
        )
      )
  return tuple(found)
