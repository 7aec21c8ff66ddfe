"""Generated documents as JSONL and parquet, each next to its source.

generated.jsonl     one JSON object per line
generated.parquet   the same fields
"""

import functools
import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from icl_gen.types import Corpus, Document

# `augmentation`: 'local' or 'global'; `source`: text of the document that the
# model was prompted with; `verdict`: of the audit; `hops`: of an entailed one.
COLUMNS = (
  *('id', 'augmentation', 'source_id', 'source', 'text', 'verdict', 'hops'),
  *('model', 'seed'),
)

Writer = Callable[[pathlib.Path, Corpus, Any], None]


def writer(given: Sequence[Document]) -> Writer:
  """Returns an extra writer of `corpus_files.write`.

  Args:
    given: the documents that the model was prompted with, by itself or with
      others.
  """
  texts = {document.id: document.text for document in given}
  return functools.partial(_write, texts)


def rows(
  generated: Sequence[Document], texts: Mapping[str, str]
) -> list[dict[str, str]]:
  """Returns the fields of COLUMNS for each generated document.

  Args:
    generated: documents with one parent each.
    texts: id -> text, of the documents that they were generated from.
  """
  found = []
  for document in generated:
    (source,) = document.origin.parents
    values = {
      'id': document.id,
      'augmentation': document.origin.kind,
      'source_id': source,
      'source': texts[source],
      'text': document.text,
      **dict(document.origin.details),
    }
    found.append({column: values[column] for column in COLUMNS})
  return found


def _write(
  texts: Mapping[str, str],
  directory: pathlib.Path,
  corpus: Corpus,
  manifest: Any = None,
) -> None:
  del manifest
  # Imported here, as commands that find their work done need neither.
  import pyarrow as pa
  import pyarrow.parquet as pq

  found = rows(corpus.documents, texts)
  with open(directory / 'generated.jsonl', 'w', encoding='utf-8') as file:
    for row in found:
      file.write(json.dumps(row, ensure_ascii=False) + '\n')
  schema = pa.schema([(column, pa.string()) for column in COLUMNS])
  table = pa.Table.from_pylist(found, schema=schema)
  pq.write_table(table, directory / 'generated.parquet', compression='zstd')
