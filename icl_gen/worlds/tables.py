"""Documents in the rows of JSONL, parquet and arrow files.

These are the files of a data set from a hub, and what the datasets library
saves to disk: one row is one document, other columns are ignored.
"""

import collections
import pathlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from icl_gen.worlds import json_lines
from icl_gen.worlds.json_lines import Row

SUFFIXES = ('.jsonl', '.parquet', '.arrow')

_EXPECTED = '{"text": "..."}'
_ID = 'id'
# One of the files of a split: `data/train-00000-of-00003.parquet` of a hub,
# `train/data-00000-of-00001.arrow` of the datasets library.
_SHARD = re.compile(r'-\d{5}-of-\d{5}\.(parquet|arrow)$')
_LFS = b'version https://git-lfs.github.com'
_WITH_INDEX = b'ARROW1'

# File and row, the row's number, its text, and its id ('' for none).
Found = tuple[str, int, str, str]


def texts(path: pathlib.Path, *, column: str) -> Iterator[Found]:
  """Yields the rows of a file, those without a text with an empty one.

  Args:
    path: one of SUFFIXES.
    column: the name of the column, or key, with the texts.

  Raises:
    ValueError: there is no such column, its text is not one, or the file is
      damaged or was not fetched; names the file and the row.
  """
  _require_fetched(path)
  if path.suffix.lower() == '.jsonl':
    found: Iterator[tuple[str, Row]] = json_lines.rows(path, _EXPECTED)
  else:
    found = _table(path, column)
  for number, (where, row) in enumerate(found, start=1):
    _require_column(column, list(row), where)
    text = '' if row[column] is None else row[column]
    if not isinstance(text, str):
      raise ValueError(
        f'{where} has {type(text).__name__} in column {column!r}; expected text'
      )
    name = row[_ID] if isinstance(row.get(_ID), str) else ''
    for value, key in ((text, column), (name, _ID)):
      json_lines.check_utf8(value, key, where)
    yield where, number, text, name


def is_copy(path: pathlib.Path) -> bool:
  """Whether a file only keeps what the datasets library made of another one."""
  return (
    path.suffix == '.arrow'
    and path.name.startswith('cache-')
    and path.with_name('dataset_info.json').exists()
  )


def told_of_splits(rows: Sequence[tuple[str, int]]) -> str:
  """What to say if files are several splits of a data set; '' if they are not.

  Args:
    rows: of each file: its path in the folder, and how many it has.
  """
  found: dict[str, int] = collections.Counter()
  for name, number in rows:
    if _SHARD.search(name):
      found[_SHARD.sub('', name)] += number
  if len(found) < 2:
    return ''
  every = ', '.join(
    f'{name} ({number:,} rows)' for name, number in found.items()
  )
  return (
    f'the data set has splits, and all are read: {every}; to leave some out,'
    ' give a folder with the files of the others'
  )


def _require_fetched(path: pathlib.Path) -> None:
  with open(path, 'rb') as file:
    if file.read(len(_LFS)) == _LFS:
      raise ValueError(
        f'{path} stands for a file that was not fetched with the repository;'
        ' run `git lfs pull` there'
      )


def _require_column(column: str, there: Sequence[str], where: str) -> None:
  if column not in there:
    raise ValueError(
      f'{where} has no column {column!r} but'
      f' {", ".join(map(repr, there)) or "none"}; give the one with the texts'
      ' as --config.size.column=NAME'
    )


def _table(path: pathlib.Path, column: str) -> Iterator[tuple[str, Row]]:
  # Imported here, as most folders have none.
  import pyarrow as pa

  try:
    names, batches = _batches(path)
    _require_column(column, names, f'{path}')
    # Other columns may hold images.
    needed = [name for name in dict.fromkeys((column, _ID)) if name in names]
    number = 0
    for batch in batches(needed):
      for row in batch.to_pylist():
        number += 1
        yield f'{path}, row {number}', row
  except (pa.ArrowException, OSError) as error:
    raise ValueError(
      f'{path} is damaged, or not a {path.suffix} file ({error}); give another'
      ' one, or delete it'
    ) from error


def _batches(path: pathlib.Path) -> tuple[list[str], Any]:
  """Names of columns, and a function that yields batches of some of them."""
  import pyarrow as pa
  import pyarrow.parquet as pq

  if path.suffix.lower() == '.parquet':
    table = pq.ParquetFile(path)
    return table.schema_arrow.names, lambda names: table.iter_batches(
      columns=names
    )
  data = pa.memory_map(str(path))
  # The datasets library saves streams; other programs write an index, too.
  if data.read(len(_WITH_INDEX)) == _WITH_INDEX:
    indexed = pa.ipc.open_file(data)
    every: Any = map(indexed.get_batch, range(indexed.num_record_batches))
    return indexed.schema.names, lambda names: (b.select(names) for b in every)
  data.seek(0)
  stream = pa.ipc.open_stream(data)
  return stream.schema.names, lambda names: (b.select(names) for b in stream)
