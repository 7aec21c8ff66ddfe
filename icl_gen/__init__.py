"""In-context learning against finetuning: a controlled study with Gemma."""

import os
import signal
import sys


def end_at_once(signum, frame) -> None:
  """Ends a door that Ctrl-C met at its imports, before `cli.main` is there.

  Some of what is imported takes seconds, and catches what is raised in it.
  """
  del signum, frame
  os.write(2, b'\ninterrupted before anything was begun\n')
  os._exit(130)


# `python -m icl_gen.<door>`: this file is the first of all that are read.
if (
  sys.argv[:1] == ['-m']
  and signal.getsignal(signal.SIGINT) is signal.default_int_handler
):
  signal.signal(signal.SIGINT, end_at_once)
