"""Lets what orbax leaves unfinished end before its loop closes, or quietly.

If an array cannot be read or written, orbax closes its event loop while others
are on their way. Each of them then prints a traceback: tensorstore's threads,
which find the loop closed ("Event loop is closed"), and Python, which ends the
tasks when it frees them.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Iterator

# Seconds that a loop waits for its tasks before it closes.
_PATIENCE = 10.0


class _PatientLoop(asyncio.SelectorEventLoop):
  """An event loop that waits for its tasks before it closes.

  Tasks may have been cancelled before what they waited for has ended. Nobody
  waits for it then, so that its end is no error.
  """

  def call_soon_threadsafe[*Ts](
    self,
    callback: Callable[[*Ts], object],
    *args: *Ts,
    context: contextvars.Context | None = None,
  ) -> asyncio.Handle:
    try:
      return super().call_soon_threadsafe(callback, *args, context=context)
    except RuntimeError:
      if not self.is_closed():
        raise
      return asyncio.Handle(callback, args, self)

  def close(self) -> None:
    left = [] if self.is_closed() else asyncio.all_tasks(self)
    if left:
      # An interruption may have taken the call that would wake one of them.
      self.set_exception_handler(lambda loop, context: None)
      self.run_until_complete(asyncio.wait(left, timeout=_PATIENCE))
    super().close()


class _PatientLoops(asyncio.DefaultEventLoopPolicy):
  def new_event_loop(self) -> asyncio.AbstractEventLoop:
    return _PatientLoop()


def use_patient() -> None:
  """From now on, event loops that are made are patient.

  For writers, whose loops are made in other threads, later.
  """
  asyncio.set_event_loop_policy(_PatientLoops())


@contextlib.contextmanager
def patient() -> Iterator[None]:
  """Within this block, event loops that are made are patient."""
  before = asyncio.get_event_loop_policy()
  use_patient()
  try:
    yield
  finally:
    asyncio.set_event_loop_policy(before)
