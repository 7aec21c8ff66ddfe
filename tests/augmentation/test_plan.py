"""Requests are made of documents, and cannot be made of questions."""

import dataclasses
import inspect
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icl_gen.augmentation import parse, plan
from icl_gen.text import context, prompts
from icl_gen.types import Document, Fact, Question


def documents_of(fact, count):
  facts = (Fact(fact, 'r', 'o'),)
  return [Document(f'{fact}-{i}', f'{fact} {i}.', facts) for i in range(count)]


@given(
  st.lists(st.integers(1, 5), min_size=1, max_size=5),
  st.integers(1, 4),
  st.text(max_size=3),
)
def test_each_fact_keeps_its_number_of_documents(counts, per_fact, seed):
  documents = [
    d for f, count in enumerate(counts) for d in documents_of(f'f{f}', count)
  ]
  chosen = plan.choose(documents, per_fact=per_fact, seed=seed)
  assert [d for d in documents if d in chosen] == list(chosen)
  for f, count in enumerate(counts):
    said = [d for d in chosen if d.id.startswith(f'f{f}-')]
    assert len(said) == min(count, per_fact)


def test_the_seed_decides_the_draw():
  documents = documents_of('f', 10)
  chosen = {plan.choose(documents, per_fact=3, seed=s) for s in 'abcdefgh'}
  assert len(chosen) > 4
  assert plan.choose(documents, per_fact=3, seed='a') == plan.choose(
    documents, per_fact=3, seed='a'
  )


def test_other_facts_do_not_change_the_draw():
  ours = documents_of('f', 6)
  before, after = documents_of('a', 4), documents_of('z', 4)
  alone = plan.choose(ours, per_fact=2, seed='s')
  among = plan.choose([*before, *ours, *after], per_fact=2, seed='s')
  assert [d for d in among if d in ours] == list(alone)


def test_documents_without_known_facts_are_all_chosen():
  documents = [Document(str(i), 'Text.') for i in range(5)]
  assert plan.choose(documents, per_fact=1, seed='s') == tuple(documents)


@pytest.mark.parametrize(
  ('documents', 'per_fact', 'message'),
  [
    ([], 1, 'no documents to augment'),
    (documents_of('f', 1), 0, '0 documents per fact; it must be 1 or more'),
  ],
)
def test_choosing_nothing_is_an_error(documents, per_fact, message):
  with pytest.raises(ValueError, match=message):
    plan.choose(documents, per_fact=per_fact, seed='s')


@pytest.mark.parametrize('kind', plan.PROMPTS)
def test_requests_carry_names_and_parents(kind):
  documents = documents_of('f', 3)
  requests = plan.requests(documents, kind=kind, samples=2)
  assert [r.name for r in requests] == [
    f'{kind}/{d.id}/{sample}' for d in documents for sample in range(2)
  ]
  for request in requests:
    (parent,) = (d for d in documents if d.id == request.parent)
    assert request.kind == kind
    assert request.prompt == plan.PROMPTS[kind](parent.text)
    assert parent.text in request.prompt


def test_more_samples_or_documents_rename_no_request():
  few = plan.requests(documents_of('f', 2), kind='local', samples=1)
  more = plan.requests(documents_of('f', 3), kind='local', samples=3)
  assert set(few) < set(more)


def test_unknown_kinds_are_errors():
  with pytest.raises(ValueError, match="'lokal'; known are local, global"):
    plan.requests(documents_of('f', 1), kind='lokal', samples=1)


def test_the_hash_identifies_the_wording(monkeypatch):
  found = {
    (kind, wording): plan.prompt_hash(kind, wording=wording)
    for kind in plan.PROMPTS
    for wording in prompts.WORDINGS
  }
  assert len(set(found.values())) == len(found)
  assert found['local', prompts.USUAL] == plan.prompt_hash('local')
  usual = prompts.WORDINGS[prompts.USUAL]
  changed = dataclasses.replace(usual, local=usual.local + ' ')
  monkeypatch.setitem(prompts.WORDINGS, prompts.USUAL, changed)
  assert plan.prompt_hash('local') != found['local', prompts.USUAL]
  assert plan.prompt_hash('global') == found['global', prompts.USUAL]


@pytest.mark.parametrize('kind', plan.PROMPTS)
def test_a_wording_changes_the_prompts_alone(kind):
  """The same documents, and the same names, from which draws are derived."""
  found = {
    wording: plan.requests(
      documents_of('f', 3), kind=kind, samples=2, wording=wording
    )
    for wording in prompts.WORDINGS
  }
  usual = plan.requests(documents_of('f', 3), kind=kind, samples=2)
  assert found[prompts.USUAL] == usual
  assert len({requests[0].prompt for requests in found.values()}) == len(found)
  for wording, requests in found.items():
    for request, other in zip(requests, usual, strict=True):
      assert request.wording == wording
      assert (
        dataclasses.replace(request, prompt=other.prompt, wording=prompts.USUAL)
        == other
      )


def test_unknown_wordings_are_errors():
  with pytest.raises(ValueError, match="prompt 'tense'; known are continuat"):
    plan.requests(
      documents_of('f', 1), kind='local', samples=1, wording='tense'
    )


@pytest.mark.parametrize('wording', prompts.WORDINGS)
@pytest.mark.parametrize('shared', ['', '- a b\n' * 40])
def test_the_longest_prompt_is_among_the_requests(shared, wording):
  documents = documents_of('f', 2) + documents_of('a longer name', 1)
  before = context.Context(shared, (), 0)
  rows = [
    1 + len(opening) + len(request.prompt)
    for kind, opening in (('local', ''), ('global', shared))
    for request in plan.requests(
      documents, kind=kind, samples=1, wording=wording
    )
  ]
  longest = plan.longest(documents, before, len, wording=wording)
  assert longest == max(rows)


@pytest.mark.parametrize(
  'verb', [plan.choose, plan.requests, plan.longest, parse.parse]
)
def test_no_function_accepts_questions(verb):
  """Neither as a parameter nor as a field of one."""
  waiting = list(typing.get_type_hints(verb).values())
  seen = set()
  while waiting:
    kind = waiting.pop()
    waiting += typing.get_args(kind)
    if dataclasses.is_dataclass(kind) and kind not in seen:
      seen.add(kind)
      waiting += typing.get_type_hints(kind).values()
  assert Document in seen
  assert Question not in seen
  assert all(
    p.annotation is not inspect.Parameter.empty
    for p in inspect.signature(verb).parameters.values()
  )


def test_a_question_in_place_of_a_document_fails():
  question = Question('q', 'glon are', (' a', ' b'), (0,), 'reversal')
  with pytest.raises(AttributeError):
    plan.requests([question], kind='local', samples=1)
  with pytest.raises(AttributeError):
    plan.choose([question], per_fact=1, seed='s')
