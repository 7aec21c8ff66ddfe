"""A context encoded once: keys and values that every question shares.

Keys and values have no batch axis, so nothing is copied per question. Local
layers keep only the last window - 1 positions, which is all that a later token
can see. Masks go by positions, never by buffer indices.

A context is encoded chunk by chunk, each of which is a suffix of what stands
before it: so there is one way of attending to a prefix, and memory grows with
the keys and values only.
"""

import functools
import logging

import flax
import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.model import attention, cores, forward

# Tokens that are encoded at a time.
CHUNK = 512
# No Gemma 2 or 3 was trained on more.
LONGEST = 131_072

_log = logging.getLogger(__name__)


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
    core: the core that attends to it, a name of `cores.CORES` or 'auto'.
  """

  layers: tuple[LayerPrefix, ...]
  length: jax.Array
  core: str = flax.struct.field(pytree_node=False, default='auto')


def bucket(length: int, *, chunk: int) -> int:
  """The capacity for a context: 1, 2, 3, 4, 6, 8, 12, ... chunks.

  Powers of two and the middles between them: at most half is empty, and there
  are 15 programs up to 128 times 1,024 tokens.
  """
  chunks = -(-length // chunk)
  power = 1 << max(chunks - 1, 0).bit_length()
  return chunk * (power // 4 * 3 if chunks <= power // 4 * 3 else power)


def encode(
  module,
  params,
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
    core: the core to use, here and for all that follows the prefix.
    longest: the greatest number of tokens that is allowed.
    chunk: tokens that are encoded at a time; None: CHUNK.

  Returns:
    the prefix; local layers are trimmed to their window.

  Raises:
    ValueError: for a context that is too long.
  """
  assert len(ids) > 0
  if len(ids) > longest:
    raise ValueError(
      f'the context has {len(ids)} tokens, allowed are {longest}: put fewer'
      ' documents into it'
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


@functools.partial(jax.jit, static_argnums=0, static_argnames='core')
def _encode(module, params, tokens_NxC, length, *, core) -> Prefix:
  N, C = tokens_NxC.shape
  # This line runs when a program is made, not when it is used.
  _log.info('compiling the encoding of contexts of up to %d tokens', N * C)

  def encode_chunk(i, prefix):
    positions_1xC = i * C + jnp.arange(C, dtype=jnp.int32)[None]
    segments_1xC = (positions_1xC < length).astype(jnp.int32)
    _, kept = forward.forward(
      module,
      params,
      jax.lax.dynamic_slice_in_dim(tokens_NxC, i, 1),
      positions_1xC,
      after(prefix, None, positions_1xC, segments_1xC),
    )
    positions_C = jnp.where(segments_1xC == 1, positions_1xC, -1)[0]
    count = jnp.sum(segments_1xC)
    layers = tuple(
      _with_chunk(layer, k[0], v[0], positions_C, prefix.length, count, window)
      for layer, (k, v), window in zip(
        prefix.layers, kept, forward.windows(module), strict=True
      )
    )
    return prefix.replace(layers=layers, length=prefix.length + count)

  return jax.lax.fori_loop(
    0, -(-length // C), encode_chunk, _empty(module, params, N * C, core)
  )


def _empty(module, params, capacity: int, core: str) -> Prefix:
  """The prefix of nothing."""
  config = module.config
  dtype = params['embedder']['input_embedding'].dtype

  def layer(window):
    P = _capacity(window, capacity)
    shape = (config.num_kv_heads, P, config.head_dim)
    return LayerPrefix(
      jnp.zeros(shape, dtype),
      jnp.zeros(shape, dtype),
      jnp.full(P, -1, jnp.int32),
    )

  return Prefix(tuple(map(layer, forward.windows(module))), jnp.int32(0), core)


def size(module, params, length: int) -> int:
  """Bytes that a context of so many tokens takes when it is encoded."""
  capacity = bucket(length, chunk=CHUNK)
  return size_of(
    jax.eval_shape(lambda p: _empty(module, p, capacity, 'auto'), params)
  )


def size_of(prefix: Prefix) -> int:
  """Bytes of an encoded context."""
  return sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(prefix))


def _capacity(window: int | None, capacity: int) -> int:
  """Positions that a layer keeps; one at least, as arrays need some."""
  return capacity if window is None else min(max(window - 1, 1), capacity)


def _with_chunk(
  layer: LayerPrefix, k_KxCxH, v_KxCxH, positions_C, length, count, window
) -> LayerPrefix:
  """What a layer keeps after `count` more tokens, padded to a chunk."""
  if window is None:

    def put(old, new, axis):
      return jax.lax.dynamic_update_slice_in_dim(old, new, length, axis)
  else:
    # What is kept stands at the right, so the last ones end at `count`.
    def put(old, new, axis):
      both = jnp.concatenate([old, new], axis)
      return jax.lax.dynamic_slice_in_dim(both, count, old.shape[axis], axis)

  return LayerPrefix(
    put(layer.k_KxPxH, k_KxCxH, 1),
    put(layer.v_KxPxH, v_KxCxH, 1),
    put(layer.positions_P, positions_C, 0),
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
    ends_BxL: for rows that are trees of tokens, int32 exclusive end of every
      token's subtree in the row: s is visible to t if s <= t < ends[s], within
      segment and window. None: rows are texts. Not with a cache.

  Returns:
    an attend function; it keeps the tokens' keys and values.
  """
  assert cache is None or ends_BxL is None

  def attend(layer, q, k, v):
    among_own = functools.partial(
      _among_own,
      q,
      k,
      v,
      cache and cache[layer.index],
      positions_BxL,
      segments_BxL,
      ends_BxL,
      layer,
    )
    if prefix is None:
      return among_own(core=attention.plain), (k, v)
    shared = prefix.layers[layer.index]
    parts = [
      _to_shared(prefix.core, q, shared, positions_BxL, layer),
      among_own(core=attention.plain_part),
    ]
    return attention.merged(parts).astype(v.dtype), (k, v)

  return attend


def _among_own(
  q, k, v, cache, positions_BxL, segments_BxL, ends_BxL, layer, *, core
):
  """Attention within the rows: the one place where own keys are masked."""
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


def _to_shared(wanted, q_BxNxLxH, shared: LayerPrefix, positions_BxL, layer):
  """Attention to the prefix: all rows are one, as its keys have no rows."""
  B, N, L, H = q_BxNxLxH.shape
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
