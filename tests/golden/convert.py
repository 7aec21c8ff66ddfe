"""Reads the golden vectors."""

import dataclasses
import functools
import json
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from gemma import gm

from icl_gen.model import hugging_face, initialisation, parameters

HERE = pathlib.Path(__file__).parent
NAMES = ('gemma2', 'gemma2_27b', 'gemma3_1b', 'gemma3_4b')
LOCAL = 'sliding_attention'


@dataclasses.dataclass(frozen=True)
class Golden:
  """The golden vectors of one model.

  Attributes:
    config: the architecture.
    weights: the gemma package's parameter tree, float32 arrays.
    tokens_BxL: int32.
    logps: float32[B, L - 1] of every token after the first, by the dtype that
      Hugging Face computed it in.
    theirs: the architecture in Hugging Face's settings.
    named: the weights under Hugging Face's names.
  """

  config: gm.nn.config.TransformerConfig
  weights: Any
  tokens_BxL: np.ndarray
  logps: dict[str, np.ndarray]
  theirs: dict[str, Any]
  named: dict[str, np.ndarray]

  def module(self, dtype: str) -> gm.nn.Transformer:
    return gm.nn.Transformer(
      config=self.config, dtype=jnp.dtype(dtype), tokens='tokens'
    )


def load(name: str) -> Golden:
  """Reads the golden vectors of one of NAMES."""
  with np.load(HERE / f'{name}.npz') as file:
    stored = {key: file[key] for key in file.files}
  theirs = json.loads(str(stored['config']))
  theirs['model_type'] = {'Gemma2': 'gemma2', 'Gemma3': 'gemma3_text'}[
    theirs['family']
  ]
  named = {
    key.removeprefix('weight/'): value.astype(np.float32)
    for key, value in stored.items()
    if key.startswith('weight/')
  }
  logps = {dtype: stored[dtype] for dtype in ('float32', 'bfloat16')}
  config = _config(theirs)
  return Golden(
    config=config,
    weights=_params(named, config),
    tokens_BxL=stored['tokens_BxL'],
    logps=logps,
    theirs=theirs,
    named=named,
  )


def _config(theirs) -> gm.nn.config.TransformerConfig:
  kinds = gm.nn.AttentionType
  scales = gm.nn.config.QueryPreAttentionNormalisation
  D, N = theirs['hidden_size'], theirs['num_attention_heads']
  scale = {
    theirs['head_dim']: scales.BY_ONE_OVER_SQRT_HEAD_DIM,
    D // N: scales.BY_ONE_OVER_SQRT_EMBED_DIM_DIV_NUM_HEADS,
  }[theirs['query_pre_attn_scalar']]
  rope = theirs['rope_parameters']
  by_kind = {
    kind: rope.get(kind, rope)  # Gemma 2 has one for both
    for kind in (LOCAL, 'full_attention')
  }
  return gm.nn.config.TransformerConfig(
    num_embed=theirs['vocab_size'],
    embed_dim=D,
    hidden_dim=theirs['intermediate_size'],
    num_heads=N,
    head_dim=theirs['head_dim'],
    num_kv_heads=theirs['num_key_value_heads'],
    final_logit_softcap=theirs.get('final_logit_softcapping'),
    attn_logits_soft_cap=theirs.get('attn_logit_softcapping'),
    attention_types=tuple(
      kinds.LOCAL_SLIDING if kind == LOCAL else kinds.GLOBAL
      for kind in theirs['layer_types']
    ),
    sliding_window_size=theirs['sliding_window'],
    use_post_attn_norm=True,
    use_post_ffw_norm=True,
    use_qk_norm=theirs['family'] == 'Gemma3',
    query_pre_attn_norm=scale,
    transpose_gating_einsum=True,
    local_base_frequency=int(by_kind[LOCAL]['rope_theta']),
    global_base_frequency=int(by_kind['full_attention']['rope_theta']),
    local_scale_factor=by_kind[LOCAL].get('factor', 1.0),
    global_scale_factor=by_kind['full_attention'].get('factor', 1.0),
  )


def _params(named, config):
  """The parameter tree, of all named weights."""
  module = gm.nn.Transformer(config=config, tokens='tokens')
  shapes = jax.eval_shape(
    functools.partial(initialisation.make_params, module, seed=0)
  )
  used = set()

  def read(name, index):
    used.add(f'model.{name}.weight')
    return named[f'model.{name}.weight'][index]

  def take(keys, leaf):
    stored = hugging_face.stored(parameters.path_of(keys), config)
    return stored.read((slice(None),) * leaf.ndim, leaf.shape, read)

  params = jax.tree_util.tree_map_with_path(take, shapes)
  assert used == set(named), f'unused weights: {sorted(set(named) - used)}'
  return params
