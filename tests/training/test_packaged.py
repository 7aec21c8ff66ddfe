"""Gemma 3n and 4 are trained through the package's own call."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from icl_gen.model import parameters, sharding
from icl_gen.runs.experiments import Training
from icl_gen.training import adapters, fine_tuning, placement, step
from icl_gen.training.plan import Plan
from icl_gen.types import Batch
from tests import packaged, tiny

NAMES = ('gemma4_e2b', 'gemma3n_e2b', 'gemma4_26b_a4b')
LENGTH = 12


@pytest.fixture(autouse=True)
def ranks_may_differ():
  with jax.numpy_rank_promotion('allow'):  # in the package
    yield


def plan():
  return Plan(sharding.make_training_mesh(rows=1, devices=jax.devices()[:1]))


def rows():
  """Ids of two texts."""
  rng = np.random.default_rng(0)
  return rng.integers(3, tiny.VOCABULARY, (2, LENGTH)).astype(np.int32)


def apart(ids):
  """A text per row."""
  B = len(ids)
  positions = np.tile(np.arange(LENGTH, dtype=np.int32), (B, 1))
  weights = np.float32(np.arange(B * LENGTH).reshape(B, LENGTH) % 3)
  weights[:, 0] = 0
  return Batch(ids, weights, positions, np.ones_like(ids))


def packed(ids):
  """The same in one row, before padding."""
  one = apart(ids)
  segments = np.repeat(np.int32([[1, 2]]), LENGTH, axis=1)
  fields = one.tokens_BxL, one.weights_BxL, one.positions_BxL, segments
  return Batch(
    *(np.pad(field.reshape(1, -1), ((0, 0), (0, 8))) for field in fields)
  )


def by_the_package(name, params, batch):
  """The mean loss of texts that are alone in their rows."""
  logits = packaged.module(name).apply({'params': params}, batch.tokens_BxL)
  logps = jax.nn.log_softmax(logits.logits[:, :-1], axis=-1)
  targets = batch.tokens_BxL[:, 1:, None]
  found = jnp.take_along_axis(logps, targets, axis=-1)[..., 0]
  weights = batch.weights_BxL[:, 1:]
  return -jnp.sum(found * weights) / np.sum(weights)


@pytest.mark.parametrize(
  ('name', 'layout'),
  [
    (NAMES[0], packed),
    *(
      pytest.param(name, layout, marks=pytest.mark.slow)
      for name in NAMES
      for layout in (apart, packed)[: 1 + (name != NAMES[0])]
    ),
  ],
)
def test_a_step_takes_the_gradient_of_the_packages_loss(name, layout):
  params = packaged.params(name)
  train_step = step.make_step(packaged.module(name), optax.sgd(1.0), plan())
  # The state is donated.
  state = step.make_state(jax.tree.map(jnp.copy, params), optax.sgd(1.0))
  after, metrics = train_step(state, layout(rows()))
  loss, grads = jax.value_and_grad(
    lambda params: by_the_package(name, params, apart(rows()))
  )(params)
  np.testing.assert_allclose(metrics['loss'], loss, rtol=1e-5)
  size = optax.tree.norm(grads)
  for path, moved, grad in zip(
    (k for k, _ in jax.tree_util.tree_leaves_with_path(params)),
    jax.tree.leaves(jax.tree.map(jnp.subtract, params, after.params)),
    jax.tree.leaves(grads),
    strict=True,
  ):
    np.testing.assert_allclose(
      moved, grad, atol=2e-5 * size, err_msg=parameters.path_of(path)
    )


def tuned(name, **settings):
  settings |= {'steps': 3, 'length': LENGTH, 'warmup_steps': 0}
  module, params = packaged.module(name), packaged.params(name)
  copied = jax.tree.map(jnp.copy, params)
  train = Training(**settings)
  run = fine_tuning.start(module, copied, train, plan(), seed=0)
  state, losses = run.state, []
  for _ in range(train.steps):
    state, metrics = run.step(state, apart(rows()))
    losses.append(float(metrics['loss']))
  return run, state, losses


@pytest.mark.slow
@pytest.mark.parametrize('name', NAMES)
def test_adapters_are_applied_as_they_are_merged(name, tmp_path):
  run, state, losses = tuned(name, lora_rank=2, lora_alpha=4.0)
  assert losses[2] < losses[1] < losses[0]
  merged = run.weights(jax.tree.map(jnp.copy, state))
  _, metrics = run.step(state, apart(rows()))
  found = by_the_package(name, merged, apart(rows()))
  np.testing.assert_allclose(metrics['loss'], found, rtol=1e-5)
  changed = {
    parameters.path_of(path)
    for (path, new), old in zip(
      jax.tree_util.tree_leaves_with_path(merged),
      jax.tree.leaves(packaged.params(name)),
      strict=True,
    )
    if (new != old).any()
  }
  # Matrices of attention and feed-forward layers, but none that chooses.
  assert changed and all('/attn/' in p or '/mlp' in p for p in changed)
  assert not any('router' in path or 'norm' in path for path in changed)
  adapters.save(
    tmp_path, state.params, run.lora, packaged.module(name), base=''
  )
  assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize('name', NAMES)
def test_muon_trains_all_parameters(name):
  _, state, losses = tuned(name, optimizer='muon')
  assert losses[2] < losses[0]
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state.params))


@pytest.mark.parametrize(
  ('name', 'lengths'),
  [
    (NAMES[0], (2, 2, 1)),
    *(
      pytest.param(name, lengths, marks=pytest.mark.slow)
      for name in NAMES
      for lengths in ((1, 4, 1), (2, 1, 2), (2, 2, 2))
    ),
  ],
)
def test_a_step_on_several_devices_is_that_on_one(name, lengths):
  data, fsdp, model = lengths
  mesh = sharding.make_mesh(data=data, fsdp=fsdp, model=model)
  ids = np.concatenate([rows(), rows()[::-1]])
  batch = apart(ids)
  one, several = (
    _after_a_step(name, batch, Plan(mesh)) for mesh in (plan().mesh, mesh)
  )
  np.testing.assert_allclose(several[1], one[1], rtol=1e-5)
  for path, leaf in jax.tree_util.tree_leaves_with_path(one[0]):
    found = functools.reduce(lambda tree, key: tree[key.key], path, several[0])
    np.testing.assert_allclose(found, leaf, atol=1e-5)


def _after_a_step(name, batch, how):
  """The weights, and the loss before the step."""
  module = packaged.module(name)
  params = jax.tree.map(jnp.copy, packaged.params(name))
  state = step.make_state(params, optax.sgd(1.0))
  state = jax.device_put(state, placement.shardings(module, how.mesh, state))
  train_step = step.make_step(module, optax.sgd(1.0), how)
  state, metrics = train_step(state, sharding.split_rows(how.mesh, batch))
  return jax.device_get(state.params), float(metrics['loss'])
