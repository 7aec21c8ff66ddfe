"""Names, axes and configurations of Hugging Face fit ours, both ways."""

import itertools
import json
import re

import jax
import numpy as np
import pytest

from icl_gen.model import (
  hugging_face,
  hugging_face_config,
  parameters,
  registry,
)
from tests import tiny
from tests.golden import convert


@pytest.mark.parametrize('name', convert.NAMES)
def test_weights_survive_conversion_and_back(name):
  golden = convert.load(name)
  again = dict(hugging_face.tensors(golden.weights, golden.config))
  assert again.keys() == golden.named.keys()
  for key, value in golden.named.items():
    np.testing.assert_array_equal(again[key], value)


@pytest.mark.parametrize('dialect', tiny.DIALECTS)
def test_any_part_of_a_parameter_is_read_as_it_is_in_the_whole(dialect):
  """And no more is read than the axes that they flatten require."""
  config = tiny.module(dialect).config
  named = dict(hugging_face.tensors(tiny.params(dialect), config))
  for keys, leaf in jax.tree_util.tree_leaves_with_path(tiny.params(dialect)):
    stored = hugging_face.stored(parameters.path_of(keys), config)
    read = []

    def some(name, index, read=read):
      part = named[f'model.{name}.weight'][index]
      read.append(part.size)
      return part

    halves = [
      (slice(None), slice(0, size // 2), slice(size // 2, size))
      for size in leaf.shape
    ]
    for index in itertools.product(*halves):
      read.clear()
      found = stored.read(index, leaf.shape, some)
      np.testing.assert_array_equal(found, leaf[index])
      whole = leaf.shape[-1] if stored.theirs[-1] == 'NH' else 1
      whole = max(whole, config.head_dim)
      assert sum(read) <= found.size * whole


@pytest.mark.parametrize('name', convert.NAMES)
def test_the_architecture_survives_conversion_and_back(name):
  golden = convert.load(name)
  assert not hugging_face_config.disagreements(golden.theirs, golden.config)
  settings = hugging_face_config.settings(golden.config)
  again = {key: golden.theirs[key] for key in settings if key in golden.theirs}
  assert {key: settings[key] for key in again} == again
  # What only one of them says is no difference between models.
  assert settings.keys() - golden.theirs.keys() <= {
    'rms_norm_eps',
    'attention_bias',
    'final_logit_softcapping',
    'attn_logit_softcapping',
  }


# Settings of released models as their config.json says them: in the words of
# different versions, and without what equals the defaults.
_GEMMA2 = {'model_type': 'gemma2', 'rope_theta': 10000.0, 'vocab_size': 256000}
_LINEAR = {'rope_type': 'linear', 'factor': 8.0}
_OLDER = {'rope_theta': 1e6, 'rope_local_base_freq': 10000}
RELEASED = {
  'gemma2_2b': _GEMMA2,
  'gemma2_9b': _GEMMA2
  | {
    'hidden_size': 3584,
    'intermediate_size': 14336,
    'num_hidden_layers': 42,
    'num_attention_heads': 16,
    'num_key_value_heads': 8,
  },
  'gemma2_27b': _GEMMA2
  | {
    'hidden_size': 4608,
    'intermediate_size': 36864,
    'num_hidden_layers': 46,
    'num_attention_heads': 32,
    'num_key_value_heads': 16,
    'head_dim': 128,
    'query_pre_attn_scalar': 144,
  },
  'gemma3_270m': {
    'model_type': 'gemma3_text',
    'hidden_size': 640,
    'intermediate_size': 2048,
    'num_hidden_layers': 18,
    'num_attention_heads': 4,
    'num_key_value_heads': 1,
    'sliding_window': 512,
    'layer_types': 3 * (5 * ['sliding_attention'] + ['full_attention']),
    'vocab_size': 262144,
    'use_bidirectional_attention': None,
    'rope_scaling': None,
  }
  | _OLDER,
  'gemma3_1b': {
    'model_type': 'gemma3_text',
    'hidden_size': 1152,
    'intermediate_size': 6912,
    'num_attention_heads': 4,
    'num_key_value_heads': 1,
    'sliding_window': 512,
    'sliding_window_pattern': 6,
    'vocab_size': 262144,
  }
  | _OLDER,
  'gemma3_4b': {
    'model_type': 'gemma3',
    'text_config': {
      'model_type': 'gemma3_text',
      'hidden_size': 2560,
      'intermediate_size': 10240,
      'num_hidden_layers': 34,
      'rope_scaling': _LINEAR,
      'sliding_window': 1024,
    },
    'vision_config': {'hidden_size': 1152},
  },
  'gemma3_27b': {
    'model_type': 'gemma3',
    'text_config': {
      'hidden_size': 5376,
      'intermediate_size': 21504,
      'num_hidden_layers': 62,
      'num_attention_heads': 32,
      'num_key_value_heads': 16,
      'head_dim': 128,
      'query_pre_attn_scalar': 168,
      'sliding_window': 1024,
      'rope_parameters': {
        'full_attention': _LINEAR | {'rope_theta': 1e6},
        'sliding_attention': {'rope_type': 'default', 'rope_theta': 1e4},
      },
    },
  },
}


@pytest.mark.parametrize('name', RELEASED)
def test_released_configurations_are_those_of_the_registry(name):
  theirs = json.loads(json.dumps(RELEASED[name]))
  config = registry.make_module(name).config
  assert not hugging_face_config.disagreements(theirs, config)
  # A released configuration is that of one model only.
  for other in RELEASED:
    if other != name:
      config = registry.make_module(other).config
      assert hugging_face_config.disagreements(theirs, config)


@pytest.mark.parametrize('name', [*RELEASED, *registry.NANO])
def test_older_versions_of_transformers_find_the_architecture(name):
  """Without the words that they do not know."""
  config = registry.make_module(name).config
  settings = hugging_face_config.settings(config)
  known = settings | hugging_face_config.in_older_words(settings)
  assert not hugging_face_config.disagreements(known, config)
  del known['rope_parameters']
  if config.use_qk_norm:  # Gemma 2 has one pattern only.
    del known['layer_types']
  assert not hugging_face_config.disagreements(known, config)


@pytest.mark.parametrize(
  ('setting', 'value', 'words'),
  [
    ('hidden_size', 64, 'hidden_size is 64, expected 128'),
    ('num_key_value_heads', 4, 'is 4, expected 2'),
    ('sliding_window', 65, 'is 65, expected 64'),
    ('query_pre_attn_scalar', 16, 'is 16, expected 32'),
    ('final_logit_softcapping', 30.0, 'is 30.0, expected None'),
    ('rms_norm_eps', 1e-5, 'is 1e-05, expected 1e-06'),
    ('tie_word_embeddings', False, 'is False, expected True'),
    ('hidden_activation', 'silu', "is 'silu', expected 'gelu_pytorch_tanh'"),
    ('attention_bias', True, 'is True, expected False'),
    ('use_bidirectional_attention', True, 'is True, expected False'),
    ('model_type', 'llama', "is 'llama', expected 'gemma3_text'"),
    ('layer_types', ['full_attention'] * 6, 'layer_types is .*, expected'),
    ('rope_parameters', None, 'rope_parameters is .*1000.*, expected'),
  ],
)
def test_each_setting_is_compared(setting, value, words):
  config = registry.make_module('nano').config
  theirs = hugging_face_config.settings(config)
  assert not hugging_face_config.disagreements(theirs, config)
  theirs[setting] = value
  if setting == 'rope_parameters':
    theirs['rope_theta'] = 1000.0
  found = hugging_face_config.disagreements(theirs, config)
  assert len(found) == 1

  assert re.search(words, found[0])
