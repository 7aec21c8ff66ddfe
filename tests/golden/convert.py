"""Golden vectors as the gemma package's module and parameter tree.

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

Norms multiply by 1 + weight in both. Both rotate the two halves of a head.
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


@dataclasses.dataclass(frozen=True)
class Golden:
  """Vectors of one model.

  Attributes:
    config: the architecture.
    weights: the gemma package's parameter tree, float32 arrays.
    tokens_BxL: int32.
    logps: float32[B, L - 1] of every token after the first, by the dtype that
      Hugging Face computed it in.
  """

  config: gm.nn.config.TransformerConfig
  weights: Any
  tokens_BxL: np.ndarray
  logps: dict[str, np.ndarray]

  def module(self, dtype: str) -> gm.nn.Transformer:
    return gm.nn.Transformer(
      config=self.config, dtype=jnp.dtype(dtype), tokens='tokens'
    )


def load(name: str) -> Golden:
  """Reads the vectors of one of NAMES."""
  with np.load(HERE / f'{name}.npz') as file:
    stored = {key: file[key] for key in file.files}
  settings = json.loads(str(stored['config']))
  weights = {
    key.removeprefix('weight/model.'): value.astype(np.float32)
    for key, value in stored.items()
    if key.startswith('weight/')
  }
  config = _config(settings)
  params = _params(weights, settings)
  assert not weights, f'weights without a place: {sorted(weights)}'
  logps = {dtype: stored[dtype] for dtype in ('float32', 'bfloat16')}
  return Golden(config, params, stored['tokens_BxL'], logps)


def _config(settings) -> gm.nn.config.TransformerConfig:
  kinds = gm.nn.AttentionType
  scales = gm.nn.config.QueryPreAttentionNormalisation
  D, N = settings['hidden_size'], settings['num_attention_heads']
  scale = {
    settings['head_dim']: scales.BY_ONE_OVER_SQRT_HEAD_DIM,
    D // N: scales.BY_ONE_OVER_SQRT_EMBED_DIM_DIV_NUM_HEADS,
  }[settings['query_pre_attn_scalar']]
  rope = settings['rope_parameters']
  by_kind = {
    kind: rope.get(kind, rope)  # Gemma 2 has one for both
    for kind in ('sliding_attention', 'full_attention')
  }
  return gm.nn.config.TransformerConfig(
    num_embed=settings['vocab_size'],
    embed_dim=D,
    hidden_dim=settings['intermediate_size'],
    num_heads=N,
    head_dim=settings['head_dim'],
    num_kv_heads=settings['num_key_value_heads'],
    final_logit_softcap=settings.get('final_logit_softcapping'),
    attn_logits_soft_cap=settings.get('attn_logit_softcapping'),
    attention_types=tuple(
      kinds.LOCAL_SLIDING if kind == 'sliding_attention' else kinds.GLOBAL
      for kind in settings['layer_types']
    ),
    sliding_window_size=settings['sliding_window'],
    use_post_attn_norm=True,
    use_post_ffw_norm=True,
    use_qk_norm=settings['family'] == 'Gemma3',
    query_pre_attn_norm=scale,
    transpose_gating_einsum=True,
    local_base_frequency=int(by_kind['sliding_attention']['rope_theta']),
    global_base_frequency=int(by_kind['full_attention']['rope_theta']),
    local_scale_factor=by_kind['sliding_attention'].get('factor', 1.0),
    global_scale_factor=by_kind['full_attention'].get('factor', 1.0),
  )


def _params(weights, settings):
  """The parameter tree; takes what it uses out of `weights`."""
  H = settings['head_dim']
  params = {
    'embedder': {'input_embedding': weights.pop('embed_tokens.weight')},
    'final_norm': {'scale': weights.pop('norm.weight')},
  }
  for i in range(settings['num_hidden_layers']):

    def take(name, i=i):
      return weights.pop(f'layers.{i}.{name}.weight')

    def heads(name, take=take):
      rows = take(f'self_attn.{name}_proj')  # (heads * H, D)
      return rows.reshape(-1, H, rows.shape[1]).swapaxes(1, 2)

    out = take('self_attn.o_proj')  # (D, N * H)
    attn = {
      'q_einsum': {'w': heads('q')},
      'kv_einsum': {'w': np.stack([heads('k'), heads('v')])},
      'attn_vec_einsum': {'w': out.T.reshape(-1, H, out.shape[0])},
    }
    if settings['family'] == 'Gemma3':
      attn['_query_norm'] = {'scale': take('self_attn.q_norm')}
      attn['_key_norm'] = {'scale': take('self_attn.k_norm')}
    params[f'layer_{i}'] = {
      'attn': attn,
      'mlp': {
        'gating_einsum': np.stack([take('mlp.gate_proj'), take('mlp.up_proj')]),
        'linear': take('mlp.down_proj').T,
      },
    } | {ours: {'scale': take(theirs)} for ours, theirs in NORMS.items()}
  return params
