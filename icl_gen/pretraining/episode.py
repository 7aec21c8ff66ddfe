"""What an episode is, and the small parts that all families share."""

import dataclasses
import random
from collections.abc import Callable, Sequence

from icl_gen.pretraining import marks
from icl_gen.text import lexicon, preambles


@dataclasses.dataclass(frozen=True)
class Episode:
  """Facts in words.

  Attributes:
    documents: what is said, one text per fact or group of facts.
    ask: a statement, marked, that follows from document i (and others).
    infer: the statements that follow from document i, in a fixed order.
  """

  documents: Sequence[str]
  ask: Callable[[random.Random, int], str]
  infer: Callable[[random.Random, int], list[str]]


def _preamble(rng: random.Random, probability: float) -> str:
  if rng.random() > probability:
    return ''
  return marks.every_word(rng.choice(preambles.PREAMBLES)) + ' '


def sentence(rng: random.Random, statement: str, probability: float) -> str:
  """The statement with a full stop, and perhaps a preamble before it."""
  return f'{_preamble(rng, probability)}{statement}.'


def fresh_words(rng: random.Random, count: int) -> list[str]:
  """Distinct nonsense words of the pretraining lexicon."""
  return rng.sample(lexicon.words(evaluation=False), count)
