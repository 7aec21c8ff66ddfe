"""Atomic files: a path either does not exist or is complete.

Everything is written to a hidden place next to it and renamed, so a kill or a
full disk leaves the old content or none, never half of the new content.
"""

import contextlib
import hashlib
import json
import logging
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from icl_gen.storage import partials

Path = str | os.PathLike[str]

# Key of a sealed record's digest.
_SEAL = 'seal'

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[pathlib.Path]:
  """Yields a path to write, whose content becomes `path` if the block succeeds.

  The path is in a private directory next to `path` and has the same name, for
  writers that look at the suffix. It does not exist yet; the block creates it
  as a file or a directory. On success it is synced to disk and renamed to
  `path`: an existing file is replaced in one step, an existing directory is
  moved aside first and deleted last. On any error, Ctrl-C included, the partial
  content is removed and `path` stays as it was. Leftovers of killed runs are
  removed by the next call for the same directory.

  Two may write one path at the same time: the last one wins, and `path` is
  always as one of them wrote it.

  Args:
    path: the file or directory to write; missing parents are created.

  Yields:
    The path to write.

  Raises:
    OSError: the disk is full, or the path is not writable.
  """
  path = pathlib.Path(path)
  path.parent.mkdir(parents=True, exist_ok=True)
  with partials.private(path.parent) as private:
    partial = private / path.name
    yield partial
    assert partial.exists(), f'the block did not write {partial}'
    _sync_tree(partial)
    partials.put_in_place(partial, path)
    _sync(path.parent)


def write_json(path: Path, value: Any) -> None:
  """Writes a JSON value atomically: sorted keys, UTF-8, no NaN.

  Raises:
    ValueError: the value has NaN or an infinity in it.
    TypeError: the value has something in it that JSON has no type for.
  """
  text = _indented(value)
  with atomic_write(path) as partial:
    partial.write_text(text, encoding='utf-8')


def read_json(path: Path) -> Any:
  """Returns the JSON value in a file.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: the file is not JSON in UTF-8.
  """
  content = pathlib.Path(path).read_bytes()
  try:
    return json.loads(content)
  except ValueError as error:
    raise ValueError(
      f'{path} is not a JSON file in UTF-8 ({error}); delete it and re-run the'
      ' command that wrote it'
    ) from error


def write_sealed_json(path: Path, record: Mapping[str, Any]) -> None:
  """Writes a JSON object with its own digest, as `write_json` does.

  Raises:
    ValueError: as `sealed`.
    TypeError: the record has something in it that JSON has no type for.
  """
  write_json(path, sealed(record))


def sealed_json(record: Mapping[str, Any]) -> bytes:
  """Returns the content of a file that `write_sealed_json` writes.

  Raises:
    ValueError: as `sealed`.
    TypeError: the record has something in it that JSON has no type for.
  """
  return _indented(sealed(record)).encode()


def read_sealed_json(path: Path) -> dict[str, Any]:
  """Returns what `write_sealed_json` was given; tuples as lists.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: a byte of the file is not what was written.
  """
  content = pathlib.Path(path).read_bytes()
  record = _unsealed(content)
  # The second condition is for changes that mean the same, such as spaces.
  if record is None or _indented(sealed(record)).encode() != content:
    raise ValueError(
      f'{path} is damaged or from an older version: its content does not have'
      ' the digest that is stored in it; delete it and re-run the command that'
      ' wrote it'
    )
  return record


def append_json_line(path: Path, record: Mapping[str, Any]) -> None:
  """Appends one JSON object as a line, after dropping a torn last line.

  A kill or a full disk loses at most the line being written. Lines are not
  synced to disk, so a power cut may lose more of them.

  Args:
    path: the file; it and its parents are created if missing.
    record: JSON values.

  Raises:
    OSError: the line cannot be written; the file stays as it was.
    ValueError: the record has NaN or an infinity in it.
  """
  path = pathlib.Path(path)
  text = json.dumps(
    dict(record), sort_keys=True, ensure_ascii=False, allow_nan=False
  )
  path.parent.mkdir(parents=True, exist_ok=True)
  drop_torn_line(path)
  with open(path, 'ab', buffering=0) as file:
    complete_size = file.tell()
    rest = memoryview(text.encode() + b'\n')
    try:
      while rest:  # a full disk may accept a part of it before it fails
        rest = rest[file.write(rest) :]
    finally:
      if rest:
        file.truncate(complete_size)


def drop_torn_line(path: Path) -> int:
  """Truncates a file after its last newline.

  The newline is the last byte written, so a line that has one is complete.

  Returns:
    The number of bytes dropped; 0 if there is no file.
  """
  path = pathlib.Path(path)
  if not path.exists():
    return 0
  with open(path, 'rb+') as file:
    size = file.seek(0, os.SEEK_END)
    if size == 0:
      return 0
    file.seek(-1, os.SEEK_END)
    if file.read(1) == b'\n':
      return 0
    file.seek(0)
    complete_size = file.read().rfind(b'\n') + 1
    file.truncate(complete_size)
  return size - complete_size


def read_json_lines(path: Path) -> tuple[dict[str, Any], ...]:
  """Returns the records of a file that `append_json_line` wrote.

  A last line without a newline was left by a killed run and is skipped. The
  file is not changed, as its writer may still be running; the next append, or
  `drop_torn_line`, removes the line.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: a line is not a JSON object; the message has its number.
  """
  lines = pathlib.Path(path).read_bytes().split(b'\n')[:-1]
  return tuple(
    _parse_line(line, path=path, number=number)
    for number, line in enumerate(lines, start=1)
  )


def digest(value: Any) -> str:
  """Returns the SHA-256 of a JSON value, in hex; tuples count as lists.

  Raises:
    ValueError: the value has NaN or an infinity in it.
  """
  text = json.dumps(value, sort_keys=True, allow_nan=False)
  return hashlib.sha256(text.encode()).hexdigest()


def sealed(record: Mapping[str, Any]) -> dict[str, Any]:
  """Returns a record with its own digest, under the key 'seal'.

  Raises:
    ValueError: the record has such a key already, or has NaN or an infinity in
      it.
  """
  if _SEAL in record:
    raise ValueError(f'the key {_SEAL!r} of {record} is kept for its digest')
  return dict(record) | {_SEAL: digest(record)}


def write_sealed_lines(
  path: Path, records: Iterable[Mapping[str, Any]]
) -> None:
  """Writes records as lines of JSON, each with its digest, atomically.

  Raises:
    OSError: the disk is full.
  """
  with atomic_write(path) as partial:
    partial.touch()
    for record in records:
      append_json_line(partial, sealed(record))


def read_sealed_lines(path: Path) -> tuple[dict[str, Any], ...]:
  """Returns the records that are as `sealed` returned them, without digest.

  Other lines are left out, with a warning: partial results are computed again,
  never guessed.

  Raises:
    FileNotFoundError: there is no such file.
  """
  content = pathlib.Path(path).read_bytes()
  whole, lines = unsealed_lines(content), content.count(b'\n')
  if len(whole) < lines:
    _log.warning(
      '%s: %d of %d lines are damaged or from an older version; what they held'
      ' is computed again',
      path,
      lines - len(whole),
      lines,
    )
  return whole


def unsealed_lines(content: bytes) -> tuple[dict[str, Any], ...]:
  """Returns the records of `read_sealed_lines`, without a warning.

  Args:
    content: of the file. A last line without a newline is left out.
  """
  found = map(_unsealed, content.split(b'\n')[:-1])
  return tuple(record for record in found if record is not None)


def keep_json_lines(path: Path, keep: Callable[[dict[str, Any]], bool]) -> None:
  """Removes records from a log of JSON lines, atomically.

  A torn last line is removed too, and so are lines that are not JSON objects,
  with a warning: a damaged log does not stop the run that continues it.

  Args:
    path: the file.
    keep: whether a record stays.

  Raises:
    FileNotFoundError: there is no such file.
  """
  lines = pathlib.Path(path).read_bytes().split(b'\n')[:-1]
  found = [_object(line) for line in lines]
  whole = [record for record in found if record is not None]
  if len(whole) < len(lines):
    _log.warning(
      '%s: %d of %d lines are damaged and were removed',
      path,
      len(lines) - len(whole),
      len(lines),
    )
  kept = [record for record in whole if keep(record)]
  with atomic_write(path) as partial:
    partial.touch()
    for record in kept:
      append_json_line(partial, record)


def _indented(value: Any) -> str:
  """Returns the one text of a JSON value that files have."""
  text = json.dumps(
    value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False
  )
  return text + '\n'


def _parse_line(line: bytes, *, path: Path, number: int) -> dict[str, Any]:
  try:
    record = json.loads(line)
  except ValueError as error:
    raise ValueError(
      f'{path}, line {number}: expected one JSON object per line, got'
      f' {line[:80]!r} ({error}); fix or delete the line'
    ) from error
  if not isinstance(record, dict):
    raise ValueError(
      f'{path}, line {number}: expected a JSON object, got {line[:80]!r};'
      ' fix or delete the line'
    )
  return record


def _object(line: bytes) -> dict[str, Any] | None:
  """Returns the JSON object in a line, None if there is none."""
  try:
    record = json.loads(line)
  except ValueError:  # not JSON, or not UTF-8
    return None
  return record if isinstance(record, dict) else None


def _unsealed(text: bytes) -> dict[str, Any] | None:
  """Returns a sealed record without its digest, None if they differ."""
  try:
    record = json.loads(text)
    seal = record.pop(_SEAL, None) if isinstance(record, dict) else None
    return record if seal is not None and seal == digest(record) else None
  except ValueError:  # not JSON, not UTF-8, or NaN
    return None


def _sync_tree(path: pathlib.Path) -> None:
  if path.is_dir():
    for inner in sorted(path.iterdir()):
      _sync_tree(inner)
  _sync(path)


def _sync(path: pathlib.Path) -> None:
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)
