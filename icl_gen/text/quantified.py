"""Quantified statements: 'all glon are troff', said and read."""

import re

from icl_gen.text.forms.split import PARTS
from icl_gen.text.forms.statements import (
  PARAPHRASES,
  QUANTIFIED,
  RELATIONSHIPS,
)
from icl_gen.types import Fact

QUANTIFIERS = ('all', 'some', 'no')


def statement(
  quantifier: str, subject: str, predicate: str, *, part: str = 'seen'
) -> str:
  """Renders 'all glon are troff'.

  Args:
    quantifier: one of QUANTIFIERS.
    subject: a word in the plural.
    predicate: a word in the plural.
    part: of the tables, one of `forms.split.PARTS`.
  """
  form = QUANTIFIED[part][quantifier]
  return form.format(S=subject, P=predicate)


def said(fact: Fact, *, part: str = 'seen') -> str:
  """Renders a fact whose relation is one of QUANTIFIERS, in plain words."""
  return statement(fact.relation, fact.subject, fact.object, part=part)


def relationships(*entities: str, part: str = 'seen') -> str:
  """Renders the lead-in 'The relationships between glon and troff are:'."""
  *most, last = entities
  terms = f'{", ".join(most)} and {last}'
  return RELATIONSHIPS[part].format(terms=terms)


def _pattern(form: str) -> re.Pattern[str]:
  """Matches a form with any word in place of {S} and of {P}."""
  words = form.format(S=r'(?P<S>\w+)', P=r'(?P<P>\w+)')
  return re.compile(rf'^{words}[.!?]*$', re.IGNORECASE)


_PATTERNS = tuple(
  (quantifier, _pattern(form))
  for quantifier in QUANTIFIERS
  for part in PARTS
  for form in (
    QUANTIFIED[part][quantifier],
    *PARAPHRASES[part][quantifier],
  )
)


def read(sentence: str) -> Fact | None:
  """Reads a plain or paraphrased statement about any two words, in any case.

  Returns:
    the fact, in lower case, e.g. ('glon', 'all', 'troff'), or None if the
    sentence has another form.
  """
  for quantifier, pattern in _PATTERNS:
    match = pattern.match(sentence)
    if match is not None:
      return Fact(match['S'].lower(), quantifier, match['P'].lower())
  return None
