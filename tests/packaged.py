"""Tiny Gemma 3n and 4 with random weights; see tiny.py."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.model import registry
from tests import tiny

# Sizes of all models. Where a model shares keys and values among layers, the
# second half of the layers shares them.
SMALL = {
  'num_embed': tiny.VOCABULARY,
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
def shapes(name):
  tokens = np.ones((1, 2), np.int32)
  with jax.numpy_rank_promotion('allow'):  # in the package
    return jax.eval_shape(
      lambda: module(name).init(jax.random.key(0), tokens)['params']
    )


@functools.cache
def params(name):
  rng = np.random.default_rng(0)
  return jax.tree.map(
    lambda leaf: jnp.asarray(
      (0.3 if leaf.ndim < 2 else 32**-0.5) * rng.standard_normal(leaf.shape),
      leaf.dtype,
    ),
    shapes(name),
  )
