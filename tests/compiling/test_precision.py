"""Products of float32 models are in float32, where the default is coarser.

What a program asks for is in its text before it is compiled, so no such device
is needed. Every door that computes with a model has its programs here.
"""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from icl_gen.model import (
  attention,
  cores,
  forward,
  lora,
  package_cache,
  package_forward,
  parameters,
  precision,
  prefix,
  sharding,
)
from icl_gen.runs.experiments import Training
from icl_gen.sampling import likeliest, sampler
from icl_gen.scoring import scorer
from icl_gen.training import fine_tuning, teaching
from icl_gen.training.plan import Plan
from tests import packaged, tiny

ROWS, LENGTH = 8, 16
_PRODUCT = re.compile(
  r'stablehlo\.dot_general .*precision = \[(\w+), (\w+)\].*'
  r' : \(tensor<([^>]*)>, tensor<([^>]*)>\)'
)


def products(text):
  """The dtypes and precisions that a program's products have."""
  found = _PRODUCT.findall(text)
  assert found
  assert len(found) == len(re.findall('dot_general|convolution', text))
  return {
    (one.split('x')[-1], other.split('x')[-1], *precisions)
    for *precisions, one, other in found
  }


def assert_full(text):
  assert products(text) == {('f32', 'f32', 'HIGHEST', 'HIGHEST')}


def assert_default(text):
  found = products(text)
  assert {name for _, _, *names in found for name in names} == {'DEFAULT'}
  assert ('bf16', 'bf16', 'DEFAULT', 'DEFAULT') in found


def ints(*shape):
  return jax.ShapeDtypeStruct(shape, np.int32)


def weights(dtype, dialect='gemma3'):
  """Module and shapes of its parameters."""
  shapes = jax.tree.map(
    lambda leaf: jax.ShapeDtypeStruct(leaf.shape, dtype), tiny.shapes(dialect)
  )
  return tiny.module(dialect, dtype), shapes


def context(dtype, core='auto'):
  return prefix.lower(*weights(dtype), length=600, core=core)


def of_scoring(dtype):
  _, shared = context(dtype)
  mesh = sharding.make_mesh(data=1, model=1)
  return scorer.lower(*weights(dtype), shared, mesh)[0]


def of_sampling(dtype):
  _, shared = context(dtype)
  return sampler.lower(*weights(dtype), shared, prompt=32, max_tokens=4)[0]


def of_distributions(dtype):
  _, shared = context(dtype)
  return likeliest._likeliest.lower(
    *weights(dtype), shared, ints(2, 32), ints(2), ints(2), width=32, count=2
  )


def of_training(dtype, *, layers='one_key_head', mesh=(1, 1, 1), **changes):
  settings = Training(
    steps=2, warmup_steps=0, batch_size=ROWS, length=LENGTH, **changes
  )
  data, fsdp, model = mesh
  devices = sharding.make_mesh(data=data, fsdp=fsdp, model=model)
  how = Plan(devices, remat=settings.remat, scan=settings.scan)
  lower, *_ = fine_tuning.lower(*weights(dtype, layers), settings, how)
  return lower()


PROGRAMS = {
  'context': lambda dtype: context(dtype)[0],
  'context, splash': lambda dtype: context(dtype, 'splash')[0],
  'scoring': of_scoring,
  'sampling': of_sampling,
  'distributions': of_distributions,
  'training': of_training,
  'training, scan': functools.partial(
    of_training, layers='runs', scan=True, remat='full'
  ),
  'training, split': functools.partial(of_training, mesh=(2, 2, 2)),
  'training, LoRA': functools.partial(of_training, lora_rank=2),
}


@pytest.mark.parametrize('name', PROGRAMS)
def test_a_model_in_float32_multiplies_in_float32(name):
  assert_full(PROGRAMS[name]('float32').as_text())


@pytest.mark.parametrize('name', PROGRAMS)
def test_a_model_in_bfloat16_multiplies_in_one_pass(name):
  assert_default(PROGRAMS[name]('bfloat16').as_text())


@pytest.mark.parametrize('core', ['plain', 'blockwise', 'splash'])
@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_gradients_of_attention_are_like_their_model(core, dtype):
  @jax.jit
  @precision.of(dtype)
  def gradients(qkv, positions, segments):
    def total(qkv):
      layer = attention.Layer(index=0, window=None, soft_cap=None)
      places = positions, segments
      out = cores.within_rows(core, *qkv, *places, layer, block=LENGTH)
      return jnp.sum(out.astype(jnp.float32))

    return jax.grad(total)(qkv)

  qkv = (jax.ShapeDtypeStruct((1, 2, LENGTH, 16), dtype),) * 3
  text = gradients.lower(qkv, ints(1, LENGTH), ints(1, LENGTH)).as_text()
  {'float32': assert_full, 'bfloat16': assert_default}[dtype](text)


@pytest.mark.parametrize('name', packaged.DIFFERENCES)
def test_the_package_multiplies_in_float32_too(name):
  module, shapes = packaged.module(name), packaged.shapes(name)
  with jax.numpy_rank_promotion('allow'):  # in the package
    rows = package_forward.row_logps.lower(module, shapes, *(ints(2, 8),) * 3)
    read = package_cache._encode.lower(module, shapes, ints(512), ints())
  assert_full(rows.as_text())
  assert_full(read.as_text())


def test_adapters_are_merged_in_float32():
  adapted = lora.Lora(rank=2, alpha=4.0, targets='all')
  params = tiny.params('gemma3')

  @jax.jit
  def merge(params, adapters):
    return adapted.merged(params, adapters, parameters.axes(params))

  assert_full(merge.lower(params, adapted.make(params, seed=0)).as_text())


def test_skills_are_measured_in_float32(monkeypatch):
  class Stopped(Exception):
    pass

  def stop(*_):
    raise Stopped(jax.config.jax_default_matmul_precision)

  monkeypatch.setattr(forward, 'forward', stop)
  mesh = sharding.make_mesh(data=1, model=1)
  predict = teaching.make_predict(tiny.module('gemma3'), Plan(mesh))
  with pytest.raises(Stopped, match='highest'):
    predict(tiny.shapes('gemma3'), np.zeros((1, 4), np.int32))
