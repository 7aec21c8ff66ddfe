"""A context has every document once, or the requested part, and says which."""

import collections
import dataclasses
import itertools
import math
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from icl_gen.text import context, prompts, tokens
from icl_gen.types import Document, Fact, Question
from icl_gen.worlds import reversal


def documents_of(counts):
  """Makes counts[f] documents that state fact f, each in other words."""
  return [
    Document(
      f'{f}-{i}', f'Fact {f} again {"so " * i}.', (Fact(f'{f}', 'r', 'o'),)
    )
    for f, count in enumerate(counts)
    for i in range(count)
  ]


START, END = prompts.Mark.START_OF_TURN, prompts.Mark.END_OF_TURN
corpora = st.lists(st.integers(1, 4), min_size=1, max_size=6).map(documents_of)
seeds = st.text(max_size=4)


def check(built, documents):
  """Asserts what holds for every context: its fields agree with its text."""
  by_id = {document.id: document for document in documents}
  assert len(set(built.documents)) == len(built.documents)
  assert built.left_out == len(documents) - len(built.documents)
  assert built.text == ''.join(f'- {by_id[d].text}\n' for d in built.documents)


@given(corpora, seeds)
def test_without_limits_every_document_occurs_once(documents, seed):
  built = context.build(documents, seed=seed)
  check(built, documents)
  assert built.left_out == 0


def test_the_order_is_drawn_by_the_seed():
  documents = documents_of([3, 3, 3])
  orders = {
    context.build(documents, seed=seed).documents for seed in 'abcdefgh'
  }
  assert len(orders) == 8
  again = context.build(documents, seed='a')
  assert again == context.build(documents, seed='a')
  # The rounds do not show in the order: a fact may occur twice before another
  # occurs once.
  facts = [[name.split('-')[0] for name in order[:3]] for order in orders]
  assert any(len(set(first)) < 3 for first in facts)


def test_the_order_does_not_depend_on_the_interpreters_hashes(pytestconfig):
  code = """
from icl_gen.text import context
from icl_gen.worlds import reversal
_, corpus = reversal.build(seed='s', facts=5, documents_per_fact=4)
print(context.build(corpus.documents, seed='c', factor=3))
"""
  outputs = {
    subprocess.run(
      [sys.executable, '-c', code],
      cwd=pytestconfig.rootpath,
      env={'PYTHONHASHSEED': hash_seed},
      capture_output=True,
      check=True,
    ).stdout
    for hash_seed in ('0', '1', '2')
  }
  assert len(outputs) == 1


@given(corpora, seeds, st.integers(1, 9))
def test_a_factor_keeps_its_share_and_every_fact_that_it_can(
  documents, seed, factor
):
  built = context.build(documents, seed=seed, factor=factor)
  check(built, documents)
  assert len(built.documents) == math.ceil(len(documents) / factor)
  said = collections.Counter(d.split('-')[0] for d in built.documents)
  there = collections.Counter(d.id.split('-')[0] for d in documents)
  assert len(said) == min(len(there), len(built.documents))
  # A fact is stated a second time only after all are stated once.
  most = max(said.values())
  assert all(said[f] >= min(there[f], most - 1) for f in there)


def test_a_document_without_facts_counts_as_its_own_fact():
  documents = [Document(str(i), f'Text {i}.') for i in range(6)]
  documents += documents_of([6])
  built = context.build(documents, seed='s', factor=2)
  assert len(built.documents) == 6
  assert sum('-' in d for d in built.documents) <= 1


@given(corpora, seeds, st.integers(10, 120), st.integers(1, 3))
def test_a_budget_is_kept_and_used(documents, seed, budget, factor):
  longest = max(len(f'- {d.text}\n') for d in documents)
  assume(longest < budget)
  whole = context.build(documents, seed=seed, factor=factor)
  built = context.build(documents, seed=seed, factor=factor, budget=budget)
  check(built, documents)
  used = 1 + len(built.text)  # BOS is a token too.
  assert used <= budget
  # The documents that the budget left out do not fit.
  room = budget - used
  texts = {d.id: d.text for d in documents}
  for left in set(whole.documents) - set(built.documents):
    assert len(f'- {texts[left]}\n') > room


def test_a_budget_limits_the_tokens_of_the_whole_text(pytestconfig):
  nano = tokens.load(pytestconfig.rootpath / 'icl_gen/assets/tokenizer.model')
  _, corpus = reversal.build(seed='s', facts=6, documents_per_fact=3)

  def count(text):
    return len(nano.encode(text))

  for budget in range(20, 300, 7):
    built = context.build(
      corpus.documents, seed='s', budget=budget, count_tokens=count
    )
    assert 1 + count(built.text) <= budget


def test_a_budget_counts_the_opening_of_a_chat():
  documents = [Document(name, name * 5) for name in 'abcd']  # '- aaaaa\n'
  opening = 1 + len('user\n')
  for budget, count in ((opening + 16, 1), (opening + 17, 2)):
    built = context.build(documents, seed='s', budget=budget, chat=True)
    assert len(built.documents) == count
    assert 1 + prompts.length(built.before) <= budget


@pytest.mark.parametrize(
  ('documents', 'options', 'message'),
  [
    ([], {}, 'no documents'),
    (documents_of([1]), {'factor': 0}, 'factor 0; it must be 1 or more'),
    (documents_of([1]), {'budget': 3}, 'fits into a context of 3 tokens'),
  ],
)
def test_impossible_parts_are_errors(documents, options, message):
  with pytest.raises(ValueError, match=message):
    context.build(documents, seed='s', **options)


def test_a_question_continues_the_list_only_if_there_is_one():
  built = context.build(documents_of([1]), seed='s')
  assert context.tail(built, 'glon are') == '- glon are'
  assert context.tail(context.NONE, 'glon are') == 'glon are'


WORDS = ('glon', 'troff', 'yomp')


def of_world():
  _, corpus = reversal.build(seed='s', facts=8, documents_per_fact=3)
  return corpus


def retrieved(kind='oracle', **changed):
  corpus = of_world()
  settings = dict(seed='c', count=2, distractors=3) | changed  # noqa: C408
  return corpus, context.retrieve(
    corpus.documents, corpus.questions, kind=kind, **settings
  )


def test_an_oracle_gives_premises_and_distractors():
  corpus, found = retrieved()
  facts = {document.id: document.facts for document in corpus.documents}
  first = set()
  for question, built in zip(corpus.questions, found, strict=True):
    check(built, corpus.documents)
    stated = [
      set(question.premises) <= set(facts[name]) for name in built.documents
    ]
    assert (stated.count(True), stated.count(False)) == (2, 3)
    first.add(stated.index(True))
  assert len(first) > 1, 'the premises are always in the same place'


def test_the_same_premises_have_the_same_context():
  corpus, found = retrieved()
  by_premises = collections.defaultdict(set)
  for question, built in zip(corpus.questions, found, strict=True):
    by_premises[question.premises].add(built)
  assert {len(contexts) for contexts in by_premises.values()} == {1}
  # Whichever other questions there are, in whatever order.
  turned = context.retrieve(
    corpus.documents,
    corpus.questions[::-3],
    kind='oracle',
    seed='c',
    count=2,
    distractors=3,
  )
  assert turned == found[::-3]
  assert retrieved(seed='d')[1] != found


def test_bm25_finds_the_documents_about_the_question():
  """Mostly: a long preamble may outweigh the entity asked about."""
  corpus, found = retrieved('bm25', count=3)
  texts = {document.id: document.text for document in corpus.documents}
  hits = 0
  for question, built in zip(corpus.questions, found, strict=True):
    check(built, corpus.documents)
    asked = question.prompt.split()[-2]  # '... glon are'
    hits += any(asked in texts[name] for name in built.documents)
  # Three of 24 documents are about it; a random draw would hit for a third.
  assert hits >= 0.75 * len(found)


def test_the_same_documents_come_in_the_same_order():
  """Whichever of them matches the question better."""
  documents = [
    Document(name, f'{word} are here')
    for name, word in zip('abc', WORDS, strict=True)
  ]
  asked = [
    Question(' '.join(order), ' '.join(order), ('x', 'y'), (0,), 'kind')
    for order in itertools.permutations(WORDS)
  ] + [
    Question(word, f'{word} {WORDS[1]}', ('x',), (0,), 'k') for word in WORDS
  ]
  found = context.retrieve(
    documents, asked, kind='bm25', seed='c', count=len(documents)
  )
  assert len({built.documents for built in found}) == 1


def test_distractors_do_not_state_the_answer():
  premise, target = Fact('a', 'below', 'b'), Fact('b', 'above', 'a')
  documents = [
    Document('premise', 'a', (premise,)),
    *(Document(f'answer {i}', 'b', (target,)) for i in range(9)),
    Document('other', 'c', (Fact('x', 'below', 'y'),)),
  ]
  asked = Question(
    'q', 'b', ('x', 'y'), (0,), 'kind', premises=(premise,), target=target
  )
  settings = {'kind': 'oracle', 'seed': 'c', 'count': 1}
  (built,) = context.retrieve(documents, [asked], distractors=1, **settings)
  assert set(built.documents) == {'premise', 'other'}
  with pytest.raises(ValueError, match='2 distractors, but only 1'):
    context.retrieve(documents, [asked], distractors=2, **settings)


def test_bm25_ignores_the_choices():
  corpus = of_world()
  (asked,) = corpus.questions[:1]
  blind = dataclasses.replace(asked, choices=('x', 'y'), premises=())
  one, other = (
    context.retrieve(corpus.documents, [q], kind='bm25', seed='c', count=3)
    for q in (asked, blind)
  )
  assert one == other


def test_a_chat_opens_the_users_turn():
  corpus, found = retrieved(chat=True)
  _, plain = retrieved()
  for built, same in zip(found, plain, strict=True):
    assert (same.text, same.before) == (built.text, built.text)
    assert built.before == (START, 'user\n' + same.text)
    assert context.tail(built, 'Glon are') == (
      *('- Glon are', END),
      *('\n', START),
      'model\n',
    )
    assert context.reply(built, ' more') == 'more'
    assert context.reply(same, ' more') == ' more'
  assert context.NONE_IN_CHAT.before == ''
  assert context.tail(context.NONE_IN_CHAT, 'Glon are') == (
    *(START, 'user\nGlon are', END),
    *('\n', START),
    'model\n',
  )


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'kind': 'web'}, "'web'; allowed are oracle, bm25"),
    ({'count': 0}, '0 documents and 3 distractors'),
    ({'distractors': -1}, '2 documents and -1 distractors'),
    ({'distractors': 22}, "'forward-0000': 22 distractors, but only 21"),
  ],
)
def test_impossible_retrievals_are_errors(changes, message):
  with pytest.raises(ValueError, match=message):
    retrieved(**changes)


def test_a_summary_has_the_maxima_over_several_contexts():
  one = context.Context('- a b\n', ('a', 'b'), 1)
  other = context.Context('- a b c\n', ('a',), 3)
  asked = [Question(str(i), 'q', (' x', ' yz'), (0,), 'k') for i in range(3)]
  summary = context.summary([one, other, one], asked, len)
  assert summary == {
    'contexts': 2,
    'context_documents': 2,
    'context_left_out': 3,
    'context_tokens': 8,
    'row_tokens': 1 + len('- a b c\n- q yz'),
  }
  everywhere = context.summary([one, one, one], asked, len)
  assert context.summary(one, asked, len) == everywhere


def test_a_summary_counts_the_tokens_of_a_context_once():
  one = context.Context('- a b\n', ('a', 'b'), 1)
  asked = [Question(str(i), 'q', (' x', ' yz'), (0,), 'k') for i in range(3)]
  counted = []

  def count(text):
    counted.append(text)
    return len(text)

  context.summary(one, asked, count)
  assert counted.count(one.before) == 1


def test_the_longest_row_is_of_a_question_with_its_own_context():
  long = context.Context('- a b c d e\n', ('a',), 0)
  asked = [
    Question('short', 'q', (' x', ' y'), (0,), 'k'),
    Question('long', 'q' * 5, (' x', ' y'), (0,), 'k'),
  ]
  summary = context.summary([long, context.NONE], asked, len)
  assert summary['row_tokens'] == 1 + len('- a b c d e\n- q x')
  summary = context.summary(context.NONE, asked, len)
  assert summary['row_tokens'] == 1 + len('qqqqq x')
