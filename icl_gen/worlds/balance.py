"""Seeded draws without replacement, in rounds, so that counts stay even.

The i-th draw depends only on the seed's name and on i, not on the number of
draws, so a larger world starts with the draws of a smaller one.
"""

import itertools
import random
from collections.abc import Sequence


def nth[T](items: Sequence[T], index: int, *, seed: str) -> T:
  """The index-th draw; n draws have each item n / len(items) times, ±1."""
  lap, place = divmod(index, len(items))
  return random.Random(f'{seed}/{lap}').sample(items, len(items))[place]


def arrange(
  right: Sequence[str], wrong: Sequence[str], *, index: int, seed: str
) -> tuple[tuple[str, ...], tuple[int, ...]]:
  """Orders the choices of a question so that positions carry no information.

  Args:
    right: the right choices.
    wrong: the wrong choices.
    index: number of the question among those that have as many right choices.
    seed: name of the random draw, the same for all these questions.

  Returns:
    the choices in order, and the indices of the right ones.
  """
  total = len(right) + len(wrong)
  places = tuple(itertools.combinations(range(total), len(right)))
  answers = nth(places, index, seed=f'{seed}/answers')
  rng = random.Random(f'{seed}/order/{index}')
  rights = iter(rng.sample(right, len(right)))
  wrongs = iter(rng.sample(wrong, len(wrong)))
  choices = tuple(
    next(rights if place in answers else wrongs) for place in range(total)
  )
  return choices, answers
