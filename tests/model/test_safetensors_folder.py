"""Folders of Hugging Face are read part by part, and written as it does."""

import json

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from icl_gen.model import (
  hugging_face,
  hugging_face_config,
  safetensors_folder,
  sharding,
)
from tests import tiny
from tests.golden import convert

# Of models with images: new and old versions of transformers.
PREFIXES = ('model.', 'model.language_model.', 'language_model.model.')


def like(dialect, *, dtype='float32', mesh=None):
  shapes = tiny.shapes(dialect)
  if mesh is None:
    one = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    places = jax.tree.map(lambda _: one, shapes)
  else:
    places = sharding.shardings(mesh, tiny.module(dialect), shapes)
  return jax.tree.map(
    lambda leaf, place: jax.ShapeDtypeStruct(leaf.shape, dtype, sharding=place),
    shapes,
    places,
  )


def save(folder, dialect='gemma3', *, change=lambda named: None, config=()):
  """A folder as others write it: one file."""
  named = dict(
    hugging_face.tensors(tiny.params(dialect), tiny.module(dialect).config)
  )
  change(named)
  folder.mkdir(exist_ok=True)
  safetensors.numpy.save_file(
    named, folder / 'model.safetensors', {'format': 'pt'}
  )
  theirs = hugging_face_config.settings(tiny.module(dialect).config)
  (folder / 'config.json').write_text(json.dumps(theirs | dict(config)))
  return folder


def load(folder, dialect='gemma3', **options):
  return safetensors_folder.load_params(
    folder,
    like(dialect, **options),
    model='tiny',
    architecture=tiny.module(dialect).config,
  )


def assert_equal(tree, other):
  jax.tree.map(np.testing.assert_array_equal, tree, other)


@pytest.mark.parametrize('name', convert.NAMES)
def test_files_of_hugging_face_are_read_with_their_names(tmp_path, name):
  """The golden vectors' names are its own."""
  golden = convert.load(name)
  safetensors.numpy.save_file(golden.named, tmp_path / 'model.safetensors')
  (tmp_path / 'config.json').write_text(json.dumps(golden.theirs))
  shapes = jax.tree.map(
    lambda leaf: jax.ShapeDtypeStruct(
      leaf.shape,
      leaf.dtype,
      sharding=jax.sharding.SingleDeviceSharding(jax.devices()[0]),
    ),
    golden.weights,
  )
  found = safetensors_folder.load_params(
    tmp_path, shapes, model=name, architecture=golden.config
  )
  assert_equal(found, golden.weights)


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
@pytest.mark.parametrize('dialect', tiny.DIALECTS)
@pytest.mark.parametrize('file_bytes', [2**30, 100_000])
def test_what_is_written_is_read_back_to_the_bit(
  tmp_path, dialect, dtype, file_bytes
):
  params = tiny.params(dialect, dtype)
  safetensors_folder.write(
    tmp_path,
    params,
    tiny.module(dialect).config,
    positions=99,
    stops=[1],
    file_bytes=file_bytes,
  )
  files = sorted(tmp_path.glob('*.safetensors'))
  assert (len(files) > 1) == (file_bytes < 2**30)
  assert len(files) > 1 or files[0].name == 'model.safetensors'
  found = load(tmp_path, dialect, dtype=dtype)
  assert_equal(found, params)
  assert found['final_norm']['scale'].dtype == dtype
  # And out again: the same bytes.
  again = tmp_path / 'again'
  again.mkdir()
  safetensors_folder.write(
    again,
    found,
    tiny.module(dialect).config,
    positions=99,
    stops=[1],
    file_bytes=file_bytes,
  )
  for path in again.iterdir():
    assert path.read_bytes() == (tmp_path / path.name).read_bytes()


@pytest.mark.parametrize('shape', [(1, 2), (2, 2), (4, 2), (8, 1)])
@pytest.mark.parametrize('dialect', tiny.DIALECTS)
def test_every_device_reads_its_own_part(tmp_path, monkeypatch, dialect, shape):
  save(tmp_path, dialect)
  largest, read = [], safetensors_folder._Tensors.read

  def counted(self, name, index):
    part = read(self, name, index)
    largest.append(part.size / np.prod(self.shapes[name]))
    return part

  monkeypatch.setattr(safetensors_folder._Tensors, 'read', counted)
  mesh = sharding.make_mesh(data=shape[0], model=shape[1])
  found = load(tmp_path, dialect, mesh=mesh)
  assert_equal(found, tiny.params(dialect))
  wanted = like(dialect, mesh=mesh)
  jax.tree.map(lambda leaf, one: leaf.sharding == one.sharding, found, wanted)
  table = found['embedder']['input_embedding']
  assert table.addressable_shards[0].data.shape[0] == (
    tiny.VOCABULARY // shape[1]
  )
  assert min(largest) == 1 / shape[1]


def renamed(prefix):
  def change(named):
    for name in list(named):
      named[prefix + name.removeprefix('model.')] = named.pop(name)

  return change


@pytest.mark.parametrize('prefix', PREFIXES)
def test_the_text_part_of_a_model_with_images_is_read(tmp_path, capsys, prefix):
  def change(named):
    renamed(prefix)(named)
    outer = 'model.' if prefix == PREFIXES[1] else ''
    for name in ('vision_tower.x.weight', 'multi_modal_projector.y'):
      named[outer + name] = np.ones((3, 4), np.int8)
    table = named[f'{prefix}embed_tokens.weight']
    # 64 more rows, for tokens of images.
    table = np.concatenate([table, np.full((64, 32), 9, np.float32)])
    named[f'{prefix}embed_tokens.weight'] = table
    named['lm_head.weight'] = table

  theirs = hugging_face_config.settings(tiny.module('gemma3').config)
  nested = {'model_type': 'gemma3', 'text_config': theirs}
  save(tmp_path, change=change, config=nested)
  assert_equal(load(tmp_path), tiny.params('gemma3'))
  printed = capsys.readouterr().out
  assert printed.count('\n') == 1
  assert 'leaving out 2 tensors' in printed and 'images' in printed


def test_weights_of_another_dtype_are_cast_and_a_line_says_so(tmp_path, capsys):
  save(tmp_path)
  assert_equal(load(tmp_path), tiny.params('gemma3'))
  assert capsys.readouterr().out == ''
  found = load(tmp_path, dtype='bfloat16')
  assert_equal(
    found,
    jax.tree.map(lambda leaf: leaf.astype('bfloat16'), tiny.params('gemma3')),
  )
  printed = capsys.readouterr().out
  assert 'from float32 to bfloat16' in printed and printed.count('\n') == 1

  def change(named):
    for name, value in named.items():
      named[name] = value.astype(ml_dtypes.bfloat16)

  save(tmp_path, change=change)
  assert_equal(load(tmp_path), jax.tree.map(jnp.float32, found))
  assert 'from bfloat16 to float32' in capsys.readouterr().out


Q = 'model.layers.1.self_attn.q_proj.weight'


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    (lambda named: named.pop(Q), f'{Q} is missing'),
    (
      lambda named: named.update({'model.extra.weight': np.ones(2)}),
      'model.extra.weight is unexpected',
    ),
    (
      lambda named: named.update({Q: np.ones((64, 31), np.float32)}),
      r'q_proj.weight is \[64, 31\], expected \[64, 32\]',
    ),
    (
      lambda named: named.update({'lm_head.weight': np.ones((1792, 32))}),
      'lm_head.weight differs from model.embed_tokens.weight',
    ),
    (
      lambda named: named.update({f'{Q}.lora_A.weight': np.ones((2, 2))}),
      'LoRA adapters, which must be merged',
    ),
    (
      lambda named: named.update({Q: np.ones((64, 32), np.int8)}),
      'q_proj.weight is I8; allowed are .*Quantised',
    ),
    (lambda named: renamed('transformer.')(named), 'not a Gemma 2 or 3'),
  ],
)
def test_other_tensors_are_refused(tmp_path, change, message):
  save(tmp_path, change=change)
  with pytest.raises(ValueError, match=message):
    load(tmp_path)


def test_a_folder_of_another_model_is_refused(tmp_path):
  save(tmp_path, config={'hidden_size': 33, 'sliding_window': 6})
  with pytest.raises(
    ValueError,
    match="config.json' is not of model 'tiny': in it hidden_size is 33,"
    ' expected 32; sliding_window is 6, expected 5',
  ):
    load(tmp_path)
  save(tmp_path, config={'quantization_config': {}})
  with pytest.raises(ValueError, match='quantised'):
    load(tmp_path)


def broken_index(folder):
  where = {'weight_map': {'model.embed_tokens.weight': '../x.safetensors'}}
  (folder / safetensors_folder.INDEX).write_text(json.dumps(where))


def missing_file(folder):
  where = {'weight_map': {'model.embed_tokens.weight': 'a.safetensors'}}
  (folder / safetensors_folder.INDEX).write_text(json.dumps(where))


def truncated(folder):
  path = folder / 'model.safetensors'
  path.write_bytes(path.read_bytes()[:-10])


@pytest.mark.parametrize(
  ('harm', 'message'),
  [
    (truncated, 'cannot be read .*download it again'),
    (missing_file, 'a.safetensors is missing'),
    (broken_index, 'does not name files of its folder'),
    (
      lambda folder: (folder / 'model.safetensors').unlink(),
      'neither model.safetensors nor',
    ),
    (
      lambda folder: (folder / 'config.json').write_text('{'),
      r"config.json' cannot be read",
    ),
    (
      lambda folder: (folder / 'adapter_config.json').write_text('{}'),
      'LoRA adapters, not weights',
    ),
  ],
)
def test_a_damaged_folder_is_refused_in_one_line(tmp_path, harm, message):
  save(tmp_path)
  harm(tmp_path)
  with pytest.raises(ValueError, match=message) as error:
    load(tmp_path)
  assert '\n' not in str(error.value)
  assert str(tmp_path) in str(error.value)
