"""Choices by hand."""

import dataclasses
import math
import random

import pytest

from icl_gen.reporting import statistics
from tests.reporting.synthetic import choice, score

NORMALISATIONS = tuple(statistics.NORMALISATIONS)

# Every normalisation prefers another one of these choices:
#   sum -4; token -8/4=-2; character -6/6=-1; byte -9/18=-0.5; pmi -10+20=10.
BY_HAND = dataclasses.replace(
  score('q', (0.0,), answers=(3,)),
  choices=(
    choice(-4.0, tokens=1, characters=1, n_bytes=1, null=-4.0),
    choice(-8.0, tokens=4, characters=2, n_bytes=2, null=-8.0),
    choice(-6.0, tokens=1, characters=6, n_bytes=6, null=-6.0),
    choice(-9.0, tokens=1, characters=1, n_bytes=18, null=-9.0),
    choice(-10.0, tokens=1, characters=1, n_bytes=1, null=-20.0),
  ),
)


@pytest.mark.parametrize(
  ('normalisation', 'chosen'), list(zip(NORMALISATIONS, range(5), strict=True))
)
def test_choice_by_hand(normalisation, chosen):
  assert statistics.choose(BY_HAND, normalisation) == chosen
  assert statistics.correct(BY_HAND, normalisation) == (chosen == 3)


def test_any_of_several_answers_is_right():
  several = dataclasses.replace(BY_HAND, answers=(0, 3))
  assert statistics.correct(several, 'sum')
  assert statistics.correct(several, 'byte')
  assert not statistics.correct(several, 'token')


@pytest.mark.parametrize('normalisation', NORMALISATIONS)
def test_permuted_choices_permute_the_chosen(normalisation):
  chosen = statistics.choose(BY_HAND, normalisation)
  rng = random.Random(0)
  for _ in range(20):
    order = rng.sample(range(5), 5)
    permuted = dataclasses.replace(
      BY_HAND, choices=tuple(BY_HAND.choices[i] for i in order)
    )
    assert order[statistics.choose(permuted, normalisation)] == chosen


def test_ties_go_to_the_lowest_and_are_counted():
  tied = score('tied', (-2.0, -1.0, -1.0))
  clear = score('clear', (-1.0, -2.0, -2.0))
  assert statistics.choose(tied, 'sum') == 1
  assert [statistics.is_tied(s, 'sum') for s in (tied, clear)] == [True, False]


@pytest.mark.parametrize('normalisation', NORMALISATIONS)
def test_nan_names_the_question(normalisation):
  with pytest.raises(ValueError, match="question 'odd'"):
    statistics.choose(score('odd', (-1.0, math.nan)), normalisation)


def test_an_empty_span_names_the_question():
  empty = dataclasses.replace(
    BY_HAND, choices=(choice(-1.0), choice(0.0, tokens=0))
  )
  with pytest.raises(ValueError, match="question 'q'"):
    statistics.choose(empty, 'token')


def test_unknown_normalisation_lists_the_known():
  with pytest.raises(ValueError, match='sum, token, character, byte, pmi'):
    statistics.choose(BY_HAND, 'length')


def test_chance_by_hand():
  scores = [score('a', (0.0,) * 2), score('b', (0.0,) * 4, answers=(0, 1, 2))]
  assert statistics.chance(scores) == (1 / 2 + 3 / 4) / 2
