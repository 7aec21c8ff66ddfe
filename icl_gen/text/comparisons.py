"""Comparisons: 'glon are more dangerous than troff', said and read."""

import itertools
import re

from icl_gen.text.forms.statements import COMPARISONS, FEATURES
from icl_gen.types import Fact

_ANY_FEATURE = '|'.join(itertools.chain(*FEATURES))
_COMPARISON = re.compile(
  rf'^(\w+) are (more|less) ({_ANY_FEATURE}) than (\w+)[.!?]*$',
  re.IGNORECASE,
)
_WORDED = tuple(
  re.compile(
    f'^{pattern}[.!?]*$'.format(
      S=r'(\w+)', D='(more|less)', F=f'({_ANY_FEATURE})', O=r'(\w+)'
    ),
    re.IGNORECASE,
  )
  for pattern in itertools.chain(*COMPARISONS)
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


def worded(fact: Fact, *, part: str = 'seen') -> tuple[str, ...]:
  """Renders the same fact in several wordings, the plain one first.

  Args:
    fact: as for `said`.
    part: of the table of wordings, one of `forms.split.PARTS`.
  """
  degree, feature = fact.relation.split(' ')
  return said(fact), *(
    form.format(S=fact.subject, D=degree, F=feature, O=fact.object)
    for form in COMPARISONS[part]
  )


def read(sentence: str) -> Fact | None:
  """Reads a comparison of any two words, in any case.

  Returns:
    the fact, in lower case, e.g. ('glon', 'more dangerous', 'troff'), or None
    if the sentence is not a comparison by one of FEATURES.
  """
  return _fact(_COMPARISON.match(sentence))


def read_worded(sentence: str) -> Fact | None:
  """Reads a comparison in any of its wordings, as `read` reads the plain one.

  What models write is read by `read`, as they are shown the plain wording only.
  """
  found = (pattern.match(sentence) for pattern in (_COMPARISON, *_WORDED))
  return _fact(next(filter(None, found), None))


def _fact(match: re.Match[str] | None) -> Fact | None:
  if match is None:
    return None
  subject, degree, feature, other = (part.lower() for part in match.groups())
  return Fact(subject, f'{degree} {feature}', other)
