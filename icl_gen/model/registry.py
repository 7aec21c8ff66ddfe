"""Model names: the released Gemma models (text only) and the nano models."""

import dataclasses

import jax.numpy as jnp

from icl_gen.model.package import gm
from icl_gen.model.parameters import Params
from icl_gen.runs import models

_LOCAL = gm.nn.AttentionType.LOCAL_SLIDING
_GLOBAL = gm.nn.AttentionType.GLOBAL


def _nano_config(
  *, width: int, hidden: int, heads: int, layers: int, window: int
) -> gm.nn.config.TransformerConfig:
  """A small Gemma 3 architecture; local and global layers alternate."""
  return gm.nn.config.TransformerConfig(
    num_embed=2304,
    embed_dim=width,
    hidden_dim=hidden,
    num_heads=heads,
    head_dim=32,
    num_kv_heads=heads // 2,
    final_logit_softcap=None,
    attention_types=(_LOCAL, _GLOBAL) * (layers // 2),
    use_post_attn_norm=True,
    use_post_ffw_norm=True,
    use_qk_norm=True,
    sliding_window_size=window,
    transpose_gating_einsum=True,
    local_base_frequency=10_000,
    global_base_frequency=1_000_000,
  )


_WIDE = _nano_config(width=128, hidden=256, heads=4, layers=6, window=64)
_NARROW = _nano_config(width=64, hidden=128, heads=2, layers=6, window=64)
NANO = {'nano': _WIDE, 'nano_small': _NARROW, 'nano2': _WIDE}
# Embedding tables are padded by up to this many rows, so that they split
# evenly: Gemma 2 has 256,000 pieces in 256,128 rows.
_ROUNDED_TO = 128


def make_module(name: str, *, dtype: str = 'float32') -> gm.nn.Transformer:
  """The Flax module of a model.

  Args:
    name: one of `models.ALL`.
    dtype: dtype of the parameters and of the computation.

  Raises:
    ValueError: for an unknown name or dtype.
  """
  models.require_known(name)
  if dtype not in models.DTYPES:
    raise ValueError(f'dtype {dtype!r}; allowed are {", ".join(models.DTYPES)}')
  if name in NANO:
    return gm.nn.Transformer(
      config=NANO[name], dtype=jnp.dtype(dtype), tokens='tokens'
    )
  if name in models.RELEASED:
    module = getattr(gm.nn, models.RELEASED[name])
    options = (
      {}
      if name.startswith(('gemma2', 'gemma3_270m', 'gemma3_1b'))
      else {'text_only': True}
    )
    return module(dtype=jnp.dtype(dtype), tokens='tokens', **options)
  module = getattr(gm.nn, models.PACKAGED[name])
  return module(dtype=jnp.dtype(dtype), tokens='tokens', text_only=True)


def require_vocabulary(
  name: str, module: gm.nn.Transformer, *, pieces: int
) -> None:
  """Checks that a tokenizer has as many pieces as a model has embeddings.

  A tokenizer with clearly fewer belongs to another model, and every id would
  mean something else.

  Args:
    name: the model's name, for the message.
    module: its module.
    pieces: number of pieces of the tokenizer.

  Raises:
    ValueError: if the numbers do not match.
  """
  most = module.config.num_embed
  if not most - _ROUNDED_TO <= pieces <= most:
    raise ValueError(
      f'the tokenizer has {pieces} pieces, model {name!r} {most} embeddings:'
      ' give the tokenizer of this model, which has'
      f' {most - _ROUNDED_TO} to {most} pieces'
    )


def with_rows(module: gm.nn.Transformer, rows: int) -> gm.nn.Transformer:
  """The module with so many rows in its embedding table.

  Gemma 2's table has 128 rows that no piece of the tokenizer has. With one row
  per piece, such ids neither take a share of the probability nor can be
  sampled. Gemma 3n and 4 have no such rows and are left as they are.
  """
  config = module.config
  if type(config) is not gm.nn.config.TransformerConfig:
    return module
  if config.num_embed == rows:
    return module
  return module.clone(config=dataclasses.replace(config, num_embed=rows))


def with_all_rows(name: str, params: Params) -> Params:
  """Parameters whose table has as many rows as the gemma package's model.

  The inverse of what `with_rows` leaves out; the rows are zero.
  """
  table = params['embedder']['input_embedding']
  missing = make_module(name).config.num_embed - table.shape[0]
  if not missing:
    return params
  table = jnp.pad(table, ((0, missing), (0, 0)))
  return params | {'embedder': params['embedder'] | {'input_embedding': table}}
