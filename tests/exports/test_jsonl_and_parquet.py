"""JSONL and parquet have every field of every record, for any reader."""

import dataclasses
import json
from typing import get_args, get_origin

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from icl_gen.exports import jsonl_and_parquet
from icl_gen.storage import arrow_schema, checksums, corpus_files, files
from icl_gen.types import Document, Fact, Question
from tests.storage.test_corpus_files import SMALL, corpora, names

RECORD_TYPES = {'documents': Document, 'questions': Question}


def rebuilt(hint, value):
  """The inverse of `nested_rows`, from the type hints of the fields."""
  if dataclasses.is_dataclass(hint):
    fields = dataclasses.fields(hint)
    return hint(**{f.name: rebuilt(f.type, value[f.name]) for f in fields})
  if hint == Fact | None:
    return None if value is None else rebuilt(Fact, value)
  if hint == tuple[str, str]:
    return value['name'], value['value']
  if get_origin(hint) is tuple:
    return tuple(rebuilt(get_args(hint)[0], inner) for inner in value)
  return value


def read_jsonl(directory):
  """Documents and questions from the JSONL files."""
  return tuple(
    tuple(
      rebuilt(record_type, row)
      for row in files.read_json_lines(directory / f'{part}.jsonl')
    )
    for part, record_type in RECORD_TYPES.items()
  )


def read_parquet(directory):
  """Documents and questions from the parquet files."""
  return tuple(
    tuple(
      rebuilt(record_type, row)
      for row in pq.read_table(directory / f'{part}.parquet').to_pylist()
    )
    for part, record_type in RECORD_TYPES.items()
  )


READERS = (read_jsonl, read_parquet)


@settings(
  max_examples=25,
  deadline=None,
  suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(corpus=corpora)
def test_both_formats_have_what_was_written(tmp_path, corpus):
  jsonl_and_parquet.write(tmp_path, corpus)
  for read in READERS:
    assert read(tmp_path) == (corpus.documents, corpus.questions)


def test_the_manifest_covers_files_of_extra_writers(tmp_path):
  directory = corpus_files.write(
    SMALL, tmp_path / 'c', extra_writers=[jsonl_and_parquet.write]
  )
  assert corpus_files.read(directory) == SMALL
  for read in READERS:
    assert read(directory) == (SMALL.documents, SMALL.questions)
  ours = {
    f'{part}.{end}' for part in RECORD_TYPES for end in ('jsonl', 'parquet')
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
    corpus_files.write(
      SMALL, tmp_path / name, extra_writers=[jsonl_and_parquet.write]
    )
    for name in 'ab'
  )
  assert names(one) == names(other)
  assert checksums.hashes(one) == checksums.hashes(other)


def test_they_are_read_without_our_code(tmp_path):
  jsonl_and_parquet.write(tmp_path, SMALL)
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
  assert (
    table.schema.remove_metadata() == jsonl_and_parquet.SCHEMAS['questions']
  )


def test_types_without_an_arrow_type_are_an_error():
  with pytest.raises(KeyError):
    arrow_schema.of_type(complex)


def test_a_failing_extra_writer_leaves_the_old_corpus(tmp_path):
  corpus_files.write(
    SMALL, tmp_path / 'c', extra_writers=[jsonl_and_parquet.write]
  )
  before = checksums.hashes(tmp_path / 'c')

  def fail(directory, corpus, manifest):
    assert (directory / 'documents.jsonl').exists()
    raise OSError('no space')

  with pytest.raises(OSError, match='no space'):
    corpus_files.write(
      SMALL, tmp_path / 'c', extra_writers=[jsonl_and_parquet.write, fail]
    )
  assert names(tmp_path) == ['c']
  assert checksums.hashes(tmp_path / 'c') == before
