"""Locks between processes, which the system releases when their holder dies.

A lock is a file; the library `filelock` locks it with `flock`. The file exists
while the lock is held, or after its holder was killed.
"""

import contextlib
import datetime
import errno
import os
import pathlib
import socket
import time
from collections.abc import Iterator

import filelock

Lock = filelock.BaseFileLock

_SECONDS_BETWEEN_TRIES = 0.2
# More than holders could do; a working directory that was deleted, for one.
_MOST_REMOVED = 1000


def taken(path: pathlib.Path) -> Lock | None:
  """Takes a lock if it is free.

  Args:
    path: the lock's file; its directory exists.

  Returns:
    the lock, for its `release`; None if another process or thread holds it.

  Raises:
    FileNotFoundError: the directory was removed, or is being removed.
    OSError: the file cannot be written, or its file system has no locks.
  """
  lock = filelock.FileLock(path, fallback_to_soft=False)
  try:
    lock.acquire(blocking=False)
  except filelock.Timeout:
    return None
  except FileExistsError as error:  # of making the directory, unless it is gone
    raise FileNotFoundError(*error.args) from error
  except OSError as error:
    if error.errno in (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK):
      raise OSError(
        f'{path.parent} is on a file system without locks ({error.strerror}):'
        ' give a directory on another one'
      ) from error
    raise
  return lock


def is_held(path: pathlib.Path) -> bool:
  """Whether a process or thread holds a lock; removes a killed one's file."""
  if not path.exists():
    return False
  try:
    lock = taken(path)
  except FileNotFoundError:
    return False
  if lock is None:
    return True
  path.unlink(missing_ok=True)
  lock.release()
  return False


def holder(path: pathlib.Path) -> str:
  """Who holds a lock, and since when; '' if nobody does."""
  if not is_held(path):
    return ''
  return _holder(path) or 'a process that has just begun'


@contextlib.contextmanager
def held(path: pathlib.Path, *, what: str) -> Iterator[bool]:
  """Holds a lock during the block.

  If another holds it, prints one line that names the holder, and waits. The
  lock's file is removed after the block, with the directories that were created
  for it if nothing else is in them.

  Args:
    path: the lock's file; its directory is created.
    what: what is locked, for the line.

  Yields:
    Whether the lock was free at once.

  Raises:
    OSError: the file cannot be written, or its file system has no locks.
  """
  lock, made, at_once = _wait_for(path, what)
  try:
    _write_holder(path)
    yield at_once
  finally:
    # Before the release: whoever waits for this file notices that it is gone.
    path.unlink(missing_ok=True)
    lock.release()
    with contextlib.suppress(OSError):  # in use
      for directory in made:
        directory.rmdir()


def _wait_for(
  path: pathlib.Path, what: str
) -> tuple[Lock, list[pathlib.Path], bool]:
  """Returns the lock, the directories made for it, and if it was free."""
  at_once, seen, announced, removed = True, '', False, 0
  while True:
    made = [one for one in path.parents if not one.exists()]
    try:
      path.parent.mkdir(parents=True, exist_ok=True)
      lock = taken(path)
    # Its last holder just removed the directory; `mkdir` may see it go.
    except (FileNotFoundError, FileExistsError):
      removed += 1
      if removed > _MOST_REMOVED:
        raise
      continue
    if lock is not None:
      return lock, made, at_once
    at_once = False
    name = _holder(path)
    # Twice the same: not the name of a holder that died before this one.
    if not announced and name and name == seen:
      print(f'waiting: {what} is being written by {name}', flush=True)
      announced = True
    seen = name
    time.sleep(_SECONDS_BETWEEN_TRIES)


def this_process() -> str:
  """How a holder is named: this process, its host, and since when it is one."""
  now = datetime.datetime.now().astimezone()
  since = now.isoformat(sep=' ', timespec='seconds')
  return f'pid {os.getpid()} on {socket.gethostname()} since {since}'


def _write_holder(path: pathlib.Path) -> None:
  path.write_text(this_process())


def _holder(path: pathlib.Path) -> str:
  """The holder's name; '' before it is written or after it is removed."""
  try:
    return path.read_text()
  except FileNotFoundError:
    return ''
