"""Derivatoids: 'the derivatoid of x^3 is 3*cos(3*x)', said and read."""

import re

from icl_gen.text import expressions, sentences
from icl_gen.text.forms.split import PARTS
from icl_gen.text.forms.statements import DERIVATOIDS, RULES
from icl_gen.types import Fact, World

BECOMES = 'becomes'


def statement(
  expression: str, result: str, *, rule: str = '', part: str = 'seen'
) -> str:
  """Renders 'by the power rule, the derivatoid of x^3 is 3*cos(3*x)'.

  Args:
    expression: what is transformed.
    result: what it becomes.
    rule: name of the rule to mention; '' for none.
    part: of the tables, one of `forms.split.PARTS`.
  """
  lead = RULES[part].format(rule=rule) if rule else ''
  said = DERIVATOIDS[part].format(expression=expression, result=result)
  return lead + said


def _pattern(part: str) -> re.Pattern[str]:
  """Matches a statement about any expressions."""
  form = DERIVATOIDS[part].format(expression='(.+)', result='(.+?)')
  lead = RULES[part].format(rule=r'\w+')
  return re.compile(rf'^(?:{lead})?{form}[.!?]*$', re.IGNORECASE)


_PATTERNS = tuple(map(_pattern, PARTS))


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
  match = next(filter(None, (p.match(sentence) for p in _PATTERNS)), None)
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
