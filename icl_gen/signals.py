"""Requests to stop: Ctrl-C (SIGINT) and SIGTERM, which schedulers send.

The first one raises `Interrupted` in the main thread. Within `deferred`, it is
only noted, and the block decides where to stop. The second one ends the process
at once. Signals whose handler somebody else set, or which are ignored (as after
`nohup`), are left alone.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType

_STOPPING = (signal.SIGINT, signal.SIGTERM)
# Within this many seconds, a second signal is the same request: schedulers
# signal every process, and `make` passes on what it gets.
_SAME_REQUEST = 0.5
# Seconds until a request that was swallowed is repeated.
_AGAIN = 0.01


class Interrupted(KeyboardInterrupt):
  """Somebody asked this process to stop.

  Attributes:
    status: the exit status, as shells report it: 128 + the signal's number.
    kept: what is kept for the next run, for the message; '' if unknown.
  """

  def __init__(self, signum: int, kept: str = '') -> None:
    by = '' if signum == signal.SIGINT else f' by {signal.Signals(signum).name}'
    super().__init__(f'interrupted{by}')
    self.status = 128 + signum
    self.kept = kept


class _Requests:
  """What was asked of this process, and whether it waits to be looked at."""

  signum: int = 0  # of the first request; 0: none
  since: float = 0  # when it came, in seconds of the monotonic clock
  deferred: bool = False
  swallowed: bool = False  # where it was raised, until it is repeated
  importing: bool = False
  report_unraisable: Callable[['sys.UnraisableHookArgs'], object]


_requests = _Requests()


def asked() -> int:
  """Returns the signal that asked this process to stop; 0 if none did."""
  return _requests.signum


@contextlib.contextmanager
def deferred() -> Iterator[None]:
  """Within this block (or function), the first request is noted, not raised.

  The block looks at `asked` and leaves in its own time.

  Raises:
    Interrupted: at the end of the block, if it has not raised anything.
  """
  _requests.deferred = True
  try:
    yield
  finally:
    _requests.deferred = False
  if _requests.signum:
    raise Interrupted(_requests.signum)


class unwrapped:
  """Within this block, a request stays one, whatever a library makes of it.

  Some catch every exception and raise one of their own from it (orbax where it
  reads an array).

  Raises:
    Interrupted: it was the cause of another exception, or its cause's cause.
  """

  def __enter__(self) -> None:
    pass

  def __exit__(
    self,
    kind: type[BaseException] | None,
    error: BaseException | None,
    trace: TracebackType | None,
  ) -> None:
    cause = error and error.__cause__
    while cause is not None:
      if isinstance(cause, Interrupted):
        raise cause from None
      cause = cause.__cause__


@contextlib.contextmanager
def importing() -> Iterator[None]:
  """Within this block, a request ends the process with a line, at once.

  Some of the libraries that are imported in it swallow every exception.
  """
  _requests.importing = True
  try:
    yield
  finally:
    _requests.importing = False


def end_while_importing() -> None:
  """From now on, a request ends the process with a line, at once.

  Imports take seconds; nothing can catch an exception yet, and some of the
  libraries that are imported swallow every one.
  """
  for signum, usual in _usual().items():
    if signal.getsignal(signum) is usual:
      signal.signal(signum, _end)


def catch() -> None:
  """From now on, a request is raised or noted."""
  for signum, usual in _usual().items():
    if signal.getsignal(signum) in (usual, _end):
      signal.signal(signum, _note)
  if sys.unraisablehook is not _look_at_unraisable:
    _requests.report_unraisable = sys.unraisablehook
    sys.unraisablehook = _look_at_unraisable


def release() -> None:
  """From now on, a request ends the process at once, without a line.

  The work is done, and Python's own end has nothing that could be kept.
  """
  for signum in _STOPPING:
    if signal.getsignal(signum) is _note:
      signal.signal(signum, signal.SIG_DFL)


@contextlib.contextmanager
def without_waiting() -> Iterator[None]:
  """If a request ends this block, the process ends with it.

  Python would wait for the threads of libraries, and one whose work a request
  has cut off may never end.
  """
  try:
    yield
  except SystemExit as error:
    main = threading.main_thread()
    others = [one for one in threading.enumerate() if one is not main]
    if _requests.signum and not all(one.daemon for one in others):
      sys.stdout.flush()
      sys.stderr.flush()
      os._exit(error.code if isinstance(error.code, int) else 1)
    raise


def _usual() -> dict[signal.Signals, object]:
  """Signal -> its handler if nobody has set one."""
  usual = signal.default_int_handler, signal.SIG_DFL
  return dict(zip(_STOPPING, usual, strict=True))


def _end(signum: int, frame: FrameType | None) -> None:
  del frame
  os.write(2, b'\ninterrupted before start-up finished; nothing was written\n')
  os._exit(128 + signum)


def _note(signum: int, frame: FrameType | None) -> None:
  del frame
  if _requests.importing:
    os.write(2, b'\ninterrupted; re-run the command to resume\n')
    os._exit(128 + signum)
  now = time.monotonic()
  if _requests.signum and not _requests.swallowed:
    if now - _requests.since > _SAME_REQUEST:
      os.write(2, b'\nended at once; re-run the command to resume\n')
      os._exit(128 + signum)
    return
  _requests.signum, _requests.since = signum, now
  _requests.swallowed = False
  if not _requests.deferred:
    raise Interrupted(signum)


def _look_at_unraisable(dropped: 'sys.UnraisableHookArgs') -> None:
  """Looks at an exception that was raised where Python drops every one."""
  if isinstance(dropped.exc_value, Interrupted):
    _repeat()
  elif not _is_of_half_made(dropped):
    _requests.report_unraisable(dropped)


def _repeat() -> None:
  """Repeats a request that Python dropped.

  Signals are handled between any two instructions, including those of `__del__`
  and of the garbage collector's callbacks (JAX has one).
  """
  _requests.swallowed = True
  again = threading.Timer(_AGAIN, os.kill, (os.getpid(), _requests.signum))
  again.daemon = True
  again.start()


def _is_of_half_made(dropped: 'sys.UnraisableHookArgs') -> bool:
  """Whether it says that a request came while an object was being made.

  The object's `__del__` then misses what its `__init__` had yet to set (orbax's
  checkpointers, event loops), which is no news after the request.
  """
  return (
    _requests.signum != 0
    and isinstance(dropped.exc_value, AttributeError)
    and getattr(dropped.object, '__name__', '') == '__del__'
  )
