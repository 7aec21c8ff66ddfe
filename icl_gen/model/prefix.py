"""A context encoded once: keys and values that every question shares.

Keys and values have no batch axis, so nothing is copied per question. Local
layers keep only the last window - 1 positions, which is all that a later token
can see. Masks are computed from positions, never from buffer indices.

A context is encoded in chunks, each of which attends to the earlier ones as a
prefix. So there is one implementation of attending to a prefix, and only the
keys and values grow with the length of the context.
"""

import functools
import logging
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from icl_gen.model import forward, precision, prefix_attention
from icl_gen.model.parameters import Params
from icl_gen.runs.buffers import CHUNK, bucket

# No Gemma 2 or 3 was trained on longer rows.
LONGEST = 131_072

_log = logging.getLogger(__name__)


@struct.dataclass
class LayerPrefix:
  """The keys and values of one layer.

  Attributes:
    k_KxPxH: keys, rotated.
    v_KxPxH: values.
    positions_P: int32 positions; -1 where the buffer is empty.
  """

  k_KxPxH: jax.Array
  v_KxPxH: jax.Array
  positions_P: jax.Array


@struct.dataclass
class Prefix:
  """An encoded context.

  Attributes:
    layers: one `LayerPrefix` per layer.
    length: int32 scalar, number of tokens; the position of the next token.
    core: the core that attends to it, one of `cores.CORES` or 'auto'.
  """

  layers: tuple[LayerPrefix, ...]
  length: jax.Array
  core: str = struct.field(pytree_node=False, default='auto')


def encode(
  module: Any,
  params: Params,
  ids: np.ndarray,
  *,
  core: str = 'auto',
  longest: int = LONGEST,
  chunk: int | None = None,
) -> Prefix:
  """Encodes a context.

  Args:
    module: from `registry.make_module`.
    params: its parameters.
    ids: int32[P], BOS first.
    core: the core to use, here and by tokens that follow the prefix.
    longest: the largest number of tokens allowed.
    chunk: tokens per chunk; None: CHUNK.

  Returns:
    the prefix, with local layers trimmed to their window.

  Raises:
    ValueError: for a context of more than `longest` tokens.
  """
  assert len(ids) > 0
  if len(ids) > longest:
    raise ValueError(
      f'the context has {len(ids)} tokens, at most {longest} are allowed: put'
      ' fewer documents into it'
    )
  chunk = CHUNK if chunk is None else chunk
  padded_P = np.zeros(bucket(len(ids), chunk=chunk), np.int32)
  padded_P[: len(ids)] = ids
  return _encode(
    module,
    params,
    padded_P.reshape(-1, chunk),
    np.int32(len(ids)),
    core=core,
  )


def lower(
  module: Any, params: Params, *, length: int, core: str = 'auto'
) -> tuple[Any, Prefix]:
  """The program of `encode` for a context of `length` tokens, not compiled.

  Args:
    module: from `registry.make_module`.
    params: shapes of its parameters, with shardings.
    length: tokens of the context.
    core: as in `encode`.

  Returns:
    (what `jax.jit(f).lower` gives, the shapes of the prefix).
  """
  buffer = bucket(length, chunk=CHUNK)
  tokens_NxC = jax.ShapeDtypeStruct((buffer // CHUNK, CHUNK), jnp.int32)
  inputs = module, params, tokens_NxC, jax.ShapeDtypeStruct((), jnp.int32)
  shapes = jax.eval_shape(
    lambda *rest: _encode(module, *rest, core=core), *inputs[1:]
  )
  return _encode.lower(*inputs, core=core), shapes


@functools.partial(jax.jit, static_argnums=0, static_argnames='core')
@precision.of_module
def _encode(
  module: Any,
  params: Params,
  tokens_NxC: jax.Array,
  length: jax.Array,
  *,
  core: str,
) -> Prefix:
  N, C = tokens_NxC.shape
  # Logged while tracing, so once per compilation.
  _log.info('compiling the encoding of contexts of up to %d tokens', N * C)

  def encode_chunk(i: jax.Array, prefix: Prefix) -> Prefix:
    positions_1xC = i * C + jnp.arange(C, dtype=jnp.int32)[None]
    segments_1xC = (positions_1xC < length).astype(jnp.int32)
    _, kept = forward.forward(
      module,
      params,
      jax.lax.dynamic_slice_in_dim(tokens_NxC, i, 1),
      positions_1xC,
      prefix_attention.after(prefix, None, positions_1xC, segments_1xC),
    )
    positions_C = jnp.where(segments_1xC == 1, positions_1xC, -1)[0]
    count = jnp.sum(segments_1xC)
    layers = tuple(
      _with_chunk(layer, k[0], v[0], positions_C, prefix.length, count, window)
      for layer, (k, v), window in zip(
        prefix.layers, kept, forward.windows(module), strict=True
      )
    )
    return Prefix(layers, prefix.length + count, prefix.core)

  return jax.lax.fori_loop(
    0, -(-length // C), encode_chunk, _empty(module, params, N * C, core)
  )


def _empty(module: Any, params: Params, capacity: int, core: str) -> Prefix:
  """A prefix of no tokens."""
  config = module.config
  dtype = params['embedder']['input_embedding'].dtype

  def layer(window: int | None) -> LayerPrefix:
    P = _capacity(window, capacity)
    shape = (config.num_kv_heads, P, config.head_dim)
    return LayerPrefix(
      jnp.zeros(shape, dtype),
      jnp.zeros(shape, dtype),
      jnp.full(P, -1, jnp.int32),
    )

  return Prefix(tuple(map(layer, forward.windows(module))), jnp.int32(0), core)


def nbytes(prefix: Prefix) -> int:
  """Bytes of an encoded context."""
  return sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(prefix))


def nbytes_of_length(module: Any, params: Params, length: int) -> int:
  """Bytes that a context of `length` tokens would take when encoded."""
  capacity = bucket(length, chunk=CHUNK)
  return nbytes(
    jax.eval_shape(lambda p: _empty(module, p, capacity, 'auto'), params)
  )


def _capacity(window: int | None, capacity: int) -> int:
  """Positions that a layer keeps; at least one, to avoid empty arrays."""
  return capacity if window is None else min(max(window - 1, 1), capacity)


def _with_chunk(
  layer: LayerPrefix,
  k_KxCxH: jax.Array,
  v_KxCxH: jax.Array,
  positions_C: jax.Array,
  length: jax.Array,
  count: jax.Array,
  window: int | None,
) -> LayerPrefix:
  """A layer after `count` more tokens, which are padded to a chunk."""

  def put(old: jax.Array, new: jax.Array, axis: int) -> jax.Array:
    if window is None:
      return jax.lax.dynamic_update_slice_in_dim(old, new, length, axis)
    # Local layers keep their last positions, flush right: those up to the last
    # of the `count` new tokens.
    both = jnp.concatenate([old, new], axis)
    return jax.lax.dynamic_slice_in_dim(both, count, old.shape[axis], axis)

  return LayerPrefix(
    put(layer.k_KxPxH, k_KxCxH, 1),
    put(layer.v_KxPxH, v_KxCxH, 1),
    put(layer.positions_P, positions_C, 0),
  )
