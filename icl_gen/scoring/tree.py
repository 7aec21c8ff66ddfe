"""Packs rows into buffers in which common beginnings are computed once.

Rows are token ids of a prompt with one choice. Rows that begin alike share
those tokens: together they form a tree, stored in a buffer depth first.

  rows       a b | x      a b | y z      a c | y     (scored: after the bar)
  tokens     a  b  y  c
  depths     0  1  2  1
  ends       4  3  3  4   (where the token's subtree ends)
  edges      b->x  b->y  y->z  c->y

Token s is an ancestor of token t, or t itself, iff s <= t < ends[s], so the
attention mask follows from one number per token. Edges are scored: the hidden
state of the parent predicts the child. A row's last token predicts nothing and
is in no buffer, so one-token choices, however many, cost only their prompt.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from icl_gen.text.tokens import Row


@dataclasses.dataclass(frozen=True)
class Buffer:
  """Some rows as one or several trees.

  Attributes:
    tokens_U: int32 ids in depth-first order; U is the number of tokens used.
    depths_U: int32 distance from the root; the position in the row.
    ends_U: int32 exclusive end of the token's subtree.
    parents_S: int32 token that predicts each scored token of each row.
    targets_S: int32 predicted id.
    rows_S: int64 index of the row.
  """

  tokens_U: np.ndarray
  depths_U: np.ndarray
  ends_U: np.ndarray
  parents_S: np.ndarray
  targets_S: np.ndarray
  rows_S: np.ndarray


@dataclasses.dataclass(frozen=True)
class Pass:
  """The buffers of one forward pass, and the edges to score in them.

  Every padding token is a tree by itself. Parents and edges are distinct.

  Attributes:
    tokens_BxL: int32 ids; padding is 0.
    depths_BxL: int32 distances from the root.
    ends_BxL: int32 exclusive ends of the tokens' subtrees.
    parents_T: int32 places b * L + l of tokens that predict, T = B * L; padding
      is 0.
    parents: number of entries of parents_T that are not padding.
    edge_parents_E: int32 indices into parents_T; padding is 0.
    edge_targets_E: int32 predicted ids; padding is 0.
    steps_S: int64 edge of each scored token of each row.
    rows_S: int64 index of the row of each scored token.
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
    """Each row's sum over its edges in this pass, float64[rows]."""
    return np.bincount(
      self.rows_S, weights=logps_E[self.steps_S], minlength=rows
    )


def longest(rows: Sequence[Row]) -> int:
  """Tokens of the longest path: the least possible length of a buffer."""
  return max(len(row.ids) for row in rows) - 1


def pack(rows: Sequence[Row], *, length: int) -> list[Buffer]:
  """Packs rows into buffers.

  Rows are sorted by their ids, so that rows that begin alike are neighbours and
  each path adds only what it does not share with the previous one. A row that
  does not fit starts a new buffer, which repeats its path from the root.

  Args:
    rows: at least one; each has at least one given and one scored id.
    length: maximum number of tokens of a buffer; at least `longest(rows)`.

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
  """A buffer under construction; paths are added in the order of their ids."""

  def __init__(self, length: int):
    self._tokens = np.zeros(length, np.int32)
    self._depths = np.zeros(length, np.int32)
    self._ends = np.zeros(length, np.int32)
    self._used = 0
    self._path = np.zeros(0, np.int32)  # Places of the last path's tokens.
    self._parents: list[np.ndarray] = []
    self._targets: list[np.ndarray] = []
    self._rows: list[np.ndarray] = []

  def _shared(self, ids: np.ndarray) -> int:
    """Number of leading ids shared with the last path."""
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
    # Tokens still on the path are ancestors of everything added after them.
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
  """Groups buffers into forward passes, `count` per device.

  The last pass holds the remaining buffers; their number is rounded up to a
  power of two, so that few shapes are compiled.

  Args:
    buffers: from `pack`.
    count: maximum number of buffers per pass and device.
    length: tokens to which each buffer is padded.
    devices: number of devices; it divides the number of buffers of a pass.
  """
  for start in range(0, len(buffers), count * devices):
    some = buffers[start : start + count * devices]
    each = min(count, power(-(-len(some) // devices)))
    yield _pass(some, count=each * devices, length=length)


def power(least: int) -> int:
  """The smallest power of two that is at least `least`."""
  return 1 << (least - 1).bit_length()


def _pass(buffers: Sequence[Buffer], *, count: int, length: int) -> Pass:
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
  # Encode an edge as one number, so that `np.unique` can deduplicate edges.
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
    parents_T=_padded(places_T, T),
    parents=len(places_T),
    edge_parents_E=_padded(edge_parents_E, padded_E),
    edge_targets_E=_padded(edge_targets_E, padded_E),
    steps_S=steps_S,
    rows_S=np.concatenate([buffer.rows_S for buffer in buffers]),
  )


def _padded(values: np.ndarray, length: int) -> np.ndarray:
  out = np.zeros(length, np.int32)
  out[: len(values)] = values
  return out
