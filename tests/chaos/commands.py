"""The doors as commands, several at once; see server.py."""

import dataclasses
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from tests.chaos.stages import ROOT

# Seconds of the clock in which a command takes none of the processor.
_STANDSTILL = 120


@dataclasses.dataclass(frozen=True)
class Ended:
  """A command that has ended.

  Attributes:
    code: the exit status, negative for a signal.
    stdout, stderr: what it printed.
    took: seconds of the processor.
    seconds: seconds of the clock.
    late: whether it was killed because it took longer than its limit.
  """

  code: int
  stdout: str
  stderr: str
  took: float = 0.0
  seconds: float = 0.0
  late: bool = False


class Running:
  """A command that was started."""

  def __init__(self, server, pid, files, limit):
    self._server, self.pid, self._files = server, pid, files
    self._began, self._limit = time.monotonic(), limit
    self._ended = None

  def _has_ended(self):
    if self._ended is None:
      self._ended = self._server.ask(self.pid)
    return self._ended is not None

  def wait(self, seconds):
    """Waits until it took so many seconds of the processor, or has ended.

    Seconds of the clock would depend on what else the machine does.
    """
    until = time.monotonic() + _STANDSTILL
    while (
      not self._has_ended()
      and _took(self.pid) < seconds
      and time.monotonic() < until
    ):
      time.sleep(0.01)

  def send(self, signum):
    """Sends a signal, unless the command has ended."""
    if not self._has_ended():
      os.kill(self.pid, signum)

  def end(self):
    """Waits for the command; kills it after its limit or a standstill."""
    late, before, since = False, 0.0, self._began
    while not self._has_ended():
      now, took = time.monotonic(), _took(self.pid)
      if took > before:
        before, since = took, now
      if not late and (took > self._limit or now - since > _STANDSTILL):
        late = True
        os.kill(self.pid, signal.SIGKILL)
      time.sleep(0.02)
    code, took = self._ended
    return Ended(
      code=code,
      stdout=_text(self._files[0]),
      stderr=_text(self._files[1]),
      took=took,
      seconds=time.monotonic() - self._began,
      late=late,
    )


class Commands:
  """Starts doors as commands."""

  def __init__(self, folder, *, compiled):
    """Starts the server, which takes seconds.

    Args:
      folder: for what commands print.
      compiled: directory of the compilation cache.
    """
    self._folder, self._numbers = folder, itertools.count()
    folder.mkdir(parents=True, exist_ok=True)
    ours = {k: v for k, v in os.environ.items() if not k.startswith('TF_')}
    with open(folder / 'greeting', 'w') as greeting:
      self._server = subprocess.Popen(
        [sys.executable, '-W', 'ignore', '-m', 'tests.chaos.server'],
        cwd=ROOT,
        env=ours
        | {
          'PYTHONPATH': str(ROOT),
          'JAX_PLATFORMS': 'cpu',
          'MPLBACKEND': 'agg',
          'JAX_COMPILATION_CACHE_DIR': str(compiled),
          'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0',
          'JAX_DISABLE_MOST_OPTIMIZATIONS': '1',
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=greeting,
        text=True,
      )
    self._receive()

  def _receive(self):
    return json.loads(self._server.stdout.readline())

  def _call(self, verb, **values):
    self._server.stdin.write(json.dumps({'do': verb, **values}) + '\n')
    self._server.stdin.flush()
    return self._receive()

  def ask(self, pid):
    """The exit status of a command; None while it runs."""
    return self._call('ask', pid=pid)

  def start(self, door, *flags, limit=240, die=None, memory=0, cwd=ROOT):
    """Starts a door.

    Args:
      door: its name.
      *flags: its flags.
      limit: seconds of the processor until it is killed.
      die: when it sends itself a signal; see server.py.
      memory: bytes of data that it may allocate; 0: no limit.
      cwd: its working directory.
    """
    number = next(self._numbers)
    files = [self._folder / f'{number}.{name}' for name in ('out', 'err')]
    pid = self._call(
      'start',
      door=door,
      flags=flags,
      files=[str(path) for path in files],
      die=die,
      memory=memory,
      cwd=str(cwd),
    )
    return Running(self, pid, files, limit)

  def run(self, door, *flags, **options):
    """Starts a door and waits for it."""
    return self.start(door, *flags, **options).end()

  def close(self):
    """Ends the server."""
    with self._server:  # closes its pipes and waits for it
      pass


def _text(path):
  # A command that is killed at once has printed to no file yet.
  return path.read_bytes().decode('utf-8', 'replace') if path.exists() else ''


def _took(pid):
  """Seconds of the processor that a process took so far; 0 if unknown."""
  try:
    stat = pathlib.Path(f'/proc/{pid}/stat').read_text()
  except OSError:
    return 0.0
  fields = stat.rpartition(')')[2].split()
  return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
