"""Trees of arrays in orbax's directories, and what damage to them raises.

What weights and training states have in common. The metadata of a tree also
hold a SHA-256 of the contents of every array, see `digests`.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import jax

from icl_gen.model import event_loops

# A nested container of arrays, or of their shapes.
Tree = Any

# What orbax and tensorstore raise for an incomplete or damaged checkpoint; the
# last two if a key of orbax's own JSON is damaged.
DAMAGE = (
  ValueError,
  KeyError,
  FileNotFoundError,
  NotImplementedError,
  AttributeError,
  TypeError,
)


def read_with(read: Callable[[], Tree]) -> Tree:
  """Calls orbax; what damage raises there becomes a ValueError of one line."""
  try:
    with without_logs(), event_loops.patient(), _CauseOfBareException():
      return read()
  except DAMAGE as error:
    raise ValueError(first_line(error)) from error


def in_words(error: BaseException) -> str:
  """Its first line, or what it is."""
  return first_line(error) or type(error).__name__


def first_line(error: BaseException) -> str:
  """Errors of orbax and tensorstore may go on for a hundred lines."""
  return str(error).partition('\n')[0]


@contextlib.contextmanager
def without_logs() -> Iterator[None]:
  """orbax logs the whole content of a file that it cannot read."""
  before = logging.root.manager.disable
  logging.disable(logging.CRITICAL)
  try:
    yield
  finally:
    logging.disable(before)


def on_host(tree: Tree) -> Tree:
  """The shapes of a tree of arrays, to be read to the host."""
  host = jax.sharding.SingleDeviceSharding(jax.local_devices(backend='cpu')[0])
  return jax.tree.map(
    lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=host),
    tree,
  )


class _CauseOfBareException:
  """In a `with`, raises what a bare `Exception` of orbax was raised from.

  orbax wraps the error of an array that cannot be read in `Exception` itself,
  which no `except` can name without catching everything.
  """

  def __enter__(self) -> None:
    pass

  def __exit__(
    self,
    kind: type[BaseException] | None,
    error: BaseException | None,
    trace: TracebackType | None,
  ) -> None:
    cause = error and error.__cause__
    if kind is Exception and isinstance(cause, DAMAGE):
      raise ValueError(first_line(cause)) from error
