"""Training states on disk, from which a run resumes.

A state is an orbax directory of parameters, optimizer and step, with the
position of the input, and digests of all of them.
"""

import contextlib
import errno
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
from orbax import checkpoint as ocp

from icl_gen import processes
from icl_gen.model import (
  checkpoints,
  differences,
  digests,
  event_loops,
  saved_trees,
)
from icl_gen.model.saved_trees import Tree

# The name of the input's position among the digests.
_POSITION = 'the position of the input'


class _Changed(ValueError):
  """The contents are not what was saved, in the eyes of every process."""


class Checkpoints:
  """Numbered training states of one run, from which it resumes.

  A state is written in the background, under a temporary name, and renamed when
  it is complete.
  Only one run at a time may use the directory; the processes of a run do all
  of this together, and share it (otherwise: `apart`).
  """

  def __init__(
    self, directory: str | Path, *, keep: int = 2, read_only: bool = False
  ) -> None:
    """Opens a directory, which is created if it does not exist.

    Args:
      directory: of the training states.
      keep: how many of the newest states to keep; `keep_too` names another.
      read_only: whether to change nothing; the directory must exist.
    """
    self._directory = Path(directory).absolute()
    self._kept = _Kept(keep)
    if not read_only:
      if processes.is_first():
        self._directory.mkdir(parents=True, exist_ok=True)
        _remove_empty_states(self._directory)
      processes.barrier()
    for name in ('absl', 'asyncio'):
      logging.getLogger(name).addFilter(_has_no_traceback)
    if not read_only:
      event_loops.use_patient()
    called_by = checkpoints.callers()
    # What is damaged is said when it is read.
    with saved_trees.without_logs():
      self._orbax = ocp.CheckpointManager(
        self._directory,
        # Without handlers, metadata cannot be read before the first save.
        item_handlers={
          'state': ocp.StandardCheckpointHandler(
            multiprocessing_options=called_by
          ),
          'position': ocp.JsonCheckpointHandler(
            multiprocessing_options=called_by
          ),
        },
        options=ocp.CheckpointManagerOptions(
          preservation_policy=None if read_only else self._kept,
          enable_async_checkpointing=not read_only,
          # Otherwise what a killed run was writing stays forever.
          cleanup_tmp_directories=not read_only,
          read_only=read_only,
          create=False,  # it is
          multiprocessing_options=called_by,
          # If it may only read, orbax warns about another one.
          save_interval_steps=0 if read_only else 1,
        ),
      )

  def latest(self) -> int | None:
    """The step of the newest state; None if there is none."""
    return self._orbax.latest_step()

  def save(self, step: int, state: Tree, position: dict[str, Any]) -> None:
    """Begins to write the state and the input's position (JSON values).

    Both may be changed, and the state donated, once this returns. They are
    written in the background, atomically; the next call waits for that.

    Raises:
      OSError: or others of orbax, if what was begun before could not be written
        (a full disk).
    """
    saved = self._orbax.save(
      step,
      args=ocp.args.Composite(
        state=ocp.args.StandardSave(state),
        position=ocp.args.JsonSave(position),
      ),
      custom_metadata={
        digests.KEY: digests.of_tree(state)
        | {_POSITION: digests.of_json(position)}
      },
    )
    # orbax silently skips a step that is not newer than the latest one.
    assert saved, f'step {step} was not saved; the latest is {self.latest()}'

  def keep_too(self, step: int) -> None:
    """Keeps the state of a step, and no longer the one that was named before.

    Call it before that state is saved, or after it was restored.
    """
    self._kept.named = step

  def wait(self) -> None:
    """Waits until all is written; raises as `save`."""
    self._orbax.wait_until_finished()

  def restore(self, like: Tree) -> tuple[Tree, dict[str, Any]]:
    """Reads the newest readable state and the position saved with it.

    A state that cannot be read, or is not what was saved (a disk error), is
    moved aside with a warning, and the one before it is used.

    Args:
      like: a tree of arrays; names, shapes and dtypes must equal the saved
        ones, and the state gets its shardings.

    Raises:
      ValueError: if a name, shape or dtype differs (orbax alone would cast), or
        no state can be read.
    """
    self.wait()
    damaged: dict[int, Exception] = {}
    for step in sorted(self._orbax.all_steps(), reverse=True):
      try:
        differing = differences.describe(
          self._saved_shapes(step), _shapes(like)
        )
        found = None if differing else self._read(step, like)
      except saved_trees.DAMAGE as error:
        if processes.count() > 1 and not isinstance(error, _Changed):
          # The others may have read their parts, and wait for this process.
          raise ValueError(
            f'{self._move_aside(step, error)}; re-run the command to resume'
            ' from the one before'
          ) from error
        damaged[step] = error
        continue
      if found is None:
        raise ValueError(
          f'the training state {step} in {str(self._directory)!r} is not of'
          f' this run: {differing}. Resume with the settings that it was'
          ' saved with, or start in a new directory.'
        )
      self._move_all_aside(damaged, kept=step)
      return found
    why = '; '.join(
      f'{n}: {saved_trees.first_line(e)}' for n, e in damaged.items()
    )
    raise ValueError(
      f'no training state in {str(self._directory)!r} can be read'
      f' ({why or "there is none"}); delete the directory to start again'
    )

  def restore_at(self, step: int, like: Tree) -> Tree:
    """Reads the state of one step.

    Args:
      step: one that was saved and kept.
      like: as for `restore`; `shapes` of one takes no memory.

    Raises:
      ValueError: if it cannot be read, or is not what was saved.
    """
    self.wait()
    try:
      return self._read(step, like)[0]
    except saved_trees.DAMAGE as error:
      why = saved_trees.first_line(error)
      raise ValueError(
        f'the best state, of step {step} in {str(self._directory)!r}, cannot be'
        f' read ({why}): delete the directory to train again'
      ) from error

  def damaged(self) -> dict[int, str]:
    """Reads all states back; what is wrong, by step, where something is."""
    found = {}
    # orbax may leave out those that it does not recognise.
    names = [path.name for path in self._directory.iterdir()]
    for step in sorted(int(name) for name in names if name.isdigit()):
      try:
        self._read(step, saved_trees.on_host(self._saved_tree(step)))
        saved = digests.saved(self._directory / str(step))
        why = '' if saved else digests.NONE
      except saved_trees.DAMAGE as error:
        why = saved_trees.in_words(error)
      if why:
        found[step] = why
    return found

  def _saved_shapes(self, step: int) -> dict[str, str]:
    return _shapes(self._saved_tree(step))

  def _saved_tree(self, step: int) -> Tree:
    """Shapes and dtypes of the arrays of a state."""
    metadata = saved_trees.read_with(
      lambda: self._orbax.item_metadata(step)['state']
    )
    if metadata is None:
      raise FileNotFoundError('its metadata cannot be read')
    return metadata.tree

  def _read(self, step: int, like: Tree) -> tuple[Tree, dict[str, Any]]:
    restored = saved_trees.read_with(
      lambda: self._orbax.restore(
        step,
        args=ocp.args.Composite(
          state=ocp.args.StandardRestore(shapes(like)),
          position=ocp.args.JsonRestore(),
        ),
      )
    )
    state, position = restored['state'], dict(restored['position'])
    if saved := digests.saved(self._directory / str(step)):
      position_digest = {_POSITION: digests.of_json(position)}
      found = digests.of_tree(state) | position_digest
      if changed := digests.compared(saved, found):
        raise _Changed(changed)
    return state, position

  def _move_all_aside(
    self, damaged: dict[int, Exception], *, kept: int
  ) -> None:
    for step, error in damaged.items():
      if processes.is_first():
        what = self._move_aside(step, error)
        print(f'warning: {what}; training resumes from {kept}', flush=True)
    if damaged:
      processes.barrier()
      self._orbax.reload()

  def _move_aside(self, step: int, error: Exception) -> str:
    """Renames a damaged state, so that training computes it again."""
    state = self._directory / str(step)
    aside = self._directory / f'damaged-{step}'
    # Unless another process, which found the same, was faster.
    with contextlib.suppress(FileNotFoundError):
      try:
        os.rename(state, aside)
      except OSError as occupied:
        if occupied.errno not in (errno.ENOTEMPTY, errno.EEXIST):
          raise
        shutil.rmtree(aside)
        os.rename(state, aside)
    why = saved_trees.first_line(error)
    return (
      f'the training state {step} cannot be read ({why}) and is now'
      f' {str(aside)!r}'
    )

  def close(self) -> None:
    """Waits for what is being written and frees orbax's resources."""
    self._orbax.close()


def shapes(tree: Tree) -> Tree:
  """The shapes of a tree of arrays, with dtypes and shardings."""
  return jax.tree.map(ocp.utils.to_shape_dtype_struct, tree)


def damaged(directory: str | Path) -> dict[int, str]:
  """Reads all training states back, as `damage` does for weights.

  Args:
    directory: an existing one; nothing in it changes.

  Returns:
    what is wrong, by step; {} if nothing.
  """
  with saved_trees.without_logs():
    saved = Checkpoints(directory, read_only=True)
    try:
      return saved.damaged()
    finally:
      saved.close()


def _shapes(tree: Tree) -> dict[str, str]:
  """'layer_0/attn/...' -> 'float32[4, 128, 32]'."""
  return {
    jax.tree_util.keystr(path, simple=True, separator='/'): (
      f'{leaf.dtype}{list(leaf.shape)}'
    )
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
  }


class _Kept:
  """Which states orbax keeps: the newest ones, and one that is named."""

  def __init__(self, newest: int) -> None:
    self._newest = newest
    self.named: int | None = None

  def should_preserve(
    self, checkpoints: Sequence[Any], *, context: Any
  ) -> list[bool]:
    del context
    newest = {info.step for info in checkpoints[-self._newest :]}
    return [
      info.step in newest or info.step == self.named for info in checkpoints
    ]


def _has_no_traceback(record: logging.LogRecord) -> bool:
  """Threads that write log their errors, which are raised by `wait` as well."""
  return not record.exc_info


def _remove_empty_states(directory: Path) -> None:
  # orbax would take an empty directory named like a step as the latest one.
  for child in directory.iterdir():
    if child.is_dir() and child.name.isdigit() and not any(child.iterdir()):
      child.rmdir()
