"""Lets the reads that orbax leaves unfinished end before their loop closes."""

import asyncio
import contextlib
from collections.abc import Iterator


class _PatientLoop(asyncio.SelectorEventLoop):
  """An event loop that waits for its tasks before it closes."""

  def close(self) -> None:
    left = [] if self.is_closed() else asyncio.all_tasks(self)
    if left:
      self.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    super().close()


class _PatientLoops(asyncio.DefaultEventLoopPolicy):
  def new_event_loop(self) -> asyncio.AbstractEventLoop:
    return _PatientLoop()


@contextlib.contextmanager
def patient() -> Iterator[None]:
  """Within this block, event loops that are made wait for all their tasks.

  If an array cannot be read, orbax closes its loop while the other arrays are
  being read. Each of them then prints a traceback: tensorstore's threads, which
  find the loop closed ("Event loop is closed"), and Python, which ends the
  tasks when it frees them.
  """
  before = asyncio.get_event_loop_policy()
  asyncio.set_event_loop_policy(_PatientLoops())
  try:
    yield
  finally:
    asyncio.set_event_loop_policy(before)
