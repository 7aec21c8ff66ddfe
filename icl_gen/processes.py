"""The processes of one run, and what they tell each other.

A run may have a process on each of several hosts. All of them execute the same
code in the same order; process 0 writes the files, and the others read them.
What every process has to decide alike, process 0 decides (`agreed`). Everything
here is trivial in a run of one process, which is the default; `model.cluster`
makes a run of several.
"""

import contextlib
import json
import pathlib
import secrets
from collections.abc import Callable, Iterator
from typing import Protocol

# Milliseconds of waiting at a time; between two of them, Python can notice a
# signal. How long they wait in all is not limited: if a process is lost, the
# others end.
_PATIENCE = 500


class Store(Protocol):
  """The part of JAX's coordination service that is used here."""

  def key_value_set(self, key: str, value: str) -> None: ...

  def key_value_delete(self, key: str) -> None: ...

  def blocking_key_value_get(self, key: str, timeout_in_ms: int) -> str: ...


class _Run:
  """This process's place among those of its run."""

  index: int = 0
  count: int = 1
  store: Store
  said: int = 0  # how often they have told each other something


_run = _Run()


def begin(store: Store, *, index: int, count: int) -> None:
  """From now on, this process is one of several.

  Args:
    store: shared by all of them.
    index: of this process, from 0.
    count: of the processes.
  """
  _run.store, _run.index, _run.count = store, index, count


def count() -> int:
  """The number of processes of this run."""
  return _run.count


def index() -> int:
  """The number of this process, from 0."""
  return _run.index


def is_first() -> bool:
  """Whether this process writes the files; one process always does."""
  return _run.index == 0


def gathered[T](value: T) -> list[T]:
  """The JSON values of all processes, in all processes, by their numbers."""
  if _run.count == 1:
    return [value]
  before, _run.said = _run.said, _run.said + 1
  _run.store.key_value_set(_key(_run.said, _run.index), json.dumps(value))
  found = [json.loads(_wait_for(_key(_run.said, n))) for n in range(_run.count)]
  # Everybody has said this, so everybody has read what was said before.
  if before:
    _run.store.key_value_delete(_key(before, _run.index))
  return found


def barrier() -> None:
  """Waits until every process is here."""
  gathered(None)


def agreed[T](decide: Callable[[], T]) -> T:
  """What process 0 decides, in all processes.

  Args:
    decide: called in process 0 only; returns a JSON value. If it raises, the
      other processes end with process 0.
  """
  if _run.count == 1:
    return decide()
  if is_first():
    value = decide()
    gathered(value)
    return value
  found: T = gathered(None)[0]  # type: ignore[assignment]
  return found


@contextlib.contextmanager
def alone() -> Iterator[bool]:
  """A block that process 0 executes as if there was no other.

  Yields:
    Whether this is process 0; the others must do nothing in the block. They
    wait at its end.
  """
  before = _run.count
  if is_first():
    _run.count = 1
  try:
    yield is_first()
  finally:
    _run.count = before
  barrier()


def require_shared(directory: pathlib.Path) -> None:
  """Checks that all processes see the same directory.

  Raises:
    ValueError: if this process does not see what process 0 writes there.
  """
  if _run.count == 1:
    return
  name = agreed(lambda: f'.processes-{secrets.token_hex(8)}')
  if is_first():
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).touch()
  barrier()
  sees = (directory / name).exists()
  barrier()
  if is_first():
    (directory / name).unlink(missing_ok=True)
  if not sees:
    raise ValueError(
      f'{str(directory)!r} of process {_run.index} is not the directory of'
      ' process 0: with several processes, --workdir must be on a file system'
      ' that all of them share'
    )


def _key(number: int, index: int) -> str:
  return f'icl_gen/{number}/{index}'


def _wait_for(key: str) -> str:
  while True:
    try:
      return _run.store.blocking_key_value_get(key, _PATIENCE)
    except RuntimeError as error:
      if 'DEADLINE_EXCEEDED' not in str(error):
        raise
