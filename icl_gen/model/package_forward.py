"""Gemma 3n and 4, computed by the gemma package itself.

Their layers share keys and values, mix several streams, or route to experts,
which `forward` does not implement. The results are exact, but a context is
recomputed in every row, and the package materialises the attention logits of
all heads.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from icl_gen.model import attention, head, precision
from icl_gen.model.parameters import Params


@functools.partial(jax.jit, static_argnums=0)
@precision.of_module
def row_logps(
  module: Any,
  params: Params,
  tokens_BxL: jax.Array,
  positions_BxL: jax.Array,
  segments_BxL: jax.Array,
) -> jax.Array:
  """Log-probability of each token's successor, float32[B, L].

  Args:
    module: from `registry.make_module`; any model.
    params: its parameters.
    tokens_BxL: int32.
    positions_BxL: int32 positions in the segment.
    segments_BxL: int32, 0 is padding; tokens see their own segment only.

  Returns:
    at l, log p of token l + 1; undefined at the end of a segment.
  """
  hidden_BxLxD = hidden_states(
    module, params, tokens_BxL, positions_BxL, segments_BxL
  )
  targets_BxL = jnp.roll(tokens_BxL, -1, axis=1)
  return head.target_logps(module, params, hidden_BxLxD, targets_BxL)


def hidden_states(
  module: Any,
  params: Params,
  tokens_BxL: jax.Array,
  positions_BxL: jax.Array,
  segments_BxL: jax.Array,
) -> jax.Array:
  """Hidden states [B, L, D] after the final norm; arguments as `row_logps`."""
  mask_BxLxL = attention.visible(
    positions_BxL, positions_BxL, segments_BxL, segments_BxL, window=None
  )
  # The package adds its own windows. Its logits are unused, so the compiler
  # removes them.
  output = module.apply(
    {'params': params},
    tokens_BxL,
    positions=positions_BxL,
    attention_mask=mask_BxLxL,
    return_hidden_states=True,
  )
  found: jax.Array = output.hidden_states
  return found
