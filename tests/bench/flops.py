"""Counts floating-point operations of matrix products: two per multiply-add."""

import numpy as np

from icl_gen.model import forward


def of_positions(module, positions_T, *, logits):
  """Operations of a forward pass without waste.

  Args:
    module: the model.
    positions_T: position of every token, which attends to all before it, or to
      the window in local layers.
    logits: number of positions whose logits over the vocabulary are computed.
  """
  keys = [
    np.minimum(np.asarray(positions_T) + 1, window or np.inf).sum()
    for window in forward.windows(module)
  ]
  return _count(module, len(positions_T), sum(keys), logits)


def of_rows(module, rows, length):
  """Operations of whole rows as evaluation harnesses run them.

  Logits are computed for every position, and attention over the whole row,
  masked or not.
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
