"""Files with a JSON object per line: read one by one, mistakes located."""

import json
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

BOM = b'\xef\xbb\xbf'

Row = dict[str, Any]


def rows(path: pathlib.Path, expected: str) -> Iterator[tuple[str, Row]]:
  """Yields '<file>, line <n>' and the JSON object of every line that has one.

  Only one line is in memory at a time.

  Args:
    path: the file.
    expected: of a line, for messages.

  Raises:
    ValueError: a line is not an object in UTF-8, or has a key twice.
  """
  with open(path, 'rb') as file:
    for number, line in enumerate(file, start=1):
      line = line.removeprefix(BOM) if number == 1 else line
      if not line.strip():
        continue
      where = f'{path}, line {number}'
      try:
        row = json.loads(line.decode('utf-8'), object_pairs_hook=_object)
      except KeyError as error:
        raise ValueError(
          f'{where} has the key "{error.args[0]}" twice; expected {expected}'
        ) from error
      except (ValueError, RecursionError) as error:
        raise ValueError(
          f'{where} is not JSON in UTF-8 ({error}); expected {expected}'
        ) from error
      if not isinstance(row, dict):
        raise ValueError(f'{where} is {short(row)}; expected {expected}')
      yield where, row


def _object(pairs: Sequence[tuple[str, Any]]) -> Row:
  """A JSON object; a KeyError for a key that occurs twice."""
  row: Row = {}
  for key, value in pairs:
    if key in row:
      raise KeyError(key)
    row[key] = value
  return row


def check_utf8(value: str, key: str, where: str) -> None:
  """Checks that a text can be written.

  Args:
    value: the text.
    key: its name.
    where: file and line, for the message.

  Raises:
    ValueError: it has half a surrogate pair.
  """
  # JSON can escape half of a surrogate pair, which UTF-8 cannot encode.
  try:
    value.encode()
  except UnicodeEncodeError as error:
    raise ValueError(
      f'{where} has half a surrogate pair in "{key}" ({error.reason});'
      ' expected text that UTF-8 can encode'
    ) from error


def check_new(name: str, where: str, lines: dict[str, str]) -> None:
  """Checks that an id is new, and notes where it is.

  Args:
    name: the id.
    where: file and line.
    lines: id -> where it was found; is added to.

  Raises:
    ValueError: the id is not new.
  """
  if name in lines:
    raise ValueError(
      f'{where} has the id {name!r} of {lines[name]}; expected distinct ids'
      ' (or, for questions without ids, distinct questions)'
    )
  lines[name] = where.rpartition(', ')[2]


def short(value: Any) -> str:
  """A value as JSON, for messages."""
  text = json.dumps(value, ensure_ascii=False)
  return text if len(text) <= 60 else f'{text[:57]}...'
