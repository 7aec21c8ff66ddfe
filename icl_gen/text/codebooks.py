"""Codebook entries: 'in the book glon, troff is called yomp', said and read."""

import re

from icl_gen.types import Fact

_CALLED, _MEANS = 'is called in ', 'means in '
_ENTRY = re.compile(
  r'^in the book (\w+), (\w+) (is called|means) (\w+)[.!?]*$', re.IGNORECASE
)


def coded(book: str, word: str, code: str) -> str:
  """Renders 'in the book glon, troff is called yomp'."""
  return f'in the book {book}, {word} is called {code}'


def decoded(book: str, code: str, word: str) -> str:
  """Renders 'in the book glon, yomp means troff', the same from the code."""
  return f'in the book {book}, {code} means {word}'


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


def said(fact: Fact) -> str:
  """Renders an entry in the direction in which the fact gives it."""
  if fact.relation.startswith(_CALLED):
    title = fact.relation.removeprefix(_CALLED)
    return coded(title, fact.subject, fact.object)
  title = fact.relation.removeprefix(_MEANS)
  return decoded(title, fact.subject, fact.object)


def read(sentence: str) -> Fact | None:
  """Reads an entry of any book, in either direction and any case.

  Returns:
    the fact, in lower case, e.g. ('troff', 'is called in glon', 'yomp'), or
    None if the sentence is not an entry.
  """
  match = _ENTRY.match(sentence)
  if match is None:
    return None
  book, subject, verb, other = (part.lower() for part in match.groups())
  relation = calls(book) if verb == 'is called' else means(book)
  return Fact(subject, relation, other)
