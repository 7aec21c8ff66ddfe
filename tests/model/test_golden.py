"""Log-probabilities equal those of Hugging Face with the same weights.

tests/golden/make_hf.py computed the vectors with transformers.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from icl_gen.model import forward, head, prefix, prefix_attention
from tests.golden import convert


@functools.cache
def golden(name):
  return convert.load(name)


def params(name, dtype):
  return jax.tree.map(lambda x: jnp.asarray(x, dtype), golden(name).weights)


@functools.partial(jax.jit, static_argnums=0)
def _logps(module, params, tokens_BxL):
  positions_BxL = jnp.tile(
    jnp.arange(tokens_BxL.shape[1], dtype=jnp.int32)[None],
    (tokens_BxL.shape[0], 1),
  )
  hidden_BxLxD, _ = forward.forward(
    module,
    params,
    tokens_BxL,
    positions_BxL,
    forward.within_batch(positions_BxL, jnp.ones_like(tokens_BxL)),
  )
  return head.target_logps(
    module, params, hidden_BxLxD[:, :-1], tokens_BxL[:, 1:]
  )


def ours(name, dtype='float32'):
  return np.asarray(
    _logps(golden(name).module(dtype), params(name, dtype), tokens(name))
  )


def tokens(name):
  return golden(name).tokens_BxL


@pytest.mark.parametrize('name', convert.NAMES)
def test_the_vectors_cover_windows_and_grouped_heads(name):
  config = golden(name).config
  assert tokens(name).shape[1] > 4 * config.sliding_window_size
  assert len(set(config.attention_types)) == 2
  assert config.num_kv_heads < config.num_heads
  assert golden(name).logps['float32'].std() > 1


@pytest.mark.parametrize('name', convert.NAMES)
def test_ours_equal_those_of_hugging_face(name):
  np.testing.assert_allclose(
    ours(name), golden(name).logps['float32'], atol=1e-4
  )


@pytest.mark.parametrize('name', convert.NAMES)
def test_ours_equal_those_of_the_package(name):
  # The package masks token 0, which it takes for padding.
  tokens_BxL = np.maximum(tokens(name), 1)
  with jax.numpy_rank_promotion('allow'):
    output = (
      golden(name)
      .module('float32')
      .apply({'params': params(name, 'float32')}, tokens_BxL)
    )
  logps_BxLxV = jax.nn.log_softmax(output.logits[:, :-1])
  package = jnp.take_along_axis(logps_BxLxV, tokens_BxL[:, 1:, None], axis=2)
  found = _logps(
    golden(name).module('float32'), params(name, 'float32'), tokens_BxL
  )
  np.testing.assert_allclose(found, package[..., 0], atol=1e-5)


@pytest.mark.parametrize('name', ['gemma3_4b'])
def test_after_a_prefix_ours_equal_those_of_hugging_face(name):
  """The prefix ends in the fourth window; chunks have 8 tokens."""
  module, weights = golden(name).module('float32'), params(name, 'float32')
  row_L, at = tokens(name)[0], 37
  shared = prefix.encode(module, weights, row_L[:at], chunk=8)
  found = _logps_after(module, weights, shared, row_L[None, at:])
  wanted = golden(name).logps['float32'][0, at:]
  np.testing.assert_allclose(found[0], wanted, atol=1e-4)


@functools.partial(jax.jit, static_argnums=0)
def _logps_after(module, params, shared, tokens_BxL):
  index_BxL = jnp.arange(tokens_BxL.shape[1], dtype=jnp.int32)[None]
  positions_BxL = shared.length + index_BxL
  hidden_BxLxD, _ = forward.forward(
    module,
    params,
    tokens_BxL,
    positions_BxL,
    prefix_attention.after(
      shared, None, positions_BxL, jnp.ones_like(tokens_BxL)
    ),
  )
  return head.target_logps(
    module, params, hidden_BxLxD[:, :-1], tokens_BxL[:, 1:]
  )


@pytest.mark.parametrize('name', convert.NAMES)
def test_in_bfloat16_ours_are_as_accurate_as_those_of_hugging_face(name):
  """Compared with float32; bfloat16 represents the weights exactly."""
  exact = golden(name).logps['float32']
  error = np.abs(ours(name, 'bfloat16') - exact)
  theirs = np.abs(golden(name).logps['bfloat16'] - exact)
  assert ours(name, 'bfloat16').dtype == np.float32
  # What we promise: 0.03 nats per token on average, at most 0.15.
  assert error.mean() < 0.03 and error.max() < 0.15
  assert error.mean() < 1.05 * theirs.mean()
