"""Derivations: complete, in order, and in words that read back as the facts."""

import dataclasses
import itertools

import pytest

from icl_gen.types import Fact, Question
from icl_gen.worlds import catalog, derivations

NAMES = ('reversal', 'syllogism', 'semantic', 'celebrity', 'codebook')


def built(name):
  return catalog.build(name, seed=0, **catalog.SIZES[name]['nano'])


@pytest.mark.parametrize('name', [*NAMES, 'process'])
def test_they_read_back_as_the_premises_and_the_answer(name):
  world, corpus = built(name)
  read = catalog.reader(world)
  found = derivations.derivations(name, corpus.questions)
  stated = catalog.definition(name).stated
  asked = [q for q in corpus.questions if q.kind not in stated]
  assert found.keys() == {q.id for q in asked}
  for question in asked:
    *premises, answer = (read(line) for line in found[question.id])
    assert answer == (question.target,)
    assert sorted(fact for (fact,) in premises) == sorted(question.premises)


@pytest.mark.parametrize('name', NAMES)
def test_each_step_goes_on_from_the_one_before(name):
  _, corpus = built(name)
  longest = 0
  for question in corpus.questions:
    target, premises = question.target, question.premises
    for given in itertools.islice(itertools.permutations(premises), 6):
      path = derivations.in_order(target, given)
      assert path == derivations.in_order(target, premises)
      place = target.subject
      for fact in path:
        (place,) = {fact.subject, fact.object} - {place}
      assert place == target.object
      longest = max(longest, len(path))
  assert longest >= {'semantic': 3, 'syllogism': 2}.get(name, 1)


def test_what_is_stated_or_unknown_has_none():
  fact = Fact('glon', 'more tall', 'troff')
  asked = Question('q', 'Glon', (' a', ' b'), (0,), 'kind', (fact,), fact)
  unknown = dataclasses.replace(asked, premises=(), target=None)
  assert derivations.derivations('reversal', [asked, unknown]) == {}
