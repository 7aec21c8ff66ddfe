"""Syllogisms: validity by hand, even classes, one example per entity."""

import collections
import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icl_gen.text import quantified
from icl_gen.text.forms.statements import HELD_OUT_SYLLOGISMS
from icl_gen.types import Fact
from icl_gen.worlds import catalog, syllogism
from tests.worlds import paper

AB, BC = ('all', 'A', 'B'), ('all', 'B', 'C')


def test_validity_by_hand():
  assert syllogism.conclusions(AB, BC) == (('all', 'A', 'C'),)
  no = ('no', 'B', 'C')
  assert syllogism.conclusions(AB, no) == (('no', 'A', 'C'), ('no', 'C', 'A'))
  some = ('some', 'A', 'B')
  assert syllogism.conclusions(some, BC) == (
    ('some', 'A', 'C'),
    ('some', 'C', 'A'),
  )
  # Without existential import: terms may be empty.
  assert not syllogism.entails((AB, BC), ('some', 'A', 'C'))
  assert not syllogism.excludes((AB, no), ('all', 'A', 'C'))
  assert syllogism.excludes((AB, no), ('some', 'C', 'A'))


def test_forms_have_one_conclusion_or_two_directions_of_one():
  for name, forms in syllogism.premise_pairs().items():
    for form in forms:
      found = syllogism.conclusions(*form)
      assert len(found) == (1 if name.startswith('all') else 2)
      assert len({quantifier for quantifier, *_ in found}) == 1
      assert not any(syllogism.conclusions(premise) for premise in form)


@given(st.text(max_size=4), st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_classes_are_even_and_examples_share_no_entity(seed, examples):
  world, corpus = paper.build('syllogism', seed=seed, examples=examples)
  own = [
    {e for fact in document.facts for e in (fact.subject, fact.object)}
    for document in corpus.documents
  ]
  assert all(len(entities) == 3 for entities in own)
  assert len(set().union(*own)) == 3 * examples
  classes = collections.Counter(
    question.target.relation
    for question in corpus.questions
    if question.kind == 'syllogism'
  )
  # 'all' has two classes, one for each direction.
  assert examples // 4 <= classes['some'] <= -(-examples // 4)
  assert examples // 4 <= classes['no'] <= -(-examples // 4)
  assert classes.total() == examples
  if examples % 4 == 0:
    assert corpus.manifest['chance']['syllogism'] == 0.25


def test_documents_and_prompts_list_the_same_terms():
  _, corpus = paper.build('syllogism', seed='s', examples=8)
  forward, conclude = (
    [q for q in corpus.questions if q.kind == kind]
    for kind in ('forward', 'syllogism')
  )
  for document, asked, concluded in zip(
    corpus.documents, forward, conclude, strict=True
  ):
    first, second = document.facts
    one, other = quantified.said(first), quantified.said(second)
    assert document.text == f'{asked.prompt} {one}. {other}.'
    assert f' {one}.' in [asked.choices[answer] for answer in asked.answers]
    middle = {first.subject, first.object} & {second.subject, second.object}
    ends = set(asked.prompt.replace(',', '').split()[3:7]) - {'and', *middle}
    listed = concluded.prompt.removesuffix(' are:').split()[-3:]
    assert {listed[0], listed[2]} == ends
    for choice in concluded.choices:
      assert not middle & set(choice.strip(' .').split())
    assert len(concluded.choices) == 6


def test_converses_and_opposites_of_single_premises():
  world, _ = paper.build('syllogism', seed='s', examples=40)
  followed = {e.fact: e for e in world.entailed}
  for fact in world.facts:
    converse = Fact(fact.object, fact.relation, fact.subject)
    if fact.relation == 'all':
      assert converse not in followed
    else:
      assert followed[converse].premises == (fact,)
    opposite = {'no': 'some', 'some': 'no'}.get(fact.relation)
    if opposite:
      wrong = Fact(fact.subject, opposite, fact.object)
      assert wrong in world.contradicted


def test_paper_size():
  world, corpus = paper.build('syllogism', seed='s')
  assert len(world.facts) == 2 * 69
  assert corpus.manifest['documents'] == 69
  assert corpus.manifest['questions'] == {'forward': 69, 'syllogism': 69}
  assert abs(corpus.manifest['chance']['syllogism'] - 0.25) < 0.01


def test_order_does_not_give_the_conclusion_away():
  """Ends and premises come in both orders about equally often."""
  by_question = [
    question
    for seed in ('a', 'b', 'c')
    for question in paper.build('syllogism', seed=seed, examples=69)[
      1
    ].questions
    if question.kind == 'syllogism' and len(question.answers) == 1
  ]
  listed_first = sum(
    f'between {question.target.subject} ' in question.prompt
    for question in by_question
  )
  assert 0.35 < listed_first / len(by_question) < 0.65
  subject_stated_first = sum(
    question.target.subject in question.premises[0].subject
    for question in by_question
  )
  assert 0.35 < subject_stated_first / len(by_question) < 0.65


def test_varied_documents_state_the_same_facts():
  plain_world, plain = paper.build('syllogism', seed='s', examples=40)
  world, varied = paper.build(
    'syllogism', seed='s', examples=40, style='varied'
  )
  assert world == plain_world
  assert varied.questions == plain.questions
  read = catalog.reader(world)
  for document, other in zip(varied.documents, plain.documents, strict=True):
    assert document.facts == other.facts == read(document.text)
    assert not {'all', 'some', 'no'} & set(document.text.split())


def test_an_unknown_style_is_an_error():
  with pytest.raises(ValueError, match="style='odd'; allowed are .*'varied'"):
    paper.build('syllogism', seed='s', style='odd')


def test_strata_are_the_five_forms_and_change_nothing_else():
  _, plain = paper.build('syllogism', seed='s')
  _, corpus = paper.build('syllogism', seed='s', by_form=True)
  assert corpus.documents == plain.documents
  assert [
    dataclasses.replace(question, stratum='') for question in corpus.questions
  ] == [*plain.questions]
  strata = collections.Counter(
    question.stratum for question in corpus.questions
  )
  assert set(strata) == {
    'all A B, all B C',
    'all A B, no B C',
    'all A B, no C B',
    'all B A, some B C',
    'all B A, some C B',
  }
  assert set(HELD_OUT_SYLLOGISMS) < set(strata)
  for question in corpus.questions:
    if question.kind == 'syllogism':
      relations = {fact.relation for fact in question.premises}
      assert relations == {
        premise.split()[0] for premise in question.stratum.split(', ')
      }


def test_a_form_is_the_same_if_its_ends_change_places():
  pairs = [p for found in syllogism.premise_pairs().values() for p in found]
  assert len(pairs) == 10
  swapped = {'A': 'C', 'B': 'B', 'C': 'A'}
  for one, other in pairs:
    mirrored = [(q, swapped[s], swapped[p]) for q, s, p in (other, one)]
    assert syllogism.form_name((one, other)) == syllogism.form_name(
      tuple(mirrored)
    )


def test_development_has_no_form_that_is_held_out():
  _, corpus = paper.build(
    'syllogism', seed='s', forms='development', by_form=True
  )
  strata = {question.stratum for question in corpus.questions}
  assert not strata & set(HELD_OUT_SYLLOGISMS)
  assert len(strata) == 3
