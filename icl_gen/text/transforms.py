"""Derivatoids: 'the derivatoid of x^3 is 3*cos(3*x)', said and read."""

import re

from icl_gen.text import expressions, sentences
from icl_gen.types import Fact, World

BECOMES = 'becomes'


def statement(expression: str, result: str, *, rule: str = '') -> str:
  """'by the power rule, the derivatoid of x^3 is 3*cos(3*x)'."""
  lead = f'by the {rule} rule, ' if rule else ''
  return f'{lead}the derivatoid of {expression} is {result}'


_DERIVATOID = re.compile(
  r'^(?:by the \w+ rule, )?the derivatoid of (.+) is (.+?)[.!?]*$',
  re.IGNORECASE,
)


def reader(world: World) -> sentences.Reader:
  """Spaces and needless parentheses make no difference, nor, for a result, the
  order of sums and products: it is given in the world's words."""
  true = (*world.facts, *(entailment.fact for entailment in world.entailed))
  results = {fact.subject: fact for fact in true}

  def statement(sentence: str) -> Fact | None:
    fact = _read(sentence)
    known = results.get(fact.subject) if fact else None
    same = known and expressions.same(known.object, fact.object)
    return known if same else fact

  return sentences.reader(statement)


def _read(sentence: str) -> Fact | None:
  match = _DERIVATOID.match(sentence)
  if match is None:
    return None
  try:
    subject, result = (
      expressions.render(expressions.parse(text.lower()))
      for text in match.groups()
    )
  except ValueError:
    return None
  return Fact(subject, BECOMES, result)
