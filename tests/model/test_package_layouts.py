"""Checkpoints of the gemma package are read in all of its layouts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gemma import gm
from gemma.gm.ckpts import _checkpoint, _compat, _quantization
from orbax import checkpoint as ocp

from icl_gen.model import checkpoints, sharding
from tests import tiny


def flat(params):
  return _checkpoint._nested_to_flat(params)


def stacked(params):
  return _compat.stack_params(flat(params), 2)


def with_images(params):
  embedder = params['embedder'] | {
    'mm_input_projection': {'w': jnp.ones((3, 32))},
    'mm_soft_embedding_norm': {'scale': jnp.ones(3)},
  }
  vision = {'siglip_encoder': {'kernel': jnp.ones((5, 5))}}
  return params | {'embedder': embedder, 'vision_encoder': vision}


def kauldron(params):
  return {
    'params': params,
    'step': jnp.int32(3),
    'collections': {},
    'opt_state': [jnp.ones(3)],
  }


LAYOUTS = {
  'nested': lambda params: params,
  'flat': flat,
  'stacked': stacked,
  'kauldron': kauldron,
  'wrapped': lambda params: {'params': params},
  'wrapped twice': lambda params: {'params': {'params': params}},
  'wrapped flat': lambda params: {'params': flat(params)},
  'images': with_images,
  'images, flat': lambda params: flat(with_images(params)),
  'images, stacked': lambda params: stacked(with_images(params)),
  'images, wrapped': lambda params: {'params': with_images(params)},
}


def save(path, tree):
  writer = ocp.StandardCheckpointer()
  writer.save(path, tree)
  writer.wait_until_finished()


def assert_equal(tree, other):
  jax.tree.map(np.testing.assert_array_equal, tree, other)


@pytest.mark.parametrize('shape', [None, (1, 2), (2, 2), (1, 4)])
@pytest.mark.parametrize('layout', LAYOUTS)
def test_every_layout_is_read_to_where_it_is_wanted(
  tmp_path, capsys, layout, shape
):
  params, module = tiny.params('gemma3'), tiny.module('gemma3')
  save(tmp_path / 'it', LAYOUTS[layout](params))
  like = tiny.shapes('gemma3')
  if shape is None:
    one = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    wanted = jax.tree.map(lambda _: one, like)
  else:
    mesh = sharding.make_mesh(data=shape[0], model=shape[1])
    wanted = sharding.shardings(mesh, module, like)
    like = jax.tree.map(lambda a, b: a.update(sharding=b), like, wanted)
  found = checkpoints.load_params(tmp_path / 'it', like)
  assert_equal(found, params)
  for leaf, place in zip(
    jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True
  ):
    assert leaf.sharding.is_equivalent_to(place, leaf.ndim)
  printed = capsys.readouterr().out
  assert printed.count('\n') == ('images' in layout)
  if 'images' in layout:
    assert 'leaving out 3 arrays' in printed


@pytest.mark.parametrize('layout', ['nested', 'flat', 'stacked', 'kauldron'])
def test_what_the_package_reads_is_the_same(tmp_path, layout):
  save(tmp_path / 'it', LAYOUTS[layout](tiny.params('gemma2')))
  assert_equal(
    checkpoints.load_params(tmp_path / 'it', tiny.shapes('gemma2')),
    gm.ckpts.load_params(tmp_path / 'it'),
  )


def test_weights_are_cast_and_a_line_says_so(tmp_path, capsys):
  save(tmp_path / 'it', stacked(tiny.params('gemma3', 'bfloat16')))
  found = checkpoints.load_params(tmp_path / 'it', tiny.shapes('gemma3'))
  assert_equal(
    found, jax.tree.map(jnp.float32, tiny.params('gemma3', 'bfloat16'))
  )
  (line,) = capsys.readouterr().out.splitlines()
  assert f'casting {len(jax.tree.leaves(found))} arrays' in line
  assert 'from bfloat16 to float32' in line and '--config.dtype' in line


def test_further_rows_of_the_embedding_table_are_left_out(tmp_path):
  params = tiny.params('gemma3')
  table = params['embedder']['input_embedding']
  more = jnp.concatenate([table, jnp.full((96, 32), 9.0)])
  save(tmp_path / 'it', params | {'embedder': {'input_embedding': more}})
  mesh = sharding.make_mesh(data=1, model=4)
  for wanted in (
    None,
    sharding.shardings(mesh, tiny.module('gemma3'), tiny.shapes('gemma3')),
  ):
    like = tiny.shapes('gemma3')
    if wanted is not None:
      like = jax.tree.map(lambda a, b: a.update(sharding=b), like, wanted)
    assert_equal(checkpoints.load_params(tmp_path / 'it', like), params)
  save(tmp_path / 'less', params | {'embedder': {'input_embedding': table[:9]}})
  with pytest.raises(ValueError, match=r'is \[9, 32\], expected \[1792, 32\]'):
    checkpoints.load_params(tmp_path / 'less', tiny.shapes('gemma3'))


def with_lora(_):
  module = gm.nn.LoRA(rank=2, model=tiny.module('gemma3'))
  with jax.numpy_rank_promotion('allow'):
    return module.init(jax.random.key(0), jnp.zeros((1, 2), jnp.int32))[
      'params'
    ]


def of_quantised_training(params):
  return _quantization.convert_to_qat_checkpoint(params)


def of_integers(_):
  # Of another module: the package's nn.jit would answer with the LoRA one.
  module = gm.nn.IntWrapper(model=tiny.module('one_key_head'), dtype=jnp.int8)
  with jax.numpy_rank_promotion('allow'):
    return module.init(jax.random.key(0), jnp.zeros((1, 2), jnp.int32))[
      'params'
    ]


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    (with_lora, 'has LoRA adapters .*merge them'),
    (of_integers, 'quantised'),
    (of_quantised_training, 'quantised'),
    (
      lambda params: params | {'extra': jnp.ones(2)},
      r'extra is \[2\], expected no such name',
    ),
    (
      lambda params: {k: v for k, v in params.items() if k != 'layer_2'},
      'layer_2/attn/.* is missing',
    ),
  ],
)
def test_other_trees_are_refused(tmp_path, change, message):
  save(tmp_path / 'it', change(tiny.params('gemma3')))
  with pytest.raises(ValueError, match=message) as error:
    checkpoints.load_params(tmp_path / 'it', tiny.shapes('gemma3'))
  assert '\n' not in str(error.value)
  assert len(str(error.value)) < 500
