"""What is excluded because something else is true.

Where a subject has one object, any other is wrong: there are too many of them
for a world to list. So it is with what a function becomes, and with codes.
"""

from collections.abc import Callable

from icl_gen.text import codebooks, expressions
from icl_gen.types import Fact, World


def excluder(world: World) -> Callable[[Fact], bool]:
  """Makes `excluded(fact)`: whether what the world knows leaves no room for it.

  It says nothing about the facts that the world itself lists as contradicted.
  """
  if world.name not in _EXCLUDERS:
    return lambda fact: False
  true = (*world.facts, *(entailment.fact for entailment in world.entailed))
  return _EXCLUDERS[world.name](
    {(fact.subject, fact.relation): fact.object for fact in true}
  )


def _by_result(objects: dict[tuple[str, str], str]) -> Callable[[Fact], bool]:
  """Results are the same where their canonical forms are."""

  def excluded(fact: Fact) -> bool:
    result = objects.get((fact.subject, fact.relation))
    return result is not None and not expressions.same(result, fact.object)

  return excluded


def _by_code(objects: dict[tuple[str, str], str]) -> Callable[[Fact], bool]:
  """In a book a word has one code, and a code one word."""

  def other(fact: Fact) -> bool:
    known = objects.get((fact.subject, fact.relation))
    return known not in (None, fact.object)

  return lambda fact: other(fact) or other(codebooks.reverse(fact))


_EXCLUDERS = {'process': _by_result, 'codebook': _by_code}
