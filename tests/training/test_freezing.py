"""Frozen embeddings stay as they are; all else is trained as without."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from icl_gen.model import sharding
from icl_gen.runs.experiments import Training
from icl_gen.training import fine_tuning
from icl_gen.training.plan import Plan
from icl_gen.types import Batch
from tests import tiny

ROWS, LENGTH, STEPS = 8, 12, 2
MESHES = {'one': (1, 1, 1), 'split': (2, 2, 2)}
TABLE_SIZE = tiny.VOCABULARY * 32


def batch():
  return Batch(
    tokens_BxL=np.stack([tiny.ids(LENGTH, seed=seed) for seed in range(ROWS)]),
    weights_BxL=np.ones((ROWS, LENGTH), np.float32),
    positions_BxL=np.tile(np.arange(LENGTH, dtype=np.int32), (ROWS, 1)),
    segments_BxL=np.ones((ROWS, LENGTH), np.int32),
  )


def settings(**changes):
  return Training(
    steps=STEPS,
    warmup_steps=0,
    batch_size=ROWS,
    length=LENGTH,
    weight_decay=0.1,
    **changes,
  )


@functools.cache
def trained(where='one', dtype='float32', **changes):
  """(run, weights before, weights after the steps, metrics of each step)."""
  data, fsdp, model = MESHES[where]
  how = Plan(sharding.make_mesh(data=data, fsdp=fsdp, model=model))
  module = tiny.module('one_key_head', dtype)
  params = jax.tree.map(jnp.copy, tiny.params('one_key_head', dtype))
  if where != 'one':
    params = tiny.placed(how.mesh, module, params)
  run = fine_tuning.start(module, params, settings(**changes), how, seed=0)
  before = jax.device_get(run.weights(run.state))
  state, found = run.state, []
  for _ in range(STEPS):
    state, metrics = run.step(state, sharding.split_rows(how.mesh, batch()))
    found.append(jax.device_get(metrics))
  after = jax.device_get(run.weights(state))
  return jax.eval_shape(lambda: state), before, after, found


@pytest.mark.parametrize(
  ('where', 'dtype', 'optimizer'),
  [
    ('split', 'float32', 'adamw'),
    pytest.param('one', 'float32', 'muon', marks=pytest.mark.slow),
    pytest.param('one', 'bfloat16', 'adafactor', marks=pytest.mark.slow),
    pytest.param('split', 'float32', 'muon', marks=pytest.mark.slow),
    pytest.param('split', 'bfloat16', 'adafactor', marks=pytest.mark.slow),
  ],
)
def test_only_what_is_frozen_stays_as_it_is(where, dtype, optimizer):
  state, before, after, _ = trained(
    where, dtype, freeze='embeddings', optimizer=optimizer
  )
  assert jax.tree.structure(before) == jax.tree.structure(after)
  for (path, one), two in zip(
    jax.tree_util.tree_leaves_with_path(before),
    jax.tree.leaves(after),
    strict=True,
  ):
    name = jax.tree_util.keystr(path)
    assert one.dtype == two.dtype == dtype
    # Most, as bfloat16 weights are rounded.
    assert (one == two).all() == ('embedder' in name), name
  given = tiny.params('one_key_head', dtype)['embedder']['input_embedding']
  np.testing.assert_array_equal(after['embedder']['input_embedding'], given)
  # Neither float32 masters nor anything of the optimizer.
  assert not [x for x in jax.tree.leaves(state) if x.size >= TABLE_SIZE / 2]


def test_what_is_not_frozen_has_the_gradients_that_it_has_without():
  """So the first losses agree, and the table's share of the norm is gone."""
  *_, frozen = trained(freeze='embeddings', clip=1e6)
  *_, free = trained(clip=1e6)
  assert frozen[0]['loss'] == free[0]['loss']
  assert frozen[1]['loss'] != free[1]['loss']
  assert 0 < frozen[0]['grad_norm'] < 0.999 * free[0]['grad_norm']


def test_the_first_steps_of_the_rest_agree():
  """Adam's update of a weight depends on its own gradient only."""
  _, _, frozen, _ = trained(freeze='embeddings', clip=1e6)
  _, before, free, _ = trained(clip=1e6)
  name = 'layer_1'
  one, two, start = (
    np.concatenate([leaf.ravel() for leaf in jax.tree.leaves(tree[name])])
    for tree in (frozen, free, before)
  )
  assert np.abs(one - start).max() > 1e-3
  # The second step differs, as the table has moved in between.
  assert np.corrcoef(one - start, two - start)[0, 1] > 0.9


def test_the_program_that_is_compiled_takes_the_table_apart():
  how = Plan(sharding.make_mesh(data=2, fsdp=2, model=2))
  lower, state, frozen = fine_tuning.lower(
    tiny.module('one_key_head'),
    tiny.shapes('one_key_head'),
    settings(freeze='embeddings'),
    how,
  )
  assert set(frozen) == {'embedder'}
  assert set(state.params) == set(tiny.shapes('one_key_head')) - {'embedder'}
  assert f'{tiny.VOCABULARY}x32' in lower().as_text()
