"""The architecture of Gemma 2 and Gemma 3 in Hugging Face's config.json.

transformers has renamed settings, and leaves out those that equal its defaults;
files of all versions are read.
"""

from collections.abc import Mapping
from typing import Any

from icl_gen.model.package import gm

type Architecture = gm.nn.config.TransformerConfig

# Their name of a family -> their class of models with text only.
CLASSES = {'gemma2': 'Gemma2ForCausalLM', 'gemma3_text': 'Gemma3ForCausalLM'}
_LOCAL, _GLOBAL = 'sliding_attention', 'full_attention'

# What config.json may leave out, since it is a default of their classes.
_DEFAULTS: dict[str, dict[str, Any]] = {
  'gemma2': {
    'vocab_size': 256_000,
    'attn_logit_softcapping': 50.0,
    'final_logit_softcapping': 30.0,
    'sliding_window_pattern': 2,
    'rope_theta': 10_000.0,
    'rope_local_base_freq': 10_000.0,
  },
  'gemma3_text': {
    'vocab_size': 262_208,
    'attn_logit_softcapping': None,
    'final_logit_softcapping': None,
    'sliding_window_pattern': 6,
    'rope_theta': 1_000_000.0,
    'rope_local_base_freq': 10_000.0,
  },
}
_DEFAULTS_OF_BOTH = {
  'hidden_size': 2304,
  'intermediate_size': 9216,
  'num_hidden_layers': 26,
  'num_attention_heads': 8,
  'num_key_value_heads': 4,
  'head_dim': 256,
  'query_pre_attn_scalar': 256,
  'sliding_window': 4096,
  'hidden_activation': 'gelu_pytorch_tanh',
  'rms_norm_eps': 1e-6,
  'attention_bias': False,
  'tie_word_embeddings': True,
  'use_bidirectional_attention': False,
}


def settings(architecture: Architecture) -> dict[str, Any]:
  """The architecture in the words of their config.json.

  Raises:
    ValueError: if they have no word for it.
  """
  family = 'gemma3_text' if architecture.use_qk_norm else 'gemma2'
  scale = architecture.query_pre_attn_scalar() ** -2
  if not 0.99 < round(scale) / scale < 1.01:
    raise ValueError(
      f'queries are scaled by {scale**-0.5}, which is no query_pre_attn_scalar'
      ' of Hugging Face'
    )
  kinds = [
    _LOCAL if kind == gm.nn.AttentionType.LOCAL_SLIDING else _GLOBAL
    for kind in architecture.attention_types
  ]
  ropes = {
    _LOCAL: _rope(
      architecture.local_base_frequency, architecture.local_scale_factor
    ),
    _GLOBAL: _rope(
      architecture.global_base_frequency, architecture.global_scale_factor
    ),
  }
  if family == 'gemma2' and ropes[_LOCAL] != ropes[_GLOBAL]:
    raise ValueError('Gemma 2 has one rotary embedding for all layers')
  return {
    'model_type': family,
    'vocab_size': architecture.num_embed,
    'hidden_size': architecture.embed_dim,
    'intermediate_size': architecture.hidden_dim,
    'num_hidden_layers': len(kinds),
    'num_attention_heads': architecture.num_heads,
    'num_key_value_heads': architecture.num_kv_heads,
    'head_dim': architecture.head_dim,
    'query_pre_attn_scalar': round(scale),
    'sliding_window': architecture.sliding_window_size,
    'layer_types': kinds,
    'rope_parameters': ropes[_GLOBAL] if family == 'gemma2' else ropes,
    'attn_logit_softcapping': architecture.attn_logits_soft_cap,
    'final_logit_softcapping': architecture.final_logit_softcap,
    'hidden_activation': 'gelu_pytorch_tanh',
    'rms_norm_eps': 1e-6,
    'attention_bias': False,
    'tie_word_embeddings': True,
  }


def _rope(base: float, factor: float) -> dict[str, Any]:
  default = {'rope_type': 'default', 'rope_theta': float(base)}
  if factor == 1:
    return default
  return default | {'rope_type': 'linear', 'factor': float(factor)}


def in_older_words(settings: Mapping[str, Any]) -> dict[str, Any]:
  """What transformers 4 reads in place of newer words, to be written as well.

  It ignores `rope_parameters`, and before 4.53 also `layer_types`, and would
  compute with its defaults.

  Args:
    settings: from `settings`.
  """
  ropes = settings['rope_parameters']
  if settings['model_type'] == 'gemma2':
    return {'rope_theta': ropes['rope_theta']}
  scaling = {k: v for k, v in ropes[_GLOBAL].items() if k != 'rope_theta'}
  kinds = [*settings['layer_types'], _GLOBAL]  # if there is no other
  return {
    'sliding_window_pattern': kinds.index(_GLOBAL) + 1,
    'rope_theta': ropes[_GLOBAL]['rope_theta'],
    'rope_local_base_freq': ropes[_LOCAL]['rope_theta'],
    'rope_scaling': scaling if 'factor' in scaling else None,
  }


def disagreements(
  theirs: Mapping[str, Any], architecture: Architecture
) -> list[str]:
  """What a config.json says that an architecture is not, in words.

  Rows of embedding tables are not compared: theirs may have more.

  Args:
    theirs: the content of config.json, of any version of transformers.
    architecture: the architecture.

  Returns:
    for each disagreement '<setting> is <theirs>, expected <ours>'.
  """
  ours = settings(architecture)
  text = dict(theirs.get('text_config') or theirs)
  family = text.get('model_type', 'nothing')
  if 'text_config' in theirs and family in ('nothing', 'gemma3'):
    family = 'gemma3_text'
  if family != ours['model_type']:
    return [f'model_type is {family!r}, expected {ours["model_type"]!r}']
  text = _DEFAULTS_OF_BOTH | _DEFAULTS[family] | text
  text['use_bidirectional_attention'] = bool(
    text['use_bidirectional_attention']
  )
  if family == 'gemma2':
    text['rope_local_base_freq'] = text['rope_theta']
  text['layer_types'] = text.get('layer_types') or _layer_types(text)
  ours['use_bidirectional_attention'] = False
  ours['rope_parameters'] = _ropes(ours)
  text['rope_parameters'] = _ropes(text)
  return [
    f'{name} is {text[name]!r}, expected {value!r}'
    for name, value in ours.items()
    if name not in ('model_type', 'vocab_size') and text[name] != value
  ]


def _layer_types(text: Mapping[str, Any]) -> list[str]:
  """Every so-manieth layer is global."""
  every = text.get('_sliding_window_pattern') or text['sliding_window_pattern']
  return [
    _LOCAL if (number + 1) % every else _GLOBAL
    for number in range(text['num_hidden_layers'])
  ]


def _ropes(text: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
  """Base and factor by kind of layer, from the words of any version."""
  given = dict(text.get('rope_parameters') or {})
  by_kind = {kind: given.get(kind) for kind in (_LOCAL, _GLOBAL)}
  if 'rope_theta' in given:  # One for both.
    by_kind = {_LOCAL: given, _GLOBAL: given}
  bases = {
    _LOCAL: text.get('rope_local_base_freq'),
    _GLOBAL: text.get('rope_theta'),
  }
  scaling = {_LOCAL: {}, _GLOBAL: text.get('rope_scaling') or {}}
  found = {}
  for kind in (_LOCAL, _GLOBAL):
    one = {'rope_theta': bases[kind]} | (by_kind[kind] or scaling[kind])
    style = one.get('rope_type') or one.get('type') or 'default'
    factor = float(one.get('factor', 1.0)) if style != 'default' else 1.0
    found[kind] = {
      'base': float(one['rope_theta']),
      'factor': factor,
      'type': style if factor != 1 else 'default',
    }
  return found
