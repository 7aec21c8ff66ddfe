"""All worlds by name."""

import inspect

from icl_gen.types import Corpus, World
from icl_gen.worlds import (
  celebrity,
  celebrity_files,
  codebook,
  process,
  reversal,
  syllogism,
)

WORLDS = {
  'reversal': reversal.build,
  'syllogism': syllogism.build,
  'celebrity': celebrity.build,
  'celebrity_files': celebrity_files.from_files,
  'celebrity_hub': celebrity_files.from_hub,
  'process': process.build,
  'codebook': codebook.build,
}


def build(name: str, *, seed: int, **size) -> tuple[World, Corpus]:
  """Builds a world and its corpus; the same arguments give the same bytes.

  Args:
    name: a key of WORLDS.
    seed: of the draw.
    **size: the world's own parameters.

  Raises:
    ValueError: for an unknown world, sizes that it does not have, or
      impossible ones.
  """
  if name not in WORLDS:
    raise ValueError(f'unknown world {name!r}; known are {", ".join(WORLDS)}')
  made = WORLDS[name]
  try:
    inspect.signature(made).bind(seed='', **size)
  except TypeError as error:
    parameters = inspect.signature(made).parameters
    allowed = ', '.join(name for name in parameters if name != 'seed')
    raise ValueError(
      f'size {size} is not of world {name!r} ({error}); its keys are {allowed}:'
      " take the world's own config"
    ) from error
  return made(seed=f'{name}/{seed}', **size)
