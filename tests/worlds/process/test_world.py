"""Derivatoids: held-out combinations, worked steps, and no way to answer
without the rules."""

import collections
import dataclasses
import functools
import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icl_gen.text import expressions
from icl_gen.worlds import audit, baselines, catalog
from icl_gen.worlds.process import derivatoids
from tests import numerically
from tests.worlds import paper

# Smaller than the paper's size, for speed.
LARGE = {'examples': 300, 'questions': 100}
NANO = catalog.SIZES['process']['nano'] | {'style': 'long'}


@functools.cache
def built(**size):
  return paper.build('process', seed='s', **size)


@functools.cache
def combinations(text):
  return tuple(numerically.combinations(numerically.tree(text)))


def shown(corpus):
  return {
    combination
    for document in corpus.documents
    for combination in combinations(document.facts[-1].subject)
  }


sizes = given(
  st.text(max_size=4),
  st.integers(1, 12),
  st.integers(4, 5),
  st.sampled_from([1, 2]),
)


@sizes
@settings(max_examples=20, deadline=None)
def test_held_out_combinations_are_in_no_document(
  seed, examples, numbers, depth
):
  world, corpus = paper.build(
    'process',
    seed=seed,
    examples=examples,
    questions=2,
    numbers=numbers,
    depth=depth,
  )
  held_out = set(corpus.manifest['held_out'])
  assert held_out and not held_out & shown(corpus)
  stated = {fact.subject for fact in world.facts}
  for question in corpus.questions:
    asked = combinations(question.target.subject)
    # The root comes first; combinations inside it were always seen.
    assert set(asked[1:]) <= shown(corpus)
    assert (asked[0] in shown(corpus)) == (question.kind == 'seen')
    assert (asked[0] in held_out) == (question.kind == 'compositional')
    assert question.stratum == asked[0].split()[0]
    assert question.target.subject not in stated


def test_every_part_of_a_question_was_shown_in_its_place():
  _, corpus = built(**LARGE)
  places = collections.defaultdict(set)
  for combination in shown(corpus):
    rule, first, second = re.split(' of | and ', combination)
    places[rule, 0].add(first)
    places[rule, 1].add(second)
  for question in corpus.questions:
    root = combinations(question.target.subject)[0]
    rule, first, second = re.split(' of | and ', root)
    assert first in places[rule, 0] and second in places[rule, 1]


@pytest.mark.parametrize('size', [LARGE, NANO], ids=['large', 'nano'])
def test_entailed_and_contradicted_facts_numerically(size):
  world, _ = built(**size)
  entailed = [entailment.fact for entailment in world.entailed]
  uncompared = 0
  # A sample, because there are many facts.
  wrong = sorted(world.contradicted)
  for right, facts in (
    (True, (*world.facts, *entailed)[::7]),
    (False, wrong[:: max(1, len(wrong) // 500)]),
  ):
    for fact in facts:
      computed = numerically.derivatoid(numerically.tree(fact.subject))
      try:
        differs = numerically.differ(
          computed, numerically.function(fact.object)
        )
      except OverflowError:
        uncompared += 1
        continue
      assert differs != right, fact
  assert uncompared <= 0.05 * (len(entailed) / 7 + 500)


@pytest.mark.parametrize('size', [LARGE, NANO], ids=['large', 'nano'])
def test_questions_numerically(size):
  """Only the answer is the derivatoid, and the derivative is a choice."""
  _, corpus = built(**size)
  for question in corpus.questions[::4]:
    expression = question.target.subject
    (answer,) = question.answers
    assert question.choices[answer] == f' {question.target.object}.'
    texts = [choice.strip(' .') for choice in question.choices]
    x = numerically.POINTS[0]
    computed = numerically.derivatoid(numerically.tree(expression))
    try:
      values = [numerically.value(text, x) for text in texts]
      expected, slope = computed(x), numerically.derivative(expression)(x)
    except OverflowError:
      continue
    assert close(values[answer], expected)
    assert not any(
      close(one, other) for one, other in itertools.combinations(values, 2)
    )
    ordinary = [v for v in values if close(v, slope, 1e-3)]
    assert ordinary or abs(slope) < 1e-6


def close(one, other, error=1e-9):
  return abs(one - other) <= error * (abs(one) + abs(other))


def test_documents_work_from_the_parts_to_the_whole():
  _, corpus = built(**LARGE)
  for document in corpus.documents:
    *steps, last = document.facts
    assert all(len(step.subject) < len(last.subject) for step in steps)
    sentences = document.text.split('. ')
    assert len(sentences) == len(document.facts)
    rules = [re.match('by the (.+) rule, ', s).group(1) for s in sentences]
    nodes = [
      numerically.rule(numerically.tree(f.subject)) for f in document.facts
    ]
    assert rules == nodes


@pytest.mark.parametrize('kind', ['documents', 'questions'])
def test_nothing_divides_by_zero(kind):
  """'x^3 + x^2*x^2' would become F / (G - G)."""
  size = {'examples': 150, 'questions': 40, 'numbers': 4}
  for seed in '12':
    _, corpus = paper.build('process', seed=seed, **size)
    facts = {
      'documents': [f for one in corpus.documents for f in one.facts],
      'questions': [question.target for question in corpus.questions],
    }
    for fact in facts[kind]:
      result = expressions.canonical(expressions.parse(fact.object))
      assert expressions.UNDEFINED not in result, fact


def test_premises_are_the_parts_and_an_example_of_each_combination_rule():
  world, corpus = built(**LARGE)
  single = {
    fact
    for document in corpus.documents
    for fact in document.facts
    if len(document.facts) == 1
  }
  for entailment in world.entailed[:200]:
    asked = combinations(entailment.fact.subject)
    assert entailment.hops == len(asked)
    examples = set(entailment.premises) - single
    assert {combinations(fact.subject)[0].split()[0] for fact in examples} == {
      combination.split()[0] for combination in asked
    }


def test_near_misses_are_contradicted_and_use_only_the_rules_of_the_world():
  world, corpus = built(**NANO)
  for question in corpus.questions:
    for i, choice in enumerate(question.choices):
      said = (question.target.subject, 'becomes', choice.strip(' .'))
      facts = {(f.subject, f.relation, f.object) for f in world.contradicted}
      assert (said in facts) == (i not in question.answers)
    assert 'log' not in question.prompt and ' 3*x /' not in question.choices


@pytest.mark.parametrize('size', [LARGE, NANO], ids=['large', 'nano'])
def test_nothing_but_the_rules_gives_the_answer_away(size):
  """Word statistics and lengths are at chance (0.25, with a wide margin for few
  questions)."""
  _, corpus = built(**size)
  most = 0.37 if size is LARGE else 0.46
  for rate in (
    baselines.ngram(corpus, order=3),
    baselines.ngram(corpus, order=5),
    baselines.longest_match(corpus),
    baselines.accuracy(corpus.questions, lambda p, c: len(c)),
    baselines.accuracy(corpus.questions, lambda p, c: -len(c)),
  ):
    assert set(rate) == {'seen', 'compositional'}
    assert all(share <= most for share in rate.values()), rate


def test_the_short_style_abbreviates_and_names_no_rule():
  long, short = built(**NANO), built(**NANO | {'style': 'short'})
  for one, other in zip(long[1].documents, short[1].documents, strict=True):
    assert 'rule' in one.text and 'rule' not in other.text
    words = re.findall('[a-z]+', ' '.join(f.object for f in other.facts))
    assert set(words) <= set('xscel')
    for fact, brief in zip(one.facts, other.facts, strict=True):
      assert brief.subject == fact.subject.replace('sin', 's').replace(
        'exp', 'e'
      )


@pytest.mark.slow
def test_paper_size():
  world, corpus = built()
  rules = len(derivatoids.BASE) * 8
  assert corpus.manifest['documents'] == rules + 1000
  assert corpus.manifest['questions'] == {'seen': 200, 'compositional': 200}
  assert set(corpus.manifest['chance'].values()) == {0.25}
  assert {e.hops for e in world.entailed} == {1, 2}


@pytest.mark.parametrize(
  ('size', 'message'),
  [
    ({'questions': 0}, 'questions=0.*1 or more'),
    ({'numbers': 2}, 'numbers=2.*3 or more'),
    ({'depth': 3}, 'depth=3.*1, 2'),
    ({'style': 'brief'}, "style='brief'.*long.*short"),
    ({'rules': ('power', 'sines', 'sum')}, 'sines.*sine'),
    ({'rules': ('power', 'sine', 'sum', 'sum')}, 'each once'),
    ({'rules': ('power', 'constant', 'sum')}, 'combines nothing'),
    ({'rules': ('power', 'sine')}, 'combines nothing.*composition'),
    (NANO | {'numbers': 3, 'questions': 60}, "'seen' where 60.*fewer"),
  ],
)
def test_bad_sizes_name_what_is_allowed(size, message):
  with pytest.raises(ValueError, match=message):
    paper.build('process', seed='s', **size)


# --- the length of choices ---------------------------------------------------


def ranks(corpus, rule):
  """Accuracy of choosing the longest, and of choosing the shortest."""
  questions = [
    dataclasses.replace(question, kind='any')
    for question in corpus.questions
    if question.stratum == rule
  ]
  return [
    baselines.accuracy(questions, lambda _, choice, s=sign: s * len(choice))[
      'any'
    ]
    for sign in (1, -1)
  ]


@pytest.mark.parametrize('forms', ['seen', 'test'])
def test_readers_of_a_balanced_world_are_at_chance(forms):
  size = NANO | {'numbers': 6, 'questions': 100, 'style': 'short'}
  _, plain = catalog.build('process', seed=0, **size, forms=forms)
  world, fair = catalog.build(
    'process', seed=0, **size, forms=forms, balanced=True
  )
  assert audit.audit(world, fair)['complaints'] == []
  assert fair.documents == plain.documents
  assert len(fair.questions) == 200
  assert ranks(plain, 'product')[0] < 0.05
  for rule in ('sum', 'product'):
    assert ranks(fair, rule) == pytest.approx([0.25, 0.25], abs=0.02)
  read = baselines.ngram(fair)
  assert read == pytest.approx(dict.fromkeys(read, 0.25), abs=0.05)
