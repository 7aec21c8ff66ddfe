"""Reversals: each fact in one direction, degrees and features even."""

import collections

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icl_gen.text import comparisons, lexicon
from icl_gen.text.forms.split import PARTS
from icl_gen.text.forms.statements import FEATURES, PREAMBLES
from icl_gen.types import Fact
from icl_gen.worlds import audit, baselines, reversal
from tests.worlds import paper

SIZES = given(st.text(max_size=4), st.integers(1, 60), st.integers(1, 19))


def preamble(text):
  return next(p for p in PREAMBLES.seen if text.startswith(p + ' '))


def test_reverse_and_contradict_by_hand():
  fact = Fact('glon', 'more dangerous', 'troff')
  assert reversal.reverse(fact) == Fact('troff', 'less dangerous', 'glon')
  assert reversal.contradict(fact) == Fact('glon', 'less dangerous', 'troff')
  assert comparisons.said(fact) == 'glon are more dangerous than troff'


@SIZES
@settings(max_examples=20, deadline=None)
def test_facts_are_even_and_share_no_entity(seed, facts, documents):
  world, _ = paper.build(
    'reversal', seed=seed, facts=facts, documents_per_fact=documents
  )
  entities = [e for fact in world.facts for e in (fact.subject, fact.object)]
  assert len(set(entities)) == 2 * facts
  assert all(lexicon.is_evaluation(entity) for entity in entities)
  degrees = collections.Counter(f.relation.split()[0] for f in world.facts)
  assert abs(degrees['more'] - degrees['less']) <= 1
  features = collections.Counter(f.relation.split()[1] for f in world.facts)
  every = [features[feature] for feature in FEATURES.seen]
  assert sum(every) == facts and max(every) - min(every) <= 1


@SIZES
@settings(max_examples=20, deadline=None)
def test_preambles_never_repeat_and_questions_have_an_unused_one(
  seed, facts, n
):
  _, corpus = paper.build(
    'reversal', seed=seed, facts=facts, documents_per_fact=n
  )
  used = collections.defaultdict(list)
  for document in corpus.documents:
    used[document.facts].append(preamble(document.text))
  assert len(used) == facts
  assert all(len(set(p)) == len(p) == n for p in used.values())
  for question in corpus.questions:
    assert preamble(question.prompt + ' ') not in used[question.premises]


def test_each_kind_asks_for_one_direction():
  world, corpus = paper.build('reversal', seed='s', facts=3)
  for kind in ('forward', 'reversal'):
    asked = [q for q in corpus.questions if q.kind == kind]
    assert [q.id for q in asked] == [f'{kind}-{i:04d}' for i in range(3)]
    for question, fact in zip(asked, world.facts, strict=True):
      target = fact if kind == 'forward' else reversal.reverse(fact)
      right = question.prompt + question.choices[question.answers[0]]
      assert right.endswith(f' {comparisons.said(target)}.')
      assert question.target == target


def test_more_documents_change_no_other_document_or_question():
  """Draws are seeded by name, so those for one fact ignore the sizes."""
  small, large = (
    paper.build('reversal', seed='s', facts=9, documents_per_fact=n)[1]
    for n in (2, 5)
  )
  assert set(small.documents) <= set(large.documents)
  assert small.questions == large.questions


def test_paper_size():
  world, corpus = paper.build('reversal', seed='s')
  assert (len(world.facts), len(world.entailed)) == (100, 100)
  assert corpus.manifest['documents'] == 1000
  assert corpus.manifest['questions'] == {'forward': 100, 'reversal': 100}
  assert corpus.manifest['chance'] == {'forward': 0.5, 'reversal': 0.5}


@pytest.mark.parametrize('count', [0, 20])
def test_one_preamble_has_to_be_left_for_the_questions(count):
  with pytest.raises(ValueError, match=f'documents_per_fact={count}.*1 to 19'):
    paper.build('reversal', seed='s', documents_per_fact=count)


# --- options ----------------------------------------------------------------


def test_an_unbalanced_world_hints_at_the_wrong_answer():
  _, corpus = paper.build('reversal', seed='s')
  assert baselines.ngram(corpus, order=2)['reversal'] < 0.4


@pytest.mark.parametrize('forms', PARTS)
@pytest.mark.parametrize('order', [2, 3, 4])
def test_a_reader_of_a_balanced_world_is_at_chance(order, forms):
  world, corpus = paper.build(
    'reversal', seed='s', balanced=True, swaps=True, forms=forms
  )
  degrees = collections.defaultdict(collections.Counter)
  for fact in world.facts:
    degree, feature = fact.relation.split()
    degrees[feature][degree] += 1
  assert all(found['more'] == found['less'] for found in degrees.values())
  read = baselines.ngram(corpus, order=order)
  assert read['reversal'] == read['swap'] == 0.5
  longest = baselines.longest_match(corpus)
  assert longest['reversal'] == longest['swap'] == 0.5


def test_swaps_exchange_one_thing_and_change_nothing_else():
  world, plain = paper.build('reversal', seed='s', facts=12)
  swapped_world, corpus = paper.build(
    'reversal', seed='s', facts=12, swaps=True
  )
  assert swapped_world == world
  assert corpus.documents == plain.documents
  swaps = [q for q in corpus.questions if q.kind == 'swap']
  assert [q for q in corpus.questions if q.kind != 'swap'] == [*plain.questions]
  assert audit.audit(swapped_world, corpus)['complaints'] == []
  subjects = {fact.subject for fact in world.facts}
  for question, fact in zip(swaps, world.facts, strict=True):
    said = f'{question.prompt}{question.choices[question.answers[0]]}'
    assert said.endswith(f' {comparisons.said(reversal.reverse(fact))}.')
    assert {choice.strip(' .') for choice in question.choices} <= subjects


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'facts': 9, 'balanced': True}, 'facts=9, balanced; give an even'),
    ({'facts': 1, 'swaps': True}, 'facts=1, swaps; give 2'),
  ],
)
def test_options_that_cannot_be_are_an_error(changes, message):
  with pytest.raises(ValueError, match=message):
    paper.build('reversal', seed='s', **changes)
