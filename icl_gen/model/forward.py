"""One forward pass over the gemma package's own submodules and parameters.

The attention core is an argument, so training, scoring and sampling share this
function. It returns hidden states, so B x L x V logits need not exist.
`Transformer.__call__` is not used: it materialises every mask and logit, and
its `nn.jit` keeps an intercepted core from the first trace.
"""

import functools
from collections.abc import Callable
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from icl_gen.model import attention, cores, settling
from icl_gen.model.package import gm
from icl_gen.model.parameters import Params

# Queries per block. Without blocks, attention materialises B x N x L x L
# logits; a block's logits stay in a CPU's cache (2,048 tokens train five times
# as fast).
QUERY_BLOCK = 128


class Attend(Protocol):
  """An attention core: the output, and what to keep of the layer."""

  def __call__(
    self,
    layer: attention.Layer,
    q_BxNxLxH: jax.Array,
    k_BxKxLxH: jax.Array,
    v_BxKxLxH: jax.Array,
    /,
  ) -> tuple[jax.Array, Any]: ...


def forward(
  module: gm.nn.Transformer,
  params: Params,
  tokens_BxL: jax.Array,
  positions_BxL: jax.Array,
  attend: Attend,
  *,
  settled: bool = False,
) -> tuple[jax.Array, tuple[Any, ...]]:
  """Final hidden states of a Gemma 2 or 3 dense text model.

  Args:
    module: from `registry.make_module`.
    params: the package's parameter tree.
    tokens_BxL: int32.
    positions_BxL: int32; only differences between tokens that see each other
      matter.
    attend: the attention core.
    settled: whether operands of products are arrays of their own; see
      `settling`.

  Returns:
    hidden states [B, L, D] after the final norm, and what the core kept of each
    layer (its keys and values).

  Raises:
    ValueError: for Gemma 3n and 4.
  """
  if not is_dense(module):
    raise ValueError(
      f'{type(module).__name__} does not have the architecture of Gemma 2 and'
      ' 3: the gemma package computes it'
    )
  return module.apply(
    {'params': params},
    tokens_BxL,
    positions_BxL,
    attend,
    settled,
    method=_forward,
  )


def is_dense(module: Any) -> bool:
  """Whether a model is a plain transformer like Gemma 2 and 3."""
  return type(module.config) is gm.nn.config.TransformerConfig


def windows(module: gm.nn.Transformer) -> tuple[int | None, ...]:
  """The sliding window of each layer; None for global layers."""
  config = module.config
  return tuple(
    config.sliding_window_size
    if kind == gm.nn.AttentionType.LOCAL_SLIDING
    else None
    for kind in config.attention_types
  )


def _forward(
  module: Any,
  tokens_BxL: jax.Array,
  positions_BxL: jax.Array,
  attend: Attend,
  settled: bool,
) -> tuple[jax.Array, tuple[Any, ...]]:
  x_BxLxD = module.embedder.encode(tokens_BxL)
  kept = []
  for index, block in enumerate(module.blocks):
    feed_forward = None
    if settled:
      feed_forward = functools.partial(
        _feed_forward,
        block.mlp.variables['params'],
        transposed=module.config.transpose_gating_einsum,
        settled=True,
      )
    x_BxLxD, layer_kept = _layer(
      module, x_BxLxD, positions_BxL, attend, index, feed_forward
    )
    kept.append(layer_kept)
  return _normed(module.final_norm, x_BxLxD), tuple(kept)


def layer(
  module: gm.nn.Transformer,
  params: Params,
  x_BxLxD: jax.Array,
  positions_BxL: jax.Array,
  attend: Attend,
  *,
  index: int,
) -> jax.Array:
  """One layer of `forward`, from the parameters of that layer.

  Args:
    module: from `registry.make_module`.
    params: the parameters of the layer.
    x_BxLxD: its input.
    positions_BxL: as in `forward`.
    attend: as in `forward`.
    index: number of the layer, from 0.
  """
  found: jax.Array = module.apply(
    {'params': {f'layer_{index}': params}},
    x_BxLxD,
    positions_BxL,
    attend,
    index,
    functools.partial(
      _feed_forward,
      params['mlp'],
      transposed=module.config.transpose_gating_einsum,
    ),
    method=_layer,
  )[0]
  return found


def _feed_forward(
  params: Params,
  x_BxLxD: jax.Array,
  *,
  transposed: bool,
  settled: bool = False,
) -> jax.Array:
  """The package's, with two products in place of one of both matrices.

  The gradient of the one would be padded, added and copied, which took as long
  as a product.
  """
  result = settling.cotangent if settled else lambda x: x
  operand = settling.both if settled else lambda x: x
  equation = 'BLD,FD->BLF' if transposed else 'BLD,DF->BLF'
  gate_BxLxF, value_BxLxF = (
    result(jnp.einsum(equation, x_BxLxD, matrix))
    for matrix in params['gating_einsum']
  )
  fed_BxLxF = operand(jax.nn.gelu(gate_BxLxF) * value_BxLxF)
  return result(jnp.einsum('BLF,FD->BLD', fed_BxLxF, params['linear']))


def final(
  module: gm.nn.Transformer, params: Params, x_BxLxD: jax.Array
) -> jax.Array:
  """The hidden states of `forward`, from the output of the last layer.

  Args:
    module: from `registry.make_module`.
    params: the parameters of the final norm.
    x_BxLxD: output of the last layer.
  """
  found: jax.Array = module.apply(
    {'params': {'final_norm': params}},
    x_BxLxD,
    method=lambda module, x: _normed(module.final_norm, x),
  )
  return found


def _layer(
  module: Any,
  x_BxLxD: jax.Array,
  positions_BxL: jax.Array,
  attend: Attend,
  index: int,
  feed_forward: Callable[[jax.Array], jax.Array] | None = None,
) -> tuple[jax.Array, Any]:
  layer = attention.Layer(
    index=index,
    window=windows(module)[index],
    soft_cap=module.config.attn_logits_soft_cap,
  )
  block = module.blocks[index]
  return _block(
    block, x_BxLxD, positions_BxL, layer, attend, feed_forward or block.mlp
  )


def _normed(norm: Any, x: jax.Array) -> jax.Array:
  # In float32, as in bfloat16 the mean square would be off by up to 2**-9.
  return norm(x.astype(jnp.float32)).astype(x.dtype)


def _block(
  block: Any,
  x_BxLxD: jax.Array,
  positions_BxL: jax.Array,
  layer: attention.Layer,
  attend: Attend,
  feed_forward: Callable[[jax.Array], jax.Array],
) -> tuple[jax.Array, Any]:
  normed = _normed(block.pre_attention_norm, x_BxLxD)
  attended, kept = _attention(block.attn, normed, positions_BxL, layer, attend)
  if block.post_attention_norm is not None:
    attended = _normed(block.post_attention_norm, attended)
  x_BxLxD = x_BxLxD + attended
  fed = feed_forward(_normed(block.pre_ffw_norm, x_BxLxD))
  if block.post_ffw_norm is not None:
    fed = _normed(block.post_ffw_norm, fed)
  return x_BxLxD + fed, kept


def _attention(
  attn: Any,
  x_BxLxD: jax.Array,
  positions_BxL: jax.Array,
  layer: attention.Layer,
  attend: Attend,
) -> tuple[jax.Array, Any]:
  # BNLH, not the package's BLNH: a head's [L, H] matrix is contiguous, which
  # is faster on a CPU.
  if attn.use_qkv_einsum:
    q, k, v = attn.qkv_einsum('BLD,SNDH->SBNLH', x_BxLxD)
  else:
    q = attn.q_einsum('BLD,NDH->BNLH', x_BxLxD)
    k, v = attn.kv_einsum('BLD,CKDH->CBKLH', x_BxLxD)
  if attn.use_qk_norm:
    q, k = _normed(attn._query_norm, q), _normed(attn._key_norm, k)
  sin, cos = _rotations(
    positions_BxL,
    width=attn.head_dim,
    base=attn.rope_base_frequency,
    scale=attn.rope_scale_factor,
  )
  q = _rotate(q, sin, cos) * attn.query_pre_attn_scalar
  k = _rotate(k, sin, cos)
  out_BxNxLxH, kept = attend(layer, q, k, v)
  return attn.attn_vec_einsum('BNLH,NHD->BLD', out_BxNxLxH), kept


def _rotations(
  positions_BxL: jax.Array, *, width: int, base: float, scale: float
) -> tuple[jax.Array, jax.Array]:
  """sin and cos, float32[B, 1, L, H / 2], of the rotary embedding."""
  exponents = 2.0 / width * jnp.arange(width // 2, dtype=jnp.float32)
  angles = positions_BxL[:, None, :, None] / jnp.expand_dims(
    base**exponents, (0, 1, 2)
  )
  return jnp.sin(angles / scale), jnp.cos(angles / scale)


def _rotate(x_BxNxLxH: jax.Array, sin: jax.Array, cos: jax.Array) -> jax.Array:
  first, second = jnp.split(x_BxNxLxH, 2, axis=-1)
  rotated = jnp.concatenate(
    [first * cos - second * sin, second * cos + first * sin], axis=-1
  )
  return rotated.astype(x_BxNxLxH.dtype)


def within_batch(
  positions_BxL: jax.Array,
  segments_BxL: jax.Array,
  *,
  core: str = 'auto',
  mesh: jax.sharding.Mesh | None = None,
) -> Attend:
  """Causal attention within the segments of each row; keeps keys and values.

  Args:
    positions_BxL: int32 positions in the segment.
    segments_BxL: int32, 0 is padding.
    core: one of `cores.CORES`, or 'auto' to choose by device.
    mesh: devices of which each computes its own rows and heads; None: left to
      the compiler, which cannot split kernels.
  """
  if mesh is not None:
    return _on_mesh(mesh, positions_BxL, segments_BxL, core)

  def attend(
    layer: attention.Layer, q: jax.Array, k: jax.Array, v: jax.Array, /
  ) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    out = cores.within_rows(
      core, q, k, v, positions_BxL, segments_BxL, layer, block=QUERY_BLOCK
    )
    return out, (k, v)

  return attend


def _on_mesh(
  mesh: jax.sharding.Mesh,
  positions_BxL: jax.Array,
  segments_BxL: jax.Array,
  core: str,
) -> Attend:
  """`within_batch`, each device by itself: heads are split over 'model'."""
  platform, parts = mesh.devices.flat[0].platform, mesh.shape['model']
  rows = jax.P(('data', 'fsdp'))
  heads = jax.P(('data', 'fsdp'), 'model')

  def attend(
    layer: attention.Layer, q: jax.Array, k: jax.Array, v: jax.Array, /
  ) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    def of_device(
      q: jax.Array, k: jax.Array, v: jax.Array, *places: jax.Array
    ) -> jax.Array:
      positions, segments = places
      return cores.within_rows(
        core,
        q,
        k,
        v,
        positions,
        segments,
        layer,
        block=QUERY_BLOCK,
        platform=platform,
      )

    if mesh.size == 1:
      return of_device(q, k, v, positions_BxL, segments_BxL), (k, v)
    k_heads = heads
    if k.shape[1] == 1:
      k_heads = rows
    elif k.shape[1] % parts:
      # Each head gets a copy of its key head, so that they are split alike.
      k, v = (jnp.repeat(x, q.shape[1] // x.shape[1], axis=1) for x in (k, v))
    out = jax.shard_map(
      of_device,
      mesh=mesh,
      in_specs=(heads, k_heads, k_heads, rows, rows),
      out_specs=heads,
      check_vma=False,
    )(q, k, v, positions_BxL, segments_BxL)
    return out, (k, v)

  return attend
