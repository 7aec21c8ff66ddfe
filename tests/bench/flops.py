"""Floating-point operations of matrix products: two for each multiply-add."""

import numpy as np

from icl_gen.model import forward


def of_positions(module, positions_T, *, logits):
  """Operations of a forward pass that computes nothing in vain.

  Args:
    module: the model.
    positions_T: position of every token; it sees all before it, in local
      layers a window of them.
    logits: number of positions that meet the vocabulary.
  """
  keys = [
    np.minimum(np.asarray(positions_T) + 1, window or np.inf).sum()
    for window in forward.windows(module)
  ]
  return _count(module, len(positions_T), sum(keys), logits)


def of_rows(module, rows, length):
  """Operations of whole rows as harnesses run them.

  Every position meets the vocabulary, and attention is a matrix over the whole
  row, whatever of it is masked.
  """
  tokens = rows * length
  keys = tokens * length * len(forward.windows(module))
  return _count(module, tokens, keys, tokens)


def _count(module, tokens, keys, logits):
  config = module.config
  heads = config.num_heads * config.head_dim
  both = 2 * config.num_kv_heads * config.head_dim
  layer = config.embed_dim * (2 * heads + both + 3 * config.hidden_dim)
  weights = len(config.attention_types) * layer
  return float(
    2 * tokens * weights
    + 4 * keys * heads
    + 2 * logits * config.embed_dim * config.num_embed
  )
