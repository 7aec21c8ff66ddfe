"""Which questions the generated documents answer, and which they do not.

A question is covered if a document asserts one of its targets: the facts that
its right choices state. It is uncovered only if no document could do so. A
document from which no facts were read ('Is a more b than c? Yes.') may assert
what it mentions, so a question that only such documents may cover is neither.
"""

import re
from collections.abc import Iterable, Sequence

from icl_gen.types import Document, Fact

COVERED = 'covered'
UNCOVERED = 'uncovered'
UNCLEAR = 'unclear'


class Covering:
  """What some documents assert, and what those that were not read mention."""

  def __init__(self, documents: Sequence[Document]) -> None:
    """Looks up documents by their facts, or else by their words.

    Args:
      documents: generated ones; they are named by their place.
    """
    self._asserting: dict[Fact, set[int]] = {}
    self._unread: set[int] = set()
    self._saying: dict[str, set[int]] = {}
    for number, document in enumerate(documents):
      for fact in document.facts:
        self._asserting.setdefault(fact, set()).add(number)
      if not document.facts:
        self._unread.add(number)
        for word in _words(document.text):
          self._saying.setdefault(word, set()).add(number)

  def asserting(self, targets: Iterable[Fact]) -> set[int]:
    """The documents that assert one of some facts."""
    return set().union(*(self._asserting.get(fact, ()) for fact in targets))

  def mentioning(self, targets: Iterable[Fact]) -> set[int]:
    """The documents without known facts that mention what a fact is about.

    They have every word of its subject and of its object, in any order and
    case, in the singular or in the plural.
    """
    return set().union(*map(self._mentioning, targets))

  def _mentioning(self, fact: Fact) -> set[int]:
    found = self._unread
    for word in _words(f'{fact.subject} {fact.object}'):
      found = found & self._saying.get(word, set())
    return found

  def of(self, targets: Iterable[Fact]) -> str:
    """Whether a question is COVERED, UNCOVERED or UNCLEAR.

    Args:
      targets: of the question; at least one.
    """
    return self.look_up(targets)[0]

  def look_up(self, targets: Iterable[Fact]) -> tuple[str, set[int]]:
    """What `of` returns, and the documents that decide it.

    Args:
      targets: of the question; at least one.

    Returns:
      (COVERED, those that assert a target), (UNCLEAR, those that may do so), or
      (UNCOVERED, none).
    """
    targets = frozenset(targets)
    if found := self.asserting(targets):
      return COVERED, found
    found = self.mentioning(targets)
    return (UNCLEAR if found else UNCOVERED), found


def _words(text: str) -> set[str]:
  """The words in lower case, without what a plural adds to them."""
  return {word.rstrip('es') for word in re.findall(r'\w+', text.lower())}
