"""Splash attention, a Pallas kernel for TPUs."""

from typing import Any

import jax
import jax.numpy as jnp

from icl_gen.model import attention, place

# Splash attention takes lengths that are multiples of this.
BLOCK = 128
TILES = (512, 256, 128)
# The longest rows for which one kernel computes all gradients.
FUSED = 4096
# What rematerialisation may keep of attention, by this name.
KEPT = 'attended'


def within_rows(
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
  found = _kernel(
    *qkv, segments_BxL, segments_BxL, layer, causal=True, platform=platform
  )
  return found[:, :, :L]


def part(
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
  out, (lse,) = _kernel(
    *qkv, q_segments_BxL, k_segments_BxS, layer, causal=False
  )
  return attention.Part(out[:, :, :L].astype(jnp.float32), lse[:, :, :L])


def _kernel(
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
    block_sizes=_blocks(kernels, *shape) if causal else None,
    save_residuals=not causal,
    attn_logits_soft_cap=layer.soft_cap,
    residual_checkpoint_name=KEPT,
    # Slow, but lets tests compare it with the other cores.
    interpret=(platform or place.platform()) != 'tpu',
  )
  segments = kernels.SegmentIds(q_segments_BxL, padded_BxS)
  return jax.vmap(kernel)(q_BxNxLxH, k_BxKxSxH, v_BxKxSxH, segments)


def _blocks(kernels: Any, L: int, S: int) -> Any:
  """Large tiles: the default, 128 x 128, leaves most of the chip idle."""
  q, k = (
    next(size for size in TILES if length % size == 0) for length in (L, S)
  )
  # Fused, the gradient of the queries exists once for every tile of keys.
  fused = S <= FUSED
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
  padding = -x_BxNxLxH.shape[2] % BLOCK
  return (
    jnp.pad(x_BxNxLxH, ((0, 0), (0, 0), (0, padding), (0, 0))),
    jnp.pad(segments_BxL, ((0, 0), (0, padding)), constant_values=empty),
  )
