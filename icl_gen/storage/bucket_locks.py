"""Locks in a bucket: objects that their holders renew.

A bucket cannot tell that a process has died. So a lock is an object that is
created only if there is none, and that its holder writes again every few
seconds. Whoever waits for it looks whether it changes; once it has not for a
minute of the waiting process's own clock, the lock is taken over, unless it
changes at that moment. A holder that could not renew its lock for a shorter
time than that counts it as lost, and stops.
"""

import contextlib
import dataclasses
import json
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from icl_gen.storage import locks
from icl_gen.storage.objects import Objects

RENEWED_EVERY = 10.0
LOST_AFTER = 40.0
TAKEN_OVER_AFTER = 60.0
_SECONDS_BETWEEN_TRIES = 1.0
# More than could be by chance: each time, others had the lock for an instant.
_MOST_REFUSED = 20


@dataclasses.dataclass
class Held:
  """A lock that this process holds.

  Attributes:
    at_once: whether nobody else held it.
    renewed: when it was last written, in seconds of the monotonic clock.
    why: why it is no longer held; '' if it is.
  """

  at_once: bool
  renewed: float
  why: str = ''

  @property
  def is_lost(self) -> bool:
    """Whether it was not renewed in time, was taken over, or released."""
    return bool(self.why) or time.monotonic() - self.renewed > LOST_AFTER


def _stop() -> None:
  """Stops this process as a scheduler would: training saves its state."""
  os.kill(os.getpid(), signal.SIGTERM)


@contextlib.contextmanager
def held(
  objects: Objects,
  name: str,
  *,
  what: str,
  on_lost: Callable[[], None] = _stop,
) -> Iterator[Held]:
  """Holds a lock during the block.

  If another holds it, prints one line that names the holder, and waits.

  Args:
    objects: of the bucket.
    name: of the object.
    what: what is locked, for the line.
    on_lost: called, in a thread, when the lock is lost.

  Yields:
    The lock.

  Raises:
    OSError: the object cannot be read or written; or, after the block, the lock
      was lost.
  """
  record = _Record(locks.this_process())
  generation, lock = _wait_for(objects, name, what, record)
  renewal = _Renewal(objects, name, record, generation, lock)
  done = threading.Event()

  def renew() -> None:
    while not done.wait(RENEWED_EVERY):
      renewal.renew()
      if lock.is_lost:
        told = f'{what} is no longer held: {lock.why}'
        print(f'error: {told}', file=sys.stderr, flush=True)
        on_lost()
        return

  thread = threading.Thread(target=renew, daemon=True)
  thread.start()
  try:
    yield lock
  finally:
    done.set()
    thread.join()
    lost_by = 'it was not renewed in time' if lock.is_lost else ''
    lost_by = lock.why or lost_by
    lock.why = lost_by or 'it was released'
    with contextlib.suppress(OSError):  # then it is taken over
      objects.write_if(name, None, renewal.generation)
  if lost_by:
    raise OSError(
      f'{what} was lost to another process ({lost_by}), and what was made since'
      ' then was not kept; re-run the command'
    )


def holder(objects: Objects, name: str) -> str:
  """Who holds a lock, and since when; '' if nobody does.

  Clocks of hosts may differ: within a minute or so of a holder's death, this is
  a guess.
  """
  content = objects.read(name).content
  if content is None:
    return ''
  record = _parse(content)
  age = time.time() - record.get('renewed', 0)
  return str(record.get('holder', '')) if age < TAKEN_OVER_AFTER else ''


@dataclasses.dataclass(frozen=True)
class _Record:
  """What a lock's object says: who holds it."""

  holder: str
  # So that a holder knows its own object.
  token: str = dataclasses.field(default_factory=lambda: secrets.token_hex(8))

  def text(self) -> bytes:
    values = {**dataclasses.asdict(self), 'renewed': time.time()}
    return json.dumps(values, sort_keys=True).encode()

  def is_of(self, content: bytes | None) -> bool:
    return content is not None and _parse(content).get('token') == self.token


class _Renewal:
  """Writes a lock's object again, as long as it is ours."""

  def __init__(
    self,
    objects: Objects,
    name: str,
    record: _Record,
    generation: bytes,
    lock: Held,
  ) -> None:
    self.generation = generation
    self._objects, self._name = objects, name
    self._record, self._lock = record, lock

  def renew(self) -> None:
    """Notes in the lock whether it is still ours."""
    began = time.monotonic()
    try:
      new = _write(self._objects, self._name, self._record, self.generation)
    except OSError as error:
      if self._lock.is_lost:
        self._lock.why = str(error)
      return
    if new is None:
      self._lock.why = 'it was not renewed in time'
    else:
      self.generation, self._lock.renewed = new, began


def _write(
  objects: Objects, name: str, record: _Record, generation: bytes
) -> bytes | None:
  """Writes our object in place of one; None if that has changed."""
  new = objects.write_if(name, record.text(), generation)
  if new is None:
    # It may be ours: of a request whose answer was lost, so that it was sent
    # again, and then refused.
    there = objects.read(name)
    new = there.generation if record.is_of(there.content) else None
  return new


def _wait_for(
  objects: Objects, name: str, what: str, record: _Record
) -> tuple[bytes, Held]:
  """Returns the generation of our object, and the lock."""
  at_once, seen, since, announced = True, b'', time.monotonic(), False
  refused = 0
  while True:
    there = objects.read(name)
    if there.generation != seen:
      seen, since = there.generation, time.monotonic()
    is_free = there.content is None
    if is_free or time.monotonic() - since > TAKEN_OVER_AFTER:
      began = time.monotonic()
      mine = _write(objects, name, record, there.generation)
      if mine is not None:
        return mine, Held(at_once, began)
      # Another process was faster; or, as tensorstore answers alike, there is
      # no such bucket.
      refused += is_free
      if refused > _MOST_REFUSED:
        raise OSError(
          f'{objects.url}: nothing can be written there; create the bucket, or'
          ' correct its name'
        )
      continue
    at_once = False
    if not announced:
      by = _parse(there.content or b'').get('holder', 'another process')
      print(f'waiting: {what} is being written by {by}', flush=True)
      announced = True
    time.sleep(_SECONDS_BETWEEN_TRIES)


def _parse(content: bytes) -> dict[str, Any]:
  """What a lock's object says; {} if it is damaged."""
  try:
    record = json.loads(content)
  except ValueError:
    return {}
  return record if isinstance(record, dict) else {}
