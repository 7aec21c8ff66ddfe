"""Weights are read back exactly, or an error says why not."""

import contextlib
import os
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gemma import gm
from orbax import checkpoint as ocp

from icl_gen.model import checkpoints, sharding
from tests.saved import (
  HARM,
  assert_equal,
  every_moment,
  flip,
  large,
  largest,
  params,
  without,
)

LAYER = 'layer_0/mlp/linear'


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_weights_are_read_back_and_the_package_reads_them(tmp_path, dtype):
  weights = params(dtype=dtype)
  checkpoints.save_params(tmp_path / 'params', weights)
  like = jax.eval_shape(lambda: weights)
  assert_equal(checkpoints.load_params(tmp_path / 'params', like), weights)
  assert_equal(gm.ckpts.load_params(tmp_path / 'params'), weights)


@pytest.mark.parametrize(
  ('saved', 'wanted', 'message'),
  [
    (
      without(params(), 'layer_0'),
      params(),
      rf'{LAYER} is missing, expected \[4, 4\]',
    ),
    (
      params(),
      without(params(), 'layer_0'),
      rf'{LAYER} is \[4, 4\], expected no such name',
    ),
    (
      params() | {'embedder': {'input_embedding': jnp.zeros((5, 4))}},
      params(),
      r'embedder/input_embedding is \[5, 4\], expected \[7, 4\]',
    ),
  ],
  ids=['missing', 'extra', 'shape'],
)
def test_weights_of_another_model_are_refused(tmp_path, saved, wanted, message):
  checkpoints.save_params(tmp_path / 'params', saved)
  with pytest.raises(ValueError, match=message):
    checkpoints.load_params(tmp_path / 'params', wanted)


def test_only_the_first_differences_are_listed(tmp_path):
  checkpoints.save_params(tmp_path / 'params', {'other': jnp.zeros(2)})
  with pytest.raises(ValueError, match=r'and 1 more\. Choose the model'):
    checkpoints.load_params(tmp_path / 'params', params())


def test_a_missing_or_empty_checkpoint_is_refused(tmp_path):
  with pytest.raises(ValueError, match=r"no checkpoint at '.*/nowhere'"):
    checkpoints.load_params(tmp_path / 'nowhere', params())
  (tmp_path / 'empty').mkdir()
  with pytest.raises(ValueError, match='is not a complete checkpoint'):
    checkpoints.load_params(tmp_path / 'empty', params())


@pytest.mark.parametrize('name', ['_METADATA', 'manifest.ocdbt'])
def test_damaged_weights_are_refused(tmp_path, name):
  checkpoints.save_params(tmp_path / 'params', params())
  os.truncate(tmp_path / 'params' / name, 20)
  with pytest.raises(ValueError, match='is not a complete checkpoint'):
    checkpoints.load_params(tmp_path / 'params', params())


@pytest.mark.parametrize('harm', HARM)
def test_weights_whose_largest_file_is_damaged_are_refused(tmp_path, harm):
  """Its index is whole, so that only reading the arrays finds it."""
  checkpoints.save_params(tmp_path / 'params', large())
  HARM[harm](largest(tmp_path / 'params'))
  with pytest.raises(ValueError, match=r"params' is .*; restore it") as error:
    checkpoints.load_params(tmp_path / 'params', large())
  assert '\n' not in str(error.value)


def test_no_flipped_bit_changes_weights_unnoticed(tmp_path):
  path = tmp_path / 'params'
  checkpoints.save_params(path, large())
  for share in np.linspace(0, 0.999, 20):
    for file in (largest(path), path / '_CHECKPOINT_METADATA'):
      flip(file, share)
      with contextlib.suppress(ValueError):
        assert_equal(checkpoints.load_params(path, large()), large())
      flip(file, share)
  assert_equal(checkpoints.load_params(path, large()), large())


def test_a_damaged_key_in_files_of_orbax_is_one_line(tmp_path):
  path = tmp_path / 'params'
  checkpoints.save_params(path, large())
  (keys,) = (path / 'array_metadatas').iterdir()
  keys.write_text(keys.read_text().replace('param_name', 'paral_name'))
  with pytest.raises(ValueError, match='not a complete checkpoint') as caught:
    checkpoints.load_params(path, large())
  assert '\n' not in str(caught.value)
  assert checkpoints.damage(path)


def test_damaged_weights_are_found_without_knowing_the_model(tmp_path):
  path = tmp_path / 'params'
  checkpoints.save_params(path, large())
  assert checkpoints.damage(path) == ''
  flip(largest(path), 0.3)
  assert 'embedder/input_embedding' in checkpoints.damage(path)
  for name, harm in HARM.items():
    shutil.rmtree(path)
    checkpoints.save_params(path, large())
    harm(largest(path))
    assert checkpoints.damage(path), name
  shutil.rmtree(path)
  gm.ckpts.save_params(large(), path, wait_until_finished=True)
  assert 'no digests' in checkpoints.damage(path)


def test_weights_without_digests_are_read(tmp_path):
  """Released ones, and those of older versions."""
  gm.ckpts.save_params(large(), tmp_path / 'params', wait_until_finished=True)
  found = checkpoints.load_params(tmp_path / 'params', large())
  assert_equal(found, large())


def test_a_digest_depends_on_contents_only(tmp_path):
  """Not on the number of devices, nor on the layout of the files."""
  mesh = sharding.make_mesh(data=4, model=2)
  place = jax.NamedSharding(mesh, jax.P('data', 'model'))
  table = large()['embedder']['input_embedding']
  split = {'embedder': {'input_embedding': jax.device_put(table, place)}}
  checkpoints.save_params(tmp_path / 'split', split)
  like = {'embedder': {'input_embedding': table}}
  found = checkpoints.load_params(tmp_path / 'split', like)
  np.testing.assert_array_equal(found['embedder']['input_embedding'], table)
  checkpoints.save_params(tmp_path / 'whole', like)
  found = checkpoints.load_params(
    tmp_path / 'whole', jax.tree.map(ocp.utils.to_shape_dtype_struct, split)
  )
  np.testing.assert_array_equal(found['embedder']['input_embedding'], table)


def test_weights_are_complete_as_soon_as_they_exist(tmp_path):
  """The doors take the existence of this directory as a finished stage."""
  root = tmp_path / 'run'
  root.mkdir()
  with every_moment(root, tmp_path / 'copies') as moments:
    checkpoints.save_params(root / 'params', params())
  moments.append(root)
  there = [moment for moment in moments if (moment / 'params').exists()]
  for moment in there:
    found = checkpoints.load_params(moment / 'params', params())
    assert_equal(found, params())
  # Before that there are files under a temporary name, which are overwritten.
  begun = [m for m in moments if m not in there and any(m.iterdir())]
  assert len(begun) > 1
  checkpoints.save_params(begun[-1] / 'params', params(1))
  found = checkpoints.load_params(begun[-1] / 'params', params())
  assert_equal(found, params(1))
