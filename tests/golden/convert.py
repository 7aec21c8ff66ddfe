"""Converts models between Hugging Face and the gemma package.

| Hugging Face, layer i             | gemma package, layer_i                   |
|-----------------------------------|------------------------------------------|
| embed_tokens (V, D)               | embedder/input_embedding (V, D)          |
| self_attn.q_proj (N * H, D)       | attn/q_einsum/w (N, D, H)                |
| self_attn.{k,v}_proj (K * H, D)   | attn/kv_einsum/w (2, K, D, H)            |
| self_attn.o_proj (D, N * H)       | attn/attn_vec_einsum/w (N, H, D)         |
| self_attn.{q,k}_norm (H)          | attn/_{query,key}_norm/scale (H)         |
| mlp.{gate,up}_proj (F, D)         | mlp/gating_einsum (2, F, D), transposed  |
| mlp.down_proj (D, F)              | mlp/linear (F, D)                        |
| input_layernorm                   | pre_attention_norm/scale                 |
| post_attention_layernorm          | post_attention_norm/scale                |
| {pre,post}_feedforward_layernorm  | {pre,post}_ffw_norm/scale                |

Norms multiply by 1 + weight in both, and both rotate the two halves of a head.
Also reads the golden vectors.
"""

import dataclasses
import json
import pathlib
from typing import Any

import jax.numpy as jnp
import numpy as np
from gemma import gm

HERE = pathlib.Path(__file__).parent
NAMES = ('gemma2', 'gemma2_27b', 'gemma3_1b', 'gemma3_4b')
NORMS = {
  'pre_attention_norm': 'input_layernorm',
  'post_attention_norm': 'post_attention_layernorm',
  'pre_ffw_norm': 'pre_feedforward_layernorm',
  'post_ffw_norm': 'post_feedforward_layernorm',
}
NORMS_OF_HEADS = {'_query_norm': 'q_norm', '_key_norm': 'k_norm'}
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
  named = {
    key.removeprefix('weight/'): value.astype(np.float32)
    for key, value in stored.items()
    if key.startswith('weight/')
  }
  logps = {dtype: stored[dtype] for dtype in ('float32', 'bfloat16')}
  return Golden(
    config=_config(theirs),
    weights=_params(named, theirs),
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


def _params(named, theirs):
  """The parameter tree, of all named weights."""
  left = dict(named)
  H = theirs['head_dim']
  params = {
    'embedder': {'input_embedding': left.pop('model.embed_tokens.weight')},
    'final_norm': {'scale': left.pop('model.norm.weight')},
  }
  for i in range(theirs['num_hidden_layers']):

    def take(name, i=i):
      return left.pop(f'model.layers.{i}.{name}.weight')

    def heads(name, take=take):
      rows = take(f'self_attn.{name}_proj')  # (heads * H, D)
      return rows.reshape(-1, H, rows.shape[1]).swapaxes(1, 2)

    out = take('self_attn.o_proj')  # (D, N * H)
    attn = {
      'q_einsum': {'w': heads('q')},
      'kv_einsum': {'w': np.stack([heads('k'), heads('v')])},
      'attn_vec_einsum': {'w': out.T.reshape(-1, H, out.shape[0])},
    }
    if theirs['family'] == 'Gemma3':
      for ours, name in NORMS_OF_HEADS.items():
        attn[ours] = {'scale': take(f'self_attn.{name}')}
    params[f'layer_{i}'] = {
      'attn': attn,
      'mlp': {
        'gating_einsum': np.stack([take('mlp.gate_proj'), take('mlp.up_proj')]),
        'linear': take('mlp.down_proj').T,
      },
    } | {ours: {'scale': take(name)} for ours, name in NORMS.items()}
  assert not left, f'unused weights: {sorted(left)}'
  return params


def settings(config: gm.nn.config.TransformerConfig, *, positions: int):
  """Arguments of `transformers.Gemma3TextConfig` for a Gemma 3 architecture."""
  assert config.use_qk_norm and config.global_scale_factor == 1
  bases = {
    LOCAL: config.local_base_frequency,
    'full_attention': config.global_base_frequency,
  }
  local = gm.nn.AttentionType.LOCAL_SLIDING
  return {
    'vocab_size': config.num_embed,
    'hidden_size': config.embed_dim,
    'intermediate_size': config.hidden_dim,
    'num_hidden_layers': len(config.attention_types),
    'num_attention_heads': config.num_heads,
    'num_key_value_heads': config.num_kv_heads,
    'head_dim': config.head_dim,
    'query_pre_attn_scalar': config.head_dim,
    'sliding_window': config.sliding_window_size,
    'layer_types': [
      LOCAL if kind == local else 'full_attention'
      for kind in config.attention_types
    ],
    'rope_parameters': {
      kind: {'rope_type': 'default', 'rope_theta': float(base)}
      for kind, base in bases.items()
    },
    'max_position_embeddings': positions,
  }


def weights(params) -> dict[str, np.ndarray]:
  """A parameter tree as float32 arrays by Hugging Face's names."""
  out = {
    'embed_tokens': params['embedder']['input_embedding'],
    'norm': params['final_norm']['scale'],
  }
  for name, layer in params.items():
    if name.startswith('layer_'):
      number = name.removeprefix('layer_')
      out |= {
        f'layers.{number}.{theirs}': value
        for theirs, value in _layer_weights(layer).items()
      }
  return {
    f'model.{name}.weight': np.ascontiguousarray(value, np.float32)
    for name, value in out.items()
  }


def _layer_weights(layer):
  attn, mlp = layer['attn'], layer['mlp']

  def rows(w_NxDxH):
    _, D, _ = w_NxDxH.shape
    return np.swapaxes(w_NxDxH, 1, 2).reshape(-1, D)

  key, value = attn['kv_einsum']['w']
  gate_FxD, up_FxD = mlp['gating_einsum']
  out_NxHxD = np.asarray(attn['attn_vec_einsum']['w'])
  norms = {theirs: layer[ours]['scale'] for ours, theirs in NORMS.items()}
  norms |= {
    f'self_attn.{theirs}': attn[ours]['scale']
    for ours, theirs in NORMS_OF_HEADS.items()
    if ours in attn
  }
  return norms | {
    'self_attn.q_proj': rows(attn['q_einsum']['w']),
    'self_attn.k_proj': rows(key),
    'self_attn.v_proj': rows(value),
    'self_attn.o_proj': out_NxHxD.reshape(-1, out_NxHxD.shape[-1]).T,
    'mlp.gate_proj': gate_FxD,
    'mlp.up_proj': up_FxD,
    'mlp.down_proj': np.asarray(mlp['linear']).T,
  }
