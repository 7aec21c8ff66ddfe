"""The reader of every world's sentences: text in, the facts it asserts out.

Judges nothing: whether a fact is true is the audit's business.
"""

from collections.abc import Callable

from icl_gen.text import (
  categories_reading,
  codebooks,
  comparisons,
  descriptions_reading,
  quantified,
  sentences,
  transforms,
)
from icl_gen.text.sentences import Reader
from icl_gen.types import World


def reader(world_name: str, world: World) -> Reader:
  """Returns the reader of one world's sentences.

  The reader takes a text of one or more sentences and returns the facts that
  it asserts, in order, or None where any part of it cannot be read. Bullets,
  preambles and 'The relationships between ... are:' are skipped. Entities of
  comparisons and quantified statements may be any word, in lower case.

  Args:
    world_name: a key of _READERS. Nothing of 'custom' can be read.
    world: whose names, descriptions and verbs are known.

  Raises:
    ValueError: if no such world has a grammar.
  """
  if world_name not in _READERS:
    raise ValueError(
      f'no grammar for world {world_name!r}; there is one for'
      f' {", ".join(sorted(_READERS))}'
    )
  return _READERS[world_name](world)


def has_reader(world_name: str) -> bool:
  """Whether `reader` knows the world."""
  return world_name in _READERS


_READERS: dict[str, Callable[[World], Reader]] = {
  'reversal': lambda world: sentences.reader(comparisons.read),
  'syllogism': lambda world: sentences.reader(quantified.read),
  'celebrity': descriptions_reading.reader,
  'semantic': categories_reading.reader,
  'process': transforms.reader,
  'codebook': lambda world: sentences.reader(codebooks.read),
  'custom': lambda world: lambda text: None,  # nobody knows what it may say
}
