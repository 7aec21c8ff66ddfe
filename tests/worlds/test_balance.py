"""Draws are even, and do not depend on how many there are."""

import collections

from hypothesis import given
from hypothesis import strategies as st

from icl_gen.worlds import balance

SEEDS = st.text(max_size=5)


@given(st.integers(1, 7), st.integers(0, 40), SEEDS)
def test_draws_are_as_even_as_possible(kinds, draws, seed):
  drawn = [balance.nth(range(kinds), i, seed=seed) for i in range(draws)]
  counts = collections.Counter(drawn)
  assert all(
    draws // kinds <= counts[kind] <= -(-draws // kinds)
    for kind in range(kinds)
  )


def test_the_seed_determines_the_draws():
  def draws(seed):
    return [balance.nth('abcdef', i, seed=seed) for i in range(30)]

  assert draws('one') == draws('one') != draws('two')


def test_rounds_differ_from_each_other():
  drawn = [balance.nth('abcdef', i, seed='s') for i in range(30)]
  assert len({tuple(drawn[i : i + 6]) for i in range(0, 30, 6)}) > 1


@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 30), SEEDS)
def test_answers_point_at_the_right_choices(right, wrong, index, seed):
  rights = [f'right {i}' for i in range(right)]
  wrongs = [f'wrong {i}' for i in range(wrong)]
  choices, answers = balance.arrange(rights, wrongs, index=index, seed=seed)
  assert sorted(choices) == sorted(rights + wrongs)
  assert {choices[answer] for answer in answers} == set(rights)


def test_answer_positions_and_pairs_of_positions_are_uniform():
  arranged = [
    balance.arrange('ab', 'cdef', index=i, seed='s')[1] for i in range(45)
  ]
  assert set(collections.Counter(arranged).values()) == {3}
  single = collections.Counter(
    balance.arrange('a', 'bcd', index=i, seed='s')[1] for i in range(40)
  )
  assert set(single.values()) == {10}
