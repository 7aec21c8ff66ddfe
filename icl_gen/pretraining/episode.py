"""Defines an episode, and the small parts that all families share."""

import dataclasses
import functools
import random
from collections.abc import Callable, Sequence

from icl_gen.pretraining import marks, wordings
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
    infer_together: the same with all other documents at hand; None: nothing
      more follows.
  """

  documents: Sequence[str]
  ask: Callable[[random.Random, int], str]
  infer: Callable[[random.Random, int], list[str]]
  infer_together: Callable[[random.Random, int], list[str]] | None = None


@dataclasses.dataclass(frozen=True)
class Source:
  """Where the words and the wordings of an episode are drawn from.

  Attributes:
    part: of the tables of forms, one of `forms.split.PARTS`.
    reserved: number of words of the pretraining lexicon that are not drawn; see
      `lexicon.reserved`.
    only_reserved: whether to draw those and no others.
    entities: number of words before those that are never drawn, as they name
      persistent entities.
    drawn: share of the preambles, of the relations of trees, and of the
      sentences about people that are in wordings of the episode's own.
    spelt: share of the words of these wordings, and of the nouns of roles and
      descriptions, that are no English; see `spelling`.
  """

  part: str = 'seen'
  reserved: int = 0
  only_reserved: bool = False
  entities: int = 0
  drawn: float = 0.0
  spelt: float = 0.0

  @property
  def pool(self) -> Sequence[str]:
    """The nonsense words that are drawn from."""
    return _pool(self.reserved, self.only_reserved, self.entities)

  @property
  def leaves_out(self) -> bool:
    """Whether there are words that are not drawn."""
    return bool(self.reserved or self.entities)

  def words(self, rng: random.Random, count: int) -> list[str]:
    """Draws different nonsense words from the pretraining lexicon."""
    return rng.sample(self.pool, count)

  def sentence(
    self, rng: random.Random, statement: str, probability: float
  ) -> str:
    """Adds a full stop and, with a probability, a marked preamble."""
    lead = ''
    if rng.random() <= probability:
      lead = marks.every_word(self._preamble(rng)) + ' '
    return f'{lead}{statement}.'

  def _preamble(self, rng: random.Random) -> str:
    if self.drawn and rng.random() < self.drawn:
      return wordings.opening(rng, spelt=self.spelt)
    return rng.choice(PREAMBLES[self.part])


@functools.cache
def _pool(reserved: int, only_reserved: bool, entities: int) -> tuple[str, ...]:
  never = lexicon.reserved(entities)
  kept = lexicon.reserved(entities + reserved)
  return tuple(
    word
    for word in lexicon.words(evaluation=False)
    if (word in kept) == only_reserved and word not in never
  )


# What the embedded models were pretrained on.
SEEN = Source()
