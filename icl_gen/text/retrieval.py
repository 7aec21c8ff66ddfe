"""Finds documents by the facts that they state, or by their words.

Takes facts and strings, never questions: `context` is where questions meet
documents.

BM25 comes from rank_bm25, a single file that needs only numpy. bm25s is faster
and better maintained but starts JAX on import, which is not allowed in this
room, and speed does not matter for thousands of short documents.
"""

import itertools
import random
from collections.abc import Callable, Sequence

import rank_bm25

from icl_gen.text import scripts
from icl_gen.types import Document, Fact


def by_facts(documents: Sequence[Document]) -> list[list[Document]]:
  """Groups the documents that state the same facts, in any order.

  A document without known facts forms its own group.
  """
  groups: dict[object, list[Document]] = {}
  for document in documents:
    key = frozenset(document.facts) or document.id
    groups.setdefault(key, []).append(document)
  return list(groups.values())


def stating(
  documents: Sequence[Document], facts: Sequence[Fact], *, count: int, seed: str
) -> list[Document]:
  """Draws documents that state the given facts.

  The first documents together state every fact; further ones each state at
  least one. Those that state most come first; if they are too many, the fewest
  that state every fact are taken.

  Args:
    documents: the documents to draw from.
    facts: one or more facts.
    count: maximum number of documents; fewer are returned if no more of them
      state the facts.
    seed: name of the random draw.

  Raises:
    ValueError: there are no facts, no document states one of them, or `count`
      documents cannot state all of them.
  """
  if not facts:
    raise ValueError('there are no facts to find documents for')
  wanted = frozenset(facts)
  found = [document for document in documents if wanted & set(document.facts)]
  random.Random(seed).shuffle(found)
  found.sort(key=lambda d: -len(wanted & set(d.facts)))
  first: list[Document] = []
  stated: set[Fact] = set()
  for document in found:
    if wanted & set(document.facts) - stated:
      first.append(document)
      stated |= set(document.facts)
  if unstated := [fact for fact in facts if fact not in stated]:
    raise ValueError(f'no document states {unstated[0]}')
  if len(first) > count:
    first = _fewest(found, wanted)
  if len(first) > count:
    raise ValueError(
      f'{count} documents do not state all of {len(facts)} facts; allow'
      f' {len(first)}'
    )
  chosen = {document.id for document in first}
  return (first + [d for d in found if d.id not in chosen])[:count]


def _fewest(
  documents: Sequence[Document], wanted: frozenset[Fact]
) -> list[Document]:
  """The fewest documents that together state all facts; the first of equals."""
  of: dict[frozenset[Fact], Document] = {}
  for document in documents:
    of.setdefault(wanted & set(document.facts), document)
  reached: dict[frozenset[Fact], list[Document]] = {frozenset(): []}
  while wanted not in reached:
    further: dict[frozenset[Fact], list[Document]] = {}
    for (stated, chosen), facts in itertools.product(reached.items(), of):
      further.setdefault(stated | facts, [*chosen, of[facts]])
    reached = further | reached
  return reached[wanted]


def not_stating(
  documents: Sequence[Document], facts: Sequence[Fact], *, count: int, seed: str
) -> list[Document]:
  """Draws `count` documents that state none of the facts.

  Raises:
    ValueError: there are fewer such documents.
  """
  others = [d for d in documents if not set(facts) & set(d.facts)]
  if len(others) < count:
    raise ValueError(
      f'{count} distractors, but only {len(others)} documents state none of'
      f' the facts; ask for at most {len(others)}'
    )
  return random.Random(seed).sample(others, count)


def bm25(
  documents: Sequence[Document],
) -> Callable[[str, int], list[Document]]:
  """Indexes documents for Okapi BM25 with k1 = 1.5 and b = 0.75.

  Returns:
    `best(text, count)`, which returns the documents that match the text best,
    best first; of equal ones the earlier comes first. Words are those of
    `scripts.words`. If no document has a word, all are equal.
  """
  words = [scripts.words(document.text) for document in documents]
  # rank_bm25 divides by the number of words.
  index = rank_bm25.BM25Okapi(words) if any(words) else None

  def best(text: str, count: int) -> list[Document]:
    scores = [0.0] * len(words)
    if index is not None:
      scores = index.get_scores(scripts.words(text))
    order = sorted(range(len(documents)), key=lambda d: (-scores[d], d))
    return [documents[d] for d in order[:count]]

  return best
