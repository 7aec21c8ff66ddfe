"""A list of jobs, one after another, with a line before each."""

import collections
import datetime
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from icl_gen.storage import files


class Job(Protocol):
  """What is to be done.

  Attributes:
    door: what kind of work; kinds take about the same time each.
    result: the path that exists when it is done.
  """

  door: str
  result: files.Path


def work(jobs: Sequence[Job], do: Callable[[Job], None]) -> None:
  """Does them in order, telling how far it is and about how long it takes."""
  spent = collections.defaultdict(list)
  for done, job in enumerate(jobs):
    eta = f', about {_to_go(spent, jobs[done:])} to go' if done else ''
    what = f'{job.door} {job.result.parent.name}'
    print(f'[{done + 1}/{len(jobs)}{eta}] {what}', flush=True)
    began = time.monotonic()
    do(job)
    assert job.result.exists(), job
    spent[job.door].append(time.monotonic() - began)


def _to_go(spent: dict[str, list[float]], left: Sequence[Job]) -> str:
  """Time that the jobs left will take, by what their doors took so far."""
  known = [seconds for times in spent.values() for seconds in times]
  seconds = sum(statistics.mean(spent[job.door] or known) for job in left)
  return str(datetime.timedelta(seconds=round(seconds)))
