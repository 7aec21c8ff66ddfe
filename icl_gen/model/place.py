"""The kind and number of devices that programs are traced for.

What suits a device (attention cores, sizes of tiles) is decided while a program
is traced. The `compile` command traces for devices that are not there.
"""

import contextlib
import contextvars
from collections.abc import Iterator

import jax

_PRETENDED: contextvars.ContextVar[tuple[str, int] | None] = (
  contextvars.ContextVar('place', default=None)
)


def platform() -> str:
  """'cpu', 'gpu' or 'tpu'."""
  found = _PRETENDED.get()
  return found[0] if found else jax.default_backend()


def device_count() -> int:
  """The number of devices of this process's backend."""
  found = _PRETENDED.get()
  return found[1] if found else jax.device_count()


@contextlib.contextmanager
def pretended(platform: str, *, devices: int) -> Iterator[None]:
  """Within it, programs are traced for other devices than this process's.

  Programs that were traced before, for the same shapes, are not traced again.

  Args:
    platform: 'cpu', 'gpu' or 'tpu'.
    devices: their number.
  """
  token = _PRETENDED.set((platform, devices))
  try:
    yield
  finally:
    _PRETENDED.reset(token)
