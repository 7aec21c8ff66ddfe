"""Attention cores for long keys, each equal to the plain one, and their choice.

A core returns a `Part`, so that what follows a shared prefix can merge its own
keys with the prefix's. Of cuDNN the public interface rounds the log-sum-exp to
the dtype of the inputs, which is too coarse to merge by: `cudnn` returns no
part, and has to be given all keys at once.

  plain      any device; everything is materialised
  blockwise  any device; online softmax over tiles, memory linear in length
  splash     TPU; Pallas kernel, float32 log-sum-exp
  cudnn      NVIDIA GPU; bfloat16 or float16, no soft cap, width of heads <= 256
"""

import functools

import jax
import jax.numpy as jnp

from icl_gen.model import attention

CORES = ('plain', 'blockwise', 'cudnn', 'splash')
# Rows of queries (x heads of a group) and keys in a tile. On a CPU a tile of
# logits (2 MiB) stays in its cache and is still worth two threads.
TILE_OF_CPU = (1024, 512)
TILE_OF_ACCELERATOR = (8192, 1024)
SPLASH_BLOCK = 128
CUDNN_DTYPES = ('bfloat16', 'float16')


def choose(
  wanted: str, *, part: bool, dtype, width: int, soft_cap: float | None
) -> str:
  """The name of the core to use.

  Args:
    wanted: one of CORES, or 'auto' to choose by device.
    part: whether a `Part` is needed, to merge it with others.
    dtype: of queries, keys and values.
    width: of heads.
    soft_cap: of the attention logits, or None.

  Raises:
    ValueError: for an unknown name, or a core that cannot do this attention.
  """
  if wanted not in ('auto', *CORES):
    raise ValueError(
      f'unknown attention {wanted!r}; known are auto, {", ".join(CORES)}'
    )
  fits_cudnn = (
    not part and dtype in CUDNN_DTYPES and soft_cap is None and width <= 256
  )
  if wanted == 'cudnn' and not fits_cudnn:
    where = 'behind a prefix' if part else 'within rows'
    raise ValueError(
      f'attention cudnn {where} was given {jnp.dtype(dtype).name}, soft cap'
      f' {soft_cap} and heads of width {width}; it can do bfloat16 and float16,'
      ' no soft cap, widths up to 256, and no prefix: choose auto'
    )
  if wanted != 'auto':
    return wanted
  platform = jax.default_backend()
  # A Pallas kernel is not split over devices by itself.
  if platform == 'tpu' and width % 128 == 0 and jax.device_count() == 1:
    return 'splash'
  # Before Hopper (9.0), cuDNN's heads are at most 128 wide.
  if platform == 'gpu' and fits_cudnn:
    capability = float(getattr(jax.devices()[0], 'compute_capability', 0))
    if width <= (256 if capability >= 9 else 128):
      return 'cudnn'
  return 'blockwise' if part else 'plain'


def to_earlier(
  wanted: str,
  q_BxNxLxH,
  k_BxKxSxH,
  v_BxKxSxH,
  q_positions_BxL,
  k_positions_BxS,
  layer: attention.Layer,
) -> attention.Part:
  """Attention to keys all of which stand before all queries.

  Args:
    wanted: the core, see `choose`.
    q_BxNxLxH: queries, scaled.
    k_BxKxSxH: keys.
    v_BxKxSxH: values.
    q_positions_BxL: int32.
    k_positions_BxS: int32; -1 where there is no key.
    layer: window and soft cap.
  """
  name = choose(
    wanted,
    part=True,
    dtype=q_BxNxLxH.dtype,
    width=q_BxNxLxH.shape[-1],
    soft_cap=layer.soft_cap,
  )
  q_segments_BxL = jnp.ones_like(q_positions_BxL)
  k_segments_BxS = (k_positions_BxS >= 0).astype(jnp.int32)
  qkv = q_BxNxLxH, k_BxKxSxH, v_BxKxSxH
  if name == 'plain':
    mask_BxLxS = attention.visible(
      q_positions_BxL,
      k_positions_BxS,
      q_segments_BxL,
      k_segments_BxS,
      window=layer.window,
    )
    return attention.plain_part(*qkv, mask_BxLxS, soft_cap=layer.soft_cap)
  # What a window shows depends on positions, which splash's masks cannot; but
  # local layers keep few keys.
  if name == 'splash' and layer.window is None:
    return splash(*qkv, q_segments_BxL, k_segments_BxS, layer, causal=False)
  return blockwise(
    *qkv,
    (q_positions_BxL, q_segments_BxL),
    (k_positions_BxS, k_segments_BxS),
    layer,
  )


def within_rows(
  wanted: str,
  q_BxNxLxH,
  k_BxKxLxH,
  v_BxKxLxH,
  positions_BxL,
  segments_BxL,
  layer: attention.Layer,
  *,
  block: int,
):
  """Attention among the tokens of rows (causal, by segment), [B, N, L, H].

  Args:
    wanted: the core, see `choose`; all but 'blockwise' have a gradient.
    q_BxNxLxH: queries, scaled.
    k_BxKxLxH: keys.
    v_BxKxLxH: values.
    positions_BxL: int32 positions in the segment, ascending in it.
    segments_BxL: int32, 0 is padding.
    layer: window and soft cap.
    block: queries at a time, of the plain core.
  """
  name = choose(
    wanted,
    part=False,
    dtype=q_BxNxLxH.dtype,
    width=q_BxNxLxH.shape[-1],
    soft_cap=layer.soft_cap,
  )
  qkv = q_BxNxLxH, k_BxKxLxH, v_BxKxLxH
  if name == 'splash':
    return splash(*qkv, segments_BxL, segments_BxL, layer, causal=True)
  if name == 'blockwise':
    marks = positions_BxL, segments_BxL
    part = blockwise(*qkv, marks, marks, layer)
    return part.out_BxNxLxH.astype(v_BxKxLxH.dtype)
  return attention.causal_blocks(
    *qkv,
    positions_BxL,
    segments_BxL,
    layer,
    block=block,
    core=cudnn if name == 'cudnn' else attention.plain,
  )


def blockwise(
  q_BxNxLxH,
  k_BxKxSxH,
  v_BxKxSxH,
  q_marks,
  k_marks,
  layer: attention.Layer,
  *,
  tile: tuple[int, int] | None = None,
) -> attention.Part:
  """Online softmax (Milakov and Gimelshein 2018) over tiles of logits.

  Key blocks after the last key that is in use (segment > 0) are left out; how
  many there are may differ from call to call without a compilation.

  Args:
    q_BxNxLxH: queries, scaled.
    k_BxKxSxH: keys.
    v_BxKxSxH: values.
    q_marks: (positions int32[B, L], segments int32[B, L]) of the queries.
    k_marks: (positions int32[B, S], segments int32[B, S]) of the keys.
    layer: window and soft cap.
    tile: rows of queries and keys per tile; None: what suits the device.
  """
  B, N, L, H = q_BxNxLxH.shape
  _, K, S, _ = k_BxKxSxH.shape
  G = N // K
  if tile is None:
    on_cpu = jax.default_backend() == 'cpu'
    tile = TILE_OF_CPU if on_cpu else TILE_OF_ACCELERATOR
  queries, keys = min(max(tile[0] // G, 1), L), min(tile[1], S)
  in_use = jnp.max(jnp.where(k_marks[1] > 0, jnp.arange(1, S + 1)[None], 0))
  blocks = -(-in_use // keys)

  def of_row(q_NxLxH, k_KxSxH, v_KxSxH, q_marks, k_marks):
    one = functools.partial(
      _of_queries,
      k_KxSxH=k_KxSxH,
      v_KxSxH=v_KxSxH,
      k_marks=k_marks,
      layer=layer,
      blocks=blocks,
      keys=keys,
    )
    if queries == L:
      return one(q_NxLxH.reshape(K, G, L, H), *q_marks)
    count = -(-L // queries)
    padding = count * queries - L
    tiled = jnp.pad(q_NxLxH, ((0, 0), (0, padding), (0, 0)))
    tiled = jnp.moveaxis(tiled.reshape(K, G, count, queries, H), 2, 0)
    marks = [
      jnp.pad(mark_L, (0, padding)).reshape(count, queries)
      for mark_L in q_marks
    ]
    out, lse = jax.lax.map(lambda inputs: one(*inputs), (tiled, *marks))
    out = jnp.moveaxis(out, 0, 2).reshape(K, G, count * queries, H)
    lse = jnp.moveaxis(lse, 0, 2).reshape(K, G, count * queries)
    return out[:, :, :L], lse[:, :, :L]

  out, lse = jax.vmap(of_row)(q_BxNxLxH, k_BxKxSxH, v_BxKxSxH, q_marks, k_marks)
  return attention.Part(out.reshape(B, N, L, H), lse.reshape(B, N, L))


def _of_queries(
  q_KxGxMxH,
  positions_M,
  segments_M,
  *,
  k_KxSxH,
  v_KxSxH,
  k_marks,
  layer,
  blocks,
  keys,
):
  """out float32[K, G, M, H] and lse float32[K, G, M] of a tile of queries."""
  S = k_KxSxH.shape[1]

  def step(i, sums):
    out, top, total = sums
    # The last block may reach back into the one before, whose keys are masked.
    start = jnp.minimum(i * keys, S - keys)
    take = functools.partial(
      jax.lax.dynamic_slice_in_dim, start_index=start, slice_size=keys
    )
    k, v = take(k_KxSxH, axis=1), take(v_KxSxH, axis=1)
    mask_MxS = attention.visible(
      positions_M,
      take(k_marks[0]),
      segments_M,
      take(k_marks[1]),
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


def splash(
  q_BxNxLxH,
  k_BxKxSxH,
  v_BxKxSxH,
  q_segments_BxL,
  k_segments_BxS,
  layer: attention.Layer,
  *,
  causal: bool,
):
  """TPU splash attention; interpreted, thus slow, on other devices.

  Masks cannot depend on positions: rows are in the order of their positions
  (causal), or every key is before every query and there is no window.

  Args:
    q_BxNxLxH: queries, scaled.
    k_BxKxSxH: keys.
    v_BxKxSxH: values.
    q_segments_BxL: int32; a query sees the keys of its segment.
    k_segments_BxS: int32.
    layer: window and soft cap.
    causal: a query sees no key after it; if so [B, N, L, H] is returned, in
      the dtype of the queries, and has a gradient. If not, a `Part`.
  """
  # Pallas is slow to import, and of use on TPUs only.
  from jax.experimental.pallas.ops.tpu import splash_attention as splash

  L, S = q_BxNxLxH.shape[2], k_BxKxSxH.shape[2]
  assert (causal and L == S) or layer.window is None
  q_BxNxLxH, q_segments_BxL = _padded(q_BxNxLxH, q_segments_BxL, empty=-1)
  k_BxKxSxH, padded_BxS = _padded(k_BxKxSxH, k_segments_BxS, empty=-2)
  v_BxKxSxH, _ = _padded(v_BxKxSxH, k_segments_BxS, empty=-2)
  shape = (q_BxNxLxH.shape[2], k_BxKxSxH.shape[2])
  masks = splash.splash_attention_mask
  if not causal:
    mask = masks.FullMask(shape)
  elif layer.window is None:
    mask = masks.CausalMask(shape)
  else:
    mask = masks.LocalMask(shape, (layer.window - 1, 0), 0)
  kernel = splash.splash_attention_kernel.make_splash_mha(
    masks.MultiHeadMask([mask] * q_BxNxLxH.shape[1]),
    head_shards=1,
    q_seq_shards=1,
    save_residuals=not causal,
    attn_logits_soft_cap=layer.soft_cap,
    interpret=jax.default_backend() != 'tpu',
  )
  segments = splash.splash_attention_kernel.SegmentIds(
    q_segments_BxL, padded_BxS
  )
  found = jax.vmap(kernel)(q_BxNxLxH, k_BxKxSxH, v_BxKxSxH, segments)
  if causal:
    return found[:, :, :L]
  out, (lse,) = found
  return attention.Part(out[:, :, :L].astype(jnp.float32), lse[:, :, :L])


def _padded(x_BxNxLxH, segments_BxL, *, empty):
  """Rows lengthened to a multiple of the kernel's blocks."""
  padding = -x_BxNxLxH.shape[2] % SPLASH_BLOCK
  return (
    jnp.pad(x_BxNxLxH, ((0, 0), (0, 0), (0, padding), (0, 0))),
    jnp.pad(segments_BxL, ((0, 0), (0, padding)), constant_values=empty),
  )


def cudnn(q_BxNxLxH, k_BxKxSxH, v_BxKxSxH, mask_BxLxS, *, soft_cap):
  """cuDNN's flash attention, where there is one; else XLA's own.

  Takes and returns what `attention.plain` does. With a mask, cuDNN's gradient
  wants even lengths.
  """
  assert soft_cap is None
  L = q_BxNxLxH.shape[2]
  mask_BxLxS = jnp.pad(
    mask_BxLxS, ((0, 0), *((0, x % 2) for x in mask_BxLxS.shape[1:]))
  )
  out_BxLxNxH = jax.nn.dot_product_attention(
    *(
      jnp.pad(
        jnp.swapaxes(x, 1, 2), ((0, 0), (0, x.shape[2] % 2), (0, 0), (0, 0))
      )
      for x in (q_BxNxLxH, k_BxKxSxH, v_BxKxSxH)
    ),
    mask=mask_BxLxS[:, None],
    scale=1.0,
    implementation='cudnn' if jax.default_backend() == 'gpu' else 'xla',
  )
  return jnp.swapaxes(out_BxLxNxH, 1, 2)[:, :, :L]
