"""Rules that answer questions without reading anything but their choices.

The best of them says how far the choices alone give the right one away.
"""

import collections
import functools
import math
import operator
from collections.abc import Callable, Sequence

from icl_gen.types import Question
from icl_gen.worlds import baselines

# Question -> a merit for each choice; the greatest is the answer.
Rule = Callable[[Question], Sequence[float]]


def best(groups: Sequence[Sequence[Question]]) -> tuple[str, Rule]:
  """The one rule with the highest accuracy on the questions.

  The rules are: the choice in one position, the longest choice, the shortest
  one, and a choice that has a certain word. Since the rule is chosen by the
  answers, its accuracy is somewhat above chance even where choices give nothing
  away.

  Args:
    groups: the questions of every seed; each seed counts the same.

  Returns:
    The rule and its name; the first one among equals.
  """
  rules = _rules([question for group in groups for question in group])
  name = max(rules, key=lambda one: accuracy(rules[one], groups))
  return name, rules[name]


def accuracy(rule: Rule, groups: Sequence[Sequence[Question]]) -> float:
  """Mean over the groups of the share that the rule answers right, 0 to 1."""
  return _mean(
    [
      _mean(
        [baselines.share_right(rule(question), question) for question in of]
      )
      for of in groups
    ]
  )


def _mean(values: Sequence[float]) -> float:
  """Rounded, so that rules that are equally good are equal."""
  return round(math.fsum(values) / len(values), 12)


def _rules(questions: Sequence[Question]) -> dict[str, Rule]:
  most = max(len(question.choices) for question in questions)
  found: dict[str, Rule] = {
    'longest': lambda question: [len(choice) for choice in question.choices],
    'shortest': lambda question: [-len(choice) for choice in question.choices],
  }
  for place in range(most):
    found[f'choice {place + 1}'] = _in_place(place)
  for word in _telling(questions):
    found[f'with "{word}"'] = _with_word(word)
  return found


def _in_place(place: int) -> Rule:
  return lambda question: [i == place for i in range(len(question.choices))]


def _with_word(word: str) -> Rule:
  return lambda question: [
    word in baselines.words(choice) for choice in question.choices
  ]


def _telling(questions: Sequence[Question]) -> list[str]:
  """Words that tell some choices from others in at least half the questions.

  Rarer ones cannot make a rule for all of the questions.
  """
  seen: collections.Counter[str] = collections.Counter()
  for question in questions:
    of_choices = [set(baselines.words(choice)) for choice in question.choices]
    shared = functools.reduce(operator.and_, of_choices)
    seen.update(functools.reduce(operator.or_, of_choices) - shared)
  return sorted(w for w, count in seen.items() if 2 * count >= len(questions))
