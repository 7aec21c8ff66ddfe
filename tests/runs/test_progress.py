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


def test_jobs_that_can_start_come_first(tmp_path, capsys):
  busy, free, last = wanted = [
    Job('train', tmp_path / n) for n in ('busy', 'free', 'last')
  ]
  done = []

  def do(job):
    done.append(job)
    job.result.touch()

  # `last` needs `busy`.
  progress.work(
    wanted,
    do,
    can_start=lambda job: job == free or (job == last and busy in done),
  )
  assert done == [free, busy, last]
  assert [line[:5] for line in capsys.readouterr().out.splitlines()] == [
    f'[{number}/3' + (']' if number == 1 else ',') for number in (1, 2, 3)
  ]


def test_jobs_of_another_process_say_nothing_about_the_time(
  tmp_path, capsys, monkeypatch
):
  clock = itertools.count(step=90)
  monkeypatch.setattr(progress.time, 'monotonic', lambda: next(clock))
  wanted = [Job('build', tmp_path / n) for n in ('theirs', 'ours', 'last')]
  wanted[0].result.touch()
  progress.work(wanted, lambda job: job.result.touch())
  starts = ['[1/3] ', '[2/3] ', '[3/3, about 0:01:30 to go] ']
  printed = capsys.readouterr().out.splitlines()
  assert [line.partition('build')[0] for line in printed] == starts


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
