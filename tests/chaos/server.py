"""Imports the doors once; then forks a process for every command it reads.

Every line is JSON. `start` answers with the process id of a command that runs
on its own; `ask` answers with the exit status of one and the seconds of the
processor that it took, or null while it runs. An id is not given to another
process until then.
"""

import atexit
import gc
import itertools
import json
import os
import pathlib
import resource
import runpy
import signal
import sys

# As in `python -m`, where icl_gen handles signals from the beginning.
sys.argv[:1] = ['-m']

from icl_gen import (  # noqa: E402
  augment,  # noqa: F401
  build,  # noqa: F401
  evaluate,  # noqa: F401
  export,  # noqa: F401
  measure,  # noqa: F401
  pretrain,  # noqa: F401
  report,  # noqa: F401
  status,  # noqa: F401
  study,  # noqa: F401
  train,  # noqa: F401
)

# What they import only when there is something to do.
from icl_gen.exports import data_card, hub_folder, lm_eval_tasks  # noqa: E402, F401
from icl_gen.model import (  # noqa: E402
  checkpoints,  # noqa: F401
  initialisation,  # noqa: F401
  loading,  # noqa: F401
  prefix_cache,  # noqa: F401
  registry,
)
from icl_gen.reporting import explorer, write  # noqa: E402, F401
from icl_gen.scoring import scorer  # noqa: E402, F401
from icl_gen.training import stopping  # noqa: E402, F401
from tests.doors import forks  # noqa: E402

# What Python reports before it touches a path.
_OF_PATHS = ('open', 'os.rename', 'os.mkdir', 'os.remove', 'os.rmdir')


def become(door, flags, files, die, memory, cwd):
  """Does in the child what `python -m icl_gen.<door> <flags>` does."""
  for descriptor, path in zip((1, 2), files, strict=True):
    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
  os.chdir(cwd)
  if memory:
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
  if die:
    _prepare(**die)
  module = door if door == 'launch' else f'icl_gen.{door}'
  sys.argv = [f'{module.replace(".", "/")}.py', *flags]
  runpy.run_module(module, run_name='__main__', alter_sys=True)


def _prepare(*, under='', at=0, printed='', signum=signal.SIGKILL, count=''):
  """Makes this process send itself a signal.

  Args:
    under: a directory.
    at: before the `at`th time that Python touches a path in it; 0: never.
    printed: before it prints a line with this text; '': never.
    signum: the signal.
    count: a file for the number of times, once the process ends; '': none.
  """
  numbers, seen = itertools.count(1), [0]

  def hook(event, args):
    if event in _OF_PATHS and _is_under(args[0], under):
      seen[0] = next(numbers)
      if seen[0] == at:
        os.kill(os.getpid(), signum)

  if under:
    sys.addaudithook(hook)
  if printed:
    write = sys.stdout.write

    def die_before(text):
      if printed in text:
        os.kill(os.getpid(), signum)
      return write(text)

    sys.stdout.write = die_before
  if count:
    atexit.register(lambda: pathlib.Path(count).write_text(str(seen[0])))


def _is_under(path, folder):
  if isinstance(path, int) or path is None:
    return False
  return os.fsdecode(path).startswith(folder)


def ask(pid):
  ended, code, took = os.wait4(pid, os.WNOHANG)
  if not ended:
    return None
  return os.waitstatus_to_exitcode(code), took.ru_utime + took.ru_stime


def start(**command):
  child = os.fork()
  if child == 0:
    # A group of its own, so that a kill reaches what it starts.
    os.setpgid(0, 0)
    become(**command)
    raise AssertionError('doors exit')
  return child


def _send(value):
  os.write(1, json.dumps(value).encode() + b'\n')


if __name__ == '__main__':
  registry.NANO['nano'] = forks.SHRUNK
  # Small studies have pieces of the question explorer, too.
  explorer.EMBEDDED = 0
  # Otherwise the collector writes to all imported objects, so that each command
  # copies all pages when it ends: two seconds of the processor.
  gc.collect()
  gc.freeze()
  _send(os.getpid())
  while line := sys.stdin.readline():
    command = json.loads(line)
    verb = command.pop('do')
    _send(start(**command) if verb == 'start' else ask(**command))
