"""Module, weights and tokenizer are loaded if they fit together."""

import dataclasses
import io
import os
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sentencepiece
from gemma import gm

from icl_gen import assets
from icl_gen.model import (
  checkpoints,
  initialisation,
  loading,
  registry,
  safetensors_folder,
  sharding,
)
from icl_gen.runs import models
from icl_gen.sampling import sampler
from icl_gen.scoring import scorer
from icl_gen.text import context as contexts
from icl_gen.types import Question
from tests import tiny


@pytest.fixture
def weights():
  """Weights for nano_small that are all different."""
  shapes = jax.eval_shape(
    lambda: initialisation.make_params(
      registry.make_module('nano_small'), seed=0
    )
  )
  return jax.tree.map(
    lambda leaf: np.arange(leaf.size, dtype=leaf.dtype).reshape(leaf.shape),
    shapes,
  )


@pytest.fixture
def tokenizer(tmp_path):
  path = tmp_path / 'tokenizer.model'
  shutil.copy(assets.path('tokenizer.model'), path)
  return path


def test_saved_weights_are_loaded(tmp_path, weights, tokenizer, capsys):
  checkpoints.save_params(tmp_path / 'params', weights)
  paths = {
    'checkpoint': str(tmp_path / 'params'),
    'tokenizer': str(tokenizer),
  }
  model = loading.load('nano_small', **paths)
  assert model.name == 'nano_small'
  assert model.module == registry.make_module('nano_small')
  assert model.tokenizer.size == 2304
  jax.tree.map(np.testing.assert_array_equal, model.params, weights)
  # On one device, although there are eight.
  for leaf in jax.tree.leaves(model.params):
    assert leaf.devices() == {jax.devices()[0]}
  # A checkpoint of another model is an error, one of another dtype is not.
  with pytest.raises(ValueError, match='not of this model'):
    loading.load('nano', **paths)
  assert capsys.readouterr().out == ''
  cast = loading.load('nano_small', dtype='bfloat16', **paths)
  assert 'from float32 to bfloat16' in capsys.readouterr().out
  jax.tree.map(
    lambda one, two: np.testing.assert_array_equal(
      one, two.astype(jnp.bfloat16)
    ),
    cast.params,
    weights,
  )


@pytest.mark.parametrize('make', ['pipe', 'link to nothing'])
def test_a_checkpoint_with_what_is_no_file_is_refused(
  tmp_path, weights, tokenizer, make
):
  """Reading a pipe would never end."""
  checkpoints.save_params(tmp_path / 'params', weights)
  other = tmp_path / 'params' / '_sharding'
  other.unlink(missing_ok=True)
  if make == 'pipe':
    os.mkfifo(other)
  else:
    other.symlink_to('none')
  with pytest.raises(ValueError, match='_sharding is not a regular file'):
    loading.load(
      'nano_small',
      checkpoint=str(tmp_path / 'params'),
      tokenizer=str(tokenizer),
    )


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize('mesh', [False, True])
def test_weights_that_are_not_finite_are_refused(
  tmp_path, weights, tokenizer, value, mesh
):
  weights['layer_1']['mlp']['linear'][3, 5] = value
  checkpoints.save_params(tmp_path / 'params', weights)
  with pytest.raises(
    ValueError, match=r"params' .*layer_1/mlp/linear.* NaN or infinite.*again"
  ):
    loading.load(
      'nano_small',
      checkpoint=str(tmp_path / 'params'),
      tokenizer=str(tokenizer),
      mesh=sharding.make_mesh(data=4, model=2) if mesh else None,
    )


@pytest.mark.parametrize('name', registry.NANO)
def test_the_package_reads_embedded_models(name):
  model = loading.load(name)
  theirs = gm.ckpts.load_params(assets.path(name))
  jax.tree.map(np.testing.assert_array_equal, model.params, theirs)
  assert model.tokenizer.size == model.module.config.num_embed


def test_weights_are_read_directly_to_the_devices_of_a_mesh(
  tmp_path, weights, tokenizer
):
  checkpoints.save_params(tmp_path / 'params', weights)
  model = loading.load(
    'nano_small',
    checkpoint=str(tmp_path / 'params'),
    tokenizer=str(tokenizer),
    mesh=sharding.make_mesh(data=4, model=2),
  )
  jax.tree.map(np.testing.assert_array_equal, model.params, weights)
  table = model.params['embedder']['input_embedding']
  assert len(table.sharding.device_set) == 8
  assert table.addressable_shards[0].data.shape == (1152, 64)
  with pytest.raises(ValueError, match='2 heads cannot be split over 4'):
    loading.load(
      'nano_small',
      checkpoint='nowhere',
      tokenizer=str(tokenizer),
      mesh=sharding.make_mesh(data=1, model=4),
    )


def test_unknown_models_are_refused():
  with pytest.raises(ValueError, match=r"'glon'; known are nano, .*gemma3_1b"):
    loading.load('glon')


def test_models_that_are_not_embedded_need_both_paths(tokenizer):
  with pytest.raises(ValueError, match='--config.checkpoint=PATH'):
    loading.load('gemma3_1b', tokenizer=str(tokenizer))
  with pytest.raises(ValueError, match='--config.tokenizer=PATH'):
    loading.load('gemma3_1b', checkpoint='somewhere')


def test_paths_of_buckets_are_refused(tokenizer):
  """They would be taken for paths below this directory."""
  with pytest.raises(ValueError, match="'gs://b/it' is not a local path"):
    loading.load('nano', checkpoint='gs://b/it', tokenizer=str(tokenizer))


def load_with(tokenizer):
  return loading.load('nano', checkpoint='nowhere', tokenizer=str(tokenizer))


def test_a_missing_checkpoint_is_an_error(tokenizer):
  with pytest.raises(ValueError, match=r"no checkpoint at '.*nowhere'"):
    load_with(tokenizer)


def test_a_missing_tokenizer_is_an_error(tmp_path):
  with pytest.raises(ValueError, match=r"no tokenizer at '.*none.model'"):
    load_with(tmp_path / 'none.model')


@pytest.mark.parametrize('content', [b'', b'no model at all\n', b'\0' * 64])
def test_a_file_that_is_not_a_tokenizer_is_refused(tmp_path, content):
  (tmp_path / 'file').write_bytes(content)
  with pytest.raises(ValueError, match='is not a SentencePiece model'):
    load_with(tmp_path / 'file')


def train_tokenizer(path, *, size, **special):
  model = io.BytesIO()
  sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=iter(['glon troff femp'] * 9),
    model_writer=model,
    vocab_size=size,
    hard_vocab_limit=False,
    minloglevel=9,
    **special,
  )
  path.write_bytes(model.getvalue())
  return path


def test_a_tokenizer_of_another_family_is_refused(tmp_path):
  """SentencePiece's own ids: no padding, bos 1, eos 2."""
  other = train_tokenizer(tmp_path / 'other.model', size=20)
  with pytest.raises(
    ValueError, match=r'= \(-1, 2, 1, 0\).*need \(0, 1, 2, 3\)'
  ):
    load_with(other)


def test_a_tokenizer_with_more_pieces_than_embeddings_is_refused(tmp_path):
  wide = train_tokenizer(
    tmp_path / 'wide.model',
    size=2600,
    pad_id=0,
    eos_id=1,
    bos_id=2,
    unk_id=3,
    user_defined_symbols=[f'<piece{i}>' for i in range(2400)],
  )
  with pytest.raises(ValueError, match=r'24\d\d pieces.*2304 embeddings'):
    load_with(wide)


def test_a_tokenizer_with_too_few_pieces_is_refused(tmp_path):
  (tmp_path / 'small.model').write_bytes(tiny.tokenizer_bytes())
  with pytest.raises(ValueError, match=r'1792 pieces.*which has 2176 to 2304'):
    load_with(tmp_path / 'small.model')


def test_weights_pretrained_here_need_their_own_tokenizer(
  tmp_path, weights, tokenizer
):
  (tmp_path / 'pretrain.config.json').write_text('{}')
  checkpoints.save_params(tmp_path / 'params', weights)
  own = {'checkpoint': str(tmp_path / 'params')}
  loading.load('nano_small', tokenizer=str(tokenizer), **own)
  other = tmp_path / 'other.model'
  shutil.copy(tokenizer, other)
  tokenizer.write_bytes(tiny.tokenizer_bytes())
  with pytest.raises(
    ValueError, match=r"params' was pretrained with .*r.model"
  ):
    loading.load('nano_small', tokenizer=str(other), **own)


# --- tables with more rows than the tokenizer has pieces ---------------------


def padded(name, pieces, monkeypatch):
  """nano_small with more rows than pieces, as Gemma 2 has."""
  config = registry.NANO[name]
  wide = dataclasses.replace(config, num_embed=pieces + 64)
  monkeypatch.setitem(registry.NANO, name, wide)


def test_rows_without_a_piece_change_nothing(
  tmp_path, weights, tokenizer, monkeypatch
):
  """They neither take a share of the probability, nor are they sampled."""
  draw = np.random.default_rng(0).standard_normal
  weights = jax.tree.map(
    lambda leaf: draw(leaf.shape).astype(leaf.dtype) / 8, weights
  )
  checkpoints.save_params(tmp_path / 'params', weights)
  paths = {'tokenizer': str(tokenizer)}
  plain = loading.load(
    'nano_small', checkpoint=str(tmp_path / 'params'), **paths
  )
  padded('nano_small', 2304, monkeypatch)
  table = weights['embedder']['input_embedding']
  # Likelier than any piece.
  more = np.concatenate([table, 9 * table[:64]])
  checkpoints.save_params(
    tmp_path / 'more', weights | {'embedder': {'input_embedding': more}}
  )
  wide = loading.load('nano_small', checkpoint=str(tmp_path / 'more'), **paths)
  asked = [Question('q', 'The glon', (' is', ' are'), (0,), 'kind')]
  assert scorer.score(plain, asked, contexts.NONE) == scorer.score(
    wide, asked, contexts.NONE
  )
  requests = [sampler.Request(str(i), 'The glon') for i in range(8)]
  settings = {'seed': 's', 'temperature': 1.0, 'max_tokens': 8}
  assert list(sampler.sample(plain, requests, None, **settings)) == list(
    sampler.sample(wide, requests, None, **settings)
  )
  # What is saved has as many rows as the package's model, and is read again.
  saved = registry.with_all_rows('nano_small', wide.params)
  assert saved['embedder']['input_embedding'].shape == more.shape
  checkpoints.save_params(tmp_path / 'again', saved)
  again = loading.load(
    'nano_small', checkpoint=str(tmp_path / 'again'), **paths
  )
  jax.tree.map(np.testing.assert_array_equal, again.params, wide.params)


@pytest.mark.parametrize('name', [*models.NANO, *models.RELEASED])
def test_only_tables_with_further_rows_change(name):
  module = registry.make_module(name)
  pieces = 256_000 if name.startswith('gemma2') else module.config.num_embed
  found = registry.with_rows(module, pieces)
  assert (found is module) == (not name.startswith('gemma2'))
  assert found.config.num_embed == pieces
  assert type(found) is type(module)


# --- folders of Hugging Face ------------------------------------------------


def export(folder, params, tokenizer):
  folder.mkdir()
  config = registry.NANO['nano_small']
  safetensors_folder.write(folder, params, config, positions=9, stops=[1])
  if tokenizer:
    shutil.copy(tokenizer, folder / 'tokenizer.model')


@pytest.mark.parametrize('mesh', [False, True])
def test_a_folder_of_hugging_face_is_loaded_with_its_tokenizer(
  tmp_path, weights, tokenizer, mesh
):
  export(tmp_path / 'hf', weights, tokenizer)
  model = loading.load(
    'nano_small',
    checkpoint=str(tmp_path / 'hf'),
    mesh=sharding.make_mesh(data=4, model=2) if mesh else None,
  )
  jax.tree.map(np.testing.assert_array_equal, model.params, weights)
  assert len(model.params['final_norm']['scale'].devices()) == (
    8 if mesh else 1
  )
  # Its own tokenizer is not the embedded one; a given one counts.
  other = train_tokenizer(
    tmp_path / 'hf' / 'tokenizer.model',
    size=2600,
    pad_id=0,
    eos_id=1,
    bos_id=2,
    unk_id=3,
    user_defined_symbols=[f'<piece{i}>' for i in range(2400)],
  )
  assert other.stat().st_size
  with pytest.raises(ValueError, match='2304 embeddings'):
    loading.load('nano_small', checkpoint=str(tmp_path / 'hf'))
  loading.load(
    'nano_small', checkpoint=str(tmp_path / 'hf'), tokenizer=str(tokenizer)
  )
  with pytest.raises(ValueError, match=r"is not of model 'nano'.*128"):
    loading.load(
      'nano', checkpoint=str(tmp_path / 'hf'), tokenizer=str(tokenizer)
    )
