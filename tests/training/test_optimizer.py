"""Muon updates every matrix, AdamW the rest; schedules are as drawn."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from icl_gen.model import initialisation, parameters, registry
from icl_gen.training import optimizer
from tests import tiny

RATE = 0.1


def make(name, *, clip=1.0, **changed):
  settings = {'weight_decay': 0.0, 'adam_share': 0.3} | changed
  return optimizer.make_optimizer(
    name, optax.constant_schedule(RATE), clip=clip, **settings
  )


def one_layer(dialect):
  return {
    name: tiny.params(dialect)[name]
    for name in ('embedder', 'final_norm', 'layer_1')
  }


@functools.cache
def first_updates(dialect):
  """Random gradients and the updates of Muon's first step.

  By name of the parameter, (gradient, update).
  """
  params = one_layer(dialect)
  rng = np.random.default_rng(0)
  grads = jax.tree.map(
    lambda leaf: rng.standard_normal(leaf.shape).astype(np.float32), params
  )
  muon = make('muon', clip=1e6)
  updates, _ = jax.jit(muon.update)(grads, muon.init(params), params)
  return {
    jax.tree_util.keystr(path, simple=True, separator='/'): (grad, update)
    for (path, update), grad in zip(
      jax.tree_util.tree_leaves_with_path(jax.device_get(updates)),
      jax.tree.leaves(grads),
      strict=True,
    )
  }


# The matrices from inputs to outputs that a weight consists of.
MATRICES = {
  'attn/q_einsum/w': lambda w: [np.concatenate(list(w), axis=1)],
  'attn/kv_einsum/w': lambda w: [np.concatenate(list(x), axis=1) for x in w],
  'attn/qkv_einsum/w': lambda w: [np.concatenate(list(x), axis=1) for x in w],
  'attn/attn_vec_einsum/w': lambda w: [np.concatenate(list(w), axis=0)],
  'mlp/gating_einsum': list,
  'mlp/linear': lambda w: [w],
}


@pytest.mark.parametrize('dialect', ['gemma3', 'all_key_heads'])
def test_muon_orthogonalises_every_matrix(dialect):
  """All singular values of an update are about 1."""
  matrices = {
    name.removeprefix('layer_1/'): pair
    for name, pair in first_updates(dialect).items()
    if pair[0].ndim > 1 and 'embedding' not in name
  }
  assert len(matrices) == (5 if dialect == 'gemma3' else 4)
  for name, (grad, update) in matrices.items():
    for of_grad, of_update in zip(
      MATRICES[name](grad), MATRICES[name](update), strict=True
    ):
      left, sizes, right = np.linalg.svd(of_grad, full_matrices=False)
      rotation = left @ right
      cosine = -np.sum(rotation * of_update) / (
        np.linalg.norm(rotation) * np.linalg.norm(of_update)
      )
      assert cosine > 0.975, name
      # The cosine for the gradient itself.
      assert sizes.sum() / np.linalg.norm(of_grad) / len(sizes) ** 0.5 < 0.96


def test_adam_updates_what_is_not_a_matrix():
  """The entries of Adam's first update all have the same size."""
  others = {
    name: update
    for name, (grad, update) in first_updates('gemma3').items()
    if grad.ndim == 1 or 'embedding' in name
  }
  # The embedding, the final norm, and six norms of the layer.
  assert len(others) == 8
  nesterov = 1 + 0.9 * (1 - 0.9) / (1 - 0.9**2)
  for update in others.values():
    np.testing.assert_allclose(abs(update), nesterov * 0.3 * RATE, rtol=0.01)


@pytest.mark.parametrize('name', [*registry.NANO, 'gemma2_2b', 'gemma3_4b'])
def test_muon_updates_matrices_and_not_embeddings(name):
  module = registry.make_module(name)
  shapes = jax.eval_shape(lambda: initialisation.make_params(module, seed=0))
  axes = optimizer._muon_axes(shapes)
  found = jax.tree.leaves(
    axes, is_leaf=lambda leaf: leaf is None or hasattr(leaf, 'reduction_axis')
  )
  for (path, leaf), chosen in zip(
    jax.tree_util.tree_leaves_with_path(shapes), found, strict=True
  ):
    is_table = 'embedding' in jax.tree_util.keystr(path)
    assert (chosen is not None) == (leaf.ndim > 1 and not is_table)


@pytest.mark.parametrize('dialect', ['gemma3', 'gemma2'])
def test_gates_are_scaled_by_their_width_in_either_layout(dialect):
  """By outputs over inputs: 48 over 32, never 32 over 48."""
  updates = {
    name.split('/')[-1]: update
    for name, (_, update) in first_updates(dialect).items()
  }
  gates, linear = updates['gating_einsum'], updates['linear']
  shape = {'gemma3': (2, 48, 32), 'gemma2': (2, 32, 48)}[dialect]
  assert (gates.shape, linear.shape) == (shape, (48, 32))
  # `linear` has more inputs than outputs, so only the gates are scaled up.
  assert np.linalg.norm(gates) / np.linalg.norm(linear) == pytest.approx(
    2**0.5 * (48 / 32) ** 0.5, rel=0.08
  )


def test_an_unknown_parameter_is_refused():
  params = {'layer_0': {'adapter': {'w': jnp.ones((2, 3))}}}
  with pytest.raises(
    ValueError, match=r"'layer_0/adapter/w' of shape \(2, 3\)"
  ):
    make('muon').init(params)


def test_an_unknown_name_is_refused():
  with pytest.raises(ValueError, match="'sgd'.*'adamw'.*'muon'"):
    make('sgd')


@pytest.mark.parametrize('name', ['adamw', 'muon'])
def test_weights_decay_by_the_learning_rate(name):
  params = {'layer_0': {'mlp': {'linear': jnp.ones((4, 4))}}}
  none = jax.tree.map(jnp.zeros_like, params)
  decaying = make(name, weight_decay=0.5)
  updates, _ = decaying.update(none, decaying.init(params), params)
  (update,) = jax.tree.leaves(updates)
  np.testing.assert_allclose(update, -0.5 * RATE, rtol=1e-6)


@pytest.mark.parametrize('name', ['adamw', 'adafactor', 'muon'])
def test_everything_decays_by_default(name):
  """By its own learning rate, which with Muon embeddings and norms have."""
  params = one_layer('gemma3')
  found = make(name, weight_decay=0.5)
  nothing = jax.tree.map(jnp.zeros_like, params)
  updates, _ = jax.jit(found.update)(nothing, found.init(params), params)
  axes = parameters.axes(params)
  for axis, update, weight in zip(
    *map(jax.tree.leaves, (axes, updates, params)), strict=True
  ):
    share = 0.3 if name == 'muon' and not axis.inputs else 1.0
    np.testing.assert_allclose(update, -share * RATE * 0.5 * weight, atol=1e-6)


@pytest.mark.parametrize('name', ['adamw', 'adafactor', 'muon'])
def test_only_matrices_decay_if_so_asked(name):
  params = one_layer('gemma3')
  found = make(name, weight_decay=0.5, decay_on='matrices')
  nothing = jax.tree.map(jnp.zeros_like, params)
  updates, _ = jax.jit(found.update)(nothing, found.init(params), params)
  axes = parameters.axes(params)
  for axis, update, weight in zip(
    *map(jax.tree.leaves, (axes, updates, params)), strict=True
  ):
    wanted = -RATE * 0.5 * weight if axis.inputs else 0 * weight
    np.testing.assert_allclose(update, wanted, atol=1e-6)


def bytes_of(state):
  return sum(leaf.nbytes for leaf in jax.tree.leaves(state))


def test_a_smaller_state_takes_almost_the_same_steps():
  params = one_layer('gemma3')
  rng = np.random.default_rng(0)
  grads = [
    jax.tree.map(lambda p: rng.normal(size=p.shape).astype(np.float32), params)
    for _ in range(4)
  ]
  updates, sizes = [], []
  for moments in ('float32', 'bfloat16'):
    found = make('adamw', moments=moments)
    state = found.init(params)
    for grad in grads:
      update, state = jax.jit(found.update)(grad, state, params)
    updates.append(update)
    sizes.append(bytes_of(state))
  assert sizes[1] < 0.51 * sizes[0]
  for one, two in zip(*map(jax.tree.leaves, updates), strict=True):
    assert two.dtype == jnp.float32
    np.testing.assert_allclose(two, one, atol=0.02 * RATE)


def test_adafactor_keeps_sums_of_large_matrices_only():
  params = {'layer_0': {'mlp': {'linear': jnp.ones((256, 512))}}}
  adafactor, adam = make('adafactor'), make('adamw')
  assert bytes_of(adafactor.init(params)) < 0.01 * bytes_of(adam.init(params))


def test_gradients_are_clipped_by_their_global_norm():
  """So their proportions are unchanged."""
  params = {'a': jnp.zeros(2), 'b': jnp.zeros(1)}
  grads = {'a': jnp.array([30.0, 0.0]), 'b': jnp.array([40.0])}
  adam = make('adamw', clip=5.0)
  _, state = adam.update(grads, adam.init(params), params)
  mu = optax.tree_utils.tree_get(state, 'mu')
  np.testing.assert_allclose(mu['a'], [0.3, 0], rtol=1e-5)
  np.testing.assert_allclose(mu['b'], [0.4], rtol=1e-5)


def piecewise(*given, warmup_steps=4):
  schedule = optimizer.make_piecewise(given, warmup_steps=warmup_steps)
  return lambda steps: [float(schedule(step)) for step in steps]


def test_piecewise_rates():
  found = piecewise((10, 2.0, 2.0), (5, 4.0, 4.0), (10, 1.0, 0.0))(
    [0, 2, 4, 9, 10, 14, 15, 20, 25, 30]
  )
  np.testing.assert_allclose(found, [0, 1, 2, 2, 4, 4, 1, 0.5, 0, 0], atol=1e-6)


def test_a_piece_does_not_depend_on_later_ones():
  short = piecewise((20, 1.0, 1.0), (10, 1.0, 0.5))
  long = piecewise((20, 1.0, 1.0), (10, 1.0, 0.5), (20, 3.0, 3.0))
  assert short(range(30)) == long(range(30))


def test_a_warm_up_longer_than_the_first_piece_is_refused():
  with pytest.raises(ValueError, match='4 steps of warm-up.*has 3 steps'):
    piecewise((3, 1.0, 1.0), (9, 1.0, 1.0))


def test_cosine_rates():
  schedule = optimizer.make_schedule(
    peak=2.0, warmup_steps=4, steps=12, final_share=0.1
  )
  found = [float(schedule(step)) for step in (0, 2, 4, 8, 12, 20)]
  # Halfway down it is the mean of the peak and the end.
  np.testing.assert_allclose(found, [0, 1, 2, 1.1, 0.2, 0.2], atol=1e-6)


def test_a_cosine_shorter_than_its_warm_up_only_warms_up():
  schedule = optimizer.make_schedule(
    peak=1.0, warmup_steps=10, steps=5, final_share=0.1
  )
  assert float(schedule(5)) == pytest.approx(0.5)
