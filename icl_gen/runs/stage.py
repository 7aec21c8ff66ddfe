"""One stage of a run: its settings, its completion and its resume."""

import contextlib
import dataclasses
import pathlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from icl_gen import processes
from icl_gen.storage import (
  corpus_files,
  files,
  recollections,
  working_copies,
)

Settings = Mapping[str, Any]

# Door -> the path in its directory that exists once the stage is complete.
RESULTS = {
  'build': corpus_files.MANIFEST,
  'augment': corpus_files.MANIFEST,
  'train': 'params',
  'pretrain': 'params',
  'evaluate': 'scores.parquet',
  'measure': 'in_context.json',
  'export': '',  # the directory itself
  'report': 'report/index.html',
}
# Their directory is renamed into place when it is complete, so nothing can be
# in it before: their settings are in `<directory>.settings` next to it.
_WRITTEN_WHOLE = ('build', 'augment', 'export')
# They resume from the checkpoints of training.
_TRAINING = ('train', 'pretrain')
# What else a door may write, next to its result and before it.
_BESIDE = {'evaluate': (recollections.NAME,), 'train': ('adapters',)}
# What training writes besides its checkpoints and its result.
_LOGS = ('metrics.jsonl*', 'events.out.tfevents.*', 'tokenizer.model')
# The settings that name their directory, next to those of other settings.
_NAMED_BY = {
  'augment': '--config.augment.name',
  'train': '--config.run',
  'evaluate': '--config.run',
}
# Their result is replaced, not kept, when the settings differ.
_REPLACED = ('report',)


def result(door: str, directory: files.Path) -> pathlib.Path:
  """The path that exists once a door's work in a directory is complete."""
  return pathlib.Path(directory) / RESULTS[door]


@dataclasses.dataclass(frozen=True)
class Stage:
  """One door's work in one directory.

  `complete` calls the work, in which the door calls `begin` after validation
  and `finish` at the end. `begin` records the settings in `<door>.config.json`;
  later runs compare them, so a result is neither continued nor used under
  different settings. Settings without a result may be overwritten: after a
  mistake, the corrected command runs in the same place.

  Attributes:
    door: a key of RESULTS.
    directory: where the door writes.
    settings: everything that decides the result; JSON values (and tuples). Of
      an input (`require`): those that must agree.
    inputs: directories of the corpora that it reads.
    parts: partial results that an interrupted stage resumes from, by name.
  """

  door: str
  directory: pathlib.Path
  settings: Settings
  inputs: tuple[pathlib.Path, ...] = ()
  parts: Mapping[str, pathlib.Path] = dataclasses.field(default_factory=dict)

  @property
  def result(self) -> pathlib.Path:
    """The path that exists once the stage is complete."""
    return result(self.door, self.directory)

  @property
  def settings_directory(self) -> pathlib.Path:
    """Where the settings are written."""
    if self.door in _WRITTEN_WHOLE:
      return self.directory.parent / f'{self.directory.name}.settings'
    return self.directory

  @property
  def settings_file(self) -> pathlib.Path:
    """The file of the settings, with their own digest."""
    return self.settings_directory / f'{self.door}.config.json'

  @property
  def checkpoints(self) -> pathlib.Path:
    """Directory of the checkpoints that training resumes from."""
    return self.directory / 'checkpoints'

  @property
  def digest(self) -> str:
    """Identifies the settings; parts of a result are labelled with it."""
    return files.digest(self.settings)

  @property
  def lock(self) -> pathlib.Path:
    """The file that is locked, and exists, while a process is at work."""
    return self.settings_directory / f'.{self.door}.lock'

  def guard(self) -> contextlib.AbstractContextManager[bool]:
    """Keeps other processes from the stage's work during a block.

    If another process is at work, prints one line that names it, and waits.

    Yields:
      Whether no other process was.

    Raises:
      OSError: the directory is not writable, or its file system has no locks.
    """
    return working_copies.guarded(
      self.lock,
      what=f'{self.directory} ({self.door})',
      contents=self._made,
      needed=self._resumed,
    )

  def _made(self) -> list[pathlib.Path]:
    """What there is of it, in the order in which a bucket gets it."""
    made = [self.settings_file, *self.parts.values()]
    if self.door in _TRAINING:
      for pattern in _LOGS:
        made += sorted(self.directory.glob(pattern))
      made += self._states()
    made += self._beside
    if self.result.exists():  # a report without its page is no report
      made.append(self._whole)
    if self.door in _REPLACED:  # settings vouch for the result
      made = made[::-1]
    return [path for path in made if path.exists()]

  def _resumed(self) -> list[pathlib.Path]:
    """The directories that it resumes from."""
    return [] if self.result.exists() else self._states()

  def _states(self) -> list[pathlib.Path]:
    """The training states, without those that were moved aside."""
    if self.door not in _TRAINING:
      return []
    found = [p for p in self.checkpoints.glob('*') if p.name.isdigit()]
    return sorted(found, key=lambda path: int(path.name))

  @property
  def _whole(self) -> pathlib.Path:
    """The file or directory that the result is, or is in."""
    if self.door in _WRITTEN_WHOLE:
      return self.directory
    return self.result.parent if self.door in _REPLACED else self.result

  @property
  def _beside(self) -> list[pathlib.Path]:
    """What belongs to the result, next to it; it need not be there."""
    return [self.directory / name for name in _BESIDE.get(self.door, ())]

  @contextlib.contextmanager
  def _guard_of_all(self) -> Iterator[bool]:
    """`guard`, by the first of the processes that work together."""
    with contextlib.ExitStack() as stack:
      at_once = processes.agreed(lambda: stack.enter_context(self.guard()))
      working_copies.follow(self.directory)
      yield at_once
    working_copies.follow(self.directory)

  def complete(self, work: Callable[[], None]) -> None:
    """Calls the work, unless the stage is finished, and then says so.

    Processes that work together all call it.

    Of two processes, the second waits for the first, and then finds the work
    finished, or resumes it if the first one failed. A report is finished only
    if another process wrote it meanwhile: otherwise it is written again.

    Args:
      work: calls `begin` and `finish`.

    Raises:
      ValueError: as `is_finished`.
      OSError: as `guard`.
    """
    is_replaced = self.door in _REPLACED
    if not is_replaced and processes.agreed(self.is_finished):
      print(f'nothing to do, complete already: {self.result}', flush=True)
      working_copies.follow(self.directory)
      return
    with self._guard_of_all() as at_once:
      if (is_replaced and at_once) or not processes.agreed(self.is_finished):
        work()
      else:
        print(f'completed by another process: {self.result}', flush=True)

  def is_finished(self) -> bool:
    """Whether the result exists; changes nothing.

    Raises:
      ValueError: there is a result, or a checkpoint, of different settings;
        names the first key that differs.
    """
    if self.door in _REPLACED:
      return self.result.exists() and self.is_begun()
    if self._has_results():
      self._compare(self._recorded(), self.settings)
    return self.result.exists()

  def is_begun(self) -> bool:
    """Whether these settings are written, so that the parts can be resumed."""
    return self.settings_file.exists() and flat(self._recorded()) == flat(
      self.settings
    )

  def begin(self) -> None:
    """Records the settings; deletes what belongs to different ones.

    That is: parts, and what was written next to a result that is gone. Call it
    in the work of `complete`, after all validation: a mistake should neither
    delete files nor leave any.

    Raises:
      ValueError: as `is_finished`.
    """
    if processes.is_first():
      self._begin()
    processes.barrier()

  def _begin(self) -> None:
    assert self.lock.exists(), 'only `complete` may call the work'
    if self.door in _REPLACED:
      # The result stays until the new one is complete, but its settings must
      # not vouch for what is there if the replacement is interrupted.
      self.settings_file.unlink(missing_ok=True)
      working_copies.withdraw(self.settings_file)
      return
    if self.is_finished() or self.is_begun():
      return
    for path in (*self.parts.values(), *self._beside):
      if path.is_dir():
        shutil.rmtree(path)
      path.unlink(missing_ok=True)
    files.write_sealed_json(self.settings_file, self.settings)

  def finish(self) -> None:
    """Marks the stage as complete and deletes its parts."""
    if processes.is_first():
      self._finish()
    processes.barrier()

  def _finish(self) -> None:
    assert self.result.exists(), self.result
    if self.door in _REPLACED:
      files.write_sealed_json(self.settings_file, self.settings)
    for path in self.parts.values():
      path.unlink(missing_ok=True)

  def require(self) -> pathlib.Path:
    """Returns the directory of an input after checking it.

    Settings of the input that are not given here are not compared.

    Raises:
      ValueError: there is no result, or it was created with different settings;
        says what to run.
    """
    if not self.result.exists():
      raise ValueError(
        f'there is no {str(self.result)!r} yet: run `python -m'
        f' icl_gen.{self.door}` with the same config and --workdir first'
      )
    if self.settings:
      recorded = self._recorded()
      self._compare(
        {name: recorded[name] for name in self.settings if name in recorded},
        self.settings,
      )
    return self.directory

  def _has_results(self) -> bool:
    """Whether there is a result, or a checkpoint that would be resumed."""
    return self.result.exists() or bool(self._states())

  def _recorded(self) -> Settings:
    path = self.settings_file
    if not path.exists():
      raise ValueError(
        f'{str(self.directory)!r} exists, but {str(path)!r}, the settings that'
        ' it was created with, does not. Give another --workdir, or delete'
        f' {self._depends_on_settings()} and run `python -m'
        f' icl_gen.{self.door}` again.'
      )
    try:
      return files.read_sealed_json(path)
    except ValueError as error:
      raise ValueError(
        f'{str(path)!r}, the settings of {str(self.result)!r}, is damaged or'
        f' from an older version. Delete {self._depends_on_settings()} and run'
        f' `python -m icl_gen.{self.door}` again.'
      ) from error

  def _depends_on_settings(self) -> str:
    """The settings and what was made with them, but nothing of other doors."""
    made = [self.result, *self._beside]
    if self.door in _WRITTEN_WHOLE:
      made = [self.directory]
    if self.door in _TRAINING:
      made.append(self.checkpoints)
    there = [path for path in (self.settings_file, *made) if path.exists()]
    return ' and '.join(repr(str(path)) for path in there)

  def _compare(self, recorded: Settings, wanted: Settings) -> None:
    before, now = flat(recorded), flat(wanted)
    for key in sorted(before.keys() | now.keys()):
      was, is_now = before.get(key, 'absent'), now.get(key, 'absent')
      if was != is_now:
        raise ValueError(
          f'{str(self.directory)!r} was created with {key}={was!r}, now it is'
          f' {is_now!r}. Give the same value, {self._to_keep_both()}another'
          f' --workdir, or delete {self._depends_on_settings()} and run'
          f' `python -m icl_gen.{self.door}` again.'
        )

  def _to_keep_both(self) -> str:
    by = _NAMED_BY.get(self.door)
    return f'{by}=NAME to keep both, ' if by else ''


def flat(settings: Settings, above: str = '') -> dict[str, Any]:
  """Returns dotted keys and values; tuples as lists, as JSON has them."""
  found: dict[str, Any] = {}
  for key, value in settings.items():
    if isinstance(value, Mapping):
      found |= flat(value, f'{above}{key}.')
    else:
      found[above + key] = list(value) if isinstance(value, tuple) else value
  return found
