"""Weights and training states on disk; the only room that knows orbax.

A checkpoint of weights is the gemma package's own format: an orbax directory
of the nested parameter tree, which `gm.ckpts.load_params` reads.
"""

import contextlib
import logging
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import jax
from gemma import gm
from orbax import checkpoint as ocp

Tree = Any


# What orbax and tensorstore raise for a checkpoint that is not whole.
_DAMAGE = (ValueError, KeyError, FileNotFoundError)


def save_params(path: str | Path, params: Tree) -> None:
  """Writes weights in the gemma package's format; the directory is new.

  orbax writes `<path>.orbax-checkpoint-tmp` and renames it, so `path` is whole
  as soon as it exists; what a kill left is overwritten by the next call.
  """
  with _told_once():
    gm.ckpts.save_params(
      params, Path(path).absolute(), wait_until_finished=True
    )


@contextlib.contextmanager
def _told_once() -> Iterator[None]:
  """What cannot be written is raised here, and not told by other threads too.

  On a full disk each of orbax's and tensorstore's prints a traceback, hundreds
  of lines in all, around the one message that says so. They go on doing that
  when the error is on its way: hence no `finally`.
  """
  log, stderr = logging.getLogger('absl'), sys.stderr
  level = log.level
  log.setLevel(logging.CRITICAL)
  sys.stderr = _OfThisThread(stderr)
  yield
  sys.stderr = stderr
  log.setLevel(level)


class _OfThisThread:
  """A stream that drops what other threads write."""

  def __init__(self, stream: TextIO):
    self._stream, self._thread = stream, threading.get_ident()

  def write(self, text: str) -> int:
    if threading.get_ident() == self._thread:
      return self._stream.write(text)
    return len(text)

  def flush(self) -> None:
    self._stream.flush()


def load_params(path: str | Path, like: Tree) -> Tree:
  """Reads weights.

  Args:
    path: an orbax checkpoint directory of the gemma package.
    like: a tree of arrays or shapes that the weights must match. Where shapes
      have shardings, the weights are read straight to those places.

  Raises:
    ValueError: if there is none, it is not whole, or its names, shapes or
      dtypes differ.
  """
  path = Path(path).absolute()
  if not path.is_dir():
    raise ValueError(
      f'no checkpoint at {str(path)!r}: give the directory of an orbax'
      ' checkpoint as the gemma package writes it'
    )
  try:
    params = gm.ckpts.load_params(
      path,
      text_only=True,
      # What is given to a function is the package's own wrapping of the tree.
      sharding=lambda found: found.replace(tree=_places(found.tree, like)),
    )
  except _DAMAGE as error:
    raise ValueError(
      f'{str(path)!r} holds no whole checkpoint of the gemma package: {error}'
    ) from error
  if differences := _differences(_shapes(params), _shapes(like)):
    raise ValueError(
      f'checkpoint {str(path)!r} is not of this model: {differences}. Choose'
      ' the model, and the dtype, that it was saved from.'
    )
  return params


def _places(found: Tree, like: Tree) -> Tree:
  """Where what was found shall be, by its name in `like`; None: anywhere."""
  wanted = {
    jax.tree_util.keystr(path): leaf.sharding
    for path, leaf in jax.tree_util.tree_leaves_with_path(like)
    if isinstance(leaf, jax.ShapeDtypeStruct)
  }
  return jax.tree_util.tree_map_with_path(
    lambda path, _: wanted.get(jax.tree_util.keystr(path)), found
  )


def _shapes(tree: Tree) -> dict[str, str]:
  """'layer_0/attn/...' -> 'float32[4, 128, 32]'."""
  return {
    jax.tree_util.keystr(path, simple=True, separator='/'): (
      f'{leaf.dtype}{list(leaf.shape)}'
    )
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
  }


def _differences(found: dict[str, str], wanted: dict[str, str]) -> str:
  """The first few, in words; '' for none."""
  names = [
    name
    for name in sorted(found.keys() | wanted.keys())
    if found.get(name) != wanted.get(name)
  ]
  words = [
    f'{name} is {found.get(name, "missing")}, wanted'
    f' {wanted.get(name, "nothing of that name")}'
    for name in names[:3]
  ]
  if len(names) > 3:
    words.append(f'and {len(names) - 3} more')
  return '; '.join(words)


class Checkpoints:
  """Numbered training states of one run; the newest whole one is the resume.

  A step is written under a temporary name and renamed when it is whole. One
  process at a time uses the directory.
  """

  def __init__(self, directory: str | Path, *, keep: int = 2):
    self._directory = Path(directory).absolute()
    self._directory.mkdir(parents=True, exist_ok=True)
    # An empty directory named like a step would count as the latest one.
    for child in self._directory.iterdir():
      if child.is_dir() and child.name.isdigit() and not any(child.iterdir()):
        child.rmdir()
    self._orbax = ocp.CheckpointManager(
      self._directory,
      # Named here, so that a run that has not saved yet can read metadata.
      item_handlers={
        'state': ocp.StandardCheckpointHandler(),
        'position': ocp.JsonCheckpointHandler(),
      },
      options=ocp.CheckpointManagerOptions(
        max_to_keep=keep,
        enable_async_checkpointing=False,
        # What a killed run was writing would stay for ever.
        cleanup_tmp_directories=True,
      ),
    )

  def latest(self) -> int | None:
    """Number of the newest state, None if there is none."""
    return self._orbax.latest_step()

  def save(self, step: int, state: Tree, position: dict[str, Any]) -> None:
    """Writes the state and the input's position (JSON values) as one."""
    with _told_once():
      saved = self._orbax.save(
        step,
        args=ocp.args.Composite(
          state=ocp.args.StandardSave(state),
          position=ocp.args.JsonSave(position),
        ),
      )
      self._orbax.wait_until_finished()
    # orbax would skip a step that is not newer than the latest one.
    assert saved, f'step {step} was not saved; the latest is {self.latest()}'

  def restore(self, like: Tree) -> tuple[Tree, dict[str, Any]]:
    """The newest whole state, placed as `like` is, and its position.

    A state that cannot be read (a disk error) is moved aside with a warning,
    and the one before it is taken.

    Args:
      like: a tree of arrays; names, shapes and dtypes must be the saved ones.

    Raises:
      ValueError: if a name, shape or dtype differs (orbax alone would cast), or
        no state can be read.
    """
    damaged: dict[int, Exception] = {}
    for step in sorted(self._orbax.all_steps(), reverse=True):
      try:
        differences = _differences(self._saved_shapes(step), _shapes(like))
        found = None if differences else self._read(step, like)
      except _DAMAGE as error:
        damaged[step] = error
        continue
      if found is None:
        raise ValueError(
          f'the training state {step} in {str(self._directory)!r} is not of'
          f' this run: {differences}. Resume with the settings that it was'
          ' saved with, or start in a fresh directory.'
        )
      self._move_aside(damaged, kept=step)
      return found
    why = '; '.join(f'{step}: {error}' for step, error in damaged.items())
    raise ValueError(
      f'no training state in {str(self._directory)!r} can be read'
      f' ({why or "there is none"}); delete the directory to start again'
    )

  def _saved_shapes(self, step: int) -> dict[str, str]:
    metadata = self._orbax.item_metadata(step)['state']
    if metadata is None:
      raise FileNotFoundError('its metadata cannot be read')
    return _shapes(metadata.tree)

  def _read(self, step: int, like: Tree) -> tuple[Tree, dict[str, Any]]:
    shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
    restored = self._orbax.restore(
      step,
      args=ocp.args.Composite(
        state=ocp.args.StandardRestore(shapes),
        position=ocp.args.JsonRestore(),
      ),
    )
    return restored['state'], dict(restored['position'])

  def _move_aside(self, damaged: dict[int, Exception], *, kept: int) -> None:
    """Takes damaged states out of the count, so that they are made again."""
    for step, error in damaged.items():
      aside = self._directory / f'damaged-{step}'
      if aside.exists():
        shutil.rmtree(aside)
      os.rename(self._directory / str(step), aside)
      print(
        f'warning: the training state {step} cannot be read; it is now'
        f' {str(aside)!r}, and training goes on from {kept} ({error})',
        flush=True,
      )
    if damaged:
      self._orbax.reload()

  def close(self) -> None:
    self._orbax.close()
