"""Results of transforms follow from the worked examples of their episode."""

import dataclasses
import random
import re

import pytest

from icl_gen.pretraining import marks, transforming
from icl_gen.text import expressions
from icl_gen.worlds.process import derivatoids

X = expressions.Name('x')
SAID = re.compile(r'The (\w+) of (.+) is (.+)\.')


def drawn(seed, count=6):
  return transforming.draw(random.Random(seed), count)


def read(line):
  return SAID.fullmatch(marks.removed(line)).groups()


def parts(text):
  """The functions that an expression is made of, in order."""
  return re.findall(r'[a-z]+(?=\()|x(?=\^)', text)


class Learner:
  """Infers an episode's rules from its documents alone."""

  def __init__(self, documents):
    self.base, self.combined = {}, []
    for document in documents:
      name, whole, result = read(document)
      if one := self.single(expressions.parse(whole)):
        function, n = one
        template = self.template(expressions.parse(result), n)
        assert self.base.setdefault(function, template) == template
      else:
        self.combined.append((whole, result))
      self.name = name

  @staticmethod
  def single(found):
    """(function, number) of n-fold functions and powers; None otherwise."""
    if isinstance(found, expressions.Operation) and found.symbol == '^':
      is_power = found.left == X
      return ('x', found.right.value) if is_power else None
    if isinstance(found, expressions.Call) and isinstance(
      found.argument, expressions.Operation
    ):
      inner = found.argument
      if inner.symbol == '*' and inner.right == X:
        return found.function, inner.left.value
    return None

  @staticmethod
  def template(found, n):
    text = expressions.render(found)
    return re.sub(rf'\b{n}\b', 'n', text)

  def becomes(self, function, n):
    return expressions.parse(re.sub(r'\bn\b', str(n), self.base[function]))


@pytest.mark.parametrize('seed', range(40))
def test_single_functions_become_what_the_examples_show(seed):
  episode = drawn(seed)
  learner = Learner(episode.documents)
  assert len(learner.base) == 5  # Every function has an example.
  rng = random.Random(seed)
  asked = 0
  for i in range(len(episode.documents)):
    for _ in range(4):
      name, whole, result = read(episode.ask(rng, i))
      assert name == learner.name
      if one := Learner.single(expressions.parse(whole)):
        asked += 1
        wanted = expressions.fold(learner.becomes(*one))
        assert expressions.render(wanted) == result
  assert asked


@pytest.mark.parametrize('seed', range(40))
def test_combinations_follow_one_rule_in_documents_and_statements(seed):
  episode = drawn(seed)
  learner = Learner(episode.documents)
  rules = {
    rule for rules in transforming._COMBINATIONS.values() for rule in rules
  }

  def obeying(whole, result):
    """The rules that give the result."""
    found = expressions.parse(whole)
    if isinstance(found, expressions.Operation):
      one, other = found.left, found.right
      if found.symbol == '^':  # a power of another function
        one, other = dataclasses.replace(found, left=X), found.left
    else:
      product = found.argument
      other = product.right
      one = dataclasses.replace(
        found, argument=dataclasses.replace(product, right=X)
      )
    singles = [Learner.single(part) for part in (one, other)]
    become = [learner.becomes(*single) for single in singles]
    return {
      rule
      for rule in rules
      if expressions.render(
        expressions.fold(
          expressions.substitute(
            expressions.parse(rule), dict(zip('FG', become, strict=True))
          )
        )
      )
      == result
    }

  left = set(rules)
  for whole, result in learner.combined:
    left &= obeying(whole, result)
  assert left
  rng = random.Random(seed)
  for i in range(len(episode.documents)):
    _, whole, result = read(episode.ask(rng, i))
    if not Learner.single(expressions.parse(whole)):
      left &= obeying(whole, result)
  assert left


def test_new_combinations_are_asked_for():
  """A statement repeats an example, or is about a pair that none combines."""
  new = 0
  for seed in range(20):
    episode = drawn(seed)
    shown = {read(document)[1] for document in episode.documents}
    pairs = {tuple(parts(whole)) for whole in shown}
    rng = random.Random(seed)
    for _ in range(10):
      whole = read(episode.ask(rng, 0))[1]
      if whole not in shown and len(parts(whole)) == 2:
        assert tuple(parts(whole)) not in pairs
        new += 1
  assert new > 60


def test_no_table_is_that_of_the_evaluation():
  evaluated = {rule.form: rule.derivatoid for rule in derivatoids.COMBINATIONS}
  assert evaluated == transforming.EVALUATED
  for seed in range(300):
    words = ['blorp', 'troff', 'glon', 'wick', 'grud']
    table = transforming.draw_table(random.Random(seed), words)
    assert table.combinations != evaluated
    assert len(set(table.base.values())) > 1
    assert not {'sin', 'cos', 'exp', 'log'} & set(
      re.findall('[a-z]+', ' '.join([*table.base, *table.base.values()]))
    )
