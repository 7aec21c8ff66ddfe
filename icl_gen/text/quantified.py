"""Quantified statements: 'all glon are troff', said and read."""

import re

from icl_gen.types import Fact

QUANTIFIERS = ('all', 'some', 'no')


def statement(quantifier: str, subject: str, predicate: str) -> str:
  """'all glon are troff'."""
  return f'{quantifier} {subject} are {predicate}'


# In other words; none has 'all', 'some' or 'no', as conclusions do.
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


def relationships(*entities: str) -> str:
  """'The relationships between glon, troff and yomp are:'."""
  *most, last = entities
  return f'The relationships between {", ".join(most)} and {last} are:'


def _pattern_of_terms(form: str) -> re.Pattern[str]:
  """Matches a form with any word for {S} and for {P}."""
  words = form.format(S=r'(?P<S>\w+)', P=r'(?P<P>\w+)')
  return re.compile(rf'^{words}[.!?]*$', re.IGNORECASE)


_QUANTIFIED = tuple(
  (quantifier, _pattern_of_terms(form))
  for quantifier in QUANTIFIERS
  for form in (
    statement(quantifier, '{S}', '{P}'),
    *PARAPHRASES[quantifier],
  )
)


def read(sentence: str) -> Fact | None:
  for quantifier, pattern in _QUANTIFIED:
    match = pattern.match(sentence)
    if match is not None:
      return Fact(match['S'].lower(), quantifier, match['P'].lower())
  return None
