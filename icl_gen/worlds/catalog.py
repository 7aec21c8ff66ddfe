"""All worlds by name."""

import inspect
from collections.abc import Callable, Mapping

from icl_gen.types import Corpus, World
from icl_gen.worlds import codebook, custom, reversal, syllogism
from icl_gen.worlds.celebrity import files as celebrity_files
from icl_gen.worlds.celebrity import invented as celebrity
from icl_gen.worlds.process import derivatoids
from icl_gen.worlds.process import world as process
from icl_gen.worlds.semantic import world as semantic

Builder = Callable[..., tuple[World, Corpus]]

WORLDS: dict[str, Builder] = {
  'reversal': reversal.build,
  'syllogism': syllogism.build,
  'celebrity': celebrity.build,
  'semantic': semantic.build,
  'celebrity_files': celebrity_files.from_files,
  'celebrity_hub': celebrity_files.from_hub,
  'process': process.build,
  'codebook': codebook.build,
  'custom': custom.from_folder,
}
# Of the worlds that are drawn: the paper's size, and one for small models; and
# syllogisms the wording of which gives nothing away.
SIZES = {
  'reversal': {
    'paper': {'facts': 100, 'documents_per_fact': 10},
    'nano': {'facts': 40, 'documents_per_fact': 3},
  },
  'syllogism': {
    'paper': {'examples': 69, 'style': 'plain'},
    'varied': {'examples': 69, 'style': 'varied'},
    'nano': {'examples': 24, 'style': 'plain'},
  },
  'celebrity': {
    'paper': {'people': 30, 'phrasings': 30, 'question_phrasings': 10},
    'nano': {'people': 10, 'phrasings': 4, 'question_phrasings': 2},
  },
  'semantic': {
    'paper': {
      'categories': 110,
      'documents': 2200,
      'holdouts': 11,
      'told_backwards': 0.15,
      'questions': 200,
      'style': 'varied',
    },
    'nano': {
      'categories': 20,
      'documents': 80,
      'holdouts': 3,
      'told_backwards': 0.0,
      'questions': 60,
      'style': 'plain',
    },
  },
  'process': {
    'paper': {
      'examples': 1000,
      'questions': 200,
      'numbers': 9,
      'depth': 2,
      'rules': tuple(derivatoids.RULES),
      'style': 'long',
    },
    'nano': {
      'examples': 20,
      'questions': 24,
      'numbers': 4,
      'depth': 1,
      'rules': ('power', 'sine', 'exponential', 'sum', 'product'),
      'style': 'short',
    },
  },
  'codebook': {
    'paper': {
      'words': 40,
      'books': 20,
      'held_out': 10,
      'documents_per_fact': 5,
    },
    'nano': {'words': 10, 'books': 6, 'held_out': 4, 'documents_per_fact': 5},
  },
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
  made = _known(name)
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


def describe(name: str) -> str:
  """What a world is, in Markdown: what its own file says of it.

  Raises:
    ValueError: for an unknown world.
  """
  return inspect.getdoc(inspect.getmodule(_known(name)))


def fingerprint(name: str, size: Mapping[str, object]) -> dict[str, str]:
  """SHA-256 of the files that a world is read from; none if it is drawn.

  Raises:
    ValueError: for an unknown world, or where the files are not there.
  """
  reads = {
    custom.from_folder: custom.fingerprint,
    celebrity_files.from_files: celebrity_files.fingerprint,
  }
  made = _known(name)
  return reads[made](size['path']) if made in reads and 'path' in size else {}


def _known(name: str) -> Builder:
  if name not in WORLDS:
    raise ValueError(f'unknown world {name!r}; known are {", ".join(WORLDS)}')
  return WORLDS[name]
