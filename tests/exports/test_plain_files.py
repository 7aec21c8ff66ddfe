"""JSONL and parquet say what the corpus says, to readers of any kind."""

import json

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from icl_gen.exports import plain_files
from icl_gen.storage import corpus_files, files
from tests.storage.test_corpus_files import SMALL, corpora, names

READERS = (plain_files.read_jsonl, plain_files.read_parquet)


@settings(
  max_examples=25,
  deadline=None,
  suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(corpus=corpora)
def test_read_is_what_was_written(tmp_path, corpus):
  plain_files.write(tmp_path, corpus)
  for read in READERS:
    assert read(tmp_path) == (corpus.documents, corpus.questions)


def test_they_lie_beside_the_data_set_and_are_vouched_for(tmp_path):
  directory = corpus_files.write(
    SMALL, tmp_path / 'c', beside=[plain_files.write]
  )
  assert corpus_files.read(directory) == SMALL
  for read in READERS:
    assert read(directory) == (SMALL.documents, SMALL.questions)
  ours = {
    f'{part}.{end}'
    for part in plain_files.PARTS
    for end in ('jsonl', 'parquet')
  }
  assert ours < set(corpus_files.read_manifest(directory)['files'])
  for name in sorted(ours):
    path = directory / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(ValueError, match=name):
      corpus_files.read(directory)
    path.write_bytes(whole)


def test_the_same_corpus_gives_the_same_bytes(tmp_path):
  one, other = (
    corpus_files.write(SMALL, tmp_path / name, beside=[plain_files.write])
    for name in 'ab'
  )
  assert names(one) == names(other)
  assert files.hashes(one) == files.hashes(other)


def test_others_read_them_without_our_code(tmp_path):
  plain_files.write(tmp_path, SMALL)
  with open(tmp_path / 'questions.jsonl', encoding='utf-8') as file:
    rows = [json.loads(line) for line in file]
  assert [row['id'] for row in rows] == ['q2', 'q1', 'q0']
  assert rows[0]['target'] == {
    'subject': 'glon',
    'relation': 'more dangerous',
    'object': 'troff',
  }
  table = pq.read_table(tmp_path / 'questions.parquet')
  assert table.to_pylist() == rows
  assert table.schema.remove_metadata() == plain_files.SCHEMAS['questions']


def test_what_fails_beside_leaves_what_was_there(tmp_path):
  corpus_files.write(SMALL, tmp_path / 'c', beside=[plain_files.write])
  before = files.hashes(tmp_path / 'c')

  def fail(directory, corpus, manifest):
    assert (directory / 'documents.jsonl').exists()
    raise OSError('no space')

  with pytest.raises(OSError, match='no space'):
    corpus_files.write(SMALL, tmp_path / 'c', beside=[plain_files.write, fail])
  assert names(tmp_path) == ['c']
  assert files.hashes(tmp_path / 'c') == before
