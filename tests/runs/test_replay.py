"""Texts to replay are read from a corpus or from a folder of one's own."""

import json

import pytest

from icl_gen.runs import replay
from icl_gen.storage import corpus_files
from icl_gen.worlds import reversal


@pytest.fixture
def own(tmp_path):
  folder = tmp_path / 'own'
  folder.mkdir()
  (folder / 'a.txt').write_text('The mill of Tarnby.')
  (folder / 'b.md').write_text('A bridge.')
  asked = {'prompt': 'p', 'choices': ['a', 'b'], 'answer': 0, 'kind': 'k'}
  (folder / 'questions.jsonl').write_text(json.dumps(asked))
  return folder


@pytest.fixture
def built(tmp_path):
  _, corpus = reversal.build(seed='0', facts=6, documents_per_fact=2)
  corpus_files.write(corpus, tmp_path / 'built')
  return tmp_path / 'built', corpus


def test_a_folder_of_ones_own(own):
  found = [document.text for document in replay.documents(str(own))]
  assert found == ['The mill of Tarnby.', 'A bridge.']


def test_a_corpus(built):
  path, corpus = built
  assert replay.documents(str(path)) == corpus.documents
  is_of = replay.fingerprint(str(path))
  assert is_of == {'replay_is': corpus_files.read_manifest(path)['sha256']}


def test_the_fingerprint_is_of_the_contents(own):
  before = replay.fingerprint(str(own))
  assert replay.fingerprint(str(own)) == before
  (own / 'a.txt').write_text('The mill of Tarnby?')
  assert replay.fingerprint(str(own)) != before


def test_nothing_is_a_setting_of_nothing():
  assert replay.fingerprint('') == {}


def test_a_directory_that_is_not_there_is_refused(tmp_path):
  path = str(tmp_path / 'none')
  with pytest.raises(ValueError, match='is no directory: give one that `build'):
    replay.fingerprint(path)
