"""Defines an episode, and the small parts that all families share."""

import dataclasses
import random
from collections.abc import Callable, Sequence

from icl_gen.pretraining import marks
from icl_gen.text import lexicon
from icl_gen.text.forms.statements import PREAMBLES


@dataclasses.dataclass(frozen=True)
class Episode:
  """Documents, and the statements that follow from them.

  Attributes:
    documents: one text per fact or group of facts.
    ask: given the number of a document, draws a statement that follows from it
      (and from others), marked for loss weights.
    infer: given the number of a document, draws statements that follow from it,
      in a fixed order and without marks.
  """

  documents: Sequence[str]
  ask: Callable[[random.Random, int], str]
  infer: Callable[[random.Random, int], list[str]]


def _preamble(rng: random.Random, probability: float) -> str:
  if rng.random() > probability:
    return ''
  return marks.every_word(rng.choice(PREAMBLES.seen)) + ' '


def sentence(rng: random.Random, statement: str, probability: float) -> str:
  """Adds a full stop and, with a probability, a marked preamble."""
  return f'{_preamble(rng, probability)}{statement}.'


def fresh_words(
  rng: random.Random, count: int, *, reserved: int = 0
) -> list[str]:
  """Draws different nonsense words from the pretraining lexicon.

  Args:
    rng: source of all random draws.
    count: number of words.
    reserved: number of words at the end of the lexicon that are not drawn.
  """
  words = lexicon.words(evaluation=False)
  return rng.sample(words[: len(words) - reserved], count)
