"""Attention by an online softmax over tiles of logits, on any device.

Memory is linear in the length, in the gradient as well.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from icl_gen.model import attention, place

# (queries x heads of a group, keys) of a tile of logits. On a CPU, 2 MiB stay
# in the cache and still occupy two threads; tiles of 256 x 256 did not, and
# made long contexts 28 % slower.
TILE_ON_CPU = (1024, 512)
TILE_ON_ACCELERATOR = (8192, 1024)
# Positions int32[B, L] and segments int32[B, L] of queries or keys.
Places = tuple[jax.Array, jax.Array]


def part(
  q_BxNxLxH: jax.Array,
  k_BxKxSxH: jax.Array,
  v_BxKxSxH: jax.Array,
  q_places: Places,
  k_places: Places,
  layer: attention.Layer,
  *,
  tile: tuple[int, int] | None = None,
) -> attention.Part:
  """Online softmax (Milakov and Gimelshein 2018) over tiles of logits.

  Blocks of keys after the last one in use (segment > 0) are skipped. Their
  number is part of the data, so it may change without recompilation.

  Args:
    q_BxNxLxH: queries, scaled.
    k_BxKxSxH: keys.
    v_BxKxSxH: values.
    q_places: positions and segments of the queries.
    k_places: positions and segments of the keys.
    layer: window and soft cap.
    tile: queries (x heads of a group) and keys per tile; None: suits the
      device.
  """
  B, N, L, H = q_BxNxLxH.shape
  _, K, S, _ = k_BxKxSxH.shape
  G = N // K
  if tile is None:
    on_cpu = place.platform() == 'cpu'
    tile = TILE_ON_CPU if on_cpu else TILE_ON_ACCELERATOR
  queries, keys = min(max(tile[0] // G, 1), L), min(tile[1], S)
  in_use = jnp.max(jnp.where(k_places[1] > 0, jnp.arange(1, S + 1)[None], 0))
  blocks = -(-in_use // keys)

  def of_row(
    q_NxLxH: jax.Array,
    k_KxSxH: jax.Array,
    v_KxSxH: jax.Array,
    q_places: Places,
    k_places: Places,
  ) -> tuple[jax.Array, jax.Array]:
    of_tile = functools.partial(
      _of_tile,
      k_KxSxH=k_KxSxH,
      v_KxSxH=v_KxSxH,
      k_places=k_places,
      layer=layer,
      blocks=blocks,
      keys=keys,
    )
    if queries == L:
      return of_tile(q_NxLxH.reshape(K, G, L, H), *q_places)
    count = -(-L // queries)
    padding = count * queries - L
    tiled = jnp.pad(q_NxLxH, ((0, 0), (0, padding), (0, 0)))
    tiled = jnp.moveaxis(tiled.reshape(K, G, count, queries, H), 2, 0)
    places = [
      jnp.pad(place_L, (0, padding)).reshape(count, queries)
      for place_L in q_places
    ]
    out, lse = jax.lax.map(lambda inputs: of_tile(*inputs), (tiled, *places))
    out = jnp.moveaxis(out, 0, 2).reshape(K, G, count * queries, H)
    lse = jnp.moveaxis(lse, 0, 2).reshape(K, G, count * queries)
    return out[:, :, :L], lse[:, :, :L]

  out, lse = jax.vmap(of_row)(
    q_BxNxLxH, k_BxKxSxH, v_BxKxSxH, q_places, k_places
  )
  return attention.Part(out.reshape(B, N, L, H), lse.reshape(B, N, L))


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def within_rows(
  how: tuple[attention.Layer, int],
  q_BxNxLxH: jax.Array,
  k_BxKxLxH: jax.Array,
  v_BxKxLxH: jax.Array,
  positions_BxL: jax.Array,
  segments_BxL: jax.Array,
) -> jax.Array:
  """`part`, with the gradient of blocks that are computed again.

  Args:
    how: layer, and queries per block of the gradient.
    q_BxNxLxH: queries, scaled.
    k_BxKxLxH: keys.
    v_BxKxLxH: values.
    positions_BxL: int32.
    segments_BxL: int32.
  """
  places = positions_BxL, segments_BxL
  qkv = q_BxNxLxH, k_BxKxLxH, v_BxKxLxH
  found = part(*qkv, places, places, how[0])
  return found.out_BxNxLxH.astype(v_BxKxLxH.dtype)


def _forward(
  how: tuple[attention.Layer, int], *inputs: jax.Array
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
  return within_rows(how, *inputs), inputs


def _backward(
  how: tuple[attention.Layer, int],
  inputs: tuple[jax.Array, ...],
  gradient: jax.Array,
) -> tuple[Any, ...]:
  layer, block = how
  q_BxNxLxH, k_BxKxLxH, v_BxKxLxH, positions_BxL, segments_BxL = inputs

  def again(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
    found: jax.Array = attention.causal_blocks(
      q,
      k,
      v,
      positions_BxL,
      segments_BxL,
      layer,
      block=block,
      core=_plain_again,
    )
    return found

  _, pull = jax.vjp(again, q_BxNxLxH, k_BxKxLxH, v_BxKxLxH)
  return *pull(gradient), None, None


def _plain_again(*args: jax.Array, soft_cap: float | None) -> jax.Array:
  """`attention.plain`, whose gradient computes the weights again."""
  core = functools.partial(attention.plain, soft_cap=soft_cap)
  found: jax.Array = jax.checkpoint(core)(*args)
  return found


within_rows.defvjp(_forward, _backward)


def _of_tile(
  q_KxGxMxH: jax.Array,
  positions_M: jax.Array,
  segments_M: jax.Array,
  *,
  k_KxSxH: jax.Array,
  v_KxSxH: jax.Array,
  k_places: Places,
  layer: attention.Layer,
  blocks: jax.Array,
  keys: int,
) -> tuple[jax.Array, jax.Array]:
  """out float32[K, G, M, H] and lse float32[K, G, M] of M queries."""
  S = k_KxSxH.shape[1]

  def step(
    i: jax.Array, sums: tuple[jax.Array, jax.Array, jax.Array]
  ) -> tuple[jax.Array, jax.Array, jax.Array]:
    out, top, total = sums
    # The last block may overlap the one before, whose keys are masked then.
    start = jnp.minimum(i * keys, S - keys)
    take = functools.partial(
      jax.lax.dynamic_slice_in_dim, start_index=start, slice_size=keys
    )
    k, v = take(k_KxSxH, axis=1), take(v_KxSxH, axis=1)
    mask_MxS = attention.visible(
      positions_M,
      take(k_places[0]),
      segments_M,
      take(k_places[1]),
      window=layer.window,
    )
    mask_MxS &= (start + jnp.arange(keys) >= i * keys)[None]
    logits = attention.capped(
      jnp.einsum(
        'KGMH,KSH->KGMS', q_KxGxMxH, k, preferred_element_type=jnp.float32
      ),
      layer.soft_cap,
    )
    logits = jnp.where(mask_MxS[None, None], logits, attention.MASKED)
    new_top = jnp.maximum(top, jnp.max(logits, axis=-1))
    weights = jnp.exp(logits - new_top[..., None])
    shrink = jnp.exp(top - new_top)
    more = jnp.einsum(
      'KGMS,KSH->KGMH',
      weights.astype(v.dtype),
      v,
      preferred_element_type=jnp.float32,
    )
    return (
      out * shrink[..., None] + more,
      new_top,
      total * shrink + jnp.sum(weights, axis=-1),
    )

  nothing = jnp.zeros(q_KxGxMxH.shape[:-1], jnp.float32)
  start = (
    jnp.zeros(q_KxGxMxH.shape, jnp.float32),
    nothing + attention.FLOOR,
    nothing,
  )
  return attention.normalised(*jax.lax.fori_loop(0, blocks, step, start))
