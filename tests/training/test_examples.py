"""Training sequences are those of the transformed documents."""

import numpy as np
import pytest

from icl_gen import assets
from icl_gen.runs.experiments import Training
from icl_gen.text import masking, reversing, tokens
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


def made(tokenizer, **options):
  train = Training(steps=1, length=64, **options)
  return examples.examples(DOCUMENTS, tokenizer, train, seed=0)


def texts(tokenizer, **options):
  found = made(tokenizer, **options)
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
  for one in made(tokenizer, reverse='words'):
    np.testing.assert_array_equal(one.weights, [0, *[1] * (len(one.ids) - 1)])


def test_onward_a_row_starts_as_a_question_that_quotes_a_sentence(tokenizer):
  text = '# The barn\n\nThe roof of it leaks. Behind it stands a wall.'
  quoted = [
    [tokenizer.bos_id, *tokenizer.encode(prompt)]
    for prompt in ('The roof of', 'Behind it stands')
  ]

  def starting(splitting):
    train = Training(steps=1, length=0, splitting=splitting)
    rows = examples.examples([Document('d', text)], tokenizer, train, seed=0)
    begun = [[row.ids[: len(ids)].tolist() for row in rows] for ids in quoted]
    return [ids in found for ids, found in zip(quoted, begun, strict=True)]

  assert starting('onward') == [True, True]
  assert starting('none') == [False, False]


def test_tasks_are_added_to_the_documents_or_stand_alone(tokenizer):
  alone = texts(tokenizer, mask='alone', mask_copies=3)
  assert len(alone) == 6
  assert all('/masked/' in name for name in alone)
  assert (
    texts(tokenizer, mask='added', mask_copies=3) == texts(tokenizer) | alone
  )
  # Reversals are other texts, and stay.
  both = texts(tokenizer, mask='alone', mask_copies=3, reverse='words')
  assert set(both) == {*alone, 'a/reversed', 'b/reversed'}
  parts = texts(tokenizer, mask='alone', mask_copies=1, splitting='independent')
  assert set(parts) == {'a/0/masked/0', 'a/1/masked/0', 'b/masked/0'}


def test_only_what_restores_a_document_has_weight(tokenizer):
  """Whatever the loss is on: nothing is learned from the blanks."""
  for loss_on in ('text', 'completion'):
    for one in made(tokenizer, mask='alone', mask_share=0.5, loss_on=loss_on):
      (document,) = (d for d in DOCUMENTS if one.name.startswith(f'{d.id}/'))
      weighed = one.ids[one.weights > 0].tolist()
      assert tokenizer.decode(weighed) == document.text
      assert weighed[-1] == tokenizer.eos_id
      # The text begins with the pieces that it has alone.
      assert weighed[:-1] == tokenizer.encode(document.text)


def test_an_unknown_mask_is_refused(tokenizer):
  with pytest.raises(ValueError, match="mask 'some'; allowed are none, added"):
    made(tokenizer, mask='some')
  assert masking.BLANK in next(iter(texts(tokenizer, mask='alone').values()))


@pytest.mark.parametrize('length', [2, 3, 5, 7, 8, 9, 64])
def test_no_token_of_a_replayed_text_is_lost(tokenizer, length):
  found = examples.replayed(DOCUMENTS, tokenizer, length=length)
  for document in DOCUMENTS:
    own = [one for one in found if one.name == document.id]
    ids = [tokenizer.encode(document.text), [tokenizer.eos_id]]
    assert sum((one.ids[1:].tolist() for one in own), []) == sum(ids, [])
    for one in own:
      assert one.ids[0] == tokenizer.bos_id
      assert len(one.ids) <= length
      np.testing.assert_array_equal(one.weights, [0, *[1] * (len(one.ids) - 1)])
    assert all(len(one.ids) == length for one in own[:-1])
