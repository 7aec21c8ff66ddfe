"""One forward pass over the gemma package's own submodules and parameters.

The attention core is an argument, so training, scoring and sampling share this
function; hidden states are returned, so nobody has to make B x L x V logits.
`Transformer.__call__` is not used: its `nn.jit` makes interception stale, and
it materialises every mask and logit.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from gemma import gm

from icl_gen.model import attention, cores

# Queries per block: tiles of logits that stay in a CPU's cache.
QUERY_BLOCK = 256

Params = Any
# attend(layer, q_BxNxLxH, k_BxKxLxH, v_BxKxLxH) -> (out_BxNxLxH, kept)
Attend = Callable[..., tuple[jax.Array, Any]]


def forward(
  module: gm.nn.Transformer,
  params: Params,
  tokens_BxL: jax.Array,
  positions_BxL: jax.Array,
  attend: Attend,
) -> tuple[jax.Array, tuple[Any, ...]]:
  """Final hidden states of a Gemma 2 or 3 dense text model.

  Args:
    module: from `registry.make_module`.
    params: the package's parameter tree.
    tokens_BxL: int32.
    positions_BxL: int32; only differences within what is attended matter.
    attend: the attention core; what it keeps (keys, values) is returned.

  Returns:
    hidden states [B, L, D] after the final norm, and what each layer kept.

  Raises:
    ValueError: for Gemma 3n and 4.
  """
  if not is_dense(module):
    raise ValueError(
      f'{type(module).__name__} is not of the architecture of Gemma 2 and 3: it'
      ' can be evaluated, but neither trained nor sampled from'
    )
  return module.apply(
    {'params': params}, tokens_BxL, positions_BxL, attend, method=_forward
  )


def is_dense(module) -> bool:
  """Whether a model is a plain transformer, as Gemma 2 and 3 are."""
  return type(module.config) is gm.nn.config.TransformerConfig


def windows(module: gm.nn.Transformer) -> tuple[int | None, ...]:
  """The sliding window of every layer; None for global layers."""
  config = module.config
  return tuple(
    config.sliding_window_size
    if kind == gm.nn.AttentionType.LOCAL_SLIDING
    else None
    for kind in config.attention_types
  )


def _forward(module, tokens_BxL, positions_BxL, attend):
  config = module.config
  x_BxLxD = module.embedder.encode(tokens_BxL)
  kept = []
  for index, block in enumerate(module.blocks):
    layer = attention.Layer(
      index=index,
      window=windows(module)[index],
      soft_cap=config.attn_logits_soft_cap,
    )
    x_BxLxD, layer_kept = _block(block, x_BxLxD, positions_BxL, layer, attend)
    kept.append(layer_kept)
  return _normed(module.final_norm, x_BxLxD), tuple(kept)


def _normed(norm, x):
  """A norm in float32: in bfloat16 its mean square would be off by 2**-9."""
  return norm(x.astype(jnp.float32)).astype(x.dtype)


def _block(block, x_BxLxD, positions_BxL, layer, attend):
  normed = _normed(block.pre_attention_norm, x_BxLxD)
  attended, kept = _attention(block.attn, normed, positions_BxL, layer, attend)
  if block.post_attention_norm is not None:
    attended = _normed(block.post_attention_norm, attended)
  x_BxLxD = x_BxLxD + attended
  fed = block.mlp(_normed(block.pre_ffw_norm, x_BxLxD))
  if block.post_ffw_norm is not None:
    fed = _normed(block.post_ffw_norm, fed)
  return x_BxLxD + fed, kept


def _attention(attn, x_BxLxD, positions_BxL, layer, attend):
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


def _rotations(positions_BxL, *, width, base, scale):
  """sin and cos float32[B, 1, L, H/2] of the rotary embedding."""
  exponents = 2.0 / width * jnp.arange(width // 2, dtype=jnp.float32)
  angles = positions_BxL[:, None, :, None] / jnp.expand_dims(
    base**exponents, (0, 1, 2)
  )
  return jnp.sin(angles / scale), jnp.cos(angles / scale)


def _rotate(x_BxNxLxH, sin, cos):
  first, second = jnp.split(x_BxNxLxH, 2, axis=-1)
  rotated = jnp.concatenate(
    [first * cos - second * sin, second * cos + first * sin], axis=-1
  )
  return rotated.astype(x_BxNxLxH.dtype)


def within_batch(positions_BxL, segments_BxL, *, core: str = 'auto') -> Attend:
  """Attention among the tokens of a batch (causal, by segment); keeps K, V.

  Args:
    positions_BxL: int32 positions in the segment.
    segments_BxL: int32, 0 is padding.
    core: a name of `cores.CORES`, or 'auto' to choose by device.
  """

  def attend(layer, q, k, v):
    out = cores.within_rows(
      core, q, k, v, positions_BxL, segments_BxL, layer, block=QUERY_BLOCK
    )
    return out, (k, v)

  return attend


def head(module: gm.nn.Transformer, params: Params, hidden: jax.Array):
  """Logits float32[..., V] of hidden states [..., D]."""
  table_VxD = params['embedder']['input_embedding']
  out = jnp.einsum(
    '...D,VD->...V', hidden, table_VxD, preferred_element_type=jnp.float32
  )
  return attention.capped(out, module.config.final_logit_softcap)


def make_params(module: gm.nn.Transformer, *, seed: int) -> Params:
  """Freshly initialised parameters."""
  tokens = jnp.zeros((1, 2), jnp.int32)
  return module.init(jax.random.key(seed), tokens)['params']
