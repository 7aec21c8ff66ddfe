"""Scores rows one beside the other, each whole, through the package's call.

For Gemma 3n and 4, whose layers only the package knows: nothing is shared.
"""

from collections.abc import Sequence

import numpy as np

from icl_gen.model import package_forward, prefix
from icl_gen.model.loading import Model
from icl_gen.scoring import tree
from icl_gen.text.tokens import Row

# Rows are padded to 1, 2, 3, 4, 6, 8, 12, ... times as many tokens.
PADDED_TO = 64


def sums(
  model: Model, rows: Sequence[Row], *, tokens_per_pass: int
) -> np.ndarray:
  """Summed log-probability float64[R] of the scored ids of each row.

  Args:
    model: any; its `package_call` is used.
    rows: at least one; a context stands in each of them.
    tokens_per_pass: tokens of a forward pass; one row at least.
  """
  sums_R = np.full(len(rows), np.nan)
  # Rows of about the same length pad each other little.
  left = sorted(range(len(rows)), key=lambda r: -len(rows[r].ids))
  while left:
    length = prefix.bucket(len(rows[left[0]].ids), chunk=PADDED_TO)
    count = max(1, tokens_per_pass // length)
    chosen, left = left[:count], left[count:]
    sums_R[chosen] = _of_pass(
      model,
      [rows[r] for r in chosen],
      count=min(count, tree.power(len(chosen))),
      length=length,
    )
  return sums_R


def _of_pass(model, rows, *, count, length) -> np.ndarray:
  """The sums of rows that are padded to one shape [count, length]."""
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
  # What stands at l predicts l + 1.
  return np.array(
    [
      logps_BxL[b, row.given - 1 : len(row.ids) - 1].sum(dtype=np.float64)
      for b, row in enumerate(rows)
    ]
  )
