"""Tiny Gemmas with random weights, a tokenizer, and slow references.

Everything is cached, so that programs are compiled once per process. The window
is 5 tokens, so that short rows exceed it. The dialects:
  gemma3        grouped queries, query and key norms
  gemma2        both soft caps, no query and key norms
  one_key_head  one key head as Gemma 3 1B; RoPE scaled as Gemma 3 4B
  all_key_heads as many key heads as heads; queries scaled as Gemma 2 27B
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gemma import gm

from icl_gen.model import sharding
from icl_gen.model.loading import Model
from icl_gen.pretraining import vocabulary
from icl_gen.text import tokens

DIALECTS = ('gemma3', 'gemma2', 'one_key_head', 'all_key_heads')
VOCABULARY = 1792
WINDOW = 5
# Length of rows in the package's own forward pass, padding included.
LONGEST = 128

_GEMMA3 = {
  'final_logit_softcap': None,
  'use_qk_norm': True,
  'transpose_gating_einsum': True,
  'local_base_frequency': 100,
  'global_base_frequency': 10_000,
}
_GEMMA2 = {
  'final_logit_softcap': 2.0,
  'attn_logits_soft_cap': 1.5,
  'use_qk_norm': False,
  'transpose_gating_einsum': False,
}
_BY_WIDTH = (
  gm.nn.config.QueryPreAttentionNormalisation
).BY_ONE_OVER_SQRT_EMBED_DIM_DIV_NUM_HEADS
_TWO = (gm.nn.AttentionType.LOCAL_SLIDING, gm.nn.AttentionType.GLOBAL)
_RUNS = (2 * (_TWO[0],) + (_TWO[1],)) * 2 + 2 * (_TWO[0],)
_DIFFERENCES = {
  'gemma3': _GEMMA3 | {'num_kv_heads': 2, 'attention_types': 2 * _TWO},
  # Two blocks, and layers that are less than a block.
  'runs': _GEMMA3 | {'num_kv_heads': 2, 'attention_types': _RUNS},
  'gemma2': _GEMMA2 | {'num_kv_heads': 2, 'attention_types': 2 * _TWO},
  'one_key_head': _GEMMA3
  | {
    'num_kv_heads': 1,
    'attention_types': _TWO,
    'global_scale_factor': 8.0,
  },
  'all_key_heads': _GEMMA2
  | {
    'num_kv_heads': 4,
    'attention_types': _TWO,
    'query_pre_attn_norm': _BY_WIDTH,
  },
}


@pytest.fixture(autouse=True)
def quick_compiles():
  """For a conftest.py: most programs of tests run only a few times."""
  before = jax.config.read('jax_disable_most_optimizations')
  jax.config.update('jax_disable_most_optimizations', True)
  yield
  jax.config.update('jax_disable_most_optimizations', before)


@functools.cache
def module(dialect, dtype='float32'):
  config = gm.nn.config.TransformerConfig(
    num_embed=VOCABULARY,
    embed_dim=32,
    hidden_dim=48,
    num_heads=4,
    head_dim=16,
    use_post_attn_norm=True,
    use_post_ffw_norm=True,
    sliding_window_size=WINDOW,
    **_DIFFERENCES[dialect],
  )
  return gm.nn.Transformer(
    config=config, dtype=jnp.dtype(dtype), tokens='tokens'
  )


@functools.cache
def shapes(dialect):
  """The parameter tree as shapes, without computing it."""
  start = functools.partial(
    module(dialect).init, jax.random.key(0), jnp.zeros((1, 2), jnp.int32)
  )
  return jax.eval_shape(start)['params']


@functools.cache
def params(dialect, dtype='float32'):
  """Random weights, scaled to keep activations near 1; norms vary."""
  rng = np.random.default_rng(0)

  def draw(path, leaf):
    name = jax.tree_util.keystr(path)
    size = 0.3 if leaf.ndim == 1 or 'embedding' in name else 32**-0.5
    return jnp.asarray(size * rng.standard_normal(leaf.shape), dtype)

  return jax.tree_util.tree_map_with_path(draw, shapes(dialect))


@functools.cache
def tokenizer_bytes():
  return vocabulary.train(size=VOCABULARY, seed='tiny')


@functools.cache
def model(dialect='gemma3'):
  tokenizer = tokens.Tokenizer(tokenizer_bytes())
  return Model(dialect, module(dialect), params(dialect), tokenizer)


def ids(count, *, seed=0):
  """BOS and random ids that are not special, int32[count]."""
  rng = np.random.default_rng(seed)
  drawn_L = rng.integers(200, VOCABULARY, size=count)
  return np.concatenate([[2], drawn_L])[:count].astype(np.int32)


def logits(dialect, ids_L, *, weights=None, dtype='float32'):
  """Reference logits float32[L, V], by the package's own `__call__`."""
  # Attention is causal, so padding after the row changes nothing; any id but
  # 0, which the package masks, will do.
  row_1xL = np.full((1, LONGEST), 5, np.int32)
  row_1xL[0, : len(ids_L)] = ids_L
  weights = params(dialect, dtype) if weights is None else weights
  found = module(dialect, dtype).apply({'params': weights}, row_1xL)
  return np.asarray(found.logits.astype('float32'))[0, : len(ids_L)]


def logps(dialect, ids_L, *, weights=None):
  """Log-probability float64[L - 1] of every id after the first."""
  logits_LxV = logits(dialect, ids_L, weights=weights).astype(np.float64)
  chosen = np.take_along_axis(logits_LxV[:-1], ids_L[1:, None], axis=1)[:, 0]
  return chosen - np.log(np.exp(logits_LxV[:-1]).sum(axis=1))


def placed(mesh, module, params):
  """The weights on a mesh, sharded by `sharding.shardings`."""
  return jax.device_put(params, sharding.shardings(mesh, module, params))
