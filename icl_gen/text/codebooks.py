"""Codebook entries: 'in the book glon, troff is called yomp', said and read."""

import re

from icl_gen.types import Fact

_CALLED, _MEANS = 'is called in ', 'means in '


def coded(book: str, word: str, code: str) -> str:
  """'in the book glon, troff is called yomp'."""
  return f'in the book {book}, {word} is called {code}'


def decoded(book: str, code: str, word: str) -> str:
  """'in the book glon, yomp means troff': the same, told from the code."""
  return f'in the book {book}, {code} means {word}'


def calls(title: str) -> str:
  """The relation of a word to its code in the book."""
  return _CALLED + title


def means(title: str) -> str:
  """The relation of a code to its word in the book."""
  return _MEANS + title


def reverse(fact: Fact) -> Fact:
  """The same entry, told from the other side."""
  forward = fact.relation.startswith(_CALLED)
  title = fact.relation.removeprefix(_CALLED if forward else _MEANS)
  return Fact(fact.object, (means if forward else calls)(title), fact.subject)


def said(fact: Fact) -> str:
  """'in the book glon, troff is called yomp' or '..., yomp means troff'."""
  if fact.relation.startswith(_CALLED):
    title = fact.relation.removeprefix(_CALLED)
    return coded(title, fact.subject, fact.object)
  title = fact.relation.removeprefix(_MEANS)
  return decoded(title, fact.subject, fact.object)


_CODED = re.compile(
  r'^in the book (\w+), (\w+) (is called|means) (\w+)[.!?]*$', re.IGNORECASE
)


def read(sentence: str) -> Fact | None:
  match = _CODED.match(sentence)
  if match is None:
    return None
  book, one, relation, other = (part.lower() for part in match.groups())
  say = calls if relation == 'is called' else means
  return Fact(one, say(book), other)
