"""Runs units in processes, so many at a time, and starts failed ones again."""

import contextlib
import ctypes
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from icl_gen.runs import units as names
from launch.experiment import Unit

# What a unit's process is: its arguments, and variables besides our own.
Command = tuple[Sequence[str], Mapping[str, str]]

_SECONDS_BETWEEN_LOOKS = 0.5
# How long a process may take to save its state once it is asked to stop.
_SECONDS_TO_STOP = 300
_MISTAKE = 2  # an exit status that another attempt gives again
_PR_SET_PDEATHSIG = 1


@dataclasses.dataclass
class Progress:
  """Where a unit is.

  Attributes:
    unit: it.
    state: 'waiting', 'running', 'done', 'failed' or 'stopped'.
    worker: the number of the worker that runs it; -1 if none does.
    attempts: how often it was started.
    failures: attempts in a row in which no stage was completed.
    status: the exit status of its last attempt.
    since: seconds of the monotonic clock at which its state began.
  """

  unit: Unit
  state: str = 'waiting'
  worker: int = -1
  attempts: int = 0
  failures: int = 0
  status: int = 0
  since: float = dataclasses.field(default_factory=time.monotonic)

  def enter(self, state: str) -> None:
    """Changes the state."""
    self.state, self.since = state, time.monotonic()


@dataclasses.dataclass
class _Process:
  """One attempt at a unit."""

  progress: Progress
  process: subprocess.Popen[bytes]
  complete: int  # stages that were complete before


def run(
  units: Sequence[Unit],
  command: Callable[[Unit, int], Command],
  *,
  workers: int,
  retries: int,
  look: Callable[[Sequence[Progress]], None],
) -> list[Progress]:
  """Runs all units; returns how each ended.

  A unit whose process fails is started again, later, unless it made a mistake
  (exit status 2) or failed `retries` + 1 times in a row without completing a
  stage. The others go on.

  Args:
    units: to run.
    command: the command of a unit on a worker, by the worker's number.
    workers: how many units run at once.
    retries: as above.
    look: called twice a second with where each unit is.

  Raises:
    KeyboardInterrupt: after all processes were asked to stop and have ended.
  """
  units_now = [Progress(unit) for unit in units]
  running: dict[int, _Process] = {}
  with _stopping(running):
    while running or any(one.state == 'waiting' for one in units_now):
      for worker in [w for w, one in running.items() if _has_ended(one)]:
        _end(running.pop(worker), retries)
      look(units_now)
      for worker in range(workers):
        waiting = [one for one in units_now if one.state == 'waiting']
        if worker not in running and waiting:
          # Those that failed come after those that were not tried.
          next_one = min(waiting, key=lambda one: one.attempts)
          running[worker] = _start(next_one, worker, command)
      look(units_now)
      time.sleep(_SECONDS_BETWEEN_LOOKS)
  look(units_now)
  return units_now


def rule(retries: int) -> str:
  """What `run` does with units that fail, in words."""
  return (
    f'a unit that fails is started again up to {retries} times without progress'
  )


def _start(
  progress: Progress, worker: int, command: Callable[[Unit, int], Command]
) -> _Process:
  arguments, variables = command(progress.unit, worker)
  complete = progress.unit.complete()
  log = progress.unit.log
  log.parent.mkdir(parents=True, exist_ok=True)
  with open(log, 'ab') as output:
    process = subprocess.Popen(
      arguments,
      env={**os.environ, **variables},
      stdin=subprocess.DEVNULL,
      stdout=output,
      stderr=subprocess.STDOUT,
      # Ctrl-C in a terminal reaches this process alone, which passes it on.
      start_new_session=True,
      preexec_fn=_end_with_parent if sys.platform == 'linux' else None,
    )
  progress.worker, progress.attempts = worker, progress.attempts + 1
  progress.enter('running')
  return _Process(progress, process, complete)


def _has_ended(one: _Process) -> bool:
  return one.process.poll() is not None


def _end_with_parent() -> None:
  """Asks the system for SIGTERM when the launcher dies, however it dies."""
  ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(ended: _Process, retries: int) -> None:
  """Notes how an attempt ended, and whether there will be another one."""
  progress, complete = ended.progress, ended.progress.unit.complete()
  progress.status, progress.worker = ended.process.returncode, -1
  _note_end(progress)
  if progress.status == 0:
    progress.enter('done')
    return
  advanced = complete > ended.complete
  progress.failures = 0 if advanced else progress.failures + 1
  hopeless = progress.status == _MISTAKE or progress.failures > retries
  progress.enter('failed' if hopeless else 'waiting')


def _note_end(progress: Progress) -> None:
  with open(progress.unit.log, 'a', encoding='utf-8') as log:
    print(names.ENDED.format(progress.status), file=log)


@contextlib.contextmanager
def _stopping(running: Mapping[int, _Process]) -> Iterator[None]:
  """Stops the processes that are left, if the block ends by Ctrl-C or fails."""
  try:
    yield
  finally:
    for one in running.values():
      _signal(one, signal.SIGTERM)
    until = time.monotonic() + _SECONDS_TO_STOP
    for one in running.values():
      try:
        one.process.wait(max(0, until - time.monotonic()))
      except subprocess.TimeoutExpired:
        _signal(one, signal.SIGKILL)
        one.process.wait()
      one.progress.status = one.process.returncode
      one.progress.enter('stopped')
      _note_end(one.progress)


def _signal(one: _Process, signum: signal.Signals) -> None:
  """Asks a process to stop, alone, as it may need those that it started."""
  if signum == signal.SIGTERM:
    one.process.send_signal(signum)
    return
  with contextlib.suppress(ProcessLookupError):  # it has just ended
    os.killpg(one.process.pid, signum)
