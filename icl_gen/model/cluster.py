"""Makes this process one of several that compute together.

`jax.distributed` connects them: process 0 serves, and all of them send
heartbeats. If one is lost, JAX's C++ code aborts the others, with a page of
text; here they end with one line instead.
"""

import ctypes
import os
import signal
import sys
import tempfile
import time
from typing import Any

import jax
from jax._src import distributed  # nothing public has its store

from icl_gen import processes

# Seconds to wait for the other processes at the start and at the end.
_TO_START = 300
_TO_END = 20
# The exit status if the others were not found, which is a mistake like any
# other, or one of them was lost later.
_ALONE = 2
LOST = 4
_STOPPING = (signal.SIGINT, signal.SIGTERM)

# In what JAX prints before it aborts a process because of another one.
_OF_OTHERS = b'JAX distributed service'


class _Own:
  """What this process has as one of several.

  Attributes:
    ending: the exit status, if the process is about to end; -1: it is not.
    heartbeat: seconds without a sign of life after which a process is lost.
    where: the other processes are, for messages.
    client: of JAX's coordination service.
    output: descriptor of the file for what others than Python print; -1: none.
    stderr: descriptor of the real one.
    on_abort: kept as long as it may be called.
  """

  ending: int = -1
  heartbeat: int = 0
  where: str = ''
  client: Any = None
  output: int = -1
  stderr: int = 2
  on_abort: Any = None


_own = _Own()


def join(
  *,
  coordinator: str,
  count: int,
  index: int,
  detected: str,
  heartbeat: int,
  together: bool,
  debug: bool,
) -> None:
  """Connects this process with the others of its run.

  Args:
    coordinator: 'host:port' of process 0, if nothing is detected.
    count: of the processes, likewise.
    index: of this process, likewise.
    detected: 'auto', 'tpu' or 'slurm': all three come from the environment;
      '': they are given.
    heartbeat: seconds without a sign of life after which a process is lost.
    together: whether the processes compute together. Otherwise process 0
      computes, on CPUs, and the others wait for it.
    debug: whether to show what JAX prints.

  Raises:
    ValueError: if nothing is detected, or process 0 cannot listen.
  """
  # Read by the backend of CPUs only.
  jax.config.update('jax_cpu_collectives_implementation', 'gloo')
  # It would take SIGTERM for itself; see `signals` and `training.stopping`.
  jax.config.update('jax_enable_preemption_service', False)
  if not debug:
    _divert_output()
  _end_in_a_line()
  _own.where = f'--distributed={detected}' if detected else coordinator
  before = {one: signal.getsignal(one) for one in _STOPPING}
  try:
    # Python's handlers would run after the connection only.
    for one in _STOPPING:
      signal.signal(one, signal.SIG_DFL)
    jax.distributed.initialize(
      coordinator_address=coordinator or None,
      num_processes=None if detected else count,
      process_id=None if detected else index,
      cluster_detection_method=_METHODS[detected],
      initialization_timeout=_TO_START,
      heartbeat_timeout_seconds=heartbeat,
      shutdown_timeout_seconds=_TO_END,
    )
  except (RuntimeError, ValueError) as error:
    raise ValueError(
      f'several processes, {_own.where}: {str(error).splitlines()[0]} Check the'
      ' address of process 0, or give --coordinator, --processes and --process'
    ) from error
  finally:
    for one, handler in before.items():
      signal.signal(one, handler)
  state: Any = distributed.global_state
  _own.client, _own.heartbeat = state.client, heartbeat
  processes.begin(
    state.client, index=state.process_id, count=state.num_processes
  )
  if not processes.is_first():
    sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), 'w')
  if not together:
    # Otherwise JAX would wait for the devices of the others.
    state.client, state.num_processes = None, 1
    jax.config.update('jax_platforms', 'cpu')


# Our words -> JAX's; None: all that it knows.
_METHODS = {'': 'deactivate', 'auto': None, 'tpu': None, 'slurm': 'slurm'}


def leave(status: int) -> None:
  """Disconnects this process, which is about to exit.

  Processes that do not leave too soon end with a line.

  Args:
    status: the exit status.
  """
  _own.ending = status
  sys.stdout.flush()
  sys.stderr.flush()
  distributed.global_state.client = _own.client
  try:
    jax.distributed.shutdown()
  except RuntimeError:
    os._exit(status)


def wait_for_reason() -> None:
  """Waits as long as it takes to notice that a process was lost.

  Computing together fails at once if one is lost, and not in its name.
  """
  time.sleep(_own.heartbeat + 5)


def _divert_output() -> None:
  """Keeps to itself what is printed by others than Python."""
  real = [os.dup(number) for number in (1, 2)]
  _own.output, path = tempfile.mkstemp()
  os.unlink(path)
  for number in (1, 2):
    os.dup2(_own.output, number)
  sys.stdout, sys.stderr = (os.fdopen(one, 'w', buffering=1) for one in real)
  _own.stderr = real[1]


def _end_in_a_line() -> None:
  """Lets this process end with a line where C++ code aborts it.

  Python's own handlers run in the main thread later, and there is no later.
  """
  _own.on_abort = ctypes.CFUNCTYPE(None, ctypes.c_int)(_aborted)
  ctypes.CDLL(None).signal(int(signal.SIGABRT), _own.on_abort)


def _aborted(signum: int) -> None:
  if _own.ending >= 0:
    os._exit(_own.ending)
  printed = b''
  if _own.output >= 0:
    size = os.fstat(_own.output).st_size
    printed = os.pread(_own.output, size, 0)
  if _own.output < 0 or _OF_OTHERS in printed:
    status, why = _lost()
    os.write(_own.stderr, f'error: {why}\n'.encode())
    os._exit(status)
  os.write(_own.stderr, printed)
  os._exit(128 + signum)


def _lost() -> tuple[int, str]:
  """The exit status, and why this process ends."""
  if _own.client is None:
    return _ALONE, (
      f'the processes of {_own.where} did not connect within {_TO_START} s:'
      ' start the same command for each of them, and check the address of'
      ' process 0'
    )
  return LOST, (
    f'another process ended or was lost, so process {processes.index()} of'
    f' {processes.count()} ended too; re-run the command in all of them to'
    ' resume'
  )
