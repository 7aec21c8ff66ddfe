"""Runs jobs one after another, with a line of progress before each."""

import collections
import datetime
import functools
import pathlib
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from icl_gen import processes


class Job(Protocol):
  """Something to be run.

  Attributes:
    door: the kind of work; jobs of one kind take about the same time.
    result: the path that exists once the job is complete.
  """

  @property
  def door(self) -> str: ...

  @property
  def result(self) -> pathlib.Path: ...


def work[J: Job](
  jobs: Sequence[J],
  do: Callable[[J], None],
  *,
  can_start: Callable[[J], bool] = lambda job: True,
) -> None:
  """Runs jobs in order, printing the progress and the estimated time left.

  Args:
    jobs: in an order in which their inputs exist.
    do: runs a job; returns at once if its result exists.
    can_start: False for jobs that another process is working on, or whose
      inputs it is working on. They come after the others; if none can start,
      the first one is run, and waits.
  """
  spent = collections.defaultdict[str, list[float]](list)
  left = list(jobs)
  while left:
    job = left[processes.agreed(functools.partial(_next, left, can_start))]
    eta = f', about {_to_go(spent, left)} to go' if any(spent.values()) else ''
    what = f'{job.door} {job.result.parent.name}'
    number = len(jobs) - len(left) + 1
    print(f'[{number}/{len(jobs)}{eta}] {what}', flush=True)
    is_done, began = job.result.exists(), time.monotonic()
    do(job)
    assert job.result.exists(), job
    if not is_done:  # by another process meanwhile
      spent[job.door].append(time.monotonic() - began)
    left.remove(job)


def _next[J: Job](left: Sequence[J], can_start: Callable[[J], bool]) -> int:
  """The index of the job to run next."""
  return next((n for n, job in enumerate(left) if can_start(job)), 0)


def _to_go(spent: Mapping[str, list[float]], left: Sequence[Job]) -> str:
  """Estimates the time for the jobs left from what their doors took so far."""
  known = [seconds for times in spent.values() for seconds in times]
  seconds = sum(statistics.mean(spent[job.door] or known) for job in left)
  return str(datetime.timedelta(seconds=round(seconds)))
