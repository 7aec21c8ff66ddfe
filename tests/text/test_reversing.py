"""Reversals have the same words, and reversed again they are the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icl_gen.text import reversing
from icl_gen.types import Document, Fact
from icl_gen.worlds import catalog

EXAMPLE = Document(
  'd',
  "Glon Trask, it's said, is old.",
  (Fact('Glon Trask', 'is', 'old'),),
  prompt_length=10,
)


def texts(*documents, reverse):
  found = reversing.with_reversed(documents, reverse=reverse)
  return [document.text for document in found]


def test_the_examples():
  assert texts(EXAMPLE, reverse='none') == [EXAMPLE.text]
  assert texts(EXAMPLE, reverse='words') == [
    EXAMPLE.text,
    ". old is , said it's , Trask Glon",
  ]
  assert texts(EXAMPLE, reverse='entities') == [
    EXAMPLE.text,
    ". old is , said it's , Glon Trask",
  ]


def test_documents_stay_and_reversals_have_ids_of_their_own():
  one, other = reversing.with_reversed([EXAMPLE], reverse='entities')
  assert one == EXAMPLE
  assert (other.id, other.facts, other.prompt_length) == ('d/reversed', (), 0)


def test_an_entity_is_known_from_any_document_and_the_longest_one_counts():
  facts = (Fact('Glon', 'is', 'x'), Fact('Glon Trask', 'is', 'x'))
  documents = (
    Document('a', 'the Glon Trask and Glons', facts),
    Document('b', 'see glon trask'),
  )
  found = texts(*documents, reverse='entities')
  assert found[1::2] == ['Glons and Glon Trask the', 'glon trask see']


@given(st.lists(st.from_regex(r'[a-z]{1,4}[,.]?', fullmatch=True), min_size=1))
def test_twice_is_the_text_with_its_signs_apart(words):
  text = ' '.join(words)
  once = texts(Document('d', text), reverse='words')[1]
  twice = texts(Document('d', once), reverse='words')[1]
  assert twice.replace(' ,', ',').replace(' .', '.') == text


@pytest.mark.parametrize('world', ['reversal', 'celebrity', 'semantic'])
def test_entities_of_a_world_are_whole_in_its_reversals(world):
  size = catalog.SIZES[world]['nano']
  _, corpus = catalog.build(world, seed=0, **size)
  found = reversing.with_reversed(corpus.documents, reverse='entities')
  assert len(found) == 2 * len(corpus.documents)
  for document, other in zip(found[::2], found[1::2], strict=True):
    for fact in document.facts:
      for name in (fact.subject, fact.object):
        if name.lower() in document.text.lower():
          assert name.lower() in other.text.lower(), (name, other.text)


def test_unknown_reversals_are_errors():
  with pytest.raises(ValueError, match="'letters'; allowed are none, words"):
    reversing.with_reversed([EXAMPLE], reverse='letters')


def test_accents_and_vowel_signs_are_parts_of_words():
  text = 'Zoe\u0308 चक्की'
  _, turned = reversing.with_reversed([Document('d', text)], reverse='words')
  assert turned.text == 'चक्की Zoe\u0308'
