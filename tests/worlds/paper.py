"""Builds worlds at the paper's size, some of its numbers changed."""

from icl_gen.worlds import catalog


def build(name, *, seed='s', **changes):
  definition = catalog.WORLDS[name]
  return definition.build(seed=seed, **definition.sizes['paper'] | changes)
