"""Distributions are read as they were written, or not at all."""

import numpy as np
import pytest

from icl_gen.storage import corpus_files, distributions
from icl_gen.storage.distributions import Distributions
from icl_gen.types import Corpus, Document

K = 3


def one(seed, *, tokens, places):
  rng = np.random.default_rng(seed)
  return Distributions(
    rng.integers(0, 99, tokens).astype(np.int32),
    rng.integers(0, 99, (places, K)).astype(np.int32),
    -rng.random((places, K)).astype(np.float32),
  )


FOUND = {
  'a': one(0, tokens=4, places=3),
  'b': one(1, tokens=2, places=0),
  'c': one(2, tokens=2, places=2),
}


@pytest.fixture
def directory(tmp_path):
  documents = tuple(Document(name, f'text {name}') for name in FOUND)
  return corpus_files.write(
    Corpus('made', documents, (), {}),
    tmp_path / 'made',
    extra_writers=(distributions.writer(FOUND, count=K),),
  )


def test_they_are_read_as_they_were_written(directory):
  read = distributions.read(directory)
  assert list(read) == list(FOUND)
  for name, wanted in FOUND.items():
    for field in ('ids_L', 'likeliest_NxK', 'logps_NxK'):
      value = getattr(read[name], field)
      np.testing.assert_array_equal(value, getattr(wanted, field))
      assert value.dtype == getattr(wanted, field).dtype
  # They are a file of the corpus, which is read without them.
  assert len(corpus_files.read(directory).documents) == len(FOUND)


def test_damage_is_noticed(directory):
  path = directory / distributions.NAME
  content = path.read_bytes()
  path.write_bytes(content[:40] + b'x' + content[41:])
  for read in (distributions.read, corpus_files.read):
    with pytest.raises(ValueError, match=f'{path} is .*changed .*; delete the'):
      read(directory)
  path.unlink()
  with pytest.raises(
    ValueError, match=f'missing in {directory}: {distributions.NAME}; delete'
  ):
    distributions.read(directory)


def test_an_augmentation_without_them_says_what_to_run(tmp_path):
  corpus_files.write(Corpus('plain', (), (), {}), tmp_path / 'plain')
  with pytest.raises(ValueError, match='plain has no .*augment.likeliest=32'):
    distributions.read(tmp_path / 'plain')


def test_the_summary_counts_places_and_their_mass():
  found = distributions.summary(FOUND)
  assert found['tokens'] == 8 and found['places'] == 5
  masses = [np.exp(FOUND[name].logps_NxK).sum(axis=1) for name in 'ac']
  assert found['mass'] == pytest.approx(np.concatenate(masses).mean())
  assert distributions.summary({'b': FOUND['b']})['mass'] == 0
