"""Trees hold every path of the rows exactly once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icl_gen.model import attention
from icl_gen.scoring import tree
from icl_gen.text.tokens import Row


def row(ids, given):
  return Row(np.int32(ids), given)


def ancestors(buffer):
  """Mask bool[U, U], by walking from parent to parent, without `ends`."""
  mask = np.eye(len(buffer.tokens_U), dtype=bool)
  for t, depth in enumerate(buffer.depths_U):
    if depth:
      (parent,) = [s for s in range(t) if buffer.depths_U[s] == depth - 1][-1:]
      mask[t] |= mask[parent]
  return mask


def paths(buffer):
  """The ids from the root to each token of a buffer."""
  return [tuple(buffer.tokens_U[seen]) for seen in ancestors(buffer)]


def prefixes(rows):
  """The paths to all tokens of the rows that must be computed."""
  return {
    tuple(one.ids[:end].tolist())
    for one in rows
    for end in range(1, len(one.ids))
  }


@st.composite
def some_rows(draw):
  """Few distinct ids, so that rows share beginnings, are equal or nested."""
  ids = st.lists(st.integers(1, 3), min_size=2, max_size=7)
  return [
    row(path, draw(st.integers(1, len(path) - 1)))
    for path in draw(st.lists(ids, min_size=1, max_size=12))
  ]


room = st.integers(0, 20)


def test_the_example_of_the_docstring():
  a, b, c, x, y, z = range(1, 7)
  (buffer,) = tree.pack(
    [row([a, b, x], 2), row([a, b, y, z], 2), row([a, c, y], 2)], length=4
  )
  assert buffer.tokens_U.tolist() == [a, b, y, c]
  assert buffer.depths_U.tolist() == [0, 1, 2, 1]
  assert buffer.ends_U.tolist() == [4, 3, 3, 4]
  steps = zip(buffer.parents_S, buffer.targets_S, buffer.rows_S, strict=True)
  assert sorted(steps) == [(1, x, 0), (1, y, 1), (2, z, 1), (3, y, 2)]


@given(some_rows(), room)
def test_ends_give_the_ancestors(rows, more):
  for buffer in tree.pack(rows, length=tree.longest(rows) + more):
    order_U = np.arange(len(buffer.tokens_U))
    mask = attention.within_subtree(order_U, order_U, buffer.ends_U[None])
    np.testing.assert_array_equal(mask[0], ancestors(buffer))


@given(some_rows(), room)
def test_scored_tokens_follow_their_row(rows, more):
  buffers = tree.pack(rows, length=tree.longest(rows) + more)
  scored = []
  for buffer in buffers:
    found = paths(buffer)
    for parent, target, number in zip(
      buffer.parents_S, buffer.targets_S, buffer.rows_S, strict=True
    ):
      scored.append((number, (*found[parent], target)))
  assert sorted(scored) == sorted(
    (number, tuple(one.ids[: end + 1].tolist()))
    for number, one in enumerate(rows)
    for end in range(one.given, len(one.ids))
  )


@given(some_rows(), room)
def test_no_path_is_computed_twice(rows, more):
  length = tree.longest(rows) + more
  buffers = tree.pack(rows, length=length)
  everything = [path for buffer in buffers for path in paths(buffer)]
  assert set(everything) == prefixes(rows)
  for buffer in buffers:
    assert len(buffer.tokens_U) <= length
    assert len(set(paths(buffer))) == len(buffer.tokens_U)
  (whole,) = tree.pack(rows, length=7 * len(rows))
  assert len(whole.tokens_U) == len(prefixes(rows))


def of_path(path):
  """A made-up log-probability of the last id after the others."""
  return -1 - (sum((i + 1) * token for i, token in enumerate(path)) % 7) / 8


@given(some_rows(), room, st.integers(1, 3))
def test_passes_sum_the_edges_of_rows(rows, more, count):
  """Edges are renumbered in every pass; the sums still match."""
  length = tree.longest(rows) + more
  sums_R = np.zeros(len(rows))
  buffers = tree.pack(rows, length=length)
  passes = list(tree.passes(buffers, count=count, length=length))
  for number, part in enumerate(passes):
    B, L = part.tokens_BxL.shape
    assert length == L
    assert count >= B
    some = buffers[number * count : (number + 1) * count]
    found = [paths(buffer) for buffer in some]
    # Padding stays NaN and must not be used.
    logps_E = np.full(len(part.edge_parents_E), np.nan)
    edges = set()
    for e in np.unique(part.steps_S):
      assert part.edge_parents_E[e] < part.parents
      b, place = divmod(part.parents_T[part.edge_parents_E[e]], L)
      path = (*found[b][place], part.edge_targets_E[e])
      assert (b, path) not in edges
      edges.add((b, path))
      logps_E[e] = of_path(path)
    sums_R += part.sums(logps_E, len(rows))
  wanted = [
    sum(
      of_path(one.ids[: end + 1].tolist())
      for end in range(one.given, len(one.ids))
    )
    for one in rows
  ]
  np.testing.assert_allclose(sums_R, wanted, rtol=1e-12)


def test_one_token_choices_cost_only_their_prompt():
  rows = [row([1, 2, 3, 4, 10 + c], 4) for c in range(1000)]
  (buffer,) = tree.pack(rows, length=4)
  (part,) = tree.passes([buffer], count=8, length=4)
  assert part.tokens_BxL.tolist() == [[1, 2, 3, 4]]
  assert (part.parents, part.parents_T[0]) == (1, 3)
  assert len(np.unique(part.steps_S)) == len(part.edge_parents_E) == 1000


def test_padding_sees_itself_alone():
  (buffer,) = tree.pack([row([1, 2, 3], 1)], length=4)
  (part,) = tree.passes([buffer], count=1, length=4)
  assert part.ends_BxL.tolist() == [[2, 2, 3, 4]]


@pytest.mark.parametrize(('buffers', 'shapes'), [(5, [4, 1]), (7, [4, 4])])
def test_few_numbers_of_buffers(buffers, shapes):
  rows = [row([number, 2], 1) for number in range(buffers)]
  passes = tree.passes(tree.pack(rows, length=1), count=4, length=1)
  assert [len(part.tokens_BxL) for part in passes] == shapes


@pytest.mark.parametrize(('buffers', 'shapes'), [(5, [6]), (7, [6, 3])])
def test_every_device_gets_equally_many_buffers(buffers, shapes):
  rows = [row([number, 2], 1) for number in range(buffers)]
  passes = tree.passes(tree.pack(rows, length=1), count=2, length=1, devices=3)
  assert [len(part.tokens_BxL) for part in passes] == shapes


def test_a_row_that_does_not_fit_fails_an_assertion():
  with pytest.raises(AssertionError):
    tree.pack([row([1, 2, 3], 1)], length=1)
  with pytest.raises(AssertionError):
    tree.pack([row([1, 2], 2)], length=4)
