"""A context encoded once: keys and values that every question shares.

Keys and values have no batch axis, so nothing is copied per question. Local
layers keep only the last window - 1 positions, which is all that a later token
can see. Masks go by positions, never by buffer indices.
"""

import functools

import flax
import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.model import attention, forward

# Lengths are rounded up to this, so that few programs are compiled.
BUCKET = 512


@flax.struct.dataclass
class LayerPrefix:
  """What one layer keeps.

  Attributes:
    k_KxPxH: keys, rotated.
    v_KxPxH: values.
    positions_P: int32 positions; -1 where the buffer is empty.
  """

  k_KxPxH: jax.Array
  v_KxPxH: jax.Array
  positions_P: jax.Array


@flax.struct.dataclass
class Prefix:
  """An encoded context.

  Attributes:
    layers: one `LayerPrefix` per layer.
    length: int32 scalar, number of tokens; the next position.
  """

  layers: tuple[LayerPrefix, ...]
  length: jax.Array


def encode(module, params, ids: np.ndarray) -> Prefix:
  """Encodes a context.

  Args:
    module: from `registry.make_module`.
    params: its parameters.
    ids: int32[P], BOS first.

  Returns:
    the prefix; local layers are trimmed to their window.
  """
  assert len(ids) > 0
  padded_P = np.zeros(-(-len(ids) // BUCKET) * BUCKET, np.int32)
  padded_P[: len(ids)] = ids
  return _encode(module, params, padded_P, np.int32(len(ids)))


@functools.partial(jax.jit, static_argnums=0)
def _encode(module, params, tokens_P: jax.Array, length: jax.Array) -> Prefix:
  P = tokens_P.shape[0]
  positions_P = jnp.arange(P, dtype=jnp.int32)
  segments_P = jnp.where(positions_P < length, 1, 0)
  _, kept = forward.forward(
    module,
    params,
    tokens_P[None],
    positions_P[None],
    forward.within_batch(positions_P[None], segments_P[None]),
  )
  positions_P = jnp.where(segments_P == 1, positions_P, -1)
  layers = [
    _trim(k[0], v[0], positions_P, length, window=window)
    for (k, v), window in zip(kept, forward.windows(module), strict=True)
  ]
  return Prefix(layers=tuple(layers), length=length)


def _trim(k_KxPxH, v_KxPxH, positions_P, length, *, window) -> LayerPrefix:
  P = positions_P.shape[0]
  if window is None or window - 1 >= P:
    return LayerPrefix(k_KxPxH, v_KxPxH, positions_P)
  size = max(window - 1, 1)
  start = jnp.maximum(length - size, 0)
  take = functools.partial(
    jax.lax.dynamic_slice_in_dim, start_index=start, slice_size=size
  )
  return LayerPrefix(
    take(k_KxPxH, axis=1), take(v_KxPxH, axis=1), take(positions_P)
  )


def after(
  prefix: Prefix | None, cache, positions_BxL, segments_BxL, ends_BxL=None
):
  """Attention of tokens that follow a shared prefix and a cache of their own.

  Args:
    prefix: shared by all rows, or None.
    cache: per layer (k_BxKxSxH, v_BxKxSxH, positions_BxS, segments_BxS) of
      earlier tokens of each row, or None.
    positions_BxL: int32 absolute positions of the tokens.
    segments_BxL: int32, 0 is padding.
    ends_BxL: int32 where each token's subtree ends, of rows that are trees
      (see `scoring.tree`), positions being depths; there is no cache then.
      None: rows are plain.

  Returns:
    an attend function; it keeps the tokens' keys and values.
  """

  def attend(layer, q, k, v):
    parts = [(k, v, positions_BxL, segments_BxL)]
    if cache is not None:
      parts.insert(0, cache[layer.index])
    own = _joined(parts)
    own_mask = attention.visible(
      positions_BxL, own[2], segments_BxL, own[3], window=layer.window
    )
    if ends_BxL is not None:
      order_L = jnp.arange(ends_BxL.shape[1])
      own_mask &= attention.within_subtree(order_L, order_L, ends_BxL)
    shared = None if prefix is None else prefix.layers[layer.index]
    out = _attend_to_both(q, own, own_mask, shared, positions_BxL, layer)
    return out, (k, v)

  return attend


def _joined(parts):
  axes = (2, 2, 1, 1)
  return tuple(
    jnp.concatenate([part[i] for part in parts], axis=axis)
    for i, axis in enumerate(axes)
  )


def _attend_to_both(q_BxNxLxH, own, own_mask, shared, positions_BxL, layer):
  """One softmax over the shared prefix and the row's own keys."""
  k_BxKxSxH, v_BxKxSxH, _, _ = own
  if shared is None:
    return attention.plain(
      q_BxNxLxH, k_BxKxSxH, v_BxKxSxH, own_mask, soft_cap=layer.soft_cap
    )
  B, N, L, H = q_BxNxLxH.shape
  K = k_BxKxSxH.shape[1]
  q_BxKxGxLxH = q_BxNxLxH.reshape(B, K, N // K, L, H)
  # No batch axis on the keys: one large matrix product for all rows.
  to_shared = attention.capped(
    jnp.einsum(
      'BKGLH,KPH->BKGLP',
      q_BxKxGxLxH,
      shared.k_KxPxH,
      preferred_element_type=jnp.float32,
    ),
    layer.soft_cap,
  )
  distance_BxLxP = positions_BxL[:, :, None] - shared.positions_P[None, None]
  seen = (shared.positions_P >= 0)[None, None] & (distance_BxLxP >= 0)
  if layer.window is not None:
    seen &= distance_BxLxP < layer.window
  to_own = attention.logits(q_BxNxLxH, k_BxKxSxH, soft_cap=layer.soft_cap)
  both = jnp.concatenate(
    [
      jnp.where(seen[:, None, None], to_shared, attention.MASKED),
      jnp.where(own_mask[:, None, None], to_own, attention.MASKED),
    ],
    axis=-1,
  )
  probs = jax.nn.softmax(both, axis=-1).astype(v_BxKxSxH.dtype)
  P = shared.positions_P.shape[0]
  out = jnp.einsum('BKGLP,KPH->BKGLH', probs[..., :P], shared.v_KxPxH)
  out += jnp.einsum('BKGLS,BKSH->BKGLH', probs[..., P:], v_BxKxSxH)
  return out.reshape(B, N, L, H)
