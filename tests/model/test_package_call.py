"""Gemma 3n and 4: rows are scored as the package itself predicts them."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gemma import gm

from icl_gen.model import package_call, registry
from tests import tiny

LENGTH = 16
# What all have, small; the second half of the layers shares keys and values,
# where the model does that at all.
SMALL = {
  'num_embed': 256,
  'embed_dim': 32,
  'hidden_dim': 48,
  'num_heads': 4,
  'head_dim': 16,
  'sliding_window_size': 5,
}
DIFFERENCES = {
  'gemma3n_e2b': {
    'num_kv_heads': 2,
    'per_layer_input_dim': 8,
    'laurel_rank': 8,
    'activation_sparsity_pattern': (0.95, 0.95, 0.0, 0.0),
  },
  'gemma4_e2b': {'per_layer_input_dim': 8, 'global_key_size': 32},
  'gemma4_26b_a4b': {
    'num_kv_heads': 2,
    'num_global_kv_heads': 1,
    'global_key_size': 32,
    'num_experts': 4,
    'expert_dim': 16,
    'top_k_experts': 2,
    'moe_dense_hidden_dim': 24,
  },
}


@functools.cache
def module(name):
  released = registry.make_module(name)
  config = released.config
  by_name = {kind.name: kind for kind in config.attention_types}
  kinds = by_name['LOCAL_SLIDING'], by_name['GLOBAL']
  changes = SMALL | DIFFERENCES[name] | {'attention_types': 2 * kinds}
  if config.kv_cache_sharing_config is not None:
    changes['kv_cache_sharing_config'] = dataclasses.replace(
      config.kv_cache_sharing_config, frac_shared_layers=0.5
    )
  return type(released)(
    config=dataclasses.replace(config, **changes),
    dtype=jnp.dtype('float32'),
    tokens='tokens',
    text_only=True,
  )


@functools.cache
def params(name):
  tokens = np.ones((1, 2), np.int32)
  shapes = jax.eval_shape(
    lambda: module(name).init(jax.random.key(0), tokens)['params']
  )
  rng = np.random.default_rng(0)
  return jax.tree.map(
    lambda leaf: jnp.asarray(
      (0.3 if leaf.ndim < 2 else 32**-0.5) * rng.standard_normal(leaf.shape),
      leaf.dtype,
    ),
    shapes,
  )


@pytest.mark.parametrize(
  'name',
  [
    pytest.param('gemma3n_e2b', marks=pytest.mark.slow),
    'gemma4_e2b',
    pytest.param('gemma4_26b_a4b', marks=pytest.mark.slow),
  ],
)
def test_texts_in_rows_are_as_the_package_predicts_them(name):
  """Row 0 holds two texts and padding, row 1 one text."""
  rng = np.random.default_rng(1)
  texts = [rng.integers(5, 250, n).astype(np.int32) for n in (8, 6, LENGTH)]
  tokens_BxL = np.zeros((2, LENGTH), np.int32)
  tokens_BxL[0, :14] = np.concatenate(texts[:2])
  tokens_BxL[1] = texts[2]
  positions = [[*range(8), *range(6), 0, 0], [*range(LENGTH)]]
  segments = [[1] * 8 + [2] * 6 + [0] * 2, [1] * LENGTH]
  with jax.numpy_rank_promotion('allow'):  # in the package
    found = package_call.row_logps(
      module(name),
      params(name),
      tokens_BxL,
      np.int32(positions),
      np.int32(segments),
    )
    alone = np.zeros((3, LENGTH), np.int32)
    for row, text in zip(alone, texts, strict=True):
      row[: len(text)] = text
    output = module(name).apply({'params': params(name)}, alone)
  wanted = jnp.take_along_axis(
    jax.nn.log_softmax(output.logits[:, :-1]), alone[:, 1:, None], axis=2
  )[..., 0]
  assert isinstance(output.logits, jax.Array) and wanted.std() > 0.1
  np.testing.assert_allclose(found[0, :7], wanted[0, :7], atol=1e-5)
  np.testing.assert_allclose(found[0, 8:13], wanted[1, :5], atol=1e-5)
  np.testing.assert_allclose(found[1, :15], wanted[2], atol=1e-5)


def test_the_plain_architectures_can_be_computed_so_too():
  ids = np.stack([tiny.ids(12, seed=1)])
  found = package_call.row_logps(
    tiny.module('gemma2'),
    tiny.params('gemma2'),
    ids,
    np.arange(12, dtype=np.int32)[None],
    np.ones_like(ids),
  )
  wanted = tiny.logps('gemma2', ids[0])
  np.testing.assert_allclose(found[0, :-1], wanted, atol=1e-5)
  assert isinstance(tiny.module('gemma2'), gm.nn.Transformer)
