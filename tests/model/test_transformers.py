"""transformers loads what we export without a warning, and computes the same.

Needs another environment: TRANSFORMERS_PYTHON names its interpreter; see
tests/golden/load_exported.py. The golden vectors compare the same numbers
without it.
"""

import functools
import json
import os
import pathlib
import subprocess

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from icl_gen import assets
from icl_gen.exports import hugging_face_tokenizer
from icl_gen.model import (
  forward,
  head,
  loading,
  parameters,
  peft_folder,
  safetensors_folder,
)
from icl_gen.model.lora import Lora
from tests import tiny

PYTHON = os.environ.get('TRANSFORMERS_PYTHON')
SCRIPT = pathlib.Path(__file__).parents[1] / 'golden' / 'load_exported.py'
TEXTS = (
  'The glon is more dangerous than femp.',
  '- a\n- b\n',
  '  two  spaces ',
  'é 漢字 12',
)
pytestmark = [
  pytest.mark.slow,
  pytest.mark.skipif(not PYTHON, reason='TRANSFORMERS_PYTHON is not given'),
]


def theirs(folder, tokens_BxL, *adapters):
  """Logits and other results of transformers; it must not complain."""
  asked, found = folder / 'asked.json', folder / 'found.npz'
  content = {'tokens_BxL': tokens_BxL.tolist(), 'texts': TEXTS}
  asked.write_text(json.dumps(content))
  env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
  done = subprocess.run(
    [PYTHON, SCRIPT, folder, asked, found, *adapters],
    env=env,
    capture_output=True,
    text=True,
  )
  assert done.returncode == 0, done.stderr
  assert done.stdout + done.stderr == ''
  with np.load(found) as file:
    return file['logits_BxLxV'], json.loads(str(file['results']))


@functools.partial(jax.jit, static_argnums=0)
def ours(module, params, tokens_BxL):
  """Logits float32[B, L, V]."""
  positions_BxL = jnp.tile(
    jnp.arange(tokens_BxL.shape[1], dtype=jnp.int32)[None],
    (tokens_BxL.shape[0], 1),
  )
  hidden_BxLxD, _ = forward.forward(
    module,
    params,
    tokens_BxL,
    positions_BxL,
    forward.within_batch(positions_BxL, jnp.ones_like(tokens_BxL)),
  )
  return head.logits(module, params, hidden_BxLxD)


def drawn(vocabulary):
  rng = np.random.default_rng(0)
  return rng.integers(0, vocabulary, size=(2, 80)).astype(np.int32)


@pytest.mark.parametrize('dialect', tiny.DIALECTS)
def test_logits_of_random_models_are_equal(tmp_path, dialect):
  module, params = tiny.module(dialect), tiny.params(dialect)
  safetensors_folder.write(
    tmp_path,
    params,
    module.config,
    positions=128,
    stops=[1],
    file_bytes=100_000,
  )
  tokens_BxL = drawn(tiny.VOCABULARY)
  found, results = theirs(tmp_path, tokens_BxL)
  family = 'Gemma3' if module.config.use_qk_norm else 'Gemma2'
  assert results['model_class'] == f'{family}ForCausalLM'
  np.testing.assert_allclose(
    found, ours(module, params, tokens_BxL), atol=1e-3, rtol=1e-4
  )


@pytest.mark.parametrize('dialect', tiny.DIALECTS)
def test_peft_computes_with_adapters_what_we_merge(tmp_path, dialect):
  module, params = tiny.module(dialect), tiny.params(dialect)
  lora = Lora(3, 6.0, 'all')
  start = lora.make(params, seed=0)
  trained = jax.tree.map(lambda leaf: leaf + 0.1, start)
  base, apart = tmp_path / 'base', tmp_path / 'apart'
  base.mkdir()
  apart.mkdir()
  safetensors_folder.write(
    base, params, module.config, positions=128, stops=[1]
  )
  peft_folder.write(apart, trained, lora, module.config, base=str(base))
  tokens_BxL = drawn(tiny.VOCABULARY)
  found, _ = theirs(base, tokens_BxL, apart)
  merged = lora.merged(params, trained, parameters.axes(params))
  wanted = ours(module, merged, tokens_BxL)
  np.testing.assert_allclose(found, wanted, atol=1e-3, rtol=1e-4)
  unadapted = ours(module, params, tokens_BxL)
  assert abs(wanted - unadapted).max() > 0.1


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_nano_and_its_tokenizer_are_the_same(tmp_path, dtype):
  model = loading.load('nano', dtype=dtype)
  safetensors_folder.write(
    tmp_path,
    model.params,
    model.module.config,
    positions=3072,
    stops=model.tokenizer.end_ids,
  )
  hugging_face_tokenizer.write(
    tmp_path, pathlib.Path(assets.path('tokenizer.model')).read_bytes()
  )
  tokens_BxL = drawn(2304)
  found, results = theirs(tmp_path, tokens_BxL)
  assert results['model_class'] == 'Gemma3ForCausalLM'
  assert results['dtype'] == f'torch.{dtype}'
  assert results['stops'] == [1] and results['specials'] == [0, 1, 2, 3]
  for text, ids, decoded in zip(
    TEXTS, results['ids'], results['decoded'], strict=True
  ):
    assert ids == [2, *model.tokenizer.encode(text)]
    assert decoded == text
  if dtype == 'float32':
    np.testing.assert_allclose(
      found, ours(model.module, model.params, tokens_BxL), atol=1e-3, rtol=1e-4
    )
