"""Weights on disk.

They are saved in the gemma package's own format, an orbax directory of the
nested parameter tree, and read in any of its layouts.

orbax's metadata of the tree also holds a SHA-256 of the contents of every
array, which does not depend on the layout of the files. It is checked when the
tree is read. Trees without one (released weights, older runs) are read as they
are.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import SingleDeviceSharding
from orbax import checkpoint as ocp

from icl_gen import processes
from icl_gen.model import (
  digests,
  first_host,
  package_layouts,
  saved_trees,
)
from icl_gen.model.saved_trees import Tree
from icl_gen.storage import working_copies

_REMEDY = (
  'restore it from a copy, or delete it and re-run the command that wrote it'
)


def save_params(path: str | Path, params: Tree) -> None:
  """Writes weights in the gemma package's format to a new directory.

  `gm.ckpts.save_params` does the same, but takes no digests.

  orbax writes `<path>.orbax-checkpoint-tmp` and renames it, so `path` either
  does not exist or is complete. The next call overwrites what a killed one
  left.

  All processes call it, and write their parts; if they share no disk, the first
  one writes all of them, from its host's memory.
  """
  if not working_copies.is_apart(path):
    _write(path, params)
    return
  whole = first_host.gathered(params)
  with processes.alone() as is_ours:
    if is_ours:
      _write(path, whole)


def callers() -> ocp.options.MultiprocessingOptions:
  """What orbax is told of the processes that call it.

  All of a run do, or one in `processes.alone`.
  """
  if processes.count() >= jax.process_count():
    return ocp.options.MultiprocessingOptions()
  # It refuses arrays of one process's devices, and copies those of NumPy.
  ocp.type_handlers.register_type_handler(
    np.ndarray,
    ocp.type_handlers.NumpyHandler(deepcopy_host_arrays=False),
    override=True,
  )
  return ocp.options.MultiprocessingOptions(
    active_processes={processes.index()}, primary_host=processes.index()
  )


def _write(path: str | Path, params: Tree) -> None:
  writer = ocp.StandardCheckpointer(multiprocessing_options=callers())
  writer.save(
    Path(path).absolute(),
    params,
    custom_metadata={digests.KEY: digests.of_tree(params)},
  )
  writer.wait_until_finished()


def load_params(path: str | Path, like: Tree) -> Tree:
  """Reads weights, in any of the gemma package's layouts.

  Arrays of other modalities (images, sound) are not read, and weights of
  another floating dtype are cast; a line says so.

  Args:
    path: an orbax checkpoint directory of the gemma package.
    like: a tree of arrays or shapes whose names and shapes the weights must
      match, but the embedding table may have more rows. The weights are read
      directly to its shardings; where it has none, to JAX's default device.

  Raises:
    ValueError: if there is no checkpoint, it is damaged, its contents are not
      what was saved, its names or shapes differ, or it has LoRA adapters or
      quantised weights.
  """
  path = Path(path).absolute()
  wanted = {
    package_layouts.path_of(keys): _placed(leaf)
    for keys, leaf in jax.tree_util.tree_leaves_with_path(like)
  }
  directory, tree, found = _matched(path, wanted)
  with _incomplete(path):
    saved = digests.saved(path)
  target = package_layouts.targets(tree, found, wanted, skip=ocp.PLACEHOLDER)
  with _incomplete(path):
    read = saved_trees.read_with(lambda: _restored(directory, target))
  arrays = {
    package_layouts.path_of(keys): leaf
    for keys, leaf in jax.tree_util.tree_leaves_with_path(read)
    if isinstance(leaf, jax.Array)
  }
  del read
  if changed := saved and digests.changed(saved, digests.of_tree(arrays)):
    raise ValueError(f'{str(path)!r} is damaged: {changed}; {_REMEDY}')
  params = package_layouts.assembled(arrays, found, wanted)
  return jax.tree_util.tree_map_with_path(
    lambda keys, _: params[package_layouts.path_of(keys)], like
  )


def require_params(path: str | Path, like: Tree) -> None:
  """Checks what `load_params` checks before it reads an array.

  Args:
    path: an orbax checkpoint directory of the gemma package.
    like: a tree of arrays or shapes that the weights must match.

  Raises:
    ValueError: as `load_params`.
  """
  wanted = {
    package_layouts.path_of(keys): _placed(leaf)
    for keys, leaf in jax.tree_util.tree_leaves_with_path(like)
  }
  _matched(Path(path).absolute(), wanted)


def damage(path: str | Path) -> str:
  """Reads weights back and compares them with the digests saved with them.

  The model need not be known. The weights are read into the host's memory.

  Args:
    path: an existing directory that `save_params` wrote.

  Returns:
    what is wrong; '' if nothing.
  """
  path = Path(path).absolute()
  with saved_trees.without_logs():
    try:
      saved = digests.saved(path)
      found = digests.of_tree(
        saved_trees.read_with(lambda: _read_on_host(path))
      )
    except saved_trees.DAMAGE as error:
      return saved_trees.in_words(error)
  return digests.compared(saved, found)


def _matched(path: Path, wanted: dict[str, Any]) -> tuple[Path, Tree, Any]:
  """The directory of the weights, their tree, and what is what in it."""
  if not path.is_dir():
    raise ValueError(
      f'no checkpoint at {str(path)!r}: give the directory of an orbax'
      ' checkpoint in the format of the gemma package, or a Hugging Face folder'
    )
  with _incomplete(path):
    directory, tree = saved_trees.read_with(lambda: _saved_tree(path))
  return directory, tree, package_layouts.matched(path, tree, wanted)


@contextlib.contextmanager
def _incomplete(path: Path) -> Iterator[None]:
  """In a `with`, says of which checkpoint a ValueError is."""
  try:
    yield
  except ValueError as error:
    raise ValueError(
      f'{str(path)!r} is not a complete checkpoint of the gemma package:'
      f' {error}; {_REMEDY}'
    ) from error


def _placed(leaf: Any) -> jax.ShapeDtypeStruct:
  """The shape of an array, with a sharding."""
  sharding = getattr(leaf, 'sharding', None) or SingleDeviceSharding(
    jax.local_devices()[0]
  )
  return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)


def _saved_tree(path: Path) -> tuple[Path, Tree]:
  """The directory of a tree, and its arrays' shapes and dtypes."""
  reader = ocp.StandardCheckpointer(multiprocessing_options=callers())
  metadata = reader.metadata(path).item_metadata
  if metadata is None and (path / 'default').is_dir():  # kauldron's
    path = path / 'default'
    metadata = reader.metadata(path).item_metadata
  if metadata is None:
    raise ValueError('it has no metadata of a tree of arrays')
  return path, metadata.tree


def _restored(path: Path, target: Tree) -> Tree:
  """Reads the arrays of a tree that are not placeholders."""
  called_by = callers()
  reader = ocp.Checkpointer(
    ocp.PyTreeCheckpointHandler(multiprocessing_options=called_by),
    multiprocessing_options=called_by,
  )
  restore = ocp.checkpoint_utils.construct_restore_args(target)
  return reader.restore(
    path, args=ocp.args.PyTreeRestore(item=target, restore_args=restore)
  )


def _read_on_host(path: Path) -> Tree:
  reader = ocp.StandardCheckpointer(multiprocessing_options=callers())
  metadata = reader.metadata(path).item_metadata
  if metadata is None:
    raise ValueError('it has no metadata of a tree of arrays')
  return reader.restore(path, saved_trees.on_host(metadata.tree))
