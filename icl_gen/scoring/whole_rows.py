"""Scores whole rows through the gemma package's own forward pass.

For Gemma 3n and 4, whose layers only the package implements. Contexts and
common beginnings are computed for every row.
"""

from collections.abc import Sequence

import numpy as np

from icl_gen.model import package_forward
from icl_gen.model.loading import Model
from icl_gen.runs import buffers
from icl_gen.scoring import tree
from icl_gen.text.tokens import Row

# Rows are padded to 1, 2, 3, 4, 6, 8, 12, ... times as many tokens.
PADDED_TO = 64


def sums(
  model: Model, rows: Sequence[Row], *, tokens_per_pass: int
) -> np.ndarray:
  """Summed log-probability float64[R] of the scored ids of each row.

  Args:
    model: any model.
    rows: at least one; contexts are part of the rows.
    tokens_per_pass: tokens per forward pass; a pass has at least one row.
  """
  sums_R = np.full(len(rows), np.nan)
  # Longest first: rows of similar length need little padding.
  waiting = sorted(range(len(rows)), key=lambda r: -len(rows[r].ids))
  while waiting:
    length = buffers.bucket(len(rows[waiting[0]].ids), chunk=PADDED_TO)
    count = max(1, tokens_per_pass // length)
    chosen, waiting = waiting[:count], waiting[count:]
    sums_R[chosen] = _pass_sums(
      model,
      [rows[r] for r in chosen],
      count=min(count, tree.power(len(chosen))),
      length=length,
    )
  return sums_R


def _pass_sums(
  model: Model, rows: Sequence[Row], *, count: int, length: int
) -> np.ndarray:
  """The sums of rows padded to the shape [count, length]."""
  tokens_BxL = np.zeros((count, length), np.int32)
  segments_BxL = np.zeros((count, length), np.int32)
  for b, row in enumerate(rows):
    tokens_BxL[b, : len(row.ids)] = row.ids
    segments_BxL[b, : len(row.ids)] = 1
  positions_BxL = np.tile(np.arange(length, dtype=np.int32), (count, 1))
  logps_BxL = np.asarray(
    package_forward.row_logps(
      model.module, model.params, tokens_BxL, positions_BxL, segments_BxL
    )
  )
  # The output at position l predicts the token at l + 1.
  return np.array(
    [
      logps_BxL[b, row.given - 1 : len(row.ids) - 1].sum(dtype=np.float64)
      for b, row in enumerate(rows)
    ]
  )
