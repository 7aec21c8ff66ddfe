"""Flags for a run of several processes, and what a command does with them."""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from icl_gen import processes

_DETECTED = ('auto', 'tpu', 'slurm')

# Name -> default, and what it is for.
FLAGS: dict[str, tuple[str | int, str]] = {
  'coordinator': ('', 'Several processes: host:port of process 0.'),
  'processes': (1, 'Several processes: how many.'),
  'process': (0, 'Several processes: the number of this one, from 0.'),
  'distributed': (
    '',
    'Several processes, as the environment says: auto, tpu or slurm.',
  ),
  'heartbeat': (
    60,
    'Several processes: seconds until a silent one counts as lost.',
  ),
}


def join(given: Mapping[str, Any], *, together: bool, debug: bool) -> None:
  """Connects this process with the others, if there are any.

  Args:
    given: the values of FLAGS.
    together: whether the processes compute together.
    debug: whether to show what JAX prints.

  Raises:
    ValueError: the flags do not fit together, or a process is missing.
  """
  coordinator, detected = given['coordinator'], given['distributed']
  count, index = given['processes'], given['process']
  if given['heartbeat'] < 1:
    raise ValueError(f'--heartbeat={given["heartbeat"]}; it must be 1 or more')
  if detected and (detected not in _DETECTED or coordinator or count != 1):
    raise ValueError(
      f'--distributed={detected}; allowed are {", ".join(_DETECTED)}, without'
      ' --coordinator, --processes and --process'
    )
  if not detected and (count, index, coordinator) == (1, 0, ''):
    return
  fit = 0 <= index < count != 1 and re.fullmatch(r'.+:\d+', coordinator)
  if not detected and not fit:
    raise ValueError(
      f'--coordinator={coordinator} --processes={count} --process={index}: give'
      ' all three, host:port of process 0, how many processes there are, and'
      ' the number of this one, from 0'
    )
  # Imports JAX.
  from icl_gen.model import cluster

  cluster.join(
    coordinator=coordinator,
    count=count,
    index=index,
    detected=detected,
    heartbeat=given['heartbeat'],
    together=together,
    debug=debug,
  )


@contextlib.contextmanager
def joined(
  require_shared: Callable[[], None], *, together: bool
) -> Iterator[bool]:
  """A block for the work of a command, after which its processes part.

  Args:
    require_shared: checks that processes which compute together work in the
      same place.
    together: whether they do.

  Yields:
    Whether this process has a part in the work.

  Raises:
    SystemExit: what the block raises, once the others can know.
  """
  if processes.count() == 1:
    yield True
    return
  from icl_gen.model import cluster

  status = 1
  try:
    if together:
      require_shared()
      yield True
    else:
      with processes.alone() as is_ours:
        yield is_ours
    status = 0
  except SystemExit as error:
    status = error.code if isinstance(error.code, int) else 1
    raise
  finally:
    cluster.leave(status)


def wait_for_reason() -> None:
  """Ends this process if the reason of its failure is another one's."""
  if processes.count() > 1:
    from icl_gen.model import cluster

    cluster.wait_for_reason()
