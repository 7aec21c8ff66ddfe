"""Attention: who sees whom, the plain softmax, and the merging of its parts.

Softmax is always in float32. The cores for long keys are in `cores`.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import flax
import jax
import jax.numpy as jnp

# Finite, so that a row with nothing to attend to gives numbers, not NaN.
MASKED = -1e30
# The floor under the largest logit of a query: far below all that is seen, far
# above MASKED, so that what is masked weighs exp(MASKED - FLOOR) = 0.
FLOOR = MASKED / 2


@dataclasses.dataclass(frozen=True)
class Layer:
  """What an attention core has to know of its layer.

  Attributes:
    index: number of the layer, from 0.
    window: a query sees this many last positions, itself included; None: all.
    soft_cap: attention logits are capped as cap * tanh(logits / cap); None: no.
  """

  index: int
  window: int | None
  soft_cap: float | None


@flax.struct.dataclass
class Part:
  """Attention of queries to a part of their keys; parts can be merged.

  Attributes:
    out_BxNxLxH: float32, the softmax over the part's keys applied to its
      values; 0 where a query sees none of them.
    lse_BxNxL: float32, log of the summed exp of the part's logits; FLOOR or
      less where a query sees none of them.
  """

  out_BxNxLxH: jax.Array
  lse_BxNxL: jax.Array


def visible(q_positions, k_positions, q_segments, k_segments, *, window):
  """Mask bool[..., L, S]: causal, in the same segment, within the window.

  Args:
    q_positions: int32[..., L].
    k_positions: int32[..., S].
    q_segments: int32[..., L]; 0 is padding.
    k_segments: int32[..., S].
    window: int or None.
  """
  distance = q_positions[..., :, None] - k_positions[..., None, :]
  mask = (distance >= 0) & (
    q_segments[..., :, None] == k_segments[..., None, :]
  )
  if window is not None:
    mask &= distance < window
  return mask


def within_subtree(q_order_L, k_order_S, k_ends_BxS):
  """Mask bool[B, L, S]: s <= t < ends[s], in the order of the buffer.

  A trie of tokens is laid out depth first, so that the descendants of a token
  follow it directly: a token is seen by itself and by them.

  Args:
    q_order_L: int32 places of the queries in the buffer.
    k_order_S: int32 places of the keys.
    k_ends_BxS: int32 exclusive end of the subtree of each key.
  """
  return (k_order_S[None, None] <= q_order_L[None, :, None]) & (
    q_order_L[None, :, None] < k_ends_BxS[:, None]
  )


def logits(q_BxNxLxH, k_BxKxSxH, *, soft_cap):
  """Attention logits float32[B, K, G, L, S] with N = K * G query heads."""
  B, N, L, H = q_BxNxLxH.shape
  K = k_BxKxSxH.shape[1]
  q_BxKxGxLxH = q_BxNxLxH.reshape(B, K, N // K, L, H)
  out = jnp.einsum(
    'BKGLH,BKSH->BKGLS',
    q_BxKxGxLxH,
    k_BxKxSxH,
    preferred_element_type=jnp.float32,
  )
  return capped(out, soft_cap)


def capped(logits, soft_cap):
  """Gemma 2's soft cap, cap * tanh(logits / cap); None leaves them."""
  if soft_cap is None:
    return logits
  return jnp.tanh(logits / soft_cap) * soft_cap


def plain(q_BxNxLxH, k_BxKxSxH, v_BxKxSxH, mask_BxLxS, *, soft_cap):
  """Softmax attention with everything materialised; the reference.

  Returns:
    [B, N, L, H] in the dtype of the values.
  """
  scores = logits(q_BxNxLxH, k_BxKxSxH, soft_cap=soft_cap)
  scores = jnp.where(mask_BxLxS[:, None, None], scores, MASKED)
  probs = jax.nn.softmax(scores, axis=-1).astype(v_BxKxSxH.dtype)
  out = jnp.einsum('BKGLS,BKSH->BKGLH', probs, v_BxKxSxH)
  return out.reshape(q_BxNxLxH.shape)


def plain_part(
  q_BxNxLxH, k_BxKxSxH, v_BxKxSxH, mask_BxLxS, *, soft_cap
) -> Part:
  """`plain`, unrounded and with its log-sum-exp."""
  scores = logits(q_BxNxLxH, k_BxKxSxH, soft_cap=soft_cap)
  scores = jnp.where(mask_BxLxS[:, None, None], scores, MASKED)
  top = jnp.maximum(jnp.max(scores, axis=-1), FLOOR)
  weights = jnp.exp(scores - top[..., None])
  out = jnp.einsum(
    'BKGLS,BKSH->BKGLH',
    weights.astype(v_BxKxSxH.dtype),
    v_BxKxSxH,
    preferred_element_type=jnp.float32,
  )
  out, lse = normalised(out, top, jnp.sum(weights, axis=-1))
  return Part(out.reshape(q_BxNxLxH.shape), lse.reshape(q_BxNxLxH.shape[:-1]))


def normalised(out, top, total):
  """What a softmax comes to, from its unnormalised sums.

  Args:
    out: float32[..., H], sum of exp(logit - top) times values.
    top: float32[...], the largest logit, at least FLOOR.
    total: float32[...], sum of exp(logit - top).

  Returns:
    out and log-sum-exp of a `Part`.
  """
  total = jnp.maximum(total, jnp.finfo(jnp.float32).tiny)
  return out / total[..., None], top + jnp.log(total)


def merged(parts: Sequence[Part]) -> jax.Array:
  """Attention to the keys of all parts, float32[B, N, L, H].

  Each part weighs exp(lse) (Juravsky et al. 2024, Hydragen, equation 4).
  """
  lse = functools.reduce(jnp.logaddexp, [part.lse_BxNxL for part in parts])
  return sum(
    jnp.exp(part.lse_BxNxL - lse)[..., None] * part.out_BxNxLxH
    for part in parts
  )


def causal_blocks(
  q_BxNxLxH,
  k_BxKxLxH,
  v_BxKxLxH,
  positions_BxL,
  segments_BxL,
  layer,
  *,
  block,
  ends_BxL=None,
  core: Callable = plain,
):
  """Attention within rows, a block of queries at a time.

  Equal to `core` with the mask of `visible`. In a row, tokens of a segment
  stand in the order of their positions, so the keys that a block of queries
  can see are a slice: nothing after the block, and for local layers nothing
  that is a window before it. Memory is B x N x block x L at a time and the
  work of masked tiles is saved.

  Args:
    q_BxNxLxH: queries, scaled.
    k_BxKxLxH: keys.
    v_BxKxLxH: values.
    positions_BxL: int32 positions in the segment.
    segments_BxL: int32, 0 is padding.
    layer: window and soft cap.
    block: queries per block.
    ends_BxL: for rows that are trees (see `within_subtree`), int32 exclusive
      end of every token's subtree. Positions are depths then, so what stands a
      window before a token in the row may still be within its window.
    core: (q, k, v, mask, *, soft_cap) -> arrays with the queries on axis 2.

  Returns:
    what the core returns, of all queries.
  """
  L = q_BxNxLxH.shape[2]
  out = []
  for start in range(0, L, block):
    stop = min(start + block, L)
    everything = layer.window is None or ends_BxL is not None
    first = 0 if everything else max(0, start - layer.window + 1)
    queries, keys = slice(start, stop), slice(first, stop)
    mask = visible(
      positions_BxL[:, queries],
      positions_BxL[:, keys],
      segments_BxL[:, queries],
      segments_BxL[:, keys],
      window=layer.window,
    )
    if ends_BxL is not None:
      order_L = jnp.arange(L)
      mask &= within_subtree(order_L[queries], order_L[keys], ends_BxL[:, keys])
    out.append(
      core(
        q_BxNxLxH[:, :, queries],
        k_BxKxLxH[:, :, keys],
        v_BxKxLxH[:, :, keys],
        mask,
        soft_cap=layer.soft_cap,
      )
    )
  if len(out) == 1:
    return out[0]
  return jax.tree.map(lambda *blocks: jnp.concatenate(blocks, axis=2), *out)
