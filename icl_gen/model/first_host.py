"""Trees of arrays between the devices of all processes and the first host.

For processes that share no disk: what the first one writes or reads is there
as a whole. All processes call these functions together.
"""

from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from icl_gen import processes
from icl_gen.model import sharding

# A nested container of arrays, or of their shapes.
Tree = Any

# Bytes that are sent at a time; every device must have room for them, twice.
_SENT = 2**28


def gathered(tree: Tree) -> Tree:
  """A tree of arrays as NumPy's, in the first process.

  Returns:
    the arrays; in the other processes, None in their place.
  """
  return jax.tree.map(_gathered, tree)


def spread(tree: Tree, like: Tree) -> Tree:
  """Puts arrays of the first process on the devices of all.

  Args:
    tree: the arrays, in the first process; not used in the others.
    like: a tree of arrays, or shapes, with the same names, shapes and dtypes
      and the shardings to use.
  """
  leaves, structure = jax.tree.flatten(like)
  own = jax.tree.leaves(tree) if processes.is_first() else [None] * len(leaves)
  return jax.tree.unflatten(
    structure,
    [_spread(one, leaf) for one, leaf in zip(own, leaves, strict=True)],
  )


def _gathered(leaf: jax.Array) -> np.ndarray | None:
  found = np.empty(leaf.shape, leaf.dtype) if processes.is_first() else None
  row = 0
  for part in sharding.parts_on_host(leaf):
    if found is None:
      continue
    if not found.ndim:
      return np.asarray(part)
    found[row : row + len(part)] = part
    row += len(part)
  return found


def _spread(own: np.ndarray | None, like: Any) -> jax.Array:
  if own is None:
    whole = np.empty(like.shape, like.dtype)
  else:
    whole = np.ascontiguousarray(own).reshape(like.shape)
  # As bytes: sums, in which the others take part with zeros, keep their bits.
  sent = whole.reshape(-1).view(np.uint8)
  for start in range(0, sent.size, _SENT):
    part = sent[start : start + _SENT]
    received = multihost_utils.broadcast_one_to_all(
      part, is_source=own is not None
    )
    if own is None:
      part[:] = received
  return jax.make_array_from_callback(
    like.shape, like.sharding, lambda index: whole[index]
  )
