"""Products of float32 matrices in float32, on every device.

By default, JAX multiplies float32 matrices in one pass of bfloat16 on TPUs, and
in TF32 on recent NVIDIA GPUs, so a model in float32 would be one on CPUs only.

It depends on the dtype, because a product of bfloat16 matrices is exact in one
pass, and kernels for TPUs refuse to compute it in more.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, Concatenate

import jax
import jax.numpy as jnp
import numpy as np


@contextlib.contextmanager
def of(dtype: np.typing.DTypeLike) -> Iterator[None]:
  """Within it, products are traced in the precision of a model's dtype.

  Gradients have to be traced within it as well: those of kernels are functions
  of their own. It also decorates functions to jit.
  """
  if np.dtype(dtype) != jnp.float32:
    yield
    return
  with jax.default_matmul_precision('highest'):
    yield


def of_module[**Rest, Found](
  program: Callable[Concatenate[Any, Rest], Found],
) -> Callable[Concatenate[Any, Rest], Found]:
  """`of` the dtype of a module, which a function to jit has first."""

  @functools.wraps(program)
  def traced(module: Any, /, *args: Rest.args, **kwargs: Rest.kwargs) -> Found:
    with of(module.dtype):
      return program(module, *args, **kwargs)

  return traced
