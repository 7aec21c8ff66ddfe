"""Facts about persistent entities, which rows of a stream tell again and again.

Episodes are about fresh words, so that a model can only know their facts from
its context. These facts are always the same, and no row has one twice: a model
can only know them from its weights.
"""

import dataclasses
import functools
import random

from icl_gen.pretraining import compared, episode, marks
from icl_gen.text import lexicon


@dataclasses.dataclass(frozen=True)
class Told:
  """What a stream tells about persistent entities.

  Attributes:
    facts: number of comparisons; each has two entities of its own.
    share: of the rows, that tell them; 0: none does.
    both_orders: whether a fact is told in either order, one in two times in
      each. Otherwise it is always told in the same one.
  """

  facts: int = 0
  share: float = 0.0
  both_orders: bool = False

  @property
  def entities(self) -> tuple[str, ...]:
    """The words that no episode may draw."""
    source = episode.Source(reserved=2 * self.facts, only_reserved=True)
    return tuple(source.pool)


def require_possible(told: Told, *, flag: str) -> None:
  """Checks what is to be told.

  Args:
    told: what a config says.
    flag: its block in the config, for the message.

  Raises:
    ValueError: more facts than there are words for, a share that is none, or
      rows that would tell nothing.
  """
  most = len(lexicon.words(evaluation=False)) // 4
  if not 0 <= told.facts <= most:
    raise ValueError(
      f'--config.{flag}.facts={told.facts}; give 0 to {most:,}, so that half of'
      ' the words are left for episodes'
    )
  if not 0 <= told.share <= 1:
    raise ValueError(f'--config.{flag}.share={told.share}; give 0 to 1')
  if bool(told.share) != bool(told.facts):
    raise ValueError(
      f'--config.{flag}.facts={told.facts} and .share={told.share}: give both,'
      ' or 0 for both'
    )


@functools.cache
def facts(told: Told) -> tuple[compared.Comparison, ...]:
  """The facts, in the order in which they are told when it is only one."""
  rng = random.Random(f'told/{told.facts}')
  words = rng.sample(told.entities, 2 * told.facts)
  return tuple(
    compared.draw(rng, *words[2 * i : 2 * i + 2]) for i in range(told.facts)
  )


def texts(rng: random.Random, told: Told) -> list[str]:
  """Draws all facts in random order, as marked sentences with preambles.

  The draws are the same whether facts are told in both orders or in one, so two
  streams that differ in this have the same facts, and as many tokens, at the
  same places.
  """
  every = facts(told)
  said = []
  for fact in rng.sample(every, len(every)):
    is_reversed = rng.random() < 0.5
    if is_reversed and told.both_orders:
      fact = compared.reverse(fact)
    statement = compared.state(fact, mark=marks.UNPREDICTABLE)
    said.append(episode.SEEN.sentence(rng, statement, 0.9))
  return said
