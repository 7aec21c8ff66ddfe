"""Gemma 3n and 4, through the package's own call.

They share keys and values among layers, mix several streams, or route to
experts: `forward` knows none of it. What is computed here is right, but without
the prefix trick: a context stands in every row. The package makes attention
logits of all heads for whole rows.
"""

import functools

import jax
import jax.numpy as jnp

from icl_gen.model import attention, head


@functools.partial(jax.jit, static_argnums=0)
def row_logps(module, params, tokens_BxL, positions_BxL, segments_BxL):
  """Log-probability of the next token of each, float32[B, L].

  Args:
    module: from `registry.make_module`; any model.
    params: its parameters.
    tokens_BxL: int32.
    positions_BxL: int32 positions in the segment.
    segments_BxL: int32, 0 is padding; tokens see their segment only.

  Returns:
    at l, log p of token l + 1; of no meaning at the end of a segment.
  """
  mask_BxLxL = attention.visible(
    positions_BxL, positions_BxL, segments_BxL, segments_BxL, window=None
  )
  # The package adds its windows. The logits that it makes are not used, so
  # they are compiled away.
  output = module.apply(
    {'params': params},
    tokens_BxL,
    positions=positions_BxL,
    attention_mask=mask_BxLxL,
    return_hidden_states=True,
  )
  targets_BxL = jnp.roll(tokens_BxL, -1, axis=1)
  return head.target_logps(module, params, output.hidden_states, targets_BxL)
