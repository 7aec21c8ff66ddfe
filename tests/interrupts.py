"""Ctrl-C at a chosen moment."""

import contextlib
import itertools

import pytest


@contextlib.contextmanager
def interrupted(module, name, *, after):
  """What runs inside is interrupted when it calls a function once more.

  Args:
    module: where the function is looked up.
    name: the function's name.
    after: calls of it that are let through.
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
