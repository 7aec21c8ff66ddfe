"""Adapters are saved for the model that they were trained on."""

import json

import pytest
import safetensors.numpy

from icl_gen.model.lora import Lora
from icl_gen.training import adapters
from tests import tiny


@pytest.mark.parametrize(
  ('config', 'text_model'),
  [
    ({'model_type': 'gemma3_text'}, 'model.layers'),
    (
      {'model_type': 'gemma3', 'text_config': {'model_type': 'gemma3_text'}},
      'model.language_model.layers',
    ),
    (None, 'model.layers'),
  ],
)
def test_names_are_those_of_the_base(tmp_path, config, text_model):
  base = tmp_path / 'base'
  base.mkdir()
  if config:
    (base / 'config.json').write_text(json.dumps(config))
  lora, params = Lora(2, 4.0, 'all'), tiny.params('gemma3')
  new = lora.make(params, seed=0)
  adapters.save(tmp_path, new, lora, tiny.module('gemma3'), str(base))
  saved = tmp_path / 'adapters'
  names = safetensors.numpy.load_file(saved / 'adapter_model.safetensors')
  assert names
  start = f'base_model.model.{text_model}.'
  assert all(name.startswith(start) for name in names)
  settings = json.loads((saved / 'adapter_config.json').read_text())
  assert settings['base_model_name_or_path'] == (str(base) if config else '')
