"""Codebooks: latent reversals are not stated, and nothing gives them away."""

import collections

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icl_gen.text import codebooks, lexicon
from icl_gen.text.forms.statements import PREAMBLES
from icl_gen.worlds import baselines, codebook
from tests.worlds import paper

sizes = given(
  st.text(max_size=4),
  st.integers(1, 5),
  st.integers(4, 6),
  st.integers(4, 8),
  st.integers(1, 3),
)


@sizes
@settings(max_examples=20, deadline=None)
def test_latent_entries_are_stated_forward_only(seed, books, held_out, seen, n):
  world, corpus = paper.build(
    'codebook',
    seed=seed,
    words=held_out + seen,
    books=books,
    held_out=held_out,
    documents_per_fact=n,
  )
  stated = collections.Counter(
    fact for document in corpus.documents for fact in document.facts
  )
  assert set(stated) == set(world.facts) and set(stated.values()) == {n}
  forward = [fact for fact in stated if fact.relation.startswith('is called')]
  latent = [fact for fact in forward if codebooks.reverse(fact) not in stated]
  assert len(forward) == books * (held_out + seen)
  assert len(stated) == 2 * len(forward) - len(latent)
  per_book = collections.Counter(fact.relation for fact in latent)
  assert set(per_book.values()) == {held_out} and len(per_book) == books
  asked = {
    kind: [q.target for q in corpus.questions if q.kind == kind]
    for kind in codebook.KINDS
  }
  assert sorted(asked['forward']) == sorted(latent)
  assert sorted(map(codebooks.reverse, asked['reversal'])) == sorted(latent)
  assert set(asked['reversal_seen']) <= set(stated) - set(forward)
  assert len(asked['reversal_seen']) == books * min(held_out, seen)


@pytest.fixture(scope='module')
def built():
  return paper.build(
    'codebook', seed='s', words=20, books=10, held_out=6, documents_per_fact=2
  )


def test_books_are_distinct_bijections(built):
  world, _ = built
  books = collections.defaultdict(dict)
  for fact in world.facts:
    if fact.relation.startswith('is called'):
      books[fact.relation][fact.subject] = fact.object
  assert len({tuple(book.items()) for book in books.values()}) == 10
  for book in books.values():
    assert len(set(book.values())) == len(book) == 20
    assert not set(book) & set(book.values())
    assert all(map(lexicon.is_evaluation, [*book, *book.values()]))


def test_words_are_held_out_evenly(built):
  world, _ = built
  read = collections.Counter(
    fact.object for fact in world.facts if fact.relation.startswith('means')
  )
  assert len(read) == 20 and max(read.values()) - min(read.values()) <= 1


def test_wrong_choices_are_stated_in_the_same_directions_as_the_right_one(
  built,
):
  world, corpus = built
  given_facts = set(world.facts)
  for question in corpus.questions:
    decoded = set()
    for choice in question.choices:
      target = question.target
      entity = choice.strip(' .')
      # The entry that the choice comes from.
      (entry,) = (
        fact
        for fact in world.facts
        if fact.relation.startswith('is called')
        and fact.relation.split()[-1] == target.relation.split()[-1]
        and entity in (fact.subject, fact.object)
      )
      decoded.add(codebooks.reverse(entry) in given_facts)
    assert decoded == {question.kind == 'reversal_seen'}


def test_word_statistics_do_not_give_latent_reversals_away(built):
  _, corpus = built
  for rate in (
    baselines.ngram(corpus, order=3),
    baselines.ngram(corpus, order=5),
    baselines.longest_match(corpus),
  ):
    assert rate['reversal'] < 0.4  # 60 questions; chance is 0.25
  # They do find what is stated in the same words.
  assert baselines.ngram(corpus, order=5)['reversal_seen'] > 0.9


def test_questions_have_an_unused_preamble(built):
  _, corpus = built
  by_preamble = collections.defaultdict(set)
  for document in corpus.documents:
    preamble = next(
      p for p in PREAMBLES.seen if document.text.startswith(f'{p} in the')
    )
    by_preamble[document.facts[0]].add(preamble)
  for question in corpus.questions:
    preamble = question.prompt.partition(' in the book')[0]
    assert preamble in PREAMBLES.seen
    assert preamble not in by_preamble[question.target]


def test_more_documents_change_no_question(built):
  _, corpus = built
  _, more = paper.build(
    'codebook', seed='s', words=20, books=10, held_out=6, documents_per_fact=4
  )
  assert more.questions == corpus.questions
  assert set(corpus.documents) < set(more.documents)


def test_paper_size():
  world, corpus = paper.build('codebook', seed='s')
  assert (len(world.facts), len(world.entailed)) == (1400, 200)
  assert corpus.manifest['documents'] == 7000
  assert corpus.manifest['questions'] == dict.fromkeys(codebook.KINDS, 200)
  assert set(corpus.manifest['chance'].values()) == {0.25}


@pytest.mark.parametrize(
  ('size', 'message'),
  [
    ({'words': 1}, 'words=1 .*too few entries'),
    ({'held_out': 3}, 'held_out=3 .*4 or more'),
    ({'words': 13, 'held_out': 10}, 'words=13 .*leave 4'),
    ({'documents_per_fact': 0}, 'documents_per_fact=0.*1 to 19'),
    ({'documents_per_fact': 20}, 'documents_per_fact=20.*1 to 19'),
    ({'words': 400}, 'nonsense words'),
  ],
)
def test_bad_sizes_name_what_is_allowed(size, message):
  with pytest.raises(ValueError, match=message):
    paper.build('codebook', seed='s', **size)
