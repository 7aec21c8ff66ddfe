"""Packs rows into buffers in which common beginnings are computed once.

Knows ids only. Rows (a prompt with one choice) that begin alike share those
tokens: together they are a tree, written into a buffer in depth-first order.

  rows       a b | x      a b | y z      a c | y     (scored: after the bar)
  tokens     a  b  y  c
  depths     0  1  2  1
  ends       4  3  3  4   (where the token's subtree ends)
  edges      b->x  b->y  y->z  c->y

Token s is an ancestor of token t, or t itself, iff s <= t < ends[s]: the mask
of attention follows from one number per token. What is scored is an edge: the
hidden state of the parent predicts the child. A row's last token predicts
nothing, so it is in no buffer; the choices of one token after a prompt, however
many, cost the prompt only.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from icl_gen.text.tokens import Row


@dataclasses.dataclass(frozen=True)
class Buffer:
  """Some rows as one or several trees.

  Attributes:
    tokens_U: int32 ids, depth first; U tokens are used.
    depths_U: int32 distance from the root; the position in the row.
    ends_U: int32 exclusive end of the token's subtree.
    parents_S: int32 token that predicts each scored token of each row.
    targets_S: int32 id that is predicted.
    rows_S: int32 number of the row.
  """

  tokens_U: np.ndarray
  depths_U: np.ndarray
  ends_U: np.ndarray
  parents_S: np.ndarray
  targets_S: np.ndarray
  rows_S: np.ndarray


@dataclasses.dataclass(frozen=True)
class Pass:
  """Buffers side by side, and which edges of them are scored.

  A padding token is a tree of its own. Parents and edges are there once each.

  Attributes:
    tokens_BxL: int32 ids, padding 0.
    depths_BxL: int32.
    ends_BxL: int32.
    parents_T: int32 places b * L + l of tokens that predict, T = B * L.
    parents: number of them that are meant; the others are 0.
    edge_parents_E: int32 indices into parents_T; padding 0.
    edge_targets_E: int32 ids.
    steps_S: edge of each scored token of each row.
    rows_S: number of the row.
  """

  tokens_BxL: np.ndarray
  depths_BxL: np.ndarray
  ends_BxL: np.ndarray
  parents_T: np.ndarray
  parents: int
  edge_parents_E: np.ndarray
  edge_targets_E: np.ndarray
  steps_S: np.ndarray
  rows_S: np.ndarray

  def sums(self, logps_E: np.ndarray, rows: int) -> np.ndarray:
    """Per row, the float64 sum of its edges in this pass; float64[rows]."""
    return np.bincount(
      self.rows_S, weights=logps_E[self.steps_S], minlength=rows
    )


def longest(rows: Sequence[Row]) -> int:
  """Tokens of the longest path; no buffer can be shorter."""
  return max(len(row.ids) for row in rows) - 1


def pack(rows: Sequence[Row], *, length: int) -> list[Buffer]:
  """Writes rows into buffers.

  Rows are taken in the order of their ids, so that rows that begin alike are
  neighbours, and a tree's next path only adds what it does not share with the
  path before. A row that does not fit opens the next buffer and repeats its
  path from the root.

  Args:
    rows: at least one; each with a given and a scored id at least.
    length: greatest number of tokens of a buffer; `longest(rows)` or more.

  Returns:
    the buffers; each row is in exactly one of them.
  """
  assert rows and length >= longest(rows), (length, longest(rows))
  assert all(0 < row.given < len(row.ids) for row in rows)
  order = sorted(range(len(rows)), key=lambda r: rows[r].ids[:-1].tolist())
  buffers, tree = [], _Tree(length)
  for r in order:
    if not tree.fits(rows[r]):
      buffers.append(tree.buffer())
      tree = _Tree(length)
    tree.add(rows[r], r)
  buffers.append(tree.buffer())
  assert sum(len(np.unique(b.rows_S)) for b in buffers) == len(rows)
  return buffers


class _Tree:
  """A buffer that grows by paths, in the order of their ids."""

  def __init__(self, length: int):
    self._tokens = np.zeros(length, np.int32)
    self._depths = np.zeros(length, np.int32)
    self._ends = np.zeros(length, np.int32)
    self._used = 0
    self._path = np.zeros(0, np.int32)  # Where the last path's tokens are.
    self._parents, self._targets, self._rows = [], [], []

  def _shared(self, ids: np.ndarray) -> int:
    """Number of leading ids that the last path has as well."""
    n = min(len(self._path), len(ids))
    differ = self._tokens[self._path[:n]] != ids[:n]
    return int(differ.argmax()) if differ.any() else n

  def fits(self, row: Row) -> bool:
    inputs = row.ids[:-1]
    new = len(inputs) - self._shared(inputs)
    return self._used + new <= len(self._tokens)

  def add(self, row: Row, number: int) -> None:
    inputs = row.ids[:-1]
    shared = self._shared(inputs)
    added = np.arange(self._used, self._used + len(inputs) - shared)
    self._tokens[added] = inputs[shared:]
    self._depths[added] = np.arange(shared, len(inputs))
    self._path = np.concatenate([self._path[:shared], added])
    self._used += len(added)
    # Whatever is still on the path has all later tokens below it so far.
    self._ends[self._path] = self._used
    self._parents.append(self._path[row.given - 1 :])
    self._targets.append(row.ids[row.given :])
    self._rows.append(np.full(len(row.ids) - row.given, number))

  def buffer(self) -> Buffer:
    return Buffer(
      self._tokens[: self._used],
      self._depths[: self._used],
      self._ends[: self._used],
      *map(np.concatenate, (self._parents, self._targets, self._rows)),
    )


def passes(
  buffers: Sequence[Buffer], *, count: int, length: int, devices: int = 1
) -> Iterator[Pass]:
  """Puts `count` buffers per device side by side at a time.

  The last pass has as few buffers as hold the rest, rounded up to a power of
  two, so that few shapes are compiled.

  Args:
    buffers: from `pack`.
    count: greatest number of buffers of a pass on each device.
    length: tokens that each is padded to.
    devices: number of devices; buffers of a pass are a multiple of it.
  """
  for start in range(0, len(buffers), count * devices):
    some = buffers[start : start + count * devices]
    each = min(count, power(-(-len(some) // devices)))
    yield _pass(some, count=each * devices, length=length)


def power(least: int) -> int:
  """The smallest power of two that is not less."""
  return 1 << (least - 1).bit_length()


def _pass(buffers, *, count, length) -> Pass:
  shape = (count, length)
  tokens_BxL, depths_BxL = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
  ends_BxL = np.tile(np.arange(1, length + 1, dtype=np.int32), (count, 1))
  for b, buffer in enumerate(buffers):
    used = len(buffer.tokens_U)
    tokens_BxL[b, :used] = buffer.tokens_U
    depths_BxL[b, :used] = buffer.depths_U
    ends_BxL[b, :used] = buffer.ends_U
  places_S = np.concatenate(
    [b * length + buffer.parents_S for b, buffer in enumerate(buffers)]
  )
  targets_S = np.concatenate([buffer.targets_S for buffer in buffers])
  # An edge as one number, so that equal ones are found by sorting numbers.
  edges_S = places_S.astype(np.int64) << 32 | targets_S
  edges_E, steps_S = np.unique(edges_S, return_inverse=True)
  places_E, edge_targets_E = edges_E >> 32, edges_E & (2**32 - 1)
  places_T, edge_parents_E = np.unique(places_E, return_inverse=True)
  T = count * length
  padded_E = -(-len(places_E) // T) * T
  return Pass(
    tokens_BxL,
    depths_BxL,
    ends_BxL,
    parents_T=_padded(places_T, T, 0),
    parents=len(places_T),
    edge_parents_E=_padded(edge_parents_E, padded_E, 0),
    edge_targets_E=_padded(edge_targets_E, padded_E, 0),
    steps_S=steps_S,
    rows_S=np.concatenate([buffer.rows_S for buffer in buffers]),
  )


def _padded(values: np.ndarray, length: int, fill: int) -> np.ndarray:
  out = np.full(length, fill, np.int32)
  out[: len(values)] = values
  return out
