"""The best rule that looks at choices only, on questions that have one."""

import pytest

from icl_gen.types import Question
from icl_gen.worlds import constant_answers


def asked(*questions):
  """(choices, index of the right one) -> questions."""
  return [
    Question(f'q{n}', 'It is', choices, (right,), 'kind')
    for n, (choices, right) in enumerate(questions)
  ]


@pytest.mark.parametrize(
  ('questions', 'name'),
  [
    ([((' aaa', ' b'), 0), ((' c', ' dddd'), 1)], 'longest'),
    ([((' aaa', ' b'), 1), ((' c', ' dddd'), 0)], 'shortest'),
    ([((' a', ' b', ' c'), 2), ((' d', ' e', ' f'), 2)], 'choice 3'),
    ([((' no a', ' an e'), 0), ((' an f', ' no b'), 1)], 'with "no"'),
    # Case does not matter, and a word is more than a part of one.
    ([((' No a', ' nodes'), 0), ((' nob', ' no b'), 1)], 'with "no"'),
  ],
)
def test_a_rule_that_is_always_right_is_found(questions, name):
  groups = [asked(*questions)]
  found, rule = constant_answers.best(groups)
  assert found == name
  assert constant_answers.accuracy(rule, groups) == 1


def test_equal_choices_count_by_their_share():
  groups = [asked(((' a', ' b', ' c', ' d'), 2))]
  _, rule = constant_answers.best([asked(((' aa', ' b'), 0))])
  assert constant_answers.accuracy(rule, groups) == 0.25


def test_one_rule_is_chosen_for_all_seeds_which_count_the_same():
  short = asked(((' aaa', ' b'), 1), ((' c', ' dddd'), 0))
  long = asked(*[((' aaa', ' b'), 0), ((' c', ' dddd'), 1)] * 5)
  rest = asked(((' c', ' dddd'), 0), ((' aaa', ' b'), 1))
  found, rule = constant_answers.best([short, long, rest])
  assert found == 'shortest'
  shares = [constant_answers.accuracy(rule, [one]) for one in (short, long)]
  assert shares == [1, 0]


def test_a_word_of_few_questions_makes_no_rule():
  groups = [asked(((' a', ' b'), 0), ((' c', ' d'), 1), ((' e', ' f'), 0))]
  name, _ = constant_answers.best(groups)
  assert name == 'choice 1'
