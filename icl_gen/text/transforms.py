"""Derivatoids: 'the derivatoid of x^3 is 3*cos(3*x)', said and read."""

import re

from icl_gen.text import expressions, sentences
from icl_gen.types import Fact, World

BECOMES = 'becomes'
_DERIVATOID = re.compile(
  r'^(?:by the \w+ rule, )?the derivatoid of (.+) is (.+?)[.!?]*$',
  re.IGNORECASE,
)


def statement(expression: str, result: str, *, rule: str = '') -> str:
  """Renders 'by the power rule, the derivatoid of x^3 is 3*cos(3*x)'.

  Args:
    expression: what is transformed.
    result: what it becomes.
    rule: name of the rule to mention; '' for none.
  """
  lead = f'by the {rule} rule, ' if rule else ''
  return f'{lead}the derivatoid of {expression} is {result}'


def reader(world: World) -> sentences.Reader:
  """Makes the reader of a world's derivatoids.

  Spacing and redundant parentheses do not matter. A result that equals the true
  one up to the order of sums and products is returned as the world writes it.

  Args:
    world: its facts are 'becomes' facts about expressions.
  """
  true = (*world.facts, *(entailment.fact for entailment in world.entailed))
  known = {fact.subject: fact for fact in true}

  def read_sentence(sentence: str) -> Fact | None:
    fact = _read(sentence)
    if fact is None or fact.subject not in known:
      return fact
    right = known[fact.subject]
    return right if expressions.same(right.object, fact.object) else fact

  return sentences.reader(read_sentence)


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
