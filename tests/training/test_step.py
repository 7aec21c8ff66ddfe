"""Training is the same on one device and on eight, resumed or not."""

import functools

import jax
import numpy as np
import optax
import pytest

from icl_gen.model import forward, sharding
from icl_gen.training import batches, loop, optimizer, states, step
from icl_gen.training.plan import Plan
from tests import tiny

ROWS, LENGTH, STEPS = 8, 16, 6
FIELDS = ('tokens_BxL', 'weights_BxL', 'positions_BxL', 'segments_BxL')


@functools.cache
def updates():
  schedule = optimizer.make_schedule(
    peak=0.01, warmup_steps=1, steps=STEPS, final_share=0.1
  )
  return optimizer.make_optimizer(
    'adamw', schedule, weight_decay=0.01, clip=1.0
  )


@functools.cache
def train_step(mesh=None):
  mesh = devices() if mesh is None else mesh
  return step.make_step(tiny.module('gemma3'), updates(), Plan(mesh))


def fresh():
  """The state before the first step, in arrays that may be donated."""
  params = jax.tree.map(lambda leaf: leaf.copy(), tiny.params('gemma3'))
  return step.make_state(params, updates())


def examples():
  return [
    batches.Example(
      tiny.ids(4 + i % 10, seed=i), np.ones(4 + i % 10, np.float32)
    )
    for i in range(20)
  ]


def rows():
  return batches.batches(
    examples(), batch_size=ROWS, length=LENGTH, seed=0, steps=STEPS
  )


def one_device():
  return sharding.make_mesh(data=1, model=1)


def devices():
  return sharding.make_training_mesh(rows=ROWS)


def assert_equal(tree, other):
  assert jax.tree.structure(tree) == jax.tree.structure(other)
  for one, two in zip(
    jax.tree.leaves(tree), jax.tree.leaves(other), strict=True
  ):
    assert one.dtype == two.dtype
    np.testing.assert_array_equal(one, two)


def test_eight_devices_train_like_one():
  alone, together = fresh(), sharding.replicate(devices(), fresh())
  for batch, _ in zip(rows(), range(2), strict=False):
    alone, of_one = train_step(one_device())(alone, batch)
    together, of_eight = train_step()(
      together, sharding.split_rows(devices(), batch)
    )
    for name in ('loss', 'weight', 'grad_norm'):
      np.testing.assert_allclose(of_one[name], of_eight[name], rtol=1e-5)
  assert int(alone.step) == int(together.step) == 2
  moved = jax.tree.map(
    lambda a, b: float(abs(a - b).max()), alone.params, fresh().params
  )
  assert min(jax.tree.leaves(moved)) > 1e-3, 'every parameter should have moved'
  means = optax.tree.get(alone.opt_state, 'mu')
  for one, eight in zip(
    jax.tree.leaves(means),
    jax.tree.leaves(optax.tree.get(together.opt_state, 'mu')),
    strict=True,
  ):
    np.testing.assert_allclose(one, eight, atol=1e-7)
  for one, eight, mean in zip(
    jax.tree.leaves(alone.params),
    jax.tree.leaves(together.params),
    jax.tree.leaves(means),
    strict=True,
  ):
    # Adam divides by the size of the gradient, so rounding decides the step of
    # the few entries whose mean gradient is about as small as that rounding.
    decided = np.abs(mean) > 1e-6
    assert decided.mean() > 0.5
    np.testing.assert_allclose(one[decided], eight[decided], atol=1e-5)


def test_metrics_have_the_values_that_they_are_named_for():
  """The gradient's norm is the one before clipping."""
  batch = next(rows())
  state = sharding.replicate(devices(), fresh())
  _, metrics = train_step()(state, sharding.split_rows(devices(), batch))
  assert float(metrics['weight']) == batch.weights_BxL.sum()
  # Examples that share a row do not see each other.
  assert batch.segments_BxL.max() > 1
  logps = [
    tiny.logps('gemma3', row[numbers == number])
    for row, numbers in zip(batch.tokens_BxL, batch.segments_BxL, strict=True)
    for number in range(1, numbers.max() + 1)
  ]
  assert float(metrics['loss']) == pytest.approx(
    -np.concatenate(logps).mean(), rel=1e-5
  )
  assert float(metrics['grad_norm']) > 1


def test_the_state_is_donated():
  state = sharding.replicate(devices(), fresh())
  batch = sharding.split_rows(devices(), next(rows()))
  after, _ = train_step()(state, batch)
  assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state))
  assert not any(leaf.is_deleted() for leaf in jax.tree.leaves(after))
  assert not batch.tokens_BxL.is_deleted()


def test_training_lowers_the_loss():
  state = sharding.replicate(devices(), fresh())
  batch, losses = sharding.split_rows(devices(), next(rows())), []
  for _ in range(STEPS):
    state, metrics = train_step()(state, batch)
    losses.append(float(metrics['loss']))
  assert losses[-1] < losses[0] - 1


def train(directory, *, until=STEPS):
  """Trains as the doors do; `until` is the step where the run is killed."""
  state, position = sharding.replicate(devices(), fresh()), rows()
  saved = states.Checkpoints(directory)
  if saved.latest() is not None:
    state, found = saved.restore(state)
    position.restore(found)
  reports = []
  state = loop.loop(
    state,
    position,
    train_step(),
    place=lambda batch: sharding.split_rows(devices(), batch),
    first_step=int(state.step),
    steps=until,
    report_every=1,
    save_every=2,
    on_report=lambda number, values: reports.append((number, values['loss'])),
    # The run is killed before the last state is saved.
    on_save=lambda number, state: (
      number % 2 or saved.save(number, state, position.state())
    ),
  )
  saved.close()
  return state, dict(reports)


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path):
  wanted, losses = train(tmp_path / 'whole')
  _, before = train(tmp_path / 'killed', until=3)
  found, after = train(tmp_path / 'killed')
  assert (sorted(before), sorted(after)) == ([1, 2, 3], [3, 4, 5, 6])
  assert before | after == losses
  assert_equal(found, wanted)
  assert optax.tree_utils.tree_get(found, 'mu') is not None
  # The last saved state is the returned one.
  last, position = states.Checkpoints(tmp_path / 'killed').restore(found)
  assert_equal(last, wanted)
  assert position['step'] == STEPS


# --- bfloat16 weights ---------------------------------------------------------

SMALL = 1e-4  # A tenth of the smallest change to a bfloat16 weight of 0.2.


@functools.cache
def of_dtype(dtype):
  """(step, optimizer) with a small learning rate."""
  adam = optimizer.make_optimizer(
    'adamw', optax.constant_schedule(SMALL), weight_decay=0.0, clip=1.0
  )
  return step.make_step(
    tiny.module('gemma3', dtype), adam, Plan(devices())
  ), adam


def state_of(dtype):
  params = jax.tree.map(lambda p: p.copy(), tiny.params('gemma3', dtype))
  return sharding.replicate(
    devices(), step.make_state(params, of_dtype(dtype)[1])
  )


def trained(dtype, state, count):
  """The state after `count` steps on one batch, and their losses."""
  batch, losses = sharding.split_rows(devices(), next(rows())), []
  for _ in range(count):
    state, metrics = of_dtype(dtype)[0](state, batch)
    losses.append(float(metrics['loss']))
  return state, losses


def test_small_updates_of_bfloat16_weights_add_up():
  """Updates smaller than the last bit of a weight are not lost."""
  falls = {}
  for dtype in ('float32', 'bfloat16'):
    state, losses = trained(dtype, state_of(dtype), 20)
    falls[dtype] = losses[0] - losses[-1]
    assert {str(p.dtype) for p in jax.tree.leaves(state.params)} == {'float32'}
    moments = optax.tree_utils.tree_get(state.opt_state, 'mu')
    assert {str(m.dtype) for m in jax.tree.leaves(moments)} == {'float32'}
    kept = step.weights(tiny.module('gemma3', dtype), state)
    assert {str(p.dtype) for p in jax.tree.leaves(kept)} == {dtype}
  assert falls['float32'] > 0.1
  assert falls['bfloat16'] == pytest.approx(falls['float32'], rel=0.1)


def test_the_model_computes_in_its_own_dtype(monkeypatch):
  """Not in float32, which would take twice the memory."""
  seen, real = set(), forward.forward

  def watched(module, params, *args, **options):
    seen.update(str(leaf.dtype) for leaf in jax.tree.leaves(params))
    hidden, kept = real(module, params, *args, **options)
    seen.add(str(hidden.dtype))
    return hidden, kept

  monkeypatch.setattr(forward, 'forward', watched)
  module, (_, adam) = tiny.module('gemma3', 'bfloat16'), of_dtype('bfloat16')
  jax.eval_shape(
    step.make_step(module, adam, Plan(one_device())),
    state_of('bfloat16'),
    next(rows()),
  )
  assert seen == {'bfloat16'}


def test_a_resumed_bfloat16_run_equals_an_uninterrupted_one(tmp_path):
  wanted, _ = trained('bfloat16', state_of('bfloat16'), 4)
  state, _ = trained('bfloat16', state_of('bfloat16'), 2)
  saved = states.Checkpoints(tmp_path)
  saved.save(2, state, {'step': 2})
  state, _ = saved.restore(state_of('bfloat16'))
  saved.close()
  found, _ = trained('bfloat16', state, 2)
  assert_equal(found, wanted)
