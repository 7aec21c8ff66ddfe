"""Weights and training states on disk; the only room that knows orbax.

A checkpoint of weights is the gemma package's own format: an orbax directory
of the nested parameter tree, which `gm.ckpts.load_params` reads.
"""

from pathlib import Path
from typing import Any

import jax
from gemma import gm
from orbax import checkpoint as ocp

Tree = Any


def save_params(path: str | Path, params: Tree) -> None:
  """Writes weights in the gemma package's format; the directory is new."""
  gm.ckpts.save_params(params, Path(path).absolute(), wait_until_finished=True)


def load_params(path: str | Path, like: Tree) -> Tree:
  """Reads weights.

  Args:
    path: an orbax checkpoint directory of the gemma package.
    like: a tree of arrays or shapes that the weights must match.

  Raises:
    ValueError: if there is none, or its names, shapes or dtypes differ.
  """
  path = Path(path).absolute()
  if not path.is_dir():
    raise ValueError(
      f'no checkpoint at {str(path)!r}: give the directory of an orbax'
      ' checkpoint as the gemma package writes it'
    )
  params = gm.ckpts.load_params(path, text_only=True)
  differences = _differences(_shapes(params), _shapes(like))
  if differences:
    raise ValueError(
      f'checkpoint {str(path)!r} is not of this model: '
      + '; '.join(differences[:3])
      + (f'; and {len(differences) - 3} more' if len(differences) > 3 else '')
      + '. Choose the model that it was saved from.'
    )
  return params


def _shapes(tree: Tree) -> dict[str, str]:
  """'layer_0/attn/...' -> 'float32[4,128,32]'."""
  return {
    '/'.join(str(key.key) for key in path): f'{leaf.dtype}{list(leaf.shape)}'
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
  }


def _differences(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
  return [
    f'{name} is {found.get(name, "missing")}, wanted'
    f' {wanted.get(name, "nothing of that name")}'
    for name in sorted(found.keys() | wanted.keys())
    if found.get(name) != wanted.get(name)
  ]


class Checkpoints:
  """Numbered training states of one run; the newest whole one is the resume.

  A step is written under a temporary name and renamed when it is whole.
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
      options=ocp.CheckpointManagerOptions(
        max_to_keep=keep, enable_async_checkpointing=False
      ),
    )

  def latest(self) -> int | None:
    """Number of the newest state, None if there is none."""
    return self._orbax.latest_step()

  def save(self, step: int, state: Tree, position: dict[str, Any]) -> None:
    """Writes the state and the input's position (JSON values) as one."""
    self._orbax.save(
      step,
      args=ocp.args.Composite(
        state=ocp.args.StandardSave(state),
        position=ocp.args.JsonSave(position),
      ),
    )
    self._orbax.wait_until_finished()

  def restore(self, like: Tree) -> tuple[Tree, dict[str, Any]]:
    """The newest state, in the shapes and dtypes of `like`, and position.

    Raises:
      ValueError: if a dtype or shape differs (orbax alone would cast).
    """
    step = self.latest()
    shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
    restored = self._orbax.restore(
      step,
      args=ocp.args.Composite(
        state=ocp.args.StandardRestore(shapes),
        position=ocp.args.JsonRestore(),
      ),
    )
    return restored['state'], dict(restored['position'])

  def close(self) -> None:
    self._orbax.close()
