"""Training sequences are those of the transformed documents."""

import numpy as np
import pytest

from icl_gen import assets
from icl_gen.text import reversing, tokens
from icl_gen.training import examples
from icl_gen.types import Document, Fact

DOCUMENTS = (
  Document(
    'a', 'Glon Trask is old. It is so.', (Fact('Glon Trask', 'is', 'x'),)
  ),
  Document('b', 'Nobody is new.'),
)


@pytest.fixture(scope='module')
def tokenizer():
  return tokens.load(assets.path('tokenizer.model'))


def texts(tokenizer, **options):
  defaults = {'splitting': 'none', 'reverse': 'none', 'loss_on': 'text'}
  found = examples.examples(DOCUMENTS, tokenizer, **defaults | options)
  return {one.name: tokenizer.decode(one.ids.tolist()) for one in found}


def test_documents_alone(tokenizer):
  assert texts(tokenizer) == {one.id: one.text for one in DOCUMENTS}


def test_reversals_are_added(tokenizer):
  expected = reversing.with_reversed(DOCUMENTS, reverse='words')
  assert texts(tokenizer, reverse='words') == {d.id: d.text for d in expected}


def test_parts_are_reversed_with_the_entities_of_the_documents(tokenizer):
  found = texts(tokenizer, splitting='independent', reverse='entities')
  assert found['a/0/reversed'] == '. old is Glon Trask'
  assert found['a/1/reversed'] == '. so is It'
  assert len(found) == 6


def test_all_but_bos_has_weight(tokenizer):
  options = {'splitting': 'none', 'reverse': 'words', 'loss_on': 'text'}
  for one in examples.examples(DOCUMENTS, tokenizer, **options):
    np.testing.assert_array_equal(one.weights, [0, *[1] * (len(one.ids) - 1)])


def test_onward_a_row_starts_as_a_question_that_quotes_a_sentence(tokenizer):
  text = '# The barn\n\nThe roof of it leaks. Behind it stands a wall.'
  quoted = [
    [tokenizer.bos_id, *tokenizer.encode(prompt)]
    for prompt in ('The roof of', 'Behind it stands')
  ]

  def starting(splitting):
    rows = examples.examples(
      [Document('d', text)],
      tokenizer,
      splitting=splitting,
      reverse='none',
      loss_on='text',
    )
    begun = [[row.ids[: len(ids)].tolist() for row in rows] for ids in quoted]
    return [ids in found for ids, found in zip(quoted, begun, strict=True)]

  assert starting('onward') == [True, True]
  assert starting('none') == [False, False]
