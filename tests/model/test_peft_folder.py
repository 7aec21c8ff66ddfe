"""Adapters as peft reads them are those that training computed with."""

import json

import jax
import numpy as np
import pytest
import safetensors.numpy

from icl_gen.model import hugging_face, parameters, peft_folder
from icl_gen.model.lora import TARGETS, Lora
from tests import tiny


def written(folder, adapters, lora, config):
  peft_folder.write(folder, adapters, lora, config, base='base')
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
