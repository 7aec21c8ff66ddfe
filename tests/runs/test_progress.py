"""Progress before each job, and the estimate of the time left."""

import dataclasses
import itertools
import pathlib

import pytest

from icl_gen.runs import progress


@dataclasses.dataclass(frozen=True)
class Job:
  door: str
  result: pathlib.Path


def jobs(*doors):
  return [Job(door, pathlib.Path(door)) for door in doors]


def test_every_job_is_printed_and_run_in_order(tmp_path, capsys, monkeypatch):
  clock = itertools.count(step=90)  # seconds
  monkeypatch.setattr(progress.time, 'monotonic', lambda: next(clock))
  wanted = [Job('build', tmp_path / n / 'done') for n in ('one', 'two')]

  def do(job):
    done.append(job)
    job.result.parent.mkdir()
    job.result.touch()

  done = []
  progress.work(wanted, do)
  assert done == wanted
  printed = capsys.readouterr().out.splitlines()
  assert printed[0] == '[1/2] build one'
  assert printed[1] == '[2/2, about 0:01:30 to go] build two'


def test_a_job_must_leave_its_result(tmp_path):
  with pytest.raises(AssertionError, match='build'):
    progress.work([Job('build', tmp_path / 'done')], lambda job: None)


@pytest.mark.parametrize(
  ('spent', 'left', 'wanted'),
  [
    ({'train': [90.0, 110.0], 'build': [1.0]}, ['train'], '0:01:40'),
    ({'train': [100.0], 'build': [1.0]}, ['build'] * 3, '0:00:03'),
    # A door that has not run yet: the average of the others.
    ({'train': [90.0], 'build': [10.0]}, ['augment', 'build'], '0:01:00'),
  ],
)
def test_time_left_is_estimated_from_the_same_doors(spent, left, wanted):
  found = {door: [] for door in left} | spent
  assert progress._to_go(found, jobs(*left)) == wanted
