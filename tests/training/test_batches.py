"""Every example once per epoch, whatever the batch size, resumed or not."""

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
  """Examples of 3 to 5 tokens with distinct first tokens.

  No two of them fit into a row of 5.
  """
  return [example(*([i + 1] * (3 + i % 3))) for i in range(count)]


def short(count):
  """Examples of 1 to 4 tokens, each with distinct tokens."""
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
  """The order of the examples over all batches."""
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


def test_making_a_batch_does_not_change_the_examples():
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
def test_packed_examples_are_complete_and_come_in_turn(
  count, batch_size, length
):
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


def test_epochs_and_seeds_have_different_orders():
  count = 20
  orders = []
  for seed in range(5):
    order = first_tokens(make(numbered(count), steps=50, seed=seed))
    orders += list(itertools.batched(order, count))
  assert len(orders) == 50
  assert len(set(orders)) == 50


def test_every_example_is_equally_likely_to_be_first():
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


def assert_resumes(begin, stop):
  """A run of 20 batches that is stopped goes on as if it had not been."""
  whole = list(begin())
  assert len(whole) == 20
  begun = begin()
  for _ in range(stop):
    next(begun)
  state = json.loads(json.dumps(begun.state()))
  resumed = begin()
  resumed.restore(state)
  assert resumed.state() == state
  rest = list(resumed)
  assert len(rest) == 20 - stop
  for batch, other in zip(rest, whole[stop:], strict=True):
    assert_same(batch, other)


@pytest.mark.parametrize('stop', [0, 1, 3, 7, 19, 20])
@pytest.mark.parametrize('examples', [numbered(30), short(30)])
def test_a_resumed_run_sees_the_batches_of_an_uninterrupted_one(examples, stop):
  assert_resumes(lambda: make(examples, seed=3), stop)


@pytest.mark.parametrize('changed', [{'seed': 1}, {'batch_size': 2}])
def test_state_of_another_run_is_refused(changed):
  with pytest.raises(ValueError, match='was saved for'):
    make(numbered(30)).restore(make(numbered(30), **changed).state())


def test_state_of_other_examples_is_refused():
  other = [*numbered(30)[:-1], example(30, 30, 30, weight=0.25)]
  with pytest.raises(ValueError, match='was saved for'):
    make(numbered(30)).restore(make(other).state())


def test_a_run_may_be_extended_but_not_shortened():
  begun = make(numbered(30))
  for _ in range(12):
    next(begun)
  longer = make(numbered(30), steps=30)
  longer.restore(begun.state())
  assert len(list(longer)) == 18
  with pytest.raises(ValueError, match='step 12, the run ends at step 10'):
    make(numbered(30), steps=10).restore(begun.state())


def test_examples_without_weight_are_left_out():
  taught = numbered(3)
  more = [example(9, 9, weight=0), *taught, example(8, 8, weight=0)]
  assert_same(next(make(more)), next(make(taught)))


def test_bad_examples_are_refused():
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


def test_examples_of_another_dtype_or_shape_are_refused():
  ids = np.arange(3, dtype=np.int32)
  with pytest.raises(AssertionError):
    batches.Example(ids=ids.astype(np.int64), weights=np.ones(3, np.float32))
  with pytest.raises(AssertionError):
    batches.Example(ids=ids, weights=np.ones(3))
  with pytest.raises(AssertionError):
    batches.Example(ids=ids, weights=np.ones(2, np.float32))


# --- replay -------------------------------------------------------------------


def replaying(share, *, own=None, replayed=None, **changed):
  """Batches in which replayed examples have ids of 100 and more."""
  # Not a few: grain shuffles 7 examples 10 times slower than 70.
  own = short(90) if own is None else own
  if replayed is None:
    replayed = [example(*([100 + i] * (1 + i % 5))) for i in range(70)]
  return make(own, replayed=replayed, replay_share=share, **changed)


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0.01, 0.99), length=st.integers(5, 30))
def test_the_share_of_tokens_is_replayed(share, length):
  seen = replayed = 0
  for batch in replaying(share, length=length, steps=40):
    seen += np.count_nonzero(batch.tokens_BxL)
    replayed += np.count_nonzero(batch.tokens_BxL >= 100)
    # Within the longest example, and those of a batch may come in any order.
    assert abs(replayed - share * seen) <= 5


def test_either_order_is_that_which_it_has_alone():
  """And every epoch of either has each of its examples once."""
  long = [example(*([100 + i] * (3 + i % 3))) for i in range(7)]
  for share in (0.3, 0.8):
    found = first_tokens(
      replaying(share, own=numbered(12), replayed=long, batch_size=1, steps=90)
    )
    own = [token for token in found if token < 100]
    again = [token for token in found if token >= 100]
    alone = first_tokens(make(numbered(12), batch_size=1, steps=90))
    assert 12 < len(own) < 78
    assert own == alone[: len(own)]
    assert sorted(again[:7]) == sorted(again[7:14]) == list(range(100, 107))


def test_without_a_share_nothing_changes():
  replayed = [example(100, 101)]
  for batch, other in zip(
    replaying(0.0, replayed=replayed), make(short(90)), strict=True
  ):
    assert_same(batch, other)
  assert replaying(0.0).state() == make(short(90)).state()


@pytest.mark.parametrize('stop', [0, 1, 7, 20])
@pytest.mark.parametrize('share', [0.2, 0.7])
def test_replay_resumes_where_it_was(share, stop):
  assert_resumes(lambda: replaying(share, seed=3), stop)


def test_a_state_of_another_share_or_other_texts_is_refused():
  state = replaying(0.2).state()
  for other in (
    replaying(0.3),
    replaying(0.2, replayed=[example(100)]),
    make(short(12)),
  ):
    with pytest.raises(ValueError, match='was saved for'):
      other.restore(state)
  with pytest.raises(ValueError, match='was saved for'):
    replaying(0.2).restore(make(short(12)).state())


def test_replayed_texts_are_shuffled_by_the_seed():
  long = [example(*([100 + i] * 3)) for i in range(7)]
  orders = {
    tuple(
      token
      for token in first_tokens(
        replaying(0.5, own=numbered(9), replayed=long, batch_size=1, seed=seed)
      )
      if token >= 100
    )
    for seed in range(4)
  }
  assert len(orders) == 4
