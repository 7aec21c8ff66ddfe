"""Where the stages of a study are, as its files and locks say.

A stage is done if its result exists, running if its lock is held, and failed if
it is the last one in the log of a unit that ended with an error.
"""

import dataclasses
import datetime
import os
import pathlib
import re
import statistics
import time
from collections.abc import Iterator, Sequence

from icl_gen.runs import studies, units
from icl_gen.runs.stage import Stage
from icl_gen.runs.studies import Job, Study
from icl_gen.storage import files, working_copies

STATES = ('done', 'running', 'failed', 'to do')

# How much of a log's end is read, and how much of it is shown.
_BYTES, _LINES = 65_536, 10
_PROGRESS = re.compile(r'\[\d+/\d+.*?\] (\w+ \S+)$')
_ENDED = re.compile(re.escape(units.ENDED).replace(r'\{\}', r'(-?\d+)'))
# Exit statuses of who was asked to stop, which is no failure.
_STOPPED = ('130', '143', '-2', '-15')


@dataclasses.dataclass(frozen=True)
class State:
  """Where a stage is.

  Attributes:
    job: the stage.
    what: one of STATES.
    note: of a running stage, who is at work since when, and how fast; of a
      failed one, the end of its log.
    seconds: that it took, if it is done; that it will take, if it is running
      and says so; None: unknown.
  """

  job: Job
  what: str
  note: str = ''
  seconds: float | None = None

  @property
  def name(self) -> str:
    """The stage's door and directory."""
    return name(self.job)


def name(job: Job) -> str:
  """A stage's door and directory, as the lines of progress have them."""
  return f'{job.door} {job.result.parent.name}'


def states(study: Study, root: files.Path) -> list[State]:
  """Where every stage of a study is, in the order of `studies.jobs`."""
  failed = dict(_failures(study, root))
  return [
    _state(job, failed.get(name(job))) for job in studies.jobs(study, root)
  ]


def time_left(found: Sequence[State]) -> datetime.timedelta | None:
  """Estimates the time that a study needs with today's number of workers.

  A stage takes as long as the median of those of its door. If none is running,
  it is the time with one worker.

  Returns:
    None if no stage is done, or all are.
  """
  spent: dict[str, list[float]] = {}
  for one in found:
    if one.what == 'done' and one.seconds is not None:
      spent.setdefault(one.job.door, []).append(one.seconds)
  left = [one for one in found if one.what != 'done']
  if not spent or not left:
    return None
  every = [seconds for door in spent.values() for seconds in door]
  usual = statistics.median(every)
  needed = sum(
    one.seconds
    if one.seconds is not None
    else statistics.median(spent.get(one.job.door, [usual]))
    for one in left
  )
  running = sum(one.what == 'running' for one in left)
  return datetime.timedelta(seconds=round(needed / max(1, running)))


def last_lines(log: pathlib.Path) -> list[str]:
  """The lines at the end of a log; none if there is no log."""
  if not log.exists():
    return []
  with open(log, 'rb') as file:
    file.seek(max(0, file.seek(0, os.SEEK_END) - _BYTES))
    return file.read().decode(errors='replace').splitlines()


def last_stage(lines: Sequence[str]) -> str:
  """The name of the last stage in the lines of a log; '' if there is none."""
  found = [match[1] for line in lines if (match := _PROGRESS.match(line))]
  return found[-1] if found else ''


def _state(job: Job, failure: str | None) -> State:
  stage = Stage(job.door, job.result.parent, {})
  if job.result.exists():
    return State(job, 'done', seconds=_took(stage))
  if holder := working_copies.holder(stage.lock):
    speed, seconds = _speed(stage)
    return State(job, 'running', f'{holder}{speed}', seconds)
  if failure is not None:
    return State(job, 'failed', failure)
  return State(job, 'to do')


def _took(stage: Stage) -> float | None:
  """Seconds between a stage's begin and its end, with all interruptions."""
  # Copies have the times at which they were copied.
  if not stage.settings_file.exists() or working_copies.of(stage.result):
    return None
  end = stage.result.stat().st_mtime
  return max(0.0, end - stage.settings_file.stat().st_mtime)


def _speed(stage: Stage) -> tuple[str, float | None]:
  """How far a running stage is and how fast, and the seconds it will take."""
  log = stage.directory / 'metrics.jsonl'
  if stage.door == 'train' and log.exists() and log.stat().st_size:
    # Evaluations while training have lines of their own.
    lines = [x for x in files.read_json_lines(log) if 'eta_seconds' in x]
    if lines:
      last, age = lines[-1], time.time() - log.stat().st_mtime
      left = max(0.0, last['eta_seconds'] - age)
      return (
        f'; step {last["step"]}, {last["tokens_per_second"]:,.0f} tokens/s,'
        f' {datetime.timedelta(seconds=round(left))} to go'
      ), left
  kept = [
    *stage.directory.glob('scored.jsonl'),
    *stage.settings_directory.glob('sampled.*.jsonl'),
  ]
  if stage.door in ('augment', 'evaluate') and kept:
    count = sum(path.read_bytes().count(b'\n') for path in kept)
    return f'; {count:,} kept so far', None
  return '', None


def _failures(study: Study, root: files.Path) -> Iterator[tuple[str, str]]:
  """(name of the stage, end of the log) of every unit that failed."""
  for unit in units.units(study):
    log = units.log(root, unit)
    lines = last_lines(log)
    ended = _ENDED.fullmatch(lines[-1]) if lines else None
    if ended is None or ended[1] in ('0', *_STOPPED):
      continue
    end = '\n'.join(f'    {line}' for line in lines[-1 - _LINES : -1])
    yield last_stage(lines), f'exit status {ended[1]}; {log} ends:\n{end}'
