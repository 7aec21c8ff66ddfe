"""Model names: the released Gemma models (text only) and the nano models."""

import dataclasses
from collections.abc import Callable

import jax.numpy as jnp

from icl_gen.model.package import gm
from icl_gen.model.parameters import Params

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


NANO = {
  'nano': _nano_config(width=128, hidden=256, heads=4, layers=6, window=64),
  'nano_small': _nano_config(
    width=64, hidden=128, heads=2, layers=6, window=64
  ),
}
# Functions, because the classes import the package's training framework, which
# takes seconds.
RELEASED: dict[str, Callable[[], type[gm.nn.Transformer]]] = {
  'gemma2_2b': lambda: gm.nn.Gemma2_2B,
  'gemma2_9b': lambda: gm.nn.Gemma2_9B,
  'gemma2_27b': lambda: gm.nn.Gemma2_27B,
  'gemma3_270m': lambda: gm.nn.Gemma3_270M,
  'gemma3_1b': lambda: gm.nn.Gemma3_1B,
  'gemma3_4b': lambda: gm.nn.Gemma3_4B,
  'gemma3_12b': lambda: gm.nn.Gemma3_12B,
  'gemma3_27b': lambda: gm.nn.Gemma3_27B,
}
# Released too, but not plain transformers: see `package_forward`.
PACKAGED: dict[str, Callable[[], type[gm.nn.Transformer]]] = {
  'gemma3n_e2b': lambda: gm.nn.Gemma3n_E2B,
  'gemma3n_e4b': lambda: gm.nn.Gemma3n_E4B,
  'gemma4_e2b': lambda: gm.nn.Gemma4_E2B,
  'gemma4_e4b': lambda: gm.nn.Gemma4_E4B,
  'gemma4_31b': lambda: gm.nn.Gemma4_31B,
  'gemma4_26b_a4b': lambda: gm.nn.Gemma4_26B_A4B,
}

# JAX has more dtypes; no model here has weights of the others.
_DTYPES = ('float32', 'bfloat16', 'float16')
# Embedding tables are padded by up to this many rows, so that they split
# evenly: Gemma 2 has 256,000 pieces in 256,128 rows.
_ROUNDED_TO = 128

# Tokens of the longest rows that a model was trained on, by the beginning of
# its name; the first match counts. From the model cards.
_LONGEST = {
  'nano': 3_072,
  'gemma2': 8_192,
  'gemma3_270m': 32_768,
  'gemma3_1b': 32_768,
  'gemma3_': 131_072,
  'gemma3n': 32_768,
  'gemma4_e': 131_072,
  'gemma4_': 262_144,
}


def make_module(name: str, *, dtype: str = 'float32') -> gm.nn.Transformer:
  """The Flax module of a model.

  Args:
    name: a key of NANO, RELEASED or PACKAGED.
    dtype: dtype of the parameters and of the computation.

  Raises:
    ValueError: for an unknown name or dtype.
  """
  if dtype not in _DTYPES:
    raise ValueError(f'dtype {dtype!r}; allowed are {", ".join(_DTYPES)}')
  if name in NANO:
    return gm.nn.Transformer(
      config=NANO[name], dtype=jnp.dtype(dtype), tokens='tokens'
    )
  if name in RELEASED:
    module = RELEASED[name]()
    options = (
      {}
      if name.startswith(('gemma2', 'gemma3_270m', 'gemma3_1b'))
      else {'text_only': True}
    )
    return module(dtype=jnp.dtype(dtype), tokens='tokens', **options)
  if name in PACKAGED:
    return PACKAGED[name]()(
      dtype=jnp.dtype(dtype), tokens='tokens', text_only=True
    )
  raise _unknown(name)


def _unknown(name: str) -> ValueError:
  known = ', '.join((*NANO, *RELEASED, *PACKAGED))
  return ValueError(f'unknown model {name!r}; known are {known}')


def require_plain(name: str, *, door: str) -> None:
  """Checks, before loading it, that a model can be trained and sampled from.

  Args:
    name: a name in the registry.
    door: the command that needs this, for the message.

  Raises:
    ValueError: for Gemma 3n and 4.
  """
  if name in PACKAGED:
    raise ValueError(
      f'{door} cannot use model {name!r}: Gemma 3n and 4 can be evaluated, but'
      ' neither trained nor sampled from. Choose one of'
      f' {", ".join((*NANO, *RELEASED))}'
    )


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


def longest(name: str) -> int:
  """Tokens of the longest rows that a model was trained on."""
  return next(n for start, n in _LONGEST.items() if name.startswith(start))


def require_room(name: str, *, tokens: int, what: str) -> None:
  """Checks that a row is no longer than the rows a model was trained on.

  Args:
    name: a name in the registry.
    tokens: length of the row.
    what: what the row contains, for the message.

  Raises:
    ValueError: if it is longer, or the model is unknown.
  """
  if name not in {*NANO, *RELEASED, *PACKAGED}:
    raise _unknown(name)
  most = longest(name)
  if tokens > most:
    raise ValueError(
      f'{what} takes {tokens:,} tokens, more than the {most:,} that {name!r}'
      ' was trained on: shorten it (a context, with --config.context.factor or'
      ' --config.context.budget)'
    )
