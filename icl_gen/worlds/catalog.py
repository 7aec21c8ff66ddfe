"""All worlds by name; a new world is imported here and added to `WORLDS`."""

import inspect
from collections.abc import Sequence
from typing import Any

from icl_gen.text.sentences import Reader
from icl_gen.types import Corpus, Fact, Question, World
from icl_gen.worlds import (
  codebook,
  custom,
  process,
  reversal,
  semantic,
  syllogism,
)
from icl_gen.worlds.celebrity import files as celebrity_files
from icl_gen.worlds.celebrity import invented as celebrity
from icl_gen.worlds.definition import (
  Definition,
  Excluded,
  Size,
  Wording,
  in_plain_names,
  in_test_forms,
)

WORLDS: dict[str, Definition] = {
  'reversal': reversal.DEFINITION,
  'syllogism': syllogism.DEFINITION,
  'celebrity': celebrity.DEFINITION,
  'semantic': semantic.DEFINITION,
  'celebrity_files': celebrity_files.FROM_FILES,
  'celebrity_hub': celebrity_files.FROM_HUB,
  'process': process.DEFINITION,
  'codebook': codebook.DEFINITION,
  'custom': custom.DEFINITION,
}
# The same worlds once more, to be told in another study row than the first.
_IN_TEST_FORMS = (
  'reversal',
  'syllogism',
  'celebrity',
  'semantic',
  'process',
  'codebook',
)
WORLDS['celebrity_plain'] = in_plain_names('celebrity', WORLDS['celebrity'])
WORLDS |= {
  f'{name}_forms': in_test_forms(name, WORLDS[name]) for name in _IN_TEST_FORMS
}
# The named sizes of the worlds that are drawn rather than read from files.
SIZES = {
  name: {size: dict(given) for size, given in world.sizes.items()}
  for name, world in WORLDS.items()
  if world.sizes
}


def definition(name: str) -> Definition:
  """Returns the definition of a world; `World.name` is a key too.

  Raises:
    ValueError: the world is unknown.
  """
  if name not in WORLDS:
    raise ValueError(f'unknown world {name!r}; known are {", ".join(WORLDS)}')
  return WORLDS[name]


def build(name: str, *, seed: int, **size: Any) -> tuple[World, Corpus]:
  """Builds a world and its corpus; the same arguments give the same bytes.

  Args:
    name: a key of `WORLDS`.
    seed: the seed of every random draw.
    **size: the arguments of the world's own `build`.

  Raises:
    ValueError: the world is unknown, `size` has missing or unknown keys, or
      its values are impossible.
  """
  world = definition(name)
  draw = world.build
  try:
    inspect.signature(draw).bind(seed='', **size)
  except TypeError as error:
    parameters = inspect.signature(draw).parameters
    allowed = ', '.join(key for key in parameters if key != 'seed')
    raise ValueError(
      f'size {size} does not fit world {name!r} ({error}); its keys are'
      f" {allowed}: start from the world's own config"
    ) from error
  return draw(seed=f'{world.draws or name}/{seed}', **size)


def describe(name: str) -> str:
  """Returns what a world is, in Markdown.

  Raises:
    ValueError: the world is unknown.
  """
  return definition(name).about.strip()


def fingerprint(name: str, size: Size) -> dict[str, str]:
  """Returns the SHA-256 of every file that a world is read from, by file name.

  A world that is drawn, or downloaded, has none.

  Raises:
    ValueError: the world is unknown, or a file is missing.
  """
  of_files = definition(name).fingerprint
  return of_files(size['path']) if of_files and 'path' in size else {}


def asks(name: str, size: Size) -> bool:
  """Whether a world has questions; only one of a user's files may have none.

  Raises:
    ValueError: the world is unknown.
  """
  of_files = definition(name).asks
  return of_files is None or 'path' not in size or of_files(size['path'])


def wording(name: str, size: Size) -> Wording:
  """Returns how a world of a size states a single fact.

  Raises:
    ValueError: the world is unknown, or has no such wording.
  """
  in_forms = definition(name).wording
  if in_forms is None:
    known = ', '.join(n for n, world in WORLDS.items() if world.wording)
    raise ValueError(
      f'world {name!r} has no wording of single facts; those that have are'
      f' {known}'
    )
  return in_forms(size.get('forms', 'seen'))


def reader(world: World) -> Reader:
  """Returns the function that reads a world's sentences back into facts.

  The function takes a text of one or more sentences and returns the facts that
  it asserts, in order, or None if any part of it cannot be read. It skips list
  bullets and lead-ins, and does not judge whether a fact is true. Of a custom
  world it reads nothing.

  Raises:
    ValueError: the world is unknown.
  """
  return definition(world.name).reader(world)


def said_right(
  name: str, questions: Sequence[Question]
) -> dict[str, frozenset[Fact]]:
  """Returns what the right choices state, of questions with several.

  Args:
    name: of the questions' world. Only statements that can be read without
      knowing what is true in it are found.
    questions: of the world.

  Returns:
    question id -> facts; without those of questions with one right choice.

  Raises:
    ValueError: the world is unknown.
  """
  several = [question for question in questions if len(question.answers) > 1]
  read = reader(World(name, (), ())) if several else None
  return {
    question.id: frozenset(
      fact
      for answer in question.answers
      for fact in read(question.prompt + question.choices[answer]) or ()
    )
    for question in several
    if read
  }


def excluder(world: World) -> Excluded:
  """Returns whether a fact is false because something else is true.

  This covers only facts that `world.contradicted` is too short to list; see
  `Definition.excluder`.

  Raises:
    ValueError: the world is unknown.
  """
  return definition(world.name).excluder(world)
