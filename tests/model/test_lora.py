"""Adapters add what they say, to the matrices that they are meant for."""

import jax
import numpy as np
import pytest

from icl_gen.model import parameters
from icl_gen.model.lora import Lora
from tests import tiny


def leaves(tree):
  return {
    parameters.path_of(path): leaf
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
  }


def drawn(lora, dialect):
  """Adapters of which both halves are random."""
  rng = np.random.default_rng(0)
  made = lora.make(tiny.params(dialect), seed=0)
  return jax.tree.map(lambda x: rng.standard_normal(x.shape), made)


def test_new_adapters_add_nothing():
  lora, params = Lora(4, 8.0, 'all'), tiny.params('gemma3')
  merged = lora.merged(
    params, lora.make(params, seed=0), parameters.axes(params)
  )
  jax.tree.map(np.testing.assert_array_equal, merged, params)


def as_matrices(array, axes):
  """[stacked, inputs, outputs]."""
  groups = [
    [axes.names.index(name) for name in group if name in axes.names]
    for group in (parameters.STACKED, axes.inputs, axes.outputs)
  ]
  shape = [int(np.prod([array.shape[i] for i in group])) for group in groups]
  return np.asarray(array).transpose(sum(groups, [])).reshape(shape)


@pytest.mark.parametrize('dialect', ['gemma3', 'gemma2', 'all_key_heads'])
@pytest.mark.parametrize('targets', ['attention', 'feed-forward', 'all'])
def test_what_is_added_has_the_rank(dialect, targets):
  lora, params = Lora(2, 3.0, targets), tiny.params(dialect)
  axes = parameters.axes(params)
  merged = leaves(lora.merged(params, drawn(lora, dialect), axes))
  changed = set()
  for path, was in leaves(params).items():
    if (more := np.asarray(merged[path] - was)).any():
      changed.add(path.split('/')[1])
      for matrix in as_matrices(more, leaves(axes)[path]):
        assert np.linalg.matrix_rank(matrix, tol=1e-3) == 2
  wanted = {'attention': {'attn'}, 'feed-forward': {'mlp'}}
  assert changed == wanted.get(targets, {'attn', 'mlp'})


def test_unknown_targets_and_no_rank_are_refused():
  with pytest.raises(ValueError, match="'some'; known are all, attention"):
    Lora(1, 1.0, 'some')
  with pytest.raises(ValueError, match='rank 0 of LoRA; give 1 or more'):
    Lora(0, 1.0, 'all')
