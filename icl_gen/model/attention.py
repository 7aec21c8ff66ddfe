"""Attention masks, the plain softmax, and the merging of partial results.

The softmax is always in float32. Cores for long keys are in `cores`.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

# Finite, so that a row with nothing to attend to gives numbers, not NaN.
MASKED = -1e30
# A lower bound for the largest logit of a query: far below every real logit,
# far above MASKED, so that a masked key has weight exp(MASKED - FLOOR) = 0 even
# where every key is masked.
FLOOR = MASKED / 2


@dataclasses.dataclass(frozen=True)
class Layer:
  """The properties of a layer that an attention core needs.

  Attributes:
    index: number of the layer, from 0.
    window: a query sees this many positions, up to its own; None: all.
    soft_cap: attention logits become cap * tanh(logits / cap); None: no cap.
  """

  index: int
  window: int | None
  soft_cap: float | None


@struct.dataclass
class Part:
  """Attention of queries to some of their keys; see `merged`.

  Attributes:
    out_BxNxLxH: float32, the attention output as if these were all keys; 0
      where a query sees none of them.
    lse_BxNxL: float32, the log-sum-exp of these keys' logits; FLOOR or less
      where a query sees none of them.
  """

  out_BxNxLxH: jax.Array
  lse_BxNxL: jax.Array


def visible(
  q_positions: jax.Array,
  k_positions: jax.Array,
  q_segments: jax.Array,
  k_segments: jax.Array,
  *,
  window: int | None,
) -> jax.Array:
  """Mask bool[..., L, S]: causal, in the same segment, within the window.

  Args:
    q_positions: int32[..., L].
    k_positions: int32[..., S].
    q_segments: int32[..., L]; 0 is padding.
    k_segments: int32[..., S].
    window: see `Layer`.
  """
  distance = q_positions[..., :, None] - k_positions[..., None, :]
  mask = (distance >= 0) & (
    q_segments[..., :, None] == k_segments[..., None, :]
  )
  if window is not None:
    mask &= distance < window
  return mask


def within_subtree(
  q_order_L: jax.Array, k_order_S: jax.Array, k_ends_BxS: jax.Array
) -> jax.Array:
  """Mask bool[B, L, S]: key s is visible to query t if s <= t < ends[s].

  A trie of tokens is laid out depth first, so the descendants of a token follow
  it directly, and only they and the token itself see it.

  Args:
    q_order_L: int32 indices of the queries in the row.
    k_order_S: int32 indices of the keys in the row.
    k_ends_BxS: int32 exclusive end of the subtree of each key.
  """
  return (k_order_S[None, None] <= q_order_L[None, :, None]) & (
    q_order_L[None, :, None] < k_ends_BxS[:, None]
  )


def logits(
  q_BxNxLxH: jax.Array, k_BxKxSxH: jax.Array, *, soft_cap: float | None
) -> jax.Array:
  """Attention logits, float32[B, K, G, L, S], with N = K * G query heads."""
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


def capped(logits: jax.Array, soft_cap: float | None) -> jax.Array:
  """Gemma 2's soft cap, cap * tanh(logits / cap); None changes nothing."""
  if soft_cap is None:
    return logits
  return jnp.tanh(logits / soft_cap) * soft_cap


def plain(
  q_BxNxLxH: jax.Array,
  k_BxKxSxH: jax.Array,
  v_BxKxSxH: jax.Array,
  mask_BxLxS: jax.Array,
  *,
  soft_cap: float | None,
) -> jax.Array:
  """Softmax attention that materialises all logits: the reference core.

  Returns:
    [B, N, L, H] in the dtype of the values.
  """
  scores = logits(q_BxNxLxH, k_BxKxSxH, soft_cap=soft_cap)
  scores = jnp.where(mask_BxLxS[:, None, None], scores, MASKED)
  probs = jax.nn.softmax(scores, axis=-1).astype(v_BxKxSxH.dtype)
  out = jnp.einsum('BKGLS,BKSH->BKGLH', probs, v_BxKxSxH)
  return out.reshape(q_BxNxLxH.shape)


@jax.custom_vjp
def plain_float32(
  q_BxNxLxH: jax.Array,
  k_BxKxSxH: jax.Array,
  v_BxKxSxH: jax.Array,
  mask_BxLxS: jax.Array,
) -> jax.Array:
  """`plain` in float32 and without a cap, with a gradient that is written out.

  The gradient of the softmax needs sums of weights times their cotangents, over
  all keys. They are those of the output times its cotangent, over the width of
  a head (Dao et al., arXiv 2205.14135, appendix B.2).
  """
  out, _ = _plain_float32(q_BxNxLxH, k_BxKxSxH, v_BxKxSxH, mask_BxLxS)
  return out


def _plain_float32(
  q_BxNxLxH: jax.Array,
  k_BxKxSxH: jax.Array,
  v_BxKxSxH: jax.Array,
  mask_BxLxS: jax.Array,
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
  scores = logits(q_BxNxLxH, k_BxKxSxH, soft_cap=None)
  scores = jnp.where(mask_BxLxS[:, None, None], scores, MASKED)
  probs = jax.nn.softmax(scores, axis=-1)
  out = jnp.einsum('BKGLS,BKSH->BKGLH', probs, v_BxKxSxH)
  kept = q_BxNxLxH, k_BxKxSxH, v_BxKxSxH, probs, out
  return out.reshape(q_BxNxLxH.shape), kept


def _plain_float32_gradient(
  kept: tuple[jax.Array, ...], cotangent_BxNxLxH: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array, None]:
  q_BxNxLxH, k, v, probs, out = kept
  of_out = cotangent_BxNxLxH.reshape(out.shape)
  sums = jnp.sum(of_out * out, axis=-1, keepdims=True)
  of_probs = jnp.einsum('BKGLH,BKSH->BKGLS', of_out, v)
  # See `settling`: two products take it.
  of_scores = jax.lax.optimization_barrier(probs * (of_probs - sums))
  of_q = jnp.einsum('BKGLS,BKSH->BKGLH', of_scores, k)
  of_k = jnp.einsum(
    'BKGLS,BKGLH->BKSH', of_scores, q_BxNxLxH.reshape(out.shape)
  )
  of_v = jnp.einsum('BKGLS,BKGLH->BKSH', probs, of_out)
  return of_q.reshape(q_BxNxLxH.shape), of_k, of_v, None


plain_float32.defvjp(_plain_float32, _plain_float32_gradient)


def plain_part(
  q_BxNxLxH: jax.Array,
  k_BxKxSxH: jax.Array,
  v_BxKxSxH: jax.Array,
  mask_BxLxS: jax.Array,
  *,
  soft_cap: float | None,
) -> Part:
  """`plain` in float32, with the log-sum-exp."""
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


def normalised(
  out: jax.Array, top: jax.Array, total: jax.Array
) -> tuple[jax.Array, jax.Array]:
  """The output and log-sum-exp of a softmax, from its unnormalised sums.

  Args:
    out: float32[..., H], sum of exp(logit - top) times values.
    top: float32[...], the largest logit, at least FLOOR.
    total: float32[...], sum of exp(logit - top).
  """
  # A query that sees no key has total 0.
  total = jnp.maximum(total, jnp.finfo(jnp.float32).tiny)
  return out / total[..., None], top + jnp.log(total)


def merged(parts: Sequence[Part]) -> jax.Array:
  """Attention to the keys of all parts, float32[B, N, L, H].

  Each part has weight exp(lse) (Juravsky et al. 2024, Hydragen, equation 4).
  """
  lse = functools.reduce(jnp.logaddexp, [part.lse_BxNxL for part in parts])
  weighted = (
    jnp.exp(part.lse_BxNxL - lse)[..., None] * part.out_BxNxLxH
    for part in parts
  )
  return sum(weighted, start=jnp.zeros((), jnp.float32))


def causal_blocks(
  q_BxNxLxH: jax.Array,
  k_BxKxLxH: jax.Array,
  v_BxKxLxH: jax.Array,
  positions_BxL: jax.Array,
  segments_BxL: jax.Array,
  layer: Layer,
  *,
  block: int,
  ends_BxL: jax.Array | None = None,
  core: Callable[..., Any] = plain,
) -> Any:
  """Attention within rows, a block of queries at a time.

  Equal to `core` with the mask of `visible`. The tokens of a segment are in the
  order of their positions, so the keys that a block of queries can see are a
  slice of the row: none after the block, and in local layers none further back
  than the window. Memory is B x N x block x L, and keys outside the slice cost
  nothing.

  Args:
    q_BxNxLxH: queries, scaled.
    k_BxKxLxH: keys.
    v_BxKxLxH: values.
    positions_BxL: int32 positions in the segment.
    segments_BxL: int32, 0 is padding.
    layer: window and soft cap.
    block: queries per block.
    ends_BxL: for rows that are trees (see `within_subtree`), int32 exclusive
      end of every token's subtree.
    core: (q, k, v, mask, *, soft_cap) -> a tree of arrays with the queries on
      axis 2, as `plain` and `plain_part`.

  Returns:
    what the core returns, for all queries.
  """
  L = q_BxNxLxH.shape[2]
  out = []
  for start in range(0, L, block):
    stop = min(start + block, L)
    first = 0
    # In a tree positions are depths, so a token further back in the row than
    # the window may still be within it.
    if layer.window is not None and ends_BxL is None:
      first = max(0, start - layer.window + 1)
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
