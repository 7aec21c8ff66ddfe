"""Ctrl-C at a chosen call."""

import contextlib
import itertools

import pytest


@contextlib.contextmanager
def interrupted(module, name, *, after):
  """Interrupts the block at one of its calls of a function.

  Args:
    module: where the function is looked up.
    name: the function's name.
    after: number of calls that succeed first.
  """
  function, calls = getattr(module, name), itertools.count()

  def call(*args, **kwargs):
    if next(calls) == after:
      raise KeyboardInterrupt
    return function(*args, **kwargs)

  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(module, name, call)
    with pytest.raises(KeyboardInterrupt):
      yield
