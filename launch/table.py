"""Shows where units are: a live table on a terminal, lines elsewhere."""

import contextlib
import datetime
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import rich.live
import rich.table

from icl_gen.runs import states
from launch.pool import Progress

Look = Callable[[Sequence[Progress]], None]

_COLUMNS = ('unit', 'state', 'stage', 'worker', 'attempt', 'for')


@contextlib.contextmanager
def shown() -> Iterator[Look]:
  """Yields the function that is told, again and again, where units are."""
  if not sys.stdout.isatty():
    yield _Lines().look
    return
  with rich.live.Live(auto_refresh=False) as live:
    yield lambda units: live.update(table(units), refresh=True)


def table(units: Sequence[Progress]) -> rich.table.Table:
  """A row for every unit."""
  made = rich.table.Table(*_COLUMNS)
  for one in units:
    worker = str(one.worker) if one.state == 'running' else ''
    seconds = round(time.monotonic() - one.since)
    made.add_row(
      one.unit.name,
      one.state,
      stage(one),
      worker,
      str(one.attempts),
      str(datetime.timedelta(seconds=seconds)),
    )
  return made


def stage(one: Progress) -> str:
  """The stage that a running unit is in, as its log says."""
  if one.state != 'running':
    return ''
  return states.last_stage(states.last_lines(one.unit.log)) or 'start'


class _Lines:
  """Prints a line for every unit whose state changed."""

  def __init__(self) -> None:
    self._printed: dict[str, tuple[str, int]] = {}

  def look(self, units: Sequence[Progress]) -> None:
    for one in units:
      now = (one.state, one.attempts)
      if self._printed.get(one.unit.name, ('waiting', 0)) == now:
        continue
      self._printed[one.unit.name] = now
      print(f'{one.unit.name}: {_told(one)}', flush=True)


def _told(one: Progress) -> str:
  if one.state == 'running':
    return f'running on worker {one.worker}, attempt {one.attempts}'
  if one.state == 'waiting':
    return f'ended with exit status {one.status}; will be started again'
  if one.state == 'failed':
    return f'failed with exit status {one.status}'
  return one.state
