"""Attention cores that compute what the plain one does, and their choice.

  plain      any device; materialises all logits
  blockwise  any device; online softmax over tiles, memory linear in length
  splash     TPU; Pallas kernel
  cudnn      NVIDIA GPU; bfloat16 or float16, no soft cap, heads up to 256 wide

All but `cudnn` can return a `Part`, by which attention to a shared prefix and
to a row's own keys are merged.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.model import attention, place

CORES = ('plain', 'blockwise', 'cudnn', 'splash')
# (queries x heads of a group, keys) of a tile of logits. On a CPU, 2 MiB stay
# in the cache and still occupy two threads; tiles of 256 x 256 did not, and
# made long contexts 28 % slower.
TILE_ON_CPU = (1024, 512)
TILE_ON_ACCELERATOR = (8192, 1024)
# Splash attention takes lengths that are multiples of this.
SPLASH_BLOCK = 128
SPLASH_TILES = (512, 256, 128)
# The longest rows for which one kernel computes all gradients.
SPLASH_FUSED = 4096
# What rematerialisation may keep of attention, by this name.
KEPT = 'attended'
CUDNN_DTYPES = ('bfloat16', 'float16')

# Positions int32[B, L] and segments int32[B, L] of queries or keys.
Places = tuple[jax.Array, jax.Array]


def choose(
  wanted: str,
  *,
  part: bool,
  dtype: np.dtype[Any],
  width: int,
  soft_cap: float | None,
  platform: str | None = None,
) -> str:
  """The name of the core to use.

  Args:
    wanted: one of CORES, or 'auto' to choose by device.
    part: whether the core must return a `Part`.
    dtype: dtype of queries, keys and values.
    width: width of the heads.
    soft_cap: soft cap of the attention logits, or None.
    platform: of the device that computes by itself; None: this process's, where
      an array may be on several devices.

  Raises:
    ValueError: for an unknown name, or a core that does not support this.
  """
  if wanted not in ('auto', *CORES):
    raise ValueError(
      f'unknown attention {wanted!r}; known are auto, {", ".join(CORES)}'
    )
  # JAX's cuDNN interface rounds the log-sum-exp to the dtype of the inputs,
  # which is too coarse to merge parts by.
  fits_cudnn = (
    not part and dtype in CUDNN_DTYPES and soft_cap is None and width <= 256
  )
  if wanted == 'cudnn' and not fits_cudnn:
    where = 'after a prefix' if part else 'within rows'
    raise ValueError(
      f'attention cudnn {where} was given {jnp.dtype(dtype).name}, soft cap'
      f' {soft_cap} and heads of width {width}; it supports bfloat16 and'
      ' float16, no soft cap, widths up to 256, and no prefix: choose auto'
    )
  if wanted != 'auto':
    return wanted
  # GSPMD does not split a Pallas kernel over devices.
  by_itself = platform is not None or place.device_count() == 1
  platform = platform or place.platform()
  if platform == 'tpu' and width % 128 == 0 and by_itself:
    return 'splash'
  # Before Hopper (9.0), cuDNN supports heads up to 128 wide.
  if platform == 'gpu' and fits_cudnn:
    capability = float(getattr(jax.devices()[0], 'compute_capability', 0))
    if width <= (256 if capability >= 9 else 128):
      return 'cudnn'
  return 'blockwise' if part else 'plain'


def to_earlier(
  wanted: str,
  q_BxNxLxH: jax.Array,
  k_BxKxSxH: jax.Array,
  v_BxKxSxH: jax.Array,
  q_positions_BxL: jax.Array,
  k_positions_BxS: jax.Array,
  layer: attention.Layer,
) -> attention.Part:
  """Attention to keys that all precede all queries.

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
  # A window depends on positions, which splash's masks cannot express. Local
  # layers keep few keys, so tiles are good enough.
  if name == 'splash' and layer.window is None:
    return splash_part(*qkv, q_segments_BxL, k_segments_BxS, layer)
  return blockwise(
    *qkv,
    (q_positions_BxL, q_segments_BxL),
    (k_positions_BxS, k_segments_BxS),
    layer,
  )


def within_rows(
  wanted: str,
  q_BxNxLxH: jax.Array,
  k_BxKxLxH: jax.Array,
  v_BxKxLxH: jax.Array,
  positions_BxL: jax.Array,
  segments_BxL: jax.Array,
  layer: attention.Layer,
  *,
  block: int,
  platform: str | None = None,
) -> jax.Array:
  """Causal attention within the segments of rows, [B, N, L, H].

  All cores have a gradient. Memory is linear in the length for all but `plain`
  and `cudnn`, whose gradients keep L x L weights.

  Args:
    wanted: the core, see `choose`.
    q_BxNxLxH: queries, scaled.
    k_BxKxLxH: keys.
    v_BxKxLxH: values.
    positions_BxL: int32, ascending within each segment.
    segments_BxL: int32, 0 is padding.
    layer: window and soft cap.
    block: queries per block, for `plain`, `cudnn` and the gradient of
      `blockwise`.
    platform: see `choose`.
  """
  name = choose(
    wanted,
    part=False,
    dtype=q_BxNxLxH.dtype,
    width=q_BxNxLxH.shape[-1],
    soft_cap=layer.soft_cap,
    platform=platform,
  )
  qkv = q_BxNxLxH, k_BxKxLxH, v_BxKxLxH
  if name == 'splash':
    return splash_within_rows(*qkv, segments_BxL, layer, platform=platform)
  if name == 'blockwise':
    return _blockwise_within_rows(
      (layer, block), *qkv, positions_BxL, segments_BxL
    )
  return attention.causal_blocks(
    *qkv,
    positions_BxL,
    segments_BxL,
    layer,
    block=block,
    core=cudnn if name == 'cudnn' else attention.plain,
  )


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _blockwise_within_rows(
  how: tuple[attention.Layer, int],
  q_BxNxLxH: jax.Array,
  k_BxKxLxH: jax.Array,
  v_BxKxLxH: jax.Array,
  positions_BxL: jax.Array,
  segments_BxL: jax.Array,
) -> jax.Array:
  """`blockwise`, with the gradient of blocks that are computed again.

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
  part = blockwise(*qkv, places, places, how[0])
  return part.out_BxNxLxH.astype(v_BxKxLxH.dtype)


def _blockwise_forward(
  how: tuple[attention.Layer, int], *inputs: jax.Array
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
  return _blockwise_within_rows(how, *inputs), inputs


def _blockwise_backward(
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


_blockwise_within_rows.defvjp(_blockwise_forward, _blockwise_backward)


def blockwise(
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


def splash_within_rows(
  q_BxNxLxH: jax.Array,
  k_BxKxLxH: jax.Array,
  v_BxKxLxH: jax.Array,
  segments_BxL: jax.Array,
  layer: attention.Layer,
  *,
  platform: str | None = None,
) -> jax.Array:
  """Causal splash attention within the segments of rows; has a gradient.

  Splash masks cannot depend on positions, so the tokens of a segment must be in
  the order of their positions.

  Returns:
    [B, N, L, H] in the dtype of the queries.
  """
  L = q_BxNxLxH.shape[2]
  qkv = q_BxNxLxH, k_BxKxLxH, v_BxKxLxH
  found = _splash(
    *qkv, segments_BxL, segments_BxL, layer, causal=True, platform=platform
  )
  return found[:, :, :L]


def splash_part(
  q_BxNxLxH: jax.Array,
  k_BxKxSxH: jax.Array,
  v_BxKxSxH: jax.Array,
  q_segments_BxL: jax.Array,
  k_segments_BxS: jax.Array,
  layer: attention.Layer,
) -> attention.Part:
  """Splash attention of each query to all keys of its segment; no window."""
  assert layer.window is None
  L = q_BxNxLxH.shape[2]
  qkv = q_BxNxLxH, k_BxKxSxH, v_BxKxSxH
  out, (lse,) = _splash(
    *qkv, q_segments_BxL, k_segments_BxS, layer, causal=False
  )
  return attention.Part(out[:, :, :L].astype(jnp.float32), lse[:, :, :L])


def _splash(
  q_BxNxLxH: jax.Array,
  k_BxKxSxH: jax.Array,
  v_BxKxSxH: jax.Array,
  q_segments_BxL: jax.Array,
  k_segments_BxS: jax.Array,
  layer: attention.Layer,
  *,
  causal: bool,
  platform: str | None = None,
) -> Any:
  """The kernel's output for padded rows; if not causal, also (lse,)."""
  # Imported here because Pallas is slow to import and only TPUs use it.
  from jax.experimental.pallas.ops.tpu import splash_attention

  # Padding sees nothing and is seen by nothing.
  q_BxNxLxH, q_segments_BxL = _padded(q_BxNxLxH, q_segments_BxL, empty=-1)
  k_BxKxSxH, padded_BxS = _padded(k_BxKxSxH, k_segments_BxS, empty=-2)
  v_BxKxSxH, _ = _padded(v_BxKxSxH, k_segments_BxS, empty=-2)
  shape = (q_BxNxLxH.shape[2], k_BxKxSxH.shape[2])
  masks = splash_attention.splash_attention_mask
  mask: Any
  if not causal:
    mask = masks.FullMask(shape)
  elif layer.window is None:
    mask = masks.CausalMask(shape)
  else:
    mask = masks.LocalMask(shape, (layer.window - 1, 0), 0)
  kernels = splash_attention.splash_attention_kernel
  kernel = kernels.make_splash_mha(
    masks.MultiHeadMask([mask] * q_BxNxLxH.shape[1]),
    head_shards=1,
    q_seq_shards=1,
    block_sizes=_splash_blocks(kernels, *shape) if causal else None,
    save_residuals=not causal,
    attn_logits_soft_cap=layer.soft_cap,
    residual_checkpoint_name=KEPT,
    # Slow, but lets tests compare it with the other cores.
    interpret=(platform or place.platform()) != 'tpu',
  )
  segments = kernels.SegmentIds(q_segments_BxL, padded_BxS)
  return jax.vmap(kernel)(q_BxNxLxH, k_BxKxSxH, v_BxKxSxH, segments)


def _splash_blocks(kernels: Any, L: int, S: int) -> Any:
  """Large tiles: the default, 128 x 128, leaves most of the chip idle."""
  q, k = (
    next(size for size in SPLASH_TILES if length % size == 0)
    for length in (L, S)
  )
  # Fused, the gradient of the queries exists once for every tile of keys.
  fused = S <= SPLASH_FUSED
  return kernels.BlockSizes(
    block_q=q,
    block_kv=k,
    block_kv_compute=k,
    block_q_dkv=q,
    block_kv_dkv=k,
    block_kv_dkv_compute=k,
    block_q_dq=None if fused else q,
    block_kv_dq=None if fused else k,
    use_fused_bwd_kernel=fused,
  )


def _padded(
  x_BxNxLxH: jax.Array, segments_BxL: jax.Array, *, empty: int
) -> tuple[jax.Array, jax.Array]:
  """Rows lengthened to a multiple of the kernel's blocks."""
  padding = -x_BxNxLxH.shape[2] % SPLASH_BLOCK
  return (
    jnp.pad(x_BxNxLxH, ((0, 0), (0, 0), (0, padding), (0, 0))),
    jnp.pad(segments_BxL, ((0, 0), (0, padding)), constant_values=empty),
  )


def cudnn(
  q_BxNxLxH: jax.Array,
  k_BxKxSxH: jax.Array,
  v_BxKxSxH: jax.Array,
  mask_BxLxS: jax.Array,
  *,
  soft_cap: float | None,
) -> jax.Array:
  """cuDNN's flash attention on a GPU, XLA's attention elsewhere.

  Takes and returns the same as `attention.plain`, but for the soft cap.
  """
  assert soft_cap is None
  L = q_BxNxLxH.shape[2]
  # With a mask, cuDNN has a gradient only for even lengths.
  mask_BxLxS = jnp.pad(
    mask_BxLxS, ((0, 0), *((0, x % 2) for x in mask_BxLxS.shape[1:]))
  )
  q_BxLxNxH, k_BxSxKxH, v_BxSxKxH = (
    jnp.pad(
      jnp.swapaxes(x, 1, 2), ((0, 0), (0, x.shape[2] % 2), (0, 0), (0, 0))
    )
    for x in (q_BxNxLxH, k_BxKxSxH, v_BxKxSxH)
  )
  out_BxLxNxH = jax.nn.dot_product_attention(
    q_BxLxNxH,
    k_BxSxKxH,
    v_BxSxKxH,
    mask=mask_BxLxS[:, None],
    scale=1.0,
    implementation='cudnn' if place.platform() == 'gpu' else 'xla',
  )
  return jnp.swapaxes(out_BxLxNxH, 1, 2)[:, :, :L]
