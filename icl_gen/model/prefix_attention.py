"""Attention of tokens that follow a shared prefix."""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from icl_gen.model import attention, cores, forward

if TYPE_CHECKING:  # `prefix` encodes with the attention of this module.
  from icl_gen.model.prefix import LayerPrefix, Prefix

# Of one layer: k_BxKxSxH, v_BxKxSxH, positions_BxS, segments_BxS.
LayerCache = tuple[jax.Array, jax.Array, jax.Array, jax.Array]


def after(
  prefix: 'Prefix | None',
  cache: Sequence[LayerCache] | None,
  positions_BxL: jax.Array,
  segments_BxL: jax.Array,
  ends_BxL: jax.Array | None = None,
) -> forward.Attend:
  """Attention of tokens that follow a shared prefix and a cache per row.

  Args:
    prefix: shared by all rows, or None.
    cache: per layer, earlier tokens of each row; or None.
    positions_BxL: int32 absolute positions of the tokens.
    segments_BxL: int32, 0 is padding.
    ends_BxL: for rows that are trees of tokens, int32 exclusive end of every
      token's subtree in the row: s is visible to t if s <= t < ends[s], within
      segment and window. None: rows are texts. Not together with a cache.

  Returns:
    an attention core for `forward`; it keeps the tokens' keys and values.
  """
  assert cache is None or ends_BxL is None

  def attend(
    layer: attention.Layer, q: jax.Array, k: jax.Array, v: jax.Array, /
  ) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    to_own = functools.partial(
      _to_own,
      q,
      k,
      v,
      None if cache is None else cache[layer.index],
      positions_BxL,
      segments_BxL,
      ends_BxL,
      layer,
    )
    if prefix is None:
      return to_own(core=attention.plain), (k, v)
    shared = prefix.layers[layer.index]
    parts = [
      _to_shared(prefix.core, q, shared, positions_BxL, layer),
      to_own(core=attention.plain_part),
    ]
    return attention.merged(parts).astype(v.dtype), (k, v)

  return attend


def _to_own(
  q: jax.Array,
  k: jax.Array,
  v: jax.Array,
  cache: LayerCache | None,
  positions_BxL: jax.Array,
  segments_BxL: jax.Array,
  ends_BxL: jax.Array | None,
  layer: attention.Layer,
  *,
  core: Any,
) -> Any:
  """Attention to the keys of each row itself: its cache and its tokens."""
  if cache is None:
    return attention.causal_blocks(
      q,
      k,
      v,
      positions_BxL,
      segments_BxL,
      layer,
      block=forward.QUERY_BLOCK,
      ends_BxL=ends_BxL,
      core=core,
    )
  k, v, k_positions_BxS, k_segments_BxS = (
    jnp.concatenate(both, axis=axis)
    for both, axis in zip(
      zip(cache, (k, v, positions_BxL, segments_BxL), strict=True),
      (2, 2, 1, 1),
      strict=True,
    )
  )
  mask = attention.visible(
    positions_BxL,
    k_positions_BxS,
    segments_BxL,
    k_segments_BxS,
    window=layer.window,
  )
  return core(q, k, v, mask, soft_cap=layer.soft_cap)


def _to_shared(
  wanted: str,
  q_BxNxLxH: jax.Array,
  shared: 'LayerPrefix',
  positions_BxL: jax.Array,
  layer: attention.Layer,
) -> attention.Part:
  """Attention to the prefix, whose keys have no batch axis."""
  B, N, L, H = q_BxNxLxH.shape
  # All rows become one row of B x L queries, so the keys are never copied.
  q_1xNxTxH = jnp.swapaxes(q_BxNxLxH, 0, 1).reshape(1, N, B * L, H)
  part = cores.to_earlier(
    wanted,
    q_1xNxTxH,
    shared.k_KxPxH[None],
    shared.v_KxPxH[None],
    positions_BxL.reshape(1, B * L),
    shared.positions_P[None],
    layer,
  )
  out_BxNxLxH, lse_BxNxL = (
    jnp.swapaxes(x_1xNxT.reshape(N, B, L, *x_1xNxT.shape[3:]), 0, 1)
    for x_1xNxT in (part.out_BxNxLxH, part.lse_BxNxL)
  )
  return attention.Part(out_BxNxLxH, lse_BxNxL)
