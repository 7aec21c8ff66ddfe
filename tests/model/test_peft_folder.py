"""Adapters as peft reads them are those that training computed with."""

import json
import re

import jax
import numpy as np
import pytest
import safetensors.numpy

from icl_gen.model import hugging_face, parameters, peft_folder
from icl_gen.model.lora import TARGETS, Lora
from tests import tiny


def written(folder, adapters, lora, config, **base):
  peft_folder.write(folder, adapters, lora, config, base='base', **base)
  tensors = safetensors.numpy.load_file(folder / 'adapter_model.safetensors')
  settings = json.loads((folder / 'adapter_config.json').read_text('utf-8'))
  return tensors, settings


def trained(lora, params):
  """Adapters that add something everywhere."""
  keys = iter(jax.random.split(jax.random.key(1), 1000))
  return jax.tree.map(
    lambda leaf: jax.random.normal(next(keys), leaf.shape),
    lora.make(params, seed=0),
  )


@pytest.mark.parametrize('dialect', tiny.DIALECTS)
@pytest.mark.parametrize('targets', TARGETS)
def test_what_peft_adds_is_what_is_merged(tmp_path, dialect, targets):
  config, params = tiny.module(dialect).config, tiny.params(dialect)
  lora = Lora(3, 6.0, targets)
  adapters = trained(lora, params)
  merged = lora.merged(params, adapters, parameters.axes(params))
  found, settings = written(tmp_path, adapters, lora, config)

  before = dict(hugging_face.tensors(params, config))
  after = dict(hugging_face.tensors(merged, config))
  adapted = set()
  for key in before:
    name = f'base_model.model.{key.removesuffix(".weight")}'
    if f'{name}.lora_A.weight' not in found:
      np.testing.assert_array_equal(after[key], before[key])
      continue
    down = found.pop(f'{name}.lora_A.weight')
    up = found.pop(f'{name}.lora_B.weight')
    added = settings['lora_alpha'] / settings['r'] * up @ down
    np.testing.assert_allclose(
      after[key], before[key] + added, rtol=1e-4, atol=1e-4
    )
    assert np.abs(added).max() > 0.1
    adapted.add(name.split('.')[-1])
  assert not found
  assert adapted == set(settings['target_modules'])


def test_of_a_model_with_images_the_text_model_is_adapted(tmp_path):
  """As transformers names it, and not what reads the images."""
  config, params = tiny.module('gemma3').config, tiny.params('gemma3')
  lora = Lora(3, 6.0, 'attention')
  adapters = trained(lora, params)
  plain, _ = written(tmp_path, adapters, lora, config)
  found, settings = written(tmp_path, adapters, lora, config, with_images=True)
  inside = 'base_model.model.model.language_model.layers'
  assert {
    name.replace('base_model.model.model.layers', inside) for name in plain
  } == set(found)
  adapted = re.compile(settings['target_modules'])
  for name in found:
    module = name.removeprefix('base_model.model.').rsplit('.lora_', 1)[0]
    assert adapted.fullmatch(module), module
  for other in (
    'model.vision_tower.encoder.layers.0.self_attn.q_proj',
    'model.language_model.layers.0.mlp.up_proj',
  ):
    assert not adapted.fullmatch(other)
