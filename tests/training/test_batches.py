"""Every example once per epoch, whatever the batch size, break or process."""

import collections
import dataclasses
import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icl_gen.training import batches
from icl_gen.types import Batch

FIELDS = ('tokens_BxL', 'weights_BxL', 'positions_BxL', 'segments_BxL')


def example(*ids, weight=0.5):
  return batches.Example(
    ids=np.array(ids, np.int32),
    weights=np.full(len(ids), weight, np.float32),
  )


def numbered(count):
  """Examples of 3 to 5 tokens, each with a first token of its own; no two of
  them fit into a row of 5."""
  return [example(*([i + 1] * (3 + i % 3))) for i in range(count)]


def short(count):
  """Examples of 1 to 4 tokens, each with tokens of its own."""
  return [example(*([i + 1] * (1 + i % 4))) for i in range(count)]


def segments(batch):
  """The examples of a batch, as (ids, weights, positions), in any order."""
  found = []
  for fields in zip(*(getattr(batch, name) for name in FIELDS), strict=True):
    ids, weights, positions, numbers = fields
    for number in range(1, numbers.max() + 1):
      at = numbers == number
      found.append(
        tuple(tuple(f[at].tolist()) for f in (ids, weights, positions))
      )
  return sorted(found)


def make(examples, **changed):
  settings = {'batch_size': 4, 'length': 5, 'seed': 0, 'steps': 20}
  return batches.batches(examples, **(settings | changed))


def first_tokens(iterator):
  """The order in which examples were given, over all batches."""
  return [int(i) for batch in iterator for i in batch.tokens_BxL[:, 0]]


def assert_same(batch, other):
  for name in FIELDS:
    np.testing.assert_array_equal(getattr(batch, name), getattr(other, name))


def test_the_picture_of_the_docstring():
  pair = [example(2, 7, 9), example(2, 8)]
  seed = next(  # one that starts with the longer example
    seed
    for seed in range(9)
    if next(make(pair, batch_size=1, seed=seed)).tokens_BxL[0, 1] == 7
  )
  batch = next(make(pair, batch_size=1, length=6, seed=seed))
  assert isinstance(batch, Batch)
  np.testing.assert_array_equal(batch.tokens_BxL, [[2, 7, 9, 2, 8, 0]])
  np.testing.assert_array_equal(batch.weights_BxL, [[0, 0.5, 0.5, 0, 0.5, 0]])
  np.testing.assert_array_equal(batch.positions_BxL, [[0, 1, 2, 0, 1, 0]])
  np.testing.assert_array_equal(batch.segments_BxL, [[1, 1, 1, 2, 2, 0]])
  dtypes = [getattr(batch, name).dtype for name in FIELDS]
  assert dtypes == [np.int32, np.float32, np.int32, np.int32]


def test_making_a_batch_leaves_the_examples_as_they_were():
  full = example(2, 7, 9, 4, 5)
  list(make([full], steps=2))
  np.testing.assert_array_equal(full.weights, np.full(5, 0.5, np.float32))


@settings(max_examples=25, deadline=None)
@given(
  count=st.integers(1, 30),
  batch_size=st.integers(1, 9),
  epochs=st.integers(1, 4),
  seed=st.integers(0, 2**70),
)
def test_every_epoch_has_every_example_once(count, batch_size, epochs, seed):
  steps = -(-count * epochs // batch_size)
  order = first_tokens(
    make(numbered(count), batch_size=batch_size, steps=steps, seed=seed)
  )
  assert len(order) == steps * batch_size
  for epoch in itertools.batched(order[: epochs * count], count):
    assert sorted(epoch) == list(range(1, count + 1))


def test_the_batch_size_does_not_change_the_order():
  orders = [
    first_tokens(make(numbered(7), batch_size=size, steps=60 // size))
    for size in (1, 3, 20)
  ]
  assert orders[0] == orders[1] == orders[2]


@settings(max_examples=15, deadline=None)
@given(
  count=st.integers(1, 30),
  batch_size=st.integers(1, 5),
  length=st.integers(4, 17),
)
def test_packed_examples_are_whole_and_come_in_turn(count, batch_size, length):
  examples, seen = short(count), collections.Counter(range(1, count + 1))
  for batch in make(examples, batch_size=batch_size, length=length, steps=4):
    assert batch.tokens_BxL.shape == (batch_size, length)
    padding = batch.segments_BxL == 0
    assert not any(getattr(batch, name)[padding].any() for name in FIELDS)
    for ids, weights, positions in segments(batch):
      assert ids == tuple(examples[ids[0] - 1].ids.tolist())
      assert weights == (0.0,) + (0.5,) * (len(ids) - 1)
      assert positions == tuple(range(len(ids)))
      seen[ids[0]] += 1
    assert max(seen.values()) - min(seen.values()) <= 1


def test_rows_are_shared_while_there_is_room():
  batch = next(make(short(40), batch_size=4, length=50))
  assert (batch.segments_BxL == 0).sum() < 4 * 4  # the longest example
  assert batch.segments_BxL.max() > 10


def test_epochs_and_seeds_have_orders_of_their_own():
  count = 20
  orders = []
  for seed in range(5):
    order = first_tokens(make(numbered(count), steps=50, seed=seed))
    orders += list(itertools.batched(order, count))
  assert len(orders) == 50
  assert len(set(orders)) == 50


def test_no_example_is_preferred_as_the_first():
  count, seeds = 64, 500
  firsts = [
    first_tokens(make(numbered(count), batch_size=1, steps=1, seed=seed))[0]
    for seed in range(seeds)
  ]
  # The mean of 500 uniform draws from 1..64 has a deviation of 0.83.
  assert abs(np.mean(firsts) - (count + 1) / 2) < 4
  assert len(set(firsts)) > 0.95 * count


def test_same_arguments_same_batches():
  for batch, other in zip(make(numbered(30)), make(numbered(30)), strict=True):
    assert_same(batch, other)


@pytest.mark.parametrize('stop', [0, 1, 3, 7, 19, 20])
@pytest.mark.parametrize('examples', [numbered(30), short(30)])
def test_resumed_is_uninterrupted(examples, stop):
  whole = list(make(examples, seed=3))
  assert len(whole) == 20
  begun = make(examples, seed=3)
  for _ in range(stop):
    next(begun)
  state = json.loads(json.dumps(begun.state()))
  resumed = make(examples, seed=3)
  resumed.restore(state)
  assert resumed.state() == state
  rest = list(resumed)
  assert len(rest) == 20 - stop
  for batch, other in zip(rest, whole[stop:], strict=True):
    assert_same(batch, other)


@pytest.mark.parametrize('changed', [{'seed': 1}, {'batch_size': 2}])
def test_state_of_another_run_is_refused(changed):
  with pytest.raises(ValueError, match='was saved for'):
    make(numbered(30)).restore(make(numbered(30), **changed).state())


def test_state_of_other_examples_is_refused():
  other = [*numbered(30)[:-1], example(30, 30, 30, weight=0.25)]
  with pytest.raises(ValueError, match='was saved for'):
    make(numbered(30)).restore(make(other).state())


def test_more_steps_may_be_asked_for_and_fewer_not():
  begun = make(numbered(30))
  for _ in range(12):
    next(begun)
  longer = make(numbered(30), steps=30)
  longer.restore(begun.state())
  assert len(list(longer)) == 18
  with pytest.raises(ValueError, match='step 12, the run ends at step 10'):
    make(numbered(30), steps=10).restore(begun.state())


@pytest.mark.parametrize('process_count', [1, 2, 3, 6])
def test_slices_of_all_processes_are_the_global_batch(process_count):
  whole = make(short(40), batch_size=6)
  parts = [
    make(
      short(40),
      batch_size=6,
      process_index=index,
      process_count=process_count,
    )
    for index in range(process_count)
  ]
  for batch, *slices in zip(whole, *parts, strict=True):
    joined = Batch(
      *(
        np.concatenate([getattr(part, name) for part in slices])
        for name in FIELDS
      )
    )
    assert slices[0].tokens_BxL.shape == (6 // process_count, 5)
    assert_same(batch, joined)


def test_state_does_not_depend_on_the_number_of_processes():
  one = make(numbered(7))
  two = make(numbered(7), process_index=1, process_count=2)
  next(one)
  next(two)
  assert one.state() == two.state()


def test_what_teaches_nothing_takes_no_room():
  taught = numbered(3)
  more = [example(9, 9, weight=0), *taught, example(8, 8, weight=0)]
  assert_same(next(make(more)), next(make(taught)))


def test_bad_input_is_refused_before_anything_starts():
  with pytest.raises(ValueError, match='example 1 has 6 tokens, a row holds 5'):
    make([example(1), example(*range(1, 7))])
  named = dataclasses.replace(example(*range(1, 7)), name='doc-12')
  with pytest.raises(ValueError, match="example 'doc-12' has 6 tokens"):
    make([example(1), named])
  with pytest.raises(ValueError, match='no examples'):
    make([])
  with pytest.raises(ValueError, match='no example has weight'):
    make([example(1, 2, weight=0)])
  with pytest.raises(ValueError, match='example 0 has no tokens'):
    make([example()])
  with pytest.raises(ValueError, match='batch_size is 0'):
    make(numbered(3), batch_size=0)
  with pytest.raises(ValueError, match='seed is -1'):
    make(numbered(3), seed=-1)


@pytest.mark.parametrize(('index', 'count'), [(0, 3), (2, 2), (-1, 2), (0, 0)])
def test_batch_that_processes_cannot_share_is_refused(index, count):
  with pytest.raises(ValueError, match='batch_size 4 cannot be shared'):
    make(numbered(3), process_index=index, process_count=count)


def test_example_of_another_dtype_or_shape_is_refused():
  ids = np.arange(3, dtype=np.int32)
  with pytest.raises(AssertionError):
    batches.Example(ids=ids.astype(np.int64), weights=np.ones(3, np.float32))
  with pytest.raises(AssertionError):
    batches.Example(ids=ids, weights=np.ones(3))
  with pytest.raises(AssertionError):
    batches.Example(ids=ids, weights=np.ones(2, np.float32))
