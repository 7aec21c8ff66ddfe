"""Seeded draws that come out even: endless rounds, each a fresh shuffle.

The i-th draw depends on the seed's name and on i, never on how many draws are
made, so that a larger world begins like a smaller one.
"""

import itertools
import random
from collections.abc import Sequence


def nth[T](items: Sequence[T], index: int, *, seed: str) -> T:
  """The index-th draw; any n draws hold each item n / len(items) times, ±1."""
  lap, place = divmod(index, len(items))
  return random.Random(f'{seed}/{lap}').sample(items, len(items))[place]


def arrange(
  right: Sequence[str], wrong: Sequence[str], *, index: int, seed: str
) -> tuple[tuple[str, ...], tuple[int, ...]]:
  """Orders the choices of a question so that no position gives it away.

  Args:
    right: the right choices.
    wrong: the others.
    index: counts the questions with as many right choices as this one.
    seed: name of the draw, the same for these questions.

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
