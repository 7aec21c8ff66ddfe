"""Weights of one dtype for a model of another: cast, and said.

A cast happens only between floating dtypes, because `--config.dtype` asks for
another one than the checkpoint's, and one array at a time.
"""

import collections
from collections.abc import Mapping

import jax
import jax.numpy as jnp

FLOATS = ('float32', 'bfloat16', 'float16')


def announce(
  checkpoint: str, found: Mapping[str, str], wanted: Mapping[str, str]
) -> None:
  """Prints one line if arrays of a checkpoint are going to be cast.

  Args:
    checkpoint: its path, for the messages.
    found: dtype of each array in the checkpoint.
    wanted: the dtype that the model has for it.

  Raises:
    ValueError: for a dtype that is not floating (quantised weights).
  """
  for name, dtype in found.items():
    if dtype not in FLOATS:
      raise ValueError(
        f'checkpoint {checkpoint!r} cannot be used: {name} is {dtype}; allowed'
        f' are {", ".join(FLOATS)}. Quantised weights are not supported: give'
        ' the unquantised checkpoint.'
      )
  casts = collections.Counter(
    (dtype, wanted[name])
    for name, dtype in found.items()
    if dtype != wanted[name]
  )
  for (before, after), count in sorted(casts.items()):
    print(
      f'casting {count} arrays of {checkpoint} from {before} to {after}, the'
      ' dtype that --config.dtype asks for',
      flush=True,
    )


def cast(leaf: jax.Array, dtype: str) -> jax.Array:
  """The array in a dtype, where it was; the given one is deleted."""
  if leaf.dtype == dtype:
    return leaf
  out = jnp.astype(leaf, dtype)
  out.block_until_ready()
  leaf.delete()
  return out
