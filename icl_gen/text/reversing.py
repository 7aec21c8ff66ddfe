"""Adds documents whose words are in reverse order.

A model trained from left to right on 'A is B' learns to continue 'A'; on the
reversed text it learns to continue 'B'. Golovneva et al. 2024 (arXiv
2403.13799) train on both, and found that keeping the words of an entity in
order works best.
"""

import dataclasses
import re
from collections.abc import Sequence

from icl_gen.text.scripts import MARKS
from icl_gen.types import Document

REVERSALS = ('none', 'words', 'entities')
# A word with its inner marks (Trask's, well-known, 3.5), or one sign.
_WORD = rf"[\w{MARKS}]+(?:[-'’.][\w{MARKS}]+)*"
_SIGN = rf'[^\w\s{MARKS}]'


def with_reversed(
  documents: Sequence[Document],
  *,
  reverse: str,
  known: Sequence[Document] | None = None,
) -> tuple[Document, ...]:
  """Returns the documents, each followed by its reversal.

    'Glon Trask is old.'  words:     '. old is Trask Glon'
                          entities:  '. old is Glon Trask'

  Words and punctuation marks are set apart by one space. A reversal has no
  prompt and no known facts, as nothing reads it.

  Args:
    documents: the training documents.
    reverse: 'none' for the documents alone, 'words', or 'entities' to keep the
      words of an entity in their order: of the subjects and objects of known
      facts. Where no facts are known, words are reversed.
    known: documents whose facts are known; None: these documents.

  Raises:
    ValueError: `reverse` is unknown.
  """
  if reverse not in REVERSALS:
    raise ValueError(f'reverse {reverse!r}; allowed are {", ".join(REVERSALS)}')
  if reverse == 'none':
    return tuple(documents)
  known = documents if known is None else known
  units = _units(known if reverse == 'entities' else ())
  return tuple(
    one
    for document in documents
    for one in (document, _reversed(document, units))
  )


def _units(documents: Sequence[Document]) -> re.Pattern[str]:
  """What keeps its order: entities, longest first, words and signs."""
  entities = {
    name
    for document in documents
    for fact in document.facts
    for name in (fact.subject, fact.object)
    if name.strip()
  }
  longest_first = sorted(entities, key=lambda name: (-len(name), name))
  named = [rf'(?<!\w){re.escape(name)}(?!\w)' for name in longest_first]
  return re.compile('|'.join([*named, _WORD, _SIGN]), re.IGNORECASE)


def _reversed(document: Document, units: re.Pattern[str]) -> Document:
  found = units.findall(document.text)
  return dataclasses.replace(
    document,
    id=f'{document.id}/reversed',
    text=' '.join(reversed(found)),
    facts=(),
    prompt_length=0,
  )
