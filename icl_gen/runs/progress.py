"""Runs jobs one after another, with a line of progress before each."""

import collections
import datetime
import pathlib
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol


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


def work[J: Job](jobs: Sequence[J], do: Callable[[J], None]) -> None:
  """Runs jobs in order, printing the progress and the estimated time left."""
  spent = collections.defaultdict[str, list[float]](list)
  for done, job in enumerate(jobs):
    eta = f', about {_to_go(spent, jobs[done:])} to go' if done else ''
    what = f'{job.door} {job.result.parent.name}'
    print(f'[{done + 1}/{len(jobs)}{eta}] {what}', flush=True)
    began = time.monotonic()
    do(job)
    assert job.result.exists(), job
    spent[job.door].append(time.monotonic() - began)


def _to_go(spent: Mapping[str, list[float]], left: Sequence[Job]) -> str:
  """Estimates the time for the jobs left from what their doors took so far."""
  known = [seconds for times in spent.values() for seconds in times]
  seconds = sum(statistics.mean(spent[job.door] or known) for job in left)
  return str(datetime.timedelta(seconds=round(seconds)))
