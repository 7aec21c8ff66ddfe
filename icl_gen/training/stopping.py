"""Whether to stop a training run, which all processes decide alike."""

import collections
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from icl_gen import processes, signals

# Steps between a request and its answer. Reading an answer waits for its step,
# and devices should have the next one by then.
LAG = 2


def make_asked(mesh: Mesh) -> Callable[[int], bool]:
  """A function of a step's number: whether any process was asked to stop.

  Args:
    mesh: the devices of all processes. They add the requests up, as the
      processes do not reach a step at the same time.

  Returns:
    a function that every process calls after every step.
  """
  if processes.count() == 1:
    return lambda number: bool(signals.asked())
  flat = Mesh(mesh.devices.reshape(-1), ('device',))
  split = NamedSharding(flat, PartitionSpec('device'))
  add = jax.jit(jnp.sum, out_shardings=NamedSharding(flat, PartitionSpec()))
  sums = collections.deque[jax.Array]()

  def asked(number: int) -> bool:
    del number
    mine = np.int32(signals.asked() != 0)
    requests = jax.make_array_from_callback(
      (flat.size,), split, lambda index: np.full(1, mine)
    )
    sums.append(add(requests))
    return len(sums) > LAG and bool(sums.popleft())

  return asked
