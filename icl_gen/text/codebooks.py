"""Codebook entries: 'in the book glon, troff is called yomp', said and read."""

import itertools
import re

from icl_gen.text.forms.statements import ENTRIES
from icl_gen.types import Fact

_CALLED, _MEANS = 'is called in ', 'means in '


def coded(book: str, word: str, code: str, *, part: str = 'seen') -> str:
  """Renders 'in the book glon, troff is called yomp'.

  Args:
    book: the book's title.
    word: what has a code.
    code: the word's code in the book.
    part: of the tables, one of `forms.split.PARTS`.
  """
  return ENTRIES[part][0].format(book=book, word=word, code=code)


def decoded(book: str, code: str, word: str, *, part: str = 'seen') -> str:
  """Renders 'in the book glon, yomp means troff', the same from the code."""
  return ENTRIES[part][1].format(book=book, word=word, code=code)


def calls(title: str) -> str:
  """The relation of a word to its code in the book with this title."""
  return _CALLED + title


def means(title: str) -> str:
  """The relation of a code to its word in the book with this title."""
  return _MEANS + title


def reverse(fact: Fact) -> Fact:
  """Returns the same entry in the other direction."""
  forward = fact.relation.startswith(_CALLED)
  title = fact.relation.removeprefix(_CALLED if forward else _MEANS)
  return Fact(fact.object, (means if forward else calls)(title), fact.subject)


def said(fact: Fact, *, part: str = 'seen') -> str:
  """Renders an entry in the direction in which the fact gives it."""
  if fact.relation.startswith(_CALLED):
    title = fact.relation.removeprefix(_CALLED)
    return coded(title, fact.subject, fact.object, part=part)
  title = fact.relation.removeprefix(_MEANS)
  return decoded(title, fact.subject, fact.object, part=part)


def _pattern(form: str) -> re.Pattern[str]:
  """Matches a form with any words in its slots."""
  slots = {slot: rf'(?P<{slot}>\w+)' for slot in ('book', 'word', 'code')}
  return re.compile(rf'^{form.format(**slots)}[.!?]*$', re.IGNORECASE)


_PATTERNS = tuple(map(_pattern, itertools.chain(*ENTRIES)))


def read(sentence: str) -> Fact | None:
  """Reads an entry of any book, in either direction and any case.

  Returns:
    the fact, in lower case, e.g. ('troff', 'is called in glon', 'yomp'), or
    None if the sentence is not an entry.
  """
  for pattern in _PATTERNS:
    match = pattern.match(sentence)
    if match is not None:
      book, word, code = (match[k].lower() for k in ('book', 'word', 'code'))
      entry = Fact(word, calls(book), code)
      return (
        entry if match.start('word') < match.start('code') else reverse(entry)
      )
  return None
