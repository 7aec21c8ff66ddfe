"""Meshes of ('data', 'fsdp', 'model') devices, and where arrays live on them.

Rows of a batch are split over 'data' and 'fsdp'. Parameters are split by RULES:
over 'model', whose devices each compute a part of every row, and over 'fsdp',
whose devices gather a parameter when they use it. GSPMD places the computation
accordingly, so the same functions run on one device and on many.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from icl_gen import processes
from icl_gen.model import parameters
from icl_gen.model.parameters import Params

AXES = ('data', 'fsdp', 'model')
# Bytes that are gathered at a time from other processes' devices.
_GATHERED = 2**28
# The axes that rows are split over.
ROWS = ('data', 'fsdp')
# Axis of a parameter -> the axes of the mesh that split it, in this order. The
# first rule of a parameter that names an axis of the mesh takes it. What no
# rule names is whole on every device, and so are parameters of one axis, the
# scales of norms.
RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
  ('vocabulary', ('model', 'fsdp')),
  ('hidden', ('model', 'fsdp')),
  ('heads', ('model',)),
  ('key heads', ('model',)),
  ('width', ('fsdp',)),
)


def make_mesh(
  *,
  data: int,
  model: int,
  fsdp: int = 1,
  devices: Sequence[Any] | None = None,
) -> Mesh:
  """A mesh of the first data x fsdp x model devices.

  Args:
    data: groups of devices that hold the same parameters; 0: as many as there
      are.
    model: devices that compute a row together.
    fsdp: devices that split the parameters of a group, and its rows.
    devices: to choose from; None: all of this process's backend.

  Raises:
    ValueError: if there are fewer devices, or some of those of several
      processes would be left out.
  """
  devices = jax.devices() if devices is None else devices
  data = data or len(devices) // (fsdp * model)
  count = data * fsdp * model
  if not 1 <= count <= len(devices):
    raise ValueError(
      f'a mesh of {data} (data) x {fsdp} (fsdp) x {model} (model) devices'
      f' needs {count}; there are {len(devices)}'
    )
  if processes.count() > 1 and count != len(devices):
    raise ValueError(
      f'a mesh of {data} (data) x {fsdp} (fsdp) x {model} (model) devices'
      f' leaves out some of the {len(devices)} devices of {processes.count()}'
      ' processes: choose data=0, which is as many as there are'
    )
  grid = np.asarray(devices[:count]).reshape(data, fsdp, model)
  return Mesh(grid, AXES)


def make_training_mesh(
  *,
  rows: int,
  fsdp: int = 1,
  model: int = 1,
  devices: Sequence[Any] | None = None,
) -> Mesh:
  """A mesh of all devices, for batches of so many rows.

  Args:
    rows: rows of a batch.
    fsdp: devices that split the parameters; 0: as many as `model` leaves.
    model: devices that compute a row together.
    devices: None: all of this process's backend.

  Raises:
    ValueError: if the devices do not divide so, or the rows over them.
  """
  devices = jax.devices() if devices is None else devices
  count = len(devices)
  split = (fsdp or 1) * model
  if count % split:
    sizes = ', '.join(str(n) for n in range(1, count + 1) if count % n == 0)
    raise ValueError(
      f'{count} devices cannot be split into groups of fsdp={fsdp} x'
      f' model={model}: choose sizes whose product divides {count} ({sizes})'
    )
  fsdp = fsdp or count // model
  _require_divisible(rows, devices=count // model)
  return make_mesh(
    data=count // (fsdp * model), fsdp=fsdp, model=model, devices=devices
  )


def rows(mesh: Mesh) -> NamedSharding:
  """The sharding of a batch: its rows over `ROWS`."""
  return NamedSharding(mesh, PartitionSpec(ROWS))


def row_devices(mesh: Mesh) -> int:
  """The number of devices that rows are split over."""
  return int(np.prod([mesh.shape[axis] for axis in ROWS]))


def specs(module: Any, params: Params, *, model: int, fsdp: int = 1) -> Any:
  """The tree of `PartitionSpec` of a parameter tree.

  Args:
    module: from `registry.make_module`.
    params: its parameters, or their shapes.
    model: length of the mesh's 'model' axis.
    fsdp: length of its 'fsdp' axis.

  Raises:
    ValueError: for an unknown parameter, or one with an axis that cannot be
      split evenly. (Key heads that cannot be split evenly are whole on every
      device.)
  """
  lengths = {'model': model, 'fsdp': fsdp}
  return jax.tree_util.tree_map_with_path(
    lambda keys, axes, leaf: _spec(keys, axes, leaf.shape, lengths),
    parameters.axes(params),
    params,
  )


def _spec(
  keys: Any,
  axes: parameters.Axes,
  shape: tuple[int, ...],
  lengths: dict[str, int],
) -> PartitionSpec:
  """Where a parameter lives, by RULES."""
  split: dict[str, tuple[str, ...]] = {}
  free = {name for name, length in lengths.items() if length > 1}
  for axis, wanted in RULES if len(shape) > 1 else ():
    if axis not in axes.names:
      continue
    taken = tuple(name for name in wanted if name in free)
    size = shape[axes.names.index(axis)]
    if _is_split(keys, axis, size, {name: lengths[name] for name in taken}):
      split[axis] = taken
      free -= set(taken)
  if not split:
    # As JAX writes it: where a state comes from is part of a program's key, and
    # a step that takes its own result would be compiled again.
    return PartitionSpec()
  entries = [split.get(axis, ()) for axis in axes.names]
  return PartitionSpec(
    *((names[0] if len(names) == 1 else names) or None for names in entries)
  )


def _is_split(keys: Any, axis: str, size: int, lengths: dict[str, int]) -> bool:
  if not lengths:
    return False
  devices = int(np.prod(list(lengths.values())))
  if size % devices == 0:
    return True
  # Small models have one to four key heads, often fewer than devices.
  if axis == 'key heads':
    return False
  raise ValueError(
    f'{parameters.path_of(keys)}: {size} {axis} cannot be split over {devices}'
    f' devices; choose a mesh whose {" x ".join(lengths)} divides {size}'
  )


def shardings(mesh: Mesh, module: Any, params: Params) -> Any:
  """The tree of `NamedSharding` of a parameter tree; raises as `specs`."""
  found = specs(
    module, params, model=mesh.shape['model'], fsdp=mesh.shape['fsdp']
  )
  return placed(mesh, found)


def placed(mesh: Mesh, specs: Any) -> Any:
  """The tree of `NamedSharding` of a tree of `PartitionSpec`."""
  return jax.tree.map(
    lambda spec: NamedSharding(mesh, spec),
    specs,
    is_leaf=lambda leaf: isinstance(leaf, PartitionSpec),
  )


def split_rows(mesh: Mesh, tree: Any) -> Any:
  """Puts arrays on a mesh, split along their first axis over `ROWS`.

  Raises:
    ValueError: if the rows cannot be split evenly.
  """
  devices = row_devices(mesh)
  for leaf in jax.tree.leaves(tree):
    _require_divisible(leaf.shape[0], devices=devices)
  return _put(tree, rows(mesh))


def replicate(mesh: Mesh, tree: Any) -> Any:
  """Puts arrays on every device of a mesh, each in full."""
  return _put(tree, NamedSharding(mesh, PartitionSpec()))


def _put(tree: Any, place: NamedSharding) -> Any:
  """Puts arrays that every process has on devices, some of them others'."""
  if place.is_fully_addressable:
    return jax.device_put(tree, place)

  def put(leaf: Any) -> jax.Array:
    whole = np.asarray(leaf)
    return jax.make_array_from_callback(whole.shape, place, whole.__getitem__)

  return jax.tree.map(put, tree)


def on_host(array: jax.Array) -> np.ndarray:
  """An array as NumPy's, in every process, wherever its parts are."""
  if not (array.is_fully_addressable or array.is_fully_replicated):
    array = multihost_utils.process_allgather(array, tiled=True)
  return np.asarray(array)


def parts_on_host(
  leaf: jax.Array | np.ndarray,
) -> Iterator[jax.Array | np.ndarray]:
  """The parts of an array along its first axis, in order, in every process."""
  if not isinstance(leaf, jax.Array):
    yield leaf
  elif leaf.is_fully_addressable or leaf.is_fully_replicated:
    # An array on an accelerator keeps its copy on the host as long as it lives;
    # the weights of a large model would fill the memory.
    yield jnp.copy(leaf)
  else:
    # Every process gathers every part, so a part must fit on each device.
    rows = max(1, _GATHERED * len(leaf) // leaf.nbytes)
    for start in range(0, len(leaf), rows):
      yield on_host(leaf[start : start + rows])


def _require_divisible(rows: int, *, devices: int) -> None:
  if rows % devices:
    raise ValueError(
      f'{rows} rows cannot be split over {devices} devices: choose a multiple'
      f' of {devices}'
    )
