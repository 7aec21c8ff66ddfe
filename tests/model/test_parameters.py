"""The table of axes covers every parameter, in both layouts of the gate."""

import re

import jax
import numpy as np
import pytest

from icl_gen.model import initialisation, parameters, registry
from tests import packaged, tiny


def paths(params):
  return [
    parameters.path_of(keys)
    for keys, _ in jax.tree_util.tree_leaves_with_path(params)
  ]


def assert_sizes(shapes, sizes):
  for axes, leaf in zip(
    jax.tree.leaves(parameters.axes(shapes)),
    jax.tree.leaves(shapes),
    strict=True,
  ):
    for axis, size in zip(axes.names, leaf.shape, strict=True):
      assert size == sizes.get(axis, size), axes


@pytest.mark.parametrize('name', [*registry.NANO, 'gemma2_2b', 'gemma3_4b'])
def test_axes_have_the_sizes_of_the_architecture(name):
  module = registry.make_module(name)
  config = module.config
  shapes = jax.eval_shape(lambda: initialisation.make_params(module, seed=0))
  sizes = {
    'vocabulary': config.num_embed,
    'width': config.embed_dim,
    'hidden': config.hidden_dim,
    'heads': config.num_heads,
    'key heads': config.num_kv_heads,
    'head': config.head_dim,
  }
  assert_sizes(shapes, sizes)


@pytest.mark.parametrize('name', packaged.DIFFERENCES)
def test_axes_of_packaged_models_have_the_sizes_they_were_made_with(name):
  shapes = packaged.shapes(name)
  sizes = {'vocabulary': tiny.VOCABULARY, 'width': 32, 'heads': 4}
  sizes |= {'experts': 4, 'per-layer width': 8, 'layers': 4, 'streams': 4}
  assert_sizes(shapes, sizes)


def test_the_axes_of_the_gate_follow_its_layout():
  names = {
    dialect: parameters.axes(tiny.shapes(dialect))['layer_0']['mlp'][
      'gating_einsum'
    ].names
    for dialect in ('gemma3', 'gemma2')
  }
  assert names['gemma3'] == ('matrices', 'hidden', 'width')
  assert names['gemma2'] == ('matrices', 'width', 'hidden')


def test_every_axis_of_a_matrix_is_input_output_or_stacked():
  for _, axes in parameters.TABLE:
    if axes.inputs:
      parts = [*axes.inputs, *axes.outputs]
      stacked = [name for name in axes.names if name in parameters.STACKED]
      assert sorted(parts + stacked) == sorted(axes.names)
      assert axes.outputs


def test_every_row_of_the_table_is_used():
  known = {
    *(path for d in tiny.DIALECTS for path in paths(tiny.shapes(d))),
    *(path for n in packaged.DIFFERENCES for path in paths(packaged.shapes(n))),
  }
  for pattern, _ in parameters.TABLE:
    assert any(re.fullmatch(pattern, path) for path in known), pattern


def test_an_unknown_parameter_is_refused():
  params = tiny.params('gemma3') | {'adapter': {'w': np.zeros((2, 3))}}
  with pytest.raises(ValueError, match=r"'adapter/w' of shape \(2, 3\)"):
    parameters.axes(params)
