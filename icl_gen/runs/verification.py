"""Reads the files of a study back and compares them with their digests.

Nothing is changed. A line for each file that is damaged or missing has the
command that deletes it and what was made with it; the study then makes the same
again.

Of a study in a bucket, files are copied here and compared with the digests that
the bucket has of them, the weights and training states of one cell at a time.

Not read: TensorBoard events and compiled programs, which nothing depends on;
partial results, whose damaged lines are computed again; training states that
were moved aside.
"""

import dataclasses
import pathlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping

from icl_gen.reporting import sums
from icl_gen.runs import directories, reported, studies, training_logs, units
from icl_gen.runs.stage import Stage
from icl_gen.runs.studies import Job, Study
from icl_gen.storage import (
  bucket_copies,
  checksums,
  corpus_files,
  files,
  recollections,
  scores,
  working_copies,
)

_LOG = training_logs.LOG
_SUMS_OF_LOG = training_logs.SUMS
_UNLIKE = 'does not have its digest: damaged, or from an older version'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Readers:
  """Reads what only a room above this one can.

  Attributes:
    weights: what is wrong with a directory of weights; '' if nothing.
    states: what is wrong with training states of a directory, by step.
  """

  weights: Callable[[pathlib.Path], str]
  states: Callable[[pathlib.Path], Mapping[int, str]]


@dataclasses.dataclass(frozen=True)
class _Finding:
  """A file or a directory that was read.

  Attributes:
    path: where it is, or should be.
    why: what is wrong; '' if nothing.
    delete: what has to be deleted for the study to make it again; not all of
      it need exist.
  """

  path: pathlib.Path
  why: str = ''
  delete: tuple[pathlib.Path, ...] = ()

  def __str__(self) -> str:
    there = [path for path in self.delete if path.exists()]
    repair = working_copies.deletion(there) if there else 'run the study'
    return f'{self.path}: {self.why}; to repair: {repair}'

  def files(self) -> Iterator[pathlib.Path]:
    """The files that are there."""
    paths = [self.path, *self.path.rglob('*')]
    stub = bucket_copies.STUB  # in place of what was read before
    return (path for path in paths if path.is_file() and path.name != stub)


def verify(study: Study, root: files.Path, readers: Readers) -> int:
  """Reads a study back; prints the progress, what is damaged, and a summary.

  Args:
    study: its settings.
    root: the study's own directory.
    readers: for weights and training states.

  Returns:
    how many files are damaged or missing; a directory of weights, or a training
    state, counts as one.

  Raises:
    ValueError: all is whole, but was made with other settings; names the first
      one that differs.
    OSError: the bucket does not answer.
  """
  began = time.monotonic()
  jobs, report = studies.jobs(study, root), reported.stage(study, root)
  parts = [(job.door, job.result.parent, _of_job(job, readers)) for job in jobs]
  parts.append(('report', report.result.parent, _of_report(report)))
  parts.append(('record', pathlib.Path(root), _of_record(root)))
  damaged: set[pathlib.Path] = set()
  read: dict[pathlib.Path, int] = {}  # file -> its bytes
  for number, (door, directory, findings) in enumerate(parts, start=1):
    print(f'[{number}/{len(parts)}] {door} {directory.name}', flush=True)
    for finding in _or_unreadable(findings, directory):
      read |= {path: path.stat().st_size for path in finding.files()}
      if finding.why and finding.path not in damaged:
        print(finding, flush=True)
        damaged.add(finding.path)
    working_copies.release(directory)
  if not damaged:
    for job in jobs:
      studies.check(job, root)
    if not report.is_finished():
      print(_Finding(report.result, 'of other cells or settings'))
      damaged.add(report.result)
  megabytes = sum(read.values()) / 1e6
  print(
    f'read {len(read)} files, {megabytes:,.1f} MB, in'
    f' {time.monotonic() - began:.1f} s:'
    f' {len(damaged) or "nothing is"} damaged or missing'
  )
  return len(damaged)


def _or_unreadable(
  findings: Iterator[_Finding], directory: pathlib.Path
) -> Iterator[_Finding]:
  """The findings, up to a file that the disk cannot read."""
  try:
    yield from findings
  except OSError as error:
    if error.errno is None and working_copies.of(directory):
      raise  # the bucket does not answer
    path = pathlib.Path(error.filename or directory)
    yield _Finding(path, f'cannot be read ({error.strerror})', (directory,))


def _of_job(job: Job, readers: Readers) -> Iterator[_Finding]:
  # Without settings: theirs depend on the inputs, which may be damaged.
  stage = Stage(job.door, job.result.parent, {})
  if job.door in ('pretrain', 'train'):
    yield from _of_training(stage, readers)
  elif job.door == 'evaluate':
    yield from _of_scores(stage)
    if job.experiment.condition in directories.TRAINED:
      yield _of_scored_weights(stage, Stage('train', stage.directory, {}))
  else:
    yield from _of_corpus(stage)


def _of_record(root: files.Path) -> Iterator[_Finding]:
  path = units.record_of(root)
  yield _Finding(path, _wrong_with(path), (path,))


def _wrong_with(path: pathlib.Path) -> str:
  """What is wrong with a sealed record; '' if nothing."""
  if not path.exists():
    return 'missing'
  try:
    files.read_sealed_json(path)
  except ValueError:
    return _UNLIKE
  return ''


def _of_settings(
  stage: Stage, delete: tuple[pathlib.Path, ...]
) -> Iterator[_Finding]:
  path = stage.settings_file
  made = path.exists() or stage.result.exists()
  yield _Finding(path, _wrong_with(path) if made else '', delete)


def _of_corpus(stage: Stage) -> Iterator[_Finding]:
  directory = stage.directory
  yield from _of_settings(stage, (stage.settings_file, directory))
  if why := working_copies.damage(directory):
    yield _Finding(directory, why, (directory,))
    return
  yield _Finding(directory)
  if not stage.result.exists():
    yield _Finding(stage.result, 'missing', (directory,))
    return
  try:
    differences = corpus_files.differences(directory)
  except ValueError:
    yield _Finding(stage.result, _UNLIKE, (directory,))
    return
  for path, why in differences.items():
    yield _Finding(path, why, (directory,))
  if not differences:
    try:
      corpus_files.read(directory)
    except ValueError as error:
      yield _Finding(directory, str(error), (directory,))


def _of_training(stage: Stage, readers: Readers) -> Iterator[_Finding]:
  cell, weights = stage.directory, stage.result
  yield from _of_settings(stage, (cell,))
  if not weights.exists():
    yield _Finding(weights, 'missing', _with_scores(cell))
  else:
    why = working_copies.damage(weights) or readers.weights(weights)
    yield _Finding(weights, why, (weights, *_with_scores(cell)))
    yield _Finding(cell / _LOG)
    yield _Finding(cell / _SUMS_OF_LOG)
    differences = checksums.differences(cell / _SUMS_OF_LOG, [_LOG])
    for path, why in differences.items():
      yield _Finding(path, why, (cell,))
  if stage.checkpoints.exists():
    every = sorted(stage.checkpoints.iterdir())
    states = [path for path in every if path.name.isdigit()]
    not_whole = {path: working_copies.damage(path) for path in states}
    damaged = readers.states(stage.checkpoints)
    for path in states:
      # A finished training needs none; others resume from the one before.
      why = not_whole[path] or damaged.get(int(path.name), '')
      yield _Finding(path, why, (path,))


def _of_scores(stage: Stage) -> Iterator[_Finding]:
  path = stage.result
  yield from _of_settings(stage, (stage.settings_file, path))
  try:
    answered = scores.read_scores(path)
  except ValueError:
    yield _Finding(path, _UNLIKE if path.exists() else 'missing', (path,))
    return
  yield _Finding(path)
  if recollections.COST in scores.read_metadata(path):
    yield _of_recollections(stage, {one.question_id for one in answered})


def _of_recollections(stage: Stage, questions: Collection[str]) -> _Finding:
  """Reads what was recalled before these questions were answered."""
  path, why = stage.directory / recollections.NAME, ''
  try:
    recollections.read(stage.directory, questions=questions)
  except ValueError:
    why = _UNLIKE if path.exists() else 'missing'
  return _Finding(path, why, (path, stage.result))


def _of_scored_weights(scored: Stage, trained: Stage) -> _Finding:
  """Compares weights with the fingerprint of those that were scored."""
  path, why = trained.result, ''
  if path.exists() and scored.result.exists():
    try:
      settings = files.read_sealed_json(scored.settings_file)
    except (FileNotFoundError, ValueError):
      settings = {}  # a finding of its own
    was = settings.get('checkpoint_is')
    if was is not None and was != _fingerprint(path):
      why = 'not the files that were scored'
  return _Finding(path, why, (path, *_with_scores(scored.directory)))


def _fingerprint(path: pathlib.Path) -> str:
  """That of weights; '' of those in a bucket whose marker is damaged."""
  try:
    return working_copies.fingerprint(path)
  except ValueError:
    return ''  # a finding of its own


def _with_scores(cell: pathlib.Path) -> tuple[pathlib.Path, ...]:
  """What cannot be kept if a cell's weights are written again."""
  stage = Stage('evaluate', cell, {})
  return stage.result, stage.settings_file


def _of_report(stage: Stage) -> Iterator[_Finding]:
  directory = stage.result.parent
  delete = stage.settings_file, directory
  yield from _of_settings(stage, delete)
  if why := working_copies.damage(directory):
    yield _Finding(directory, why, delete)
    return
  yield _Finding(directory)
  if not stage.result.exists():
    yield _Finding(stage.result, 'missing', delete)
    return
  every = [path for path in directory.rglob('*') if path.is_file()]
  names = {path.relative_to(directory).as_posix() for path in every}
  names.discard(sums.NAME)
  differences = checksums.differences(directory / sums.NAME, names)
  for path, why in differences.items():
    yield _Finding(path, why, delete)
