"""Lets this process act as one of several, of which the others agree."""

import contextlib

from icl_gen import processes


class _Agreeing:
  """A store in which every other process has said `null` already."""

  def __init__(self):
    self.values = {}

  def key_value_set(self, key, value):
    self.values[key] = value

  def key_value_delete(self, key):
    del self.values[key]

  def blocking_key_value_get(self, key, timeout_in_ms):
    del timeout_in_ms
    return self.values.get(key, 'null')


@contextlib.contextmanager
def acting_as(index, *, count=2):
  """In this block, this is process `index` of `count`."""
  run = processes._run
  before = dict(vars(run))
  processes.begin(_Agreeing(), index=index, count=count)
  run.said = 0
  try:
    yield
  finally:
    vars(run).clear()
    vars(run).update(before)
