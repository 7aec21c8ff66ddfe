"""The mesh, and where arrays live on it.

Batches are split over the 'data' axis; parameters and optimizer states are on
every device. (`model.sharding` splits both; training does not split parameters
yet.)
"""

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec


def make_mesh(*, batch_size: int) -> jax.sharding.Mesh:
  """A mesh of all devices along 'data'.

  Raises:
    ValueError: if the batch cannot be split evenly.
  """
  devices = jax.devices()
  if batch_size % len(devices):
    raise ValueError(
      f'a batch of {batch_size} rows cannot be split over {len(devices)}'
      ' devices: choose a multiple'
    )
  return jax.sharding.Mesh(np.asarray(devices), ('data',))


def replicate(mesh: jax.sharding.Mesh, tree):
  """Puts a tree of arrays on every device of the mesh."""
  return jax.device_put(tree, NamedSharding(mesh, PartitionSpec()))
