"""Gemma 3n and 4 go on from what they have read, by the gemma package's cache.

The rows of a batch have their tokens at the same places of the cache, so a
shorter row has places without a token, which nothing attends to. A context is
read once, in chunks, by one row that others then begin with. Unlike a
`prefix.Prefix`, it is copied for every row, and local layers keep all of it.
"""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from icl_gen.model import precision
from icl_gen.model.parameters import Params
from icl_gen.runs.buffers import CHUNK, bucket


@struct.dataclass
class Cache:
  """What the rows of a batch have read.

  Attributes:
    layers: the package's cache, of S places per layer and row.
    is_token_BxS: bool, the places that hold a token.
    used: int32 scalar, places that are taken, with a token or without.
    length: int32 scalar, tokens of the context that all rows begin with.
  """

  layers: Any
  is_token_BxS: jax.Array
  used: jax.Array
  length: jax.Array


def empty(module: Any, *, rows: int, places: int) -> Cache:
  """A cache for rows that have read nothing."""
  layers = module.config.init_cache(
    batch_size=rows, dtype=jnp.dtype(module.dtype), cache_length=places
  )
  is_token_BxS = jnp.zeros((rows, places), bool)
  return Cache(layers, is_token_BxS, jnp.int32(0), jnp.int32(0))


def begun(context: Cache, *, rows: int, room: int) -> Cache:
  """A cache for rows that have read a context, with places for more.

  Args:
    context: of one row, from `encode`.
    rows: how many begin with it.
    room: places for what they read next.
  """
  layers = {
    name: {key: _begun(key, x, rows, room) for key, x in layer.items()}
    for name, layer in context.layers.items()
  }
  is_token_BxS = _begun('is_token', context.is_token_BxS, rows, room)
  return dataclasses.replace(context, layers=layers, is_token_BxS=is_token_BxS)


def _begun(key: str, x: jax.Array, rows: int, room: int) -> jax.Array:
  """An array of a cache for one row, for more rows with more places."""
  if key != 'end_index':  # all but this one have places
    x = jnp.pad(x, ((0, 0), (0, room), *((0, 0),) * (x.ndim - 2)))
  return jnp.broadcast_to(x, (rows, *x.shape[1:]))


def encode(module: Any, params: Params, ids: np.ndarray) -> Cache:
  """Reads a context, as one row.

  Args:
    module: from `registry.make_module`, of Gemma 3n or 4.
    params: its parameters.
    ids: int32[P], BOS first.
  """
  padded_P = np.zeros(bucket(len(ids), chunk=CHUNK), np.int32)
  padded_P[: len(ids)] = ids
  return _encode(module, params, padded_P, np.int32(len(ids)))


@functools.partial(jax.jit, static_argnums=0)
@precision.of_module
def _encode(
  module: Any, params: Params, tokens_P: jax.Array, length: jax.Array
) -> Cache:
  tokens_NxC = tokens_P.reshape(-1, CHUNK)

  def read_chunk(i: jax.Array, cache: Cache) -> Cache:
    positions_1xC = (i * CHUNK + jnp.arange(CHUNK, dtype=jnp.int32))[None]
    _, cache = read(
      module,
      params,
      cache,
      tokens_NxC[i][None],
      positions_1xC,
      positions_1xC < length,
    )
    return cache

  cache = empty(module, rows=1, places=tokens_P.size)
  cache = jax.lax.fori_loop(0, tokens_NxC.shape[0], read_chunk, cache)
  return dataclasses.replace(cache, length=length)


def read(
  module: Any,
  params: Params,
  cache: Cache,
  tokens_BxL: jax.Array,
  positions_BxL: jax.Array,
  is_token_BxL: jax.Array,
) -> tuple[jax.Array, Cache]:
  """Reads the next L tokens of every row.

  Args:
    module: from `registry.make_module`, of Gemma 3n or 4.
    params: its parameters.
    cache: with L places that are not taken.
    tokens_BxL: int32.
    positions_BxL: int32 positions in the row.
    is_token_BxL: bool; the others are padding.

  Returns:
    hidden states [B, L, D] after the final norm, and the cache with the tokens.
  """
  B, L = tokens_BxL.shape
  is_token_BxS = jax.lax.dynamic_update_slice_in_dim(
    cache.is_token_BxS, is_token_BxL, cache.used, axis=1
  )
  S = is_token_BxS.shape[1]
  places_L = cache.used + jnp.arange(L, dtype=jnp.int32)
  is_earlier_LxS = jnp.arange(S)[None, :] <= places_L[:, None]
  output = module.apply(
    {'params': params},
    tokens_BxL,
    positions=positions_BxL,
    cache=cache.layers,
    attention_mask=is_token_BxS[:, None, :] & is_earlier_LxS[None],
    return_hidden_states=True,
  )
  after = dataclasses.replace(
    cache, layers=output.cache, is_token_BxS=is_token_BxS, used=cache.used + L
  )
  return output.hidden_states, after
