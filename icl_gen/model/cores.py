"""Attention cores that compute what the plain one does, and their choice.

  plain      any device; materialises all logits
  blockwise  any device; online softmax over tiles, memory linear in length
  splash     TPU; Pallas kernel
  cudnn      NVIDIA GPU; bfloat16 or float16, no soft cap, heads up to 256 wide

All but `cudnn` can return a `Part`, by which attention to a shared prefix and
to a row's own keys are merged.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.model import attention, blockwise, place, splash

CORES = ('plain', 'blockwise', 'cudnn', 'splash')
CUDNN_DTYPES = ('bfloat16', 'float16')


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
    return splash.part(*qkv, q_segments_BxL, k_segments_BxS, layer)
  return blockwise.part(
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
    return splash.within_rows(*qkv, segments_BxL, layer, platform=platform)
  if name == 'blockwise':
    return blockwise.within_rows(
      (layer, block), *qkv, positions_BxL, segments_BxL
    )
  return attention.causal_blocks(
    *qkv,
    positions_BxL,
    segments_BxL,
    layer,
    block=block,
    core=cudnn if name == 'cudnn' else _plain,
  )


def _plain(
  q_BxNxLxH: jax.Array,
  k_BxKxSxH: jax.Array,
  v_BxKxSxH: jax.Array,
  mask_BxLxS: jax.Array,
  *,
  soft_cap: float | None,
) -> jax.Array:
  """`attention.plain`, with a faster gradient where there is one."""
  qkv = q_BxNxLxH, k_BxKxSxH, v_BxKxSxH
  if soft_cap is None and {x.dtype for x in qkv} == {np.dtype(np.float32)}:
    return attention.plain_float32(*qkv, mask_BxLxS)
  return attention.plain(*qkv, mask_BxLxS, soft_cap=soft_cap)


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
