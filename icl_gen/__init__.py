"""In-context learning against fine-tuning: a controlled study with Gemma."""

import os
import signal
import sys
from types import FrameType


def end_at_once(signum: int, frame: FrameType | None) -> None:
  """Ends a command that Ctrl-C interrupts while it imports its rooms.

  That takes seconds, `cli.main` cannot catch anything yet, and some of the
  libraries that are imported swallow every exception.
  """
  del signum, frame
  os.write(2, b'\ninterrupted before start-up finished; nothing was written\n')
  os._exit(130)


# In `python -m icl_gen.<door>`, this file runs before all other imports; only
# then is argv[0] still '-m'. A handler that somebody set is left alone.
if (
  sys.argv[:1] == ['-m']
  and signal.getsignal(signal.SIGINT) is signal.default_int_handler
):
  signal.signal(signal.SIGINT, end_at_once)
