"""Quantified statements: 'all glon are troff', said and read."""

import re

from icl_gen.types import Fact

QUANTIFIERS = ('all', 'some', 'no')
# The same in other words; {S} is the subject and {P} the predicate. None of
# them contains a quantifier, so that documents do not give the quantifier of a
# conclusion away.
PARAPHRASES = {
  'all': (
    'whatever is {S} is {P} as well',
    'each and every {S} belongs to the {P}',
    'the {P} include every single {S}',
    'only {P} can be {S}',
  ),
  'some': (
    'at least one {S} is {P} as well',
    'a few of the {S} belong to the {P}',
    'the {P} include several {S}',
    'one or more {P} can be {S}',
  ),
  'no': (
    'whatever is {S} is never {P}',
    'not a single {S} belongs to the {P}',
    'the {P} include none of the {S}',
    'only things other than {P} can be {S}',
  ),
}


def statement(quantifier: str, subject: str, predicate: str) -> str:
  """Renders 'all glon are troff'; `quantifier` is one of QUANTIFIERS."""
  return f'{quantifier} {subject} are {predicate}'


def said(fact: Fact) -> str:
  """Renders a fact whose relation is one of QUANTIFIERS, in plain words."""
  return statement(fact.relation, fact.subject, fact.object)


def relationships(*entities: str) -> str:
  """Renders the lead-in 'The relationships between glon and troff are:'."""
  *most, last = entities
  return f'The relationships between {", ".join(most)} and {last} are:'


def _pattern(form: str) -> re.Pattern[str]:
  """Matches a form with any word in place of {S} and of {P}."""
  words = form.format(S=r'(?P<S>\w+)', P=r'(?P<P>\w+)')
  return re.compile(rf'^{words}[.!?]*$', re.IGNORECASE)


_PATTERNS = tuple(
  (quantifier, _pattern(form))
  for quantifier in QUANTIFIERS
  for form in (
    statement(quantifier, '{S}', '{P}'),
    *PARAPHRASES[quantifier],
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
