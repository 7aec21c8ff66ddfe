"""Every name is a text-only model; the plain ones have known layers."""

import jax
import pytest

from icl_gen.model import forward, initialisation, registry
from icl_gen.runs import models


@pytest.mark.parametrize('name', [*models.NANO, *models.RELEASED])
def test_every_plain_model_has_local_and_global_layers(name):
  module = registry.make_module(name)
  windows = forward.windows(module)
  assert len(windows) == module.config.num_layers
  assert None in windows and len(set(windows)) == 2
  assert module.config.vision_encoder is None, 'text only'
  is_gemma2 = name.startswith('gemma2')
  assert bool(module.config.final_logit_softcap) == is_gemma2
  assert module.config.use_qk_norm == (not is_gemma2)


def test_only_other_architectures_use_the_package_forward():
  for name in (*models.NANO, *models.RELEASED):
    assert forward.is_dense(registry.make_module(name))
    models.require_plain(name, door='compile')
  for name in models.PACKAGED:
    module = registry.make_module(name)
    assert module.config.vision_encoder is None, 'text only'
    with pytest.raises(ValueError, match='the gemma package computes it'):
      forward.forward(module, {}, None, None, None)
    with pytest.raises(ValueError, match=f"compile cannot use model '{name}'"):
      models.require_plain(name, door='compile')


def test_parameters_have_the_given_dtype():
  for dtype in ('float32', 'bfloat16'):
    module = registry.make_module('nano_small', dtype=dtype)
    shapes = jax.eval_shape(
      lambda m=module: initialisation.make_params(m, seed=0)
    )
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(shapes)} == {dtype}


@pytest.mark.parametrize('dtype', ['float17', 'int32', 'float64', ''])
def test_other_dtypes_are_refused(dtype):
  with pytest.raises(ValueError, match=f'{dtype!r}; allowed are float32, bf'):
    registry.make_module('nano', dtype=dtype)


@pytest.mark.parametrize(
  ('name', 'pieces'),
  [('nano', 2304), ('gemma2_2b', 256_000), ('gemma3_1b', 262_144)],
)
def test_the_tokenizer_must_have_as_many_pieces_as_embeddings(name, pieces):
  module = registry.make_module(name)
  registry.require_vocabulary(name, module, pieces=pieces)
  for other in (400, pieces - 200, pieces + 200, 256_000, 262_144):
    if other != pieces:
      with pytest.raises(
        ValueError, match=f'has {other} pieces, model {name!r}'
      ):
        registry.require_vocabulary(name, module, pieces=other)


def test_unknown_names_are_refused():
  with pytest.raises(ValueError, match=r"unknown model 'glon'; known are nano"):
    registry.make_module('glon')


@pytest.mark.parametrize(
  'name', [*models.NANO, *models.RELEASED, *models.PACKAGED]
)
def test_every_model_has_a_longest_row(name):
  models.require_room(name, tokens=3_072, what='a row')
  with pytest.raises(ValueError, match=f'a row takes 300,000 .*{name!r}'):
    models.require_room(name, tokens=300_000, what='a row')
