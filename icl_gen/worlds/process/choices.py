"""Chooses wrong results that give readers who infer nothing no hint."""

import collections
import itertools
from collections.abc import Iterable, Sequence

from icl_gen.types import Document, Fact
from icl_gen.worlds import baselines

WRONG = 3


class Readers:
  """Readers who choose the longest, the shortest, or the likeliest result.

  The last one is an n-gram model of the documents. In every group of questions,
  wrong results are chosen so that each reader is right as often as a guess, as
  nearly as there are near misses.
  """

  def __init__(self, documents: Iterable[Document]):
    texts = [document.text for document in documents]
    self._merits: tuple[baselines.Merit, ...] = (
      lambda prompt, choice: len(choice),
      lambda prompt, choice: -len(choice),
      baselines.ngram_merit(texts, order=4),
    )
    # By group and reader: hits above chance.
    self._excess: dict[tuple[str, int], float] = collections.defaultdict(float)

  def choose(
    self, prompt: str, right: Fact, near_misses: Sequence[Fact], *, group: str
  ) -> list[Fact]:
    """Chooses WRONG of the near misses of one more question.

    Args:
      prompt: of the question.
      right: what its right choice states.
      near_misses: those that are preferred come first.
      group: of the questions.
    """
    merits = {
      fact: [merit(prompt, f' {fact.object}.') for merit in self._merits]
      for fact in (right, *near_misses)
    }

    def excess(wrong: Sequence[Fact]) -> list[float]:
      found = []
      for reader, merit in enumerate(merits[right]):
        others = [merits[fact][reader] for fact in wrong]
        hit = 0.0 if max(others) > merit else 1 / (1 + others.count(merit))
        before = self._excess[group, reader]
        found.append(before + hit - 1 / (1 + WRONG))
      return found

    chosen = min(
      itertools.combinations(near_misses, WRONG),
      key=lambda wrong: sum(value**2 for value in excess(wrong)),
    )
    for reader, value in enumerate(excess(chosen)):
      self._excess[group, reader] = value
    return list(chosen)
