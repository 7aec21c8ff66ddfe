"""Words that are in no list: of syllables, or of any letters."""

import functools
import random

from icl_gen.pretraining import english
from icl_gen.text import lexicon

# Letters, each as often as English nouns have it.
_LETTERS = ''.join(english.NOUNS)


def syllables(rng: random.Random, count: int) -> str:
  """Draws syllables, 'bodan'; by chance they are a nonsense word."""
  return ''.join(
    rng.choice('bcdfghjklmnprstvwz')
    + rng.choice('aeiou')
    + rng.choice(('', '', 'n', 'r', 'l', 's', 't', 'm', 'th', 'ck'))
    for _ in range(count)
  )


def letters(rng: random.Random) -> str:
  """Draws letters, 'eotnha'; no nonsense word, which may be held out."""
  while True:
    drawn = ''.join(rng.choices(_LETTERS, k=rng.randint(2, 9)))
    if not is_nonsense(drawn):
      return drawn


def either(rng: random.Random) -> str:
  """Draws syllables or letters, which are no nonsense word."""
  while rng.random() < 0.5:
    drawn = syllables(rng, rng.randint(1, 2))
    if not is_nonsense(drawn):
      return drawn
  return letters(rng)


def is_nonsense(word: str) -> bool:
  """Whether it is a nonsense word of pretraining or of evaluation."""
  return word in _nonsense()


@functools.cache
def _nonsense() -> frozenset[str]:
  return frozenset(
    word for part in (True, False) for word in lexicon.words(evaluation=part)
  )
