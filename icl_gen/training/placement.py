"""Where the parts of a training state live on a mesh."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from icl_gen.model import sharding
from icl_gen.types import Batch


def shardings(module: Any, mesh: Mesh, state: Any) -> Any:
  """The sharding of every array of a state.

  What the optimizer keeps of a parameter lives where the parameter does; other
  arrays (counts, sums over rows or columns) are whole on every device.

  Args:
    module: from `registry.make_module`.
    mesh: the devices.
    state: a `step.State`, or its shapes.

  Raises:
    ValueError: as `sharding.specs`.
  """
  whole = NamedSharding(mesh, PartitionSpec())
  if mesh.size == 1:
    return jax.tree.map(lambda _: whole, state)
  of_params = {
    (_names(path), leaf.shape): place
    for (path, leaf), place in zip(
      jax.tree_util.tree_leaves_with_path(state.params),
      jax.tree.leaves(sharding.shardings(mesh, module, state.params)),
      strict=True,
    )
  }

  def place(path: Any, leaf: Any) -> NamedSharding:
    names = _names(path)
    ends = ((names[start:], leaf.shape) for start in range(len(names)))
    return next((of_params[end] for end in ends if end in of_params), whole)

  return jax.tree_util.tree_map_with_path(place, state)


def _names(path: Any) -> tuple[str, ...]:
  return tuple(jax.tree_util.keystr((key,), simple=True) for key in path)


def with_shardings(shapes: Any, shardings: Any) -> Any:
  """A tree of shapes that say where each array lives."""
  return jax.tree.map(
    lambda leaf, place: jax.ShapeDtypeStruct(
      leaf.shape, leaf.dtype, sharding=place
    ),
    shapes,
    shardings,
  )


def batch_shapes(mesh: Mesh, *, rows: int, length: int) -> Batch:
  """The shapes of a batch, split over a mesh by rows."""

  def field(dtype: Any) -> Any:
    place = sharding.rows(mesh)
    return jax.ShapeDtypeStruct((rows, length), dtype, sharding=place)

  return Batch(
    tokens_BxL=field(jnp.int32),
    weights_BxL=field(jnp.float32),
    positions_BxL=field(jnp.int32),
    segments_BxL=field(jnp.int32),
  )
