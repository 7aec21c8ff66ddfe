"""Atomic files: what exists under its own name is whole.

Knows paths and JSON, not what the records mean. Standard library only.

Everything is written to a hidden sibling and renamed, so a kill or a full disk
leaves either the old content or none, never half of the new one. One writer
per path at a time is assumed: two would share a sibling.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Path = str | os.PathLike[str]

DONE = 'DONE'
# Bytes of a directory whose contents are compared as a whole, and of each end
# of a file in a larger one.
_READ_WHOLE = 64 * 2**20
_READ_OF_EACH = 64 * 2**10


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[pathlib.Path]:
  """Yields a sibling to write; it becomes `path` when the block succeeds.

  The sibling does not exist yet: the block creates a file or a directory of
  that name (it ends as `path` does, so writers that look at the suffix work).
  On success the sibling is synced to disk and renamed over `path`; an existing
  file is replaced in one step, an existing directory is moved aside first and
  deleted last. On any error, Ctrl-C included, the sibling is removed and `path`
  is what it was. What a killed run left behind is cleared at the next use.

  Args:
    path: where the file or directory shall be; missing parents are made.

  Yields:
    The sibling's path.

  Raises:
    OSError: the disk is full, or the path is not writable.
  """
  path = pathlib.Path(path)
  partial = path.with_name(f'.partial-{path.name}')
  replaced = path.with_name(f'.replaced-{path.name}')
  path.parent.mkdir(parents=True, exist_ok=True)
  _put_back(replaced, path)
  _remove(partial)
  try:
    yield partial
    assert partial.exists(), f'nothing was written to {partial}'
    _sync_tree(partial)
    if path.is_dir():
      os.rename(path, replaced)
    os.replace(partial, path)
    _sync(path.parent)
  finally:
    _put_back(replaced, path)
    _remove(partial)


def write_json(path: Path, value: Any) -> None:
  """Writes a JSON value whole: sorted keys, UTF-8, strict (no NaN).

  Raises:
    ValueError: the value holds NaN or an infinity.
    TypeError: the value holds something that JSON does not know.
  """
  text = json.dumps(
    value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False
  )
  with written_whole(path) as partial:
    partial.write_text(text + '\n', encoding='utf-8')


def read_json(path: Path) -> Any:
  """Returns the JSON value in a file.

  Raises:
    FileNotFoundError: no such file.
    ValueError: the file is not JSON in UTF-8.
  """
  content = pathlib.Path(path).read_bytes()
  try:
    return json.loads(content)
  except ValueError as error:
    raise ValueError(
      f'{path} is not a JSON file in UTF-8 ({error}); delete it and run the'
      ' stage that wrote it again'
    ) from error


def append_json_line(path: Path, record: Mapping[str, Any]) -> None:
  """Appends one JSON object as a line; a torn last line is dropped first.

  Not synced to disk: a line per interval is worth a lost tail after a power
  cut. A kill, or a full disk, loses at most the line being written.

  Raises:
    OSError: the line cannot be written; the file is as it was.
    ValueError: the record holds NaN or an infinity.
  """
  path = pathlib.Path(path)
  text = json.dumps(
    dict(record), sort_keys=True, ensure_ascii=False, allow_nan=False
  )
  path.parent.mkdir(parents=True, exist_ok=True)
  drop_torn_line(path)
  with open(path, 'ab', buffering=0) as file:
    whole_size = file.tell()
    rest = memoryview(text.encode() + b'\n')
    try:
      while rest:  # a full disk may take a part of it before it refuses
        rest = rest[file.write(rest) :]
    finally:
      if rest:
        file.truncate(whole_size)


def drop_torn_line(path: Path) -> int:
  """Truncates a file after its last newline; returns the bytes dropped.

  A line is complete when its newline is there: it is the last byte written.
  A missing file has nothing to drop.
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
    whole_size = file.read().rfind(b'\n') + 1
    file.truncate(whole_size)
  return size - whole_size


def read_json_lines(path: Path) -> tuple[dict[str, Any], ...]:
  """Returns the records of a file that `append_json_line` wrote.

  A last line without newline is what a killed run left: it is no record and is
  left out. The file stays as it is, since its writer may be alive; the next
  append, or `drop_torn_line`, removes the line.

  Raises:
    FileNotFoundError: no such file.
    ValueError: a line is not a JSON object; names the line.
  """
  lines = pathlib.Path(path).read_bytes().split(b'\n')[:-1]
  return tuple(
    _parse_line(line, path=path, number=number)
    for number, line in enumerate(lines, start=1)
  )


def keep_json_lines(path: Path, keep: Callable[[dict[str, Any]], bool]) -> None:
  """Rewrites a file of JSON lines with the records to keep, whole or not.

  A torn last line goes too.
  """
  kept = [record for record in read_json_lines(path) if keep(record)]
  with written_whole(path) as partial:
    partial.touch()
    for record in kept:
      append_json_line(partial, record)


def hashes(directory: Path, *, but: str = '') -> dict[str, str]:
  """SHA-256 of every file directly in a directory, one name left out."""
  return {
    path.name: hashlib.sha256(path.read_bytes()).hexdigest()
    for path in sorted(pathlib.Path(directory).iterdir())
    if path.is_file() and path.name != but
  }


def fingerprint(path: Path) -> str:
  """Tells whether a file or directory is still what it was.

  SHA-256 of names, sizes and contents; of weights that would take long to read
  only the beginning and the end of each file, beside what is small.

  Returns:
    16 hex digits; '' if there is nothing.
  """
  path = pathlib.Path(path)
  if not path.exists():
    return ''
  found = sorted(path.rglob('*')) if path.is_dir() else [path]
  sizes = {file: file.stat().st_size for file in found if file.is_file()}
  is_large = sum(sizes.values()) > _READ_WHOLE
  digest = hashlib.sha256()
  for file, size in sizes.items():
    digest.update(f'{file.relative_to(path)}\0{size}\0'.encode())
    with open(file, 'rb') as opened:
      if is_large and size > 2 * _READ_OF_EACH:
        digest.update(opened.read(_READ_OF_EACH))
        opened.seek(-_READ_OF_EACH, os.SEEK_END)
      digest.update(opened.read())
  return digest.hexdigest()[:16]


def mark_done(directory: Path) -> None:
  """Puts the completion marker; call it when all else is on disk."""
  directory = pathlib.Path(directory)
  _sync_tree(directory)
  with written_whole(directory / DONE) as partial:
    partial.touch()


def is_done(directory: Path) -> bool:
  """Whether `mark_done` was called on the directory."""
  return (pathlib.Path(directory) / DONE).is_file()


def _parse_line(line: bytes, *, path: Path, number: int) -> dict[str, Any]:
  try:
    record = json.loads(line)
  except ValueError as error:
    raise ValueError(
      f'{path}, line {number}: expected one JSON object per line, got'
      f' {line[:80]!r} ({error}); mend or delete the line'
    ) from error
  if not isinstance(record, dict):
    raise ValueError(
      f'{path}, line {number}: expected a JSON object, got {line[:80]!r};'
      ' mend or delete the line'
    )
  return record


def _put_back(replaced: pathlib.Path, path: pathlib.Path) -> None:
  """Settles an old directory that was moved aside for a new one."""
  if replaced.exists() and not path.exists():
    os.rename(replaced, path)
  _remove(replaced)


def _remove(path: pathlib.Path) -> None:
  if path.is_dir() and not path.is_symlink():
    shutil.rmtree(path)
  else:
    path.unlink(missing_ok=True)


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
