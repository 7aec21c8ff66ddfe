"""Which documents belong to some facts, or to some words.

Given facts and strings, never questions: these meet documents in `context`.

BM25 is rank_bm25's: one file that needs numpy alone. bm25s is faster and
better kept, but starts JAX when it is imported, which this floor does without,
and speed does not matter for thousands of short documents.
"""

import random
import re
from collections.abc import Callable, Sequence

import rank_bm25

from icl_gen.types import Document, Fact


def by_facts(documents: Sequence[Document]) -> list[list[Document]]:
  """Groups of documents that state the same facts, in whatever order.

  A document of which no facts are known is a group of its own.
  """
  groups: dict[object, list[Document]] = {}
  for document in documents:
    key = frozenset(document.facts) or document.id
    groups.setdefault(key, []).append(document)
  return list(groups.values())


def stating(
  documents: Sequence[Document], facts: Sequence[Fact], *, count: int, seed: str
) -> list[Document]:
  """Draws documents that state facts.

  First come documents that together state every fact, then others that state
  one of them, all drawn.

  Args:
    documents: to draw from.
    facts: at least one.
    count: greatest number of documents; fewer where no more state the facts.
    seed: name of the draw.

  Raises:
    ValueError: for no facts, a fact that no document states, or a `count` that
      is too small to state all of them.
  """
  if not facts:
    raise ValueError('there are no facts to find documents for')
  wanted = frozenset(facts)
  found = [document for document in documents if wanted & set(document.facts)]
  random.Random(seed).shuffle(found)
  found.sort(key=lambda d: -len(wanted & set(d.facts)))
  first, stated = [], set()
  for document in found:
    if wanted & set(document.facts) - stated:
      first.append(document)
      stated |= set(document.facts)
  if unstated := [fact for fact in facts if fact not in stated]:
    raise ValueError(f'no document states {unstated[0]}')
  if len(first) > count:
    raise ValueError(
      f'{count} documents do not state all of {len(facts)} facts; allow'
      f' {len(first)}'
    )
  chosen = {document.id for document in first}
  return (first + [d for d in found if d.id not in chosen])[:count]


def beside(
  documents: Sequence[Document], facts: Sequence[Fact], *, count: int, seed: str
) -> list[Document]:
  """Draws `count` documents that state none of the facts.

  Raises:
    ValueError: if there are fewer.
  """
  others = [d for d in documents if not set(facts) & set(d.facts)]
  if len(others) < count:
    raise ValueError(
      f'{count} distractors, but only {len(others)} documents state other'
      f' facts; ask for at most {len(others)}'
    )
  return random.Random(seed).sample(others, count)


def bm25(
  documents: Sequence[Document],
) -> Callable[[str, int], list[Document]]:
  """Makes `best(text, count)`: the documents nearest in words, best first.

  Among equals, the earlier document is better. Words are compared in lower
  case, without punctuation. (Okapi BM25 with k1 = 1.5 and b = 0.75.)
  """
  index = rank_bm25.BM25Okapi([_words(document.text) for document in documents])

  def best(text: str, count: int) -> list[Document]:
    scores = index.get_scores(_words(text))
    order = sorted(range(len(documents)), key=lambda d: (-scores[d], d))
    return [documents[d] for d in order[:count]]

  return best


def _words(text: str) -> list[str]:
  return re.findall(r'\w+', text.lower())
