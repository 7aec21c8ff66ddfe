"""Corpora as JSONL and parquet, for readers that know neither us nor TFDS.

  documents.jsonl, questions.jsonl       one JSON object a line
  documents.parquet, questions.parquet   the same fields, typed

A record has the fields of `types.Document` or `types.Question`, under their
names; facts are objects (subject, relation, object), details are (name, value).
"""

import dataclasses
import json
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from icl_gen.storage import files
from icl_gen.types import Corpus, Document, Fact, Origin, Question

PARTS = ('documents', 'questions')

_TEXTS = pa.list_(pa.string())
_FACT = pa.struct([(f.name, pa.string()) for f in dataclasses.fields(Fact)])
_DETAIL = pa.struct([('name', pa.string()), ('value', pa.string())])
SCHEMAS = {
  'documents': pa.schema(
    {
      'id': pa.string(),
      'text': pa.string(),
      'facts': pa.list_(_FACT),
      'prompt_length': pa.int64(),
      'origin': pa.struct(
        {'kind': pa.string(), 'parents': _TEXTS, 'details': pa.list_(_DETAIL)}
      ),
    }
  ),
  'questions': pa.schema(
    {
      'id': pa.string(),
      'prompt': pa.string(),
      'choices': _TEXTS,
      'answers': pa.list_(pa.int64()),
      'kind': pa.string(),
      'premises': pa.list_(_FACT),
      'target': _FACT,
      'stratum': pa.string(),
    }
  ),
}


def write(directory: files.Path, corpus: Corpus, manifest: Any = None) -> None:
  """Writes both forms of both parts; what is empty gives files without rows.

  Made to be given to `shards.write`, which makes the directory whole; needs no
  manifest.
  """
  del manifest
  directory = pathlib.Path(directory)
  for part in PARTS:
    rows = fields(getattr(corpus, part))
    write_parquet(directory / f'{part}.parquet', rows, part=part)
    with open(directory / f'{part}.jsonl', 'w', encoding='utf-8') as file:
      for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + '\n')


def fields(records: Sequence[Document | Question]) -> list[dict[str, Any]]:
  """The records as nested dictionaries, for JSON and parquet alike."""
  rows = [dataclasses.asdict(record) for record in records]
  for row in rows:
    if 'origin' in row:
      row['origin']['details'] = [
        {'name': name, 'value': value}
        for name, value in row['origin']['details']
      ]
  return rows


def write_parquet(
  path: files.Path, rows: Sequence[dict[str, Any]], *, part: str
) -> None:
  """Writes rows of `fields` with the part's schema; the same bytes each time.

  Raises:
    OSError: the disk is full, or the path is not writable.
  """
  table = pa.Table.from_pylist(list(rows), schema=SCHEMAS[part])
  pq.write_table(table, path, compression='zstd')


def read_jsonl(
  directory: files.Path,
) -> tuple[tuple[Document, ...], tuple[Question, ...]]:
  """Returns the documents and questions that `write` was given."""
  return _parts(
    [
      files.read_json_lines(pathlib.Path(directory) / f'{part}.jsonl')
      for part in PARTS
    ]
  )


def read_parquet(
  directory: files.Path,
) -> tuple[tuple[Document, ...], tuple[Question, ...]]:
  """Returns the documents and questions that `write` was given."""
  return _parts(
    [
      pq.read_table(pathlib.Path(directory) / f'{part}.parquet').to_pylist()
      for part in PARTS
    ]
  )


def _parts(rows: Sequence[Iterable[dict[str, Any]]]):
  documents, questions = rows
  return tuple(map(_document, documents)), tuple(map(_question, questions))


def _document(row: dict[str, Any]) -> Document:
  origin = row['origin']
  return Document(
    id=row['id'],
    text=row['text'],
    facts=tuple(Fact(**fact) for fact in row['facts']),
    prompt_length=row['prompt_length'],
    origin=Origin(
      kind=origin['kind'],
      parents=tuple(origin['parents']),
      details=tuple((d['name'], d['value']) for d in origin['details']),
    ),
  )


def _question(row: dict[str, Any]) -> Question:
  return Question(
    id=row['id'],
    prompt=row['prompt'],
    choices=tuple(row['choices']),
    answers=tuple(row['answers']),
    kind=row['kind'],
    premises=tuple(Fact(**fact) for fact in row['premises']),
    target=None if row['target'] is None else Fact(**row['target']),
    stratum=row['stratum'],
  )
