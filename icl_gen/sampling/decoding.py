"""Rows of tokens after a shared context, read at once and then one by one.

Gemma 2 and 3 keep keys and values here, and attend to the context as a prefix;
Gemma 3n and 4 have a cache of the gemma package.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from icl_gen.model import forward, package_cache, prefix, prefix_attention
from icl_gen.model.loading import Model

# A context that was encoded once; None: none.
Shared = prefix.Prefix | package_cache.Cache | None


@struct.dataclass
class Kept:
  """What rows have read after the context, for Gemma 2 and 3.

  Attributes:
    layers: keys and values [B, K, S, H] of every layer.
    positions_BxS: int32.
    segments_BxS: int32, 0 where there is no token.
    used: int32 scalar, places that are taken.
  """

  layers: tuple[tuple[jax.Array, jax.Array], ...]
  positions_BxS: jax.Array
  segments_BxS: jax.Array
  used: jax.Array


Memory = Kept | package_cache.Cache


def encode_context(model: Model, ids: np.ndarray, *, core: str) -> Shared:
  """Encodes a context that all rows share.

  Args:
    model: the loaded model.
    ids: int32[P], BOS first.
    core: how rows attend to it, where that can be chosen: a name in
      `cores.CORES`, or 'auto'.
  """
  if forward.is_dense(model.module):
    return prefix.encode(model.module, model.params, ids, core=core)
  return package_cache.encode(model.module, model.params, ids)


def read(
  module: Any,
  params: Any,
  shared: Shared,
  tokens_BxL: jax.Array,
  lengths_B: jax.Array,
  *,
  room: int = 0,
) -> tuple[jax.Array, Memory]:
  """Reads rows, each after the shared context.

  Args:
    module: from `registry.make_module`.
    params: its parameters.
    shared: the context.
    tokens_BxL: int32, padded.
    lengths_B: int32 tokens of each row.
    room: how many tokens will follow.

  Returns:
    hidden states [B, L, D], and what `read_next` needs.
  """
  B, L = tokens_BxL.shape
  index_BxL = jnp.tile(jnp.arange(L, dtype=jnp.int32)[None], (B, 1))
  positions_BxL = index_BxL + _length(shared)
  is_token_BxL = index_BxL < lengths_B[:, None]
  if not forward.is_dense(module):
    if shared is None:
      cache = package_cache.empty(module, rows=B, places=L + room)
    else:
      assert isinstance(shared, package_cache.Cache)
      cache = package_cache.begun(shared, rows=B, room=L + room)
    return package_cache.read(
      module, params, cache, tokens_BxL, positions_BxL, is_token_BxL
    )
  assert not isinstance(shared, package_cache.Cache)
  segments_BxL = is_token_BxL.astype(jnp.int32)
  hidden_BxLxD, layers = forward.forward(
    module,
    params,
    tokens_BxL,
    positions_BxL,
    prefix_attention.after(shared, None, positions_BxL, segments_BxL),
  )
  # Segment 0 masks what is still empty.
  places = (0, 0), (0, room)
  kept = Kept(
    tuple((_with_room(k, room), _with_room(v, room)) for k, v in layers),
    jnp.pad(positions_BxL, places),
    jnp.pad(segments_BxL, places),
    jnp.int32(L),
  )
  return hidden_BxLxD, kept


def _length(shared: Shared) -> jax.Array | int:
  return 0 if shared is None else shared.length


def _with_room(x_BxKxLxH: jax.Array, room: int) -> jax.Array:
  return jnp.pad(x_BxKxLxH, ((0, 0), (0, 0), (0, room), (0, 0)))


def read_next(
  module: Any,
  params: Any,
  shared: Shared,
  memory: Memory,
  token_Bx1: jax.Array,
  index_B: jax.Array,
) -> tuple[jax.Array, Memory]:
  """Reads one more token of every row.

  Args:
    module: from `registry.make_module`.
    params: its parameters.
    shared: the context.
    memory: from `read`, with room, or from this function.
    token_Bx1: int32.
    index_B: int32, where the token stands in its row, after the context.

  Returns:
    hidden states [B, 1, D], and what this function needs next.
  """
  position_Bx1 = (index_B + _length(shared))[:, None]
  if isinstance(memory, package_cache.Cache):
    is_token_Bx1 = jnp.ones_like(position_Bx1, bool)
    return package_cache.read(
      module, params, memory, token_Bx1, position_Bx1, is_token_Bx1
    )
  assert not isinstance(shared, package_cache.Cache)
  segment_Bx1 = jnp.ones_like(position_Bx1)
  layers = [
    (k, v, memory.positions_BxS, memory.segments_BxS) for k, v in memory.layers
  ]
  hidden_Bx1xD, new = forward.forward(
    module,
    params,
    token_Bx1,
    position_Bx1,
    prefix_attention.after(shared, layers, position_Bx1, segment_Bx1),
  )
  put = functools.partial(
    jax.lax.dynamic_update_slice_in_dim, start_index=memory.used
  )
  after = Kept(
    tuple(
      (put(k, new_k, axis=2), put(v, new_v, axis=2))
      for (k, v), (new_k, new_v) in zip(memory.layers, new, strict=True)
    ),
    put(memory.positions_BxS, position_Bx1, axis=1),
    put(memory.segments_BxS, segment_Bx1, axis=1),
    memory.used + 1,
  )
  return hidden_Bx1xD, after
