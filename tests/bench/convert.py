"""Our parameter tree (the gemma package's) in Hugging Face's names, Gemma 3."""

import numpy as np
from gemma import gm


def config(module, *, positions):
  """Arguments of `transformers.Gemma3TextConfig`."""
  ours = module.config
  local = gm.nn.AttentionType.LOCAL_SLIDING
  return {
    'vocab_size': ours.num_embed,
    'hidden_size': ours.embed_dim,
    'intermediate_size': ours.hidden_dim,
    'num_hidden_layers': len(ours.attention_types),
    'num_attention_heads': ours.num_heads,
    'num_key_value_heads': ours.num_kv_heads,
    'head_dim': ours.head_dim,
    'query_pre_attn_scalar': ours.head_dim,
    'sliding_window': ours.sliding_window_size,
    'layer_types': [
      'sliding_attention' if kind == local else 'full_attention'
      for kind in ours.attention_types
    ],
    'rope_parameters': {
      'sliding_attention': {
        'rope_type': 'default',
        'rope_theta': float(ours.local_base_frequency),
      },
      'full_attention': {
        'rope_type': 'default',
        'rope_theta': float(ours.global_base_frequency),
      },
    },
    'max_position_embeddings': positions,
    'attn_implementation': 'sdpa',
  }


def weights(params):
  """Name -> float32 array."""
  out = {
    'model.embed_tokens.weight': params['embedder']['input_embedding'],
    'model.norm.weight': params['final_norm']['scale'],
  }
  for name in params:
    if name.startswith('layer_'):
      number = name.removeprefix('layer_')
      out |= {
        f'model.layers.{number}.{theirs}.weight': value
        for theirs, value in _layer(params[name]).items()
      }
  return {
    name: np.ascontiguousarray(value, np.float32) for name, value in out.items()
  }


def _layer(ours):
  attention, mlp = ours['attn'], ours['mlp']
  q_NxDxH = np.asarray(attention['q_einsum']['w'])
  k_KxDxH, v_KxDxH = np.asarray(attention['kv_einsum']['w'])
  o_NxHxD = np.asarray(attention['attn_vec_einsum']['w'])
  gate_FxD, up_FxD = np.asarray(mlp['gating_einsum'])
  D = q_NxDxH.shape[1]

  def rows(w_NxDxH):
    return w_NxDxH.transpose(0, 2, 1).reshape(-1, D)

  return {
    'self_attn.q_proj': rows(q_NxDxH),
    'self_attn.k_proj': rows(k_KxDxH),
    'self_attn.v_proj': rows(v_KxDxH),
    'self_attn.o_proj': o_NxHxD.reshape(-1, D).T,
    'self_attn.q_norm': attention['_query_norm']['scale'],
    'self_attn.k_norm': attention['_key_norm']['scale'],
    'mlp.gate_proj': gate_FxD,
    'mlp.up_proj': up_FxD,
    'mlp.down_proj': np.asarray(mlp['linear']).T,
    'input_layernorm': ours['pre_attention_norm']['scale'],
    'post_attention_layernorm': ours['post_attention_norm']['scale'],
    'pre_feedforward_layernorm': ours['pre_ffw_norm']['scale'],
    'post_feedforward_layernorm': ours['post_ffw_norm']['scale'],
  }
