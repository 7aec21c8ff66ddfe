"""Finds documents that state facts, that do not, and that share words."""

import pytest

from icl_gen.text import retrieval
from icl_gen.types import Document, Fact


def fact(name):
  return Fact(name, 'is', 'blue')


A, B, C = map(fact, 'ABC')
DOCUMENTS = [
  *(Document(f'a{i}', 'All A are blue.', (A,)) for i in range(4)),
  *(Document(f'b{i}', 'All B are blue.', (B,)) for i in range(4)),
  Document('ab', 'A and B are blue.', (A, B)),
  *(Document(f'c{i}', 'C sing.', (C,)) for i in range(3)),
]


def stating(facts, count, seed='s'):
  return [
    d.id for d in retrieval.stating(DOCUMENTS, facts, count=count, seed=seed)
  ]


def test_every_fact_is_stated_before_one_is_stated_twice():
  for seed in 'stuvw':
    assert stating([A, B], 1, seed) == ['ab']
    assert {name[0] for name in stating([A, C], 2, seed)} == {'a', 'c'}
    assert len({name[0] for name in stating([B, A, C], 2, seed)}) == 2


def test_documents_are_as_few_as_can_be():
  """Those that state most are not always among the fewest."""
  D = fact('D')
  overlapping = [
    Document('bc', 'B and C.', (B, C)),
    Document('ab', 'A and B.', (A, B)),
    Document('cd', 'C and D.', (C, D)),
  ]
  for seed in 'stuvwxyz':
    found = retrieval.stating(overlapping, [A, B, C, D], count=2, seed=seed)
    assert sorted(d.id for d in found) == ['ab', 'cd']
  with pytest.raises(ValueError, match='allow 2'):
    retrieval.stating(overlapping, [A, B, C, D], count=1, seed='s')


def test_no_document_is_drawn_twice():
  assert sorted(stating([C], 99)) == ['c0', 'c1', 'c2']
  found = stating([A, B], 99)
  assert len(found) == len(set(found)) == 9


def test_draws_depend_on_the_seed_alone():
  assert stating([A], 2) == stating([A], 2)
  assert len({tuple(stating([A], 2, seed)) for seed in 'stuvwxyz'}) > 2
  drawn = {
    tuple(
      d.id for d in retrieval.not_stating(DOCUMENTS, [A], count=2, seed=seed)
    )
    for seed in 'stuvwxyz'
  }
  assert len(drawn) > 2


def test_other_documents_state_none_of_the_facts():
  found = retrieval.not_stating(DOCUMENTS, [A, C], count=4, seed='s')
  assert sorted(d.id for d in found) == ['b0', 'b1', 'b2', 'b3']


@pytest.mark.parametrize(
  ('facts', 'count', 'message'),
  [
    ((), 1, 'no facts'),
    ((A, fact('D')), 9, "no document states Fact.subject='D'"),
    ((B, C), 1, '1 documents do not state all of 2 facts; allow 2'),
  ],
)
def test_facts_that_cannot_all_be_stated_are_an_error(facts, count, message):
  with pytest.raises(ValueError, match=message):
    stating(facts, count)


def test_too_few_other_documents_are_an_error():
  with pytest.raises(ValueError, match='5 distractors, but only 4'):
    retrieval.not_stating(DOCUMENTS, [A, C], count=5, seed='s')


def test_bm25_ranks_by_shared_words():
  best = retrieval.bm25(DOCUMENTS)
  assert [d.id for d in best('do C SING?', 3)] == ['c0', 'c1', 'c2']
  assert [d.id for d in best('all b', 4)] == ['b0', 'b1', 'b2', 'b3']
  # If nothing shares a word, the earlier documents come first.
  assert [d.id for d in best('glon', 2)] == ['a0', 'a1']
  assert len(best('blue', 99)) == len(DOCUMENTS)


def test_bm25_takes_the_first_of_documents_without_words():
  faces = [Document(name, '\N{GRINNING FACE}!') for name in 'ab']
  best = retrieval.bm25(faces)
  assert [d.id for d in best('who sings?', 1)] == ['a']
  assert [d.id for d in best('', 9)] == ['a', 'b']


def test_bm25_finds_words_without_spaces_and_with_accents_apart():
  texts = (
    '学校很新。',
    '它在河边。',
    '塔恩比的磨坊很老。',
    'Der Cafe\u0301hof.',
  )
  best = retrieval.bm25([Document(text, text) for text in texts])
  assert best('磨坊是谁建造的', 1)[0].text == texts[2]
  assert best('Wem geho\u0308rt der Caf\u00e9hof', 1)[0].text == texts[3]
