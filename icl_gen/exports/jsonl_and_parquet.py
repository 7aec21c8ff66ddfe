"""Corpora as JSONL and parquet, for readers without our code or TFDS.

  documents.jsonl, questions.jsonl       one JSON object per line
  documents.parquet, questions.parquet   the same fields, with types

Records have the fields of `types.Document` and `types.Question`. Facts are
objects (subject, relation, object); an origin's details are objects (name,
value).
"""

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from icl_gen.storage import arrow_schema, files
from icl_gen.types import Corpus, Document, Question

SCHEMAS = {
  'documents': arrow_schema.of_record(Document),
  'questions': arrow_schema.of_record(Question),
}


def write(directory: files.Path, corpus: Corpus, manifest: Any = None) -> None:
  """Writes documents and questions in both formats; empty ones without rows.

  An extra writer of `corpus_files.write`; the manifest is not used.

  Raises:
    OSError: the disk is full, or the directory is not writable.
  """
  del manifest
  directory = pathlib.Path(directory)
  for part in SCHEMAS:
    rows = nested_rows(getattr(corpus, part))
    write_parquet(directory / f'{part}.parquet', rows, part=part)
    with open(directory / f'{part}.jsonl', 'w', encoding='utf-8') as file:
      for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + '\n')


def nested_rows(
  records: Sequence[Document | Question],
) -> list[dict[str, Any]]:
  """Returns records as nested dictionaries, for JSON and parquet alike."""
  rows = [dataclasses.asdict(record) for record in records]
  for row in rows:
    if 'origin' in row:
      # Arrow has no tuples, so the halves of a pair get names.
      row['origin']['details'] = [
        {'name': name, 'value': value}
        for name, value in row['origin']['details']
      ]
  return rows


def write_parquet(
  path: files.Path, rows: Sequence[dict[str, Any]], *, part: str
) -> None:
  """Writes the same bytes for the same rows.

  Args:
    path: the parquet file.
    rows: from `nested_rows`.
    part: 'documents' or 'questions'; selects the schema.

  Raises:
    OSError: the disk is full, or the path is not writable.
  """
  table = pa.Table.from_pylist(list(rows), schema=SCHEMAS[part])
  pq.write_table(table, path, compression='zstd')
