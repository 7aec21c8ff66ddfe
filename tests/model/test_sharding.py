"""Scores on meshes of eight devices equal those on one."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from icl_gen import processes
from icl_gen.model import (
  forward,
  head,
  initialisation,
  prefix,
  prefix_attention,
  registry,
  sharding,
)
from tests import tiny

ROWS, LENGTH, BEFORE = 8, 6, 11


@functools.partial(jax.jit, static_argnums=0)
def _logps(module, params, shared, tokens_BxL):
  positions_BxL = shared.length + jnp.tile(
    jnp.arange(LENGTH, dtype=jnp.int32)[None], (ROWS, 1)
  )
  hidden_BxLxD, _ = forward.forward(
    module,
    params,
    tokens_BxL,
    positions_BxL,
    prefix_attention.after(
      shared, None, positions_BxL, jnp.ones_like(tokens_BxL)
    ),
  )
  targets_BxL = jnp.roll(tokens_BxL, -1, axis=1)
  return head.target_logps(module, params, hidden_BxLxD, targets_BxL)


def logps(params, tokens_BxL, *, dialect):
  before_P = tiny.ids(BEFORE, seed=1)
  shared = prefix.encode(tiny.module(dialect), params, before_P, chunk=8)
  return _logps(tiny.module(dialect), params, shared, tokens_BxL), shared


def batch():
  return np.stack([tiny.ids(LENGTH, seed=seed) for seed in range(ROWS)])


@functools.cache
def on_one_device(dialect):
  return logps(tiny.params(dialect), batch(), dialect=dialect)[0]


@pytest.mark.parametrize(
  ('dialect', 'data', 'model'),
  [
    pytest.param('one_key_head', 8, 1, marks=pytest.mark.slow),
    ('one_key_head', 2, 4),
    pytest.param('all_key_heads', 4, 2, marks=pytest.mark.slow),
  ],
)
def test_scores_equal_those_of_one_device(dialect, data, model):
  mesh = sharding.make_mesh(data=data, model=model)
  params = tiny.placed(mesh, tiny.module(dialect), tiny.params(dialect))
  found, shared = logps(
    params, sharding.split_rows(mesh, batch()), dialect=dialect
  )
  assert len(found.sharding.device_set) == 8
  np.testing.assert_allclose(found, on_one_device(dialect), atol=1e-5)
  # Four key heads are split over two devices; a single one is replicated.
  heads = {s.data.shape[0] for s in shared.layers[1].k_KxPxH.addressable_shards}
  assert heads == ({2} if dialect == 'all_key_heads' else {1})


def test_each_device_has_its_share():
  mesh = sharding.make_mesh(data=2, model=4)
  module, params = tiny.module('gemma3'), tiny.params('gemma3')
  placed = tiny.placed(mesh, module, params)
  shares = jax.tree.map(lambda x: x.addressable_shards[5].data.shape, placed)
  assert shares['embedder']['input_embedding'] == (tiny.VOCABULARY // 4, 32)
  layer = shares['layer_0']
  assert layer['attn']['q_einsum']['w'] == (1, 32, 16)
  assert layer['attn']['kv_einsum']['w'] == (2, 2, 32, 16)
  assert layer['attn']['attn_vec_einsum']['w'] == (1, 16, 32)
  assert layer['mlp']['gating_einsum'] == (2, 12, 32)
  assert layer['mlp']['linear'] == (12, 32)
  assert layer['pre_ffw_norm']['scale'] == (32,)


def test_the_hidden_width_is_split_in_an_untransposed_gate():
  found = sharding.specs(tiny.module('gemma2'), tiny.shapes('gemma2'), model=4)
  spec = found['layer_0']['mlp']['gating_einsum']
  assert tuple(spec) == (None, None, 'model')


@pytest.mark.parametrize('name', ['nano', 'gemma2_2b', 'gemma3_4b'])
def test_released_models_can_be_split(name):
  module = registry.make_module(name)
  shapes = jax.eval_shape(lambda: initialisation.make_params(module, seed=0))
  found = sharding.specs(module, shapes, model=4)
  layer = found['layer_0']['attn']
  assert tuple(layer['attn_vec_einsum']['w']) == ('model', None, None)


def test_an_unknown_parameter_is_refused():
  params = tiny.params('gemma3') | {'adapter': {'w': np.zeros((2, 2))}}
  with pytest.raises(ValueError, match="unknown parameter 'adapter/w'"):
    sharding.specs(tiny.module('gemma3'), params, model=2)


@pytest.mark.parametrize(
  ('model', 'message'),
  [
    (8, 'attn/.*/w: 4 heads cannot be split over 8 devices'),
    (5, 'input_embedding: 1792 vocabulary cannot be split over 5 devices'),
  ],
)
def test_heads_and_vocabulary_that_cannot_be_split_are_refused(model, message):
  with pytest.raises(ValueError, match=message):
    sharding.specs(tiny.module('gemma3'), tiny.params('gemma3'), model=model)


def test_rows_must_divide_evenly_and_devices_must_exist():
  mesh = sharding.make_mesh(data=4, model=2)
  with pytest.raises(ValueError, match='6 rows cannot be split over 4'):
    sharding.split_rows(mesh, np.zeros((6, 2)))
  with pytest.raises(ValueError, match='needs 16; there are 8'):
    sharding.make_mesh(data=4, model=4)


def test_training_splits_rows_over_all_devices_and_replicates_the_rest():
  mesh = sharding.make_training_mesh(rows=16)
  rows_BxL = np.arange(48).reshape(16, 3)
  split = sharding.split_rows(mesh, {'rows': rows_BxL})['rows']
  assert {s.data.shape for s in split.addressable_shards} == {(2, 3)}
  np.testing.assert_array_equal(split, rows_BxL)
  everywhere = sharding.replicate(mesh, rows_BxL)
  assert {s.data.shape for s in everywhere.addressable_shards} == {(16, 3)}
  assert len(everywhere.sharding.device_set) == len(jax.devices())


def test_a_batch_that_does_not_divide_evenly_is_refused():
  with pytest.raises(ValueError, match='12 rows .* over 8 devices'):
    sharding.make_training_mesh(rows=12)


def test_a_mesh_may_have_all_the_devices_there_are():
  assert sharding.make_mesh(data=0, model=2).shape['data'] == 4
  with pytest.raises(ValueError, match=r'0 \(data\) .* 16 \(model\)'):
    sharding.make_mesh(data=0, model=16)


def test_several_processes_leave_no_device_out(monkeypatch):
  monkeypatch.setattr(processes._run, 'count', 2)
  assert sharding.make_mesh(data=4, model=2).size == 8
  with pytest.raises(ValueError, match='leaves out .* 8 devices.*data=0'):
    sharding.make_mesh(data=2, model=2)
