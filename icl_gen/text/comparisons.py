"""Comparisons: 'glon are more dangerous than troff', said and read."""

import itertools
import re

from icl_gen.text.forms.statements import FEATURES
from icl_gen.types import Fact

_ANY_FEATURE = '|'.join(itertools.chain(*FEATURES))
_COMPARISON = re.compile(
  rf'^(\w+) are (more|less) ({_ANY_FEATURE}) than (\w+)[.!?]*$',
  re.IGNORECASE,
)


def statement(subject: str, degree: str, feature: str, other: str) -> str:
  """Renders 'glon are more dangerous than troff'.

  Args:
    subject: what is compared, in the plural.
    degree: 'more' or 'less'.
    feature: one of FEATURES.
    other: what it is compared with, in the plural.
  """
  return f'{subject} are {degree} {feature} than {other}'


def said(fact: Fact) -> str:
  """Renders a fact whose relation is 'more <feature>' or 'less <feature>'."""
  degree, feature = fact.relation.split(' ')
  return statement(fact.subject, degree, feature, fact.object)


def read(sentence: str) -> Fact | None:
  """Reads a comparison of any two words, in any case.

  Returns:
    the fact, in lower case, e.g. ('glon', 'more dangerous', 'troff'), or None
    if the sentence is not a comparison by one of FEATURES.
  """
  match = _COMPARISON.match(sentence)
  if match is None:
    return None
  subject, degree, feature, other = (part.lower() for part in match.groups())
  return Fact(subject, f'{degree} {feature}', other)
