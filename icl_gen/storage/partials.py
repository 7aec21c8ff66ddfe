"""Private directories, in which writers make what they then rename into place.

Each writer has one of its own, next to what it writes, so two writers of one
path never share a file. In it are

  .lock             held by its writer, and released by the system at its death
  <name>            what is written
  .replaced/<name>  the directory that was at the path before, until the new one
                    has taken its place
"""

import contextlib
import errno
import os
import pathlib
import secrets
import shutil
from collections.abc import Iterator

from icl_gen.storage import locks

_PREFIX = '.partial-'
_LOCK = '.lock'
_REPLACED = '.replaced'
_SUPERSEDED = '.superseded'
# Errors of renaming to a path where there is a directory.
_OCCUPIED = (errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR)


@contextlib.contextmanager
def private(parent: pathlib.Path) -> Iterator[pathlib.Path]:
  """Yields a new directory in `parent` that no other writer touches.

  It is removed after the block. Those of writers that were killed are removed
  first.

  Raises:
    OSError: the disk is full, or `parent` is not writable.
  """
  _remove_left(parent)
  directory, lock = _make(parent)
  try:
    yield directory
  finally:
    _clear(directory)
    lock.release()


def put_in_place(partial: pathlib.Path, path: pathlib.Path) -> None:
  """Renames what is in a private directory to its path.

  An existing file is replaced in one step. An existing directory is moved into
  the private directory first, from which `private` or, after a kill, the next
  writer puts it back if there is nothing at the path then.

  Raises:
    OSError: the path is not writable, or is a file and `partial` a directory.
  """
  aside = partial.parent / _REPLACED / path.name
  while True:
    if path.is_dir():
      aside.parent.mkdir(exist_ok=True)
      with contextlib.suppress(FileNotFoundError):  # moved by another writer
        os.rename(path, aside)
    try:
      os.replace(partial, path)
      break
    except OSError as error:
      if error.errno not in _OCCUPIED:
        raise
    # Another writer was faster; what is aside now is older than its result.
    remove(aside)
  if aside.parent.exists():
    # Never put back from now on, also if another writer moves ours aside.
    os.rename(aside.parent, partial.parent / _SUPERSEDED)


def remove(path: pathlib.Path) -> None:
  """Removes a file, or a directory with all that is in it, if it exists."""
  if path.is_dir() and not path.is_symlink():
    shutil.rmtree(path)
  else:
    path.unlink(missing_ok=True)


def _make(
  parent: pathlib.Path,
) -> tuple[pathlib.Path, locks.Lock]:
  while True:
    directory = parent / f'{_PREFIX}{secrets.token_hex(8)}'
    directory.mkdir()
    try:
      lock = locks.taken(directory / _LOCK)
    except FileNotFoundError:
      continue  # removed as a leftover, because it was not locked yet
    except OSError:
      _clear(directory)
      raise
    if lock is not None:
      return directory, lock
    # Being removed as a leftover.


def _remove_left(parent: pathlib.Path) -> None:
  """Removes the private directories of writers that were killed."""
  for directory in parent.glob(f'{_PREFIX}*'):
    try:
      lock = locks.taken(directory / _LOCK)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
      continue  # removed by another writer, or not for us to remove
    if lock is None:
      continue
    try:
      _clear(directory)
    finally:
      lock.release()


def _clear(directory: pathlib.Path) -> None:
  """Removes a private directory; its lock last, so that one process does."""
  for aside in directory.glob(f'{_REPLACED}/*'):
    path = directory.parent / aside.name
    if not path.exists():
      with contextlib.suppress(OSError):  # another writer was faster
        os.rename(aside, path)
  for inner in directory.iterdir():
    if inner.name != _LOCK:
      remove(inner)
  (directory / _LOCK).unlink(missing_ok=True)
  # A writer that made it, and did not have its lock yet, may take it now.
  with contextlib.suppress(OSError):
    directory.rmdir()
