"""Documents in the rows of JSONL, parquet and arrow files.

These are the files of a data set from a hub, and what the datasets library
saves to disk: one row is one document, other columns are ignored.
"""

import pathlib
from collections.abc import Iterator
from typing import Any

from icl_gen.worlds import json_lines
from icl_gen.worlds.json_lines import Row

SUFFIXES = ('.jsonl', '.parquet', '.arrow')

_EXPECTED = '{"text": "..."}'

# File and row, the row's number, its text, and its id ('' for none).
Found = tuple[str, int, str, str]


def texts(path: pathlib.Path, *, column: str) -> Iterator[Found]:
  """Yields the documents of a file; rows with an empty text are left out.

  Args:
    path: one of SUFFIXES.
    column: the name of the column, or key, with the texts.

  Raises:
    ValueError: a row has no such column, its text is not one, or the file is
      damaged; names the file and the row.
  """
  if path.suffix.lower() == '.jsonl':
    found: Iterator[tuple[str, Row]] = json_lines.rows(path, _EXPECTED)
  else:
    found = _table(path)
  for number, (where, row) in enumerate(found, start=1):
    if column not in row:
      raise ValueError(
        f'{where} has no column {column!r} but'
        f' {", ".join(map(repr, row)) or "none"}; give the one with the texts'
        ' as --config.size.column=NAME'
      )
    text = row[column]
    if not isinstance(text, str):
      raise ValueError(
        f'{where} has {type(text).__name__} in column {column!r}; expected text'
      )
    name = row['id'] if isinstance(row.get('id'), str) else ''
    for value, key in ((text, column), (name, 'id')):
      json_lines.check_utf8(value, key, where)
    yield where, number, text, name


def _table(path: pathlib.Path) -> Iterator[tuple[str, Row]]:
  # Imported here, as most folders have none.
  import pyarrow as pa
  import pyarrow.parquet as pq

  try:
    if path.suffix.lower() == '.parquet':
      batches: Any = pq.ParquetFile(path).iter_batches()
    else:
      # The datasets library saves streams.
      batches = pa.ipc.open_stream(pa.memory_map(str(path)))
    number = 0
    for batch in batches:
      for row in batch.to_pylist():
        number += 1
        yield f'{path}, row {number}', row
  except pa.ArrowInvalid as error:
    raise ValueError(
      f'{path} is damaged, or not a {path.suffix} file ({error}); give another'
      ' one, or delete it'
    ) from error
