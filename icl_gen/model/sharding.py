"""Meshes of ('data', 'model') devices, and where arrays live on them.

Heads, the hidden width of the feed-forward layers and the vocabulary are split
over 'model', rows of a batch over 'data'; everything else is replicated. GSPMD
places the computation accordingly, so the same functions run on one device and
on many.
"""

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from icl_gen.model import forward, parameters
from icl_gen.model.parameters import Params

SPLIT = ('vocabulary', 'heads', 'key heads', 'hidden')


def make_mesh(*, data: int, model: int) -> Mesh:
  """A mesh of the first data x model devices.

  Raises:
    ValueError: if there are fewer devices.
  """
  devices = jax.devices()
  if not 1 <= data * model <= len(devices):
    raise ValueError(
      f'a mesh of {data} (data) x {model} (model) devices needs'
      f' {data * model}; there are {len(devices)}'
    )
  return Mesh(
    np.asarray(devices[: data * model]).reshape(data, model),
    ('data', 'model'),
  )


def make_data_mesh(*, batch_size: int) -> Mesh:
  """A mesh of all devices along 'data', for batches of so many rows.

  Raises:
    ValueError: if the rows cannot be split evenly.
  """
  _require_divisible(batch_size, devices=jax.device_count())
  return make_mesh(data=jax.device_count(), model=1)


def specs(module: Any, params: Params, *, model: int) -> Any:
  """The tree of `PartitionSpec` of a parameter tree.

  Args:
    module: from `registry.make_module`.
    params: its parameters, or their shapes.
    model: length of the mesh's 'model' axis.

  Raises:
    ValueError: for Gemma 3n and 4, an unknown parameter, or one whose heads,
      hidden width or vocabulary cannot be split evenly. (Key heads that cannot
      be split evenly are replicated.)
  """
  if not forward.is_dense(module):
    raise ValueError(
      f'{type(module).__name__} does not have the architecture of Gemma 2 and'
      ' 3, so it cannot be put on several devices: use one device'
    )

  def spec(keys: Any, axes: parameters.Axes, leaf: Any) -> PartitionSpec:
    return PartitionSpec(
      *(
        'model' if _is_split(keys, axis, size, model=model) else None
        for axis, size in zip(axes.names, leaf.shape, strict=True)
      )
    )

  return jax.tree_util.tree_map_with_path(spec, parameters.axes(params), params)


def _is_split(keys: Any, axis: str, size: int, *, model: int) -> bool:
  if axis not in SPLIT:
    return False
  if size % model == 0:
    return True
  # Small models have one to four key heads, often fewer than devices.
  if axis == 'key heads':
    return False
  raise ValueError(
    f'{parameters.path_of(keys)}: {size} {axis} cannot be split over {model}'
    f' devices; choose a mesh whose model axis divides {size}'
  )


def shardings(mesh: Mesh, module: Any, params: Params) -> Any:
  """The tree of `NamedSharding` of a parameter tree; raises as `specs`."""
  return jax.tree.map(
    lambda spec: NamedSharding(mesh, spec),
    specs(module, params, model=mesh.shape['model']),
    is_leaf=lambda leaf: isinstance(leaf, PartitionSpec),
  )


def split_rows(mesh: Mesh, tree: Any) -> Any:
  """Puts arrays on a mesh, split along their first axis over 'data'.

  Raises:
    ValueError: if the rows cannot be split evenly.
  """
  for leaf in jax.tree.leaves(tree):
    _require_divisible(leaf.shape[0], devices=mesh.shape['data'])
  return jax.device_put(tree, NamedSharding(mesh, PartitionSpec('data')))


def replicate(mesh: Mesh, tree: Any) -> Any:
  """Puts arrays on every device of a mesh, each in full."""
  return jax.device_put(tree, NamedSharding(mesh, PartitionSpec()))


def _require_divisible(rows: int, *, devices: int) -> None:
  if rows % devices:
    raise ValueError(
      f'{rows} rows cannot be split over {devices} devices: choose a multiple'
      f' of {devices}'
    )
