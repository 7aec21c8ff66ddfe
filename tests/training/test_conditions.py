"""A run sees as many tokens without augmentation: its originals repeat."""

import collections

import numpy as np
import pytest

from icl_gen import assets
from icl_gen.runs.experiments import Training
from icl_gen.text import tokens
from icl_gen.training import inputs
from icl_gen.worlds import reversal

STEPS = 60


@pytest.fixture(scope='module')
def tokenizer():
  return tokens.load(assets.path('tokenizer.model'))


def seen(documents, tokenizer):
  """(tokens, text -> how often) of a run."""
  train = Training(steps=STEPS, length=48)
  texts, count = collections.Counter(), 0
  for batch in inputs.make(documents, tokenizer, train, model='nano', seed=0):
    count += np.count_nonzero(batch.segments_BxL)
    for ids_L, segments_L in zip(
      batch.tokens_BxL, batch.segments_BxL, strict=True
    ):
      for number in range(1, segments_L.max() + 1):
        texts[tokenizer.decode(ids_L[segments_L == number])] += 1
  return count, texts


def test_fine_tuning_alone_repeats_the_originals_for_as_many_tokens(tokenizer):
  _, corpus = reversal.build(seed='0', facts=20, documents_per_fact=5)
  _, others = reversal.build(seed='1', facts=10, documents_per_fact=5)
  given = {document.text for document in corpus.documents}
  alone, texts = seen(corpus.documents, tokenizer)
  with_others, more = seen((*corpus.documents, *others.documents), tokenizer)
  assert with_others == pytest.approx(alone, rel=0.02)
  assert sum(more.values()) == pytest.approx(sum(texts.values()), rel=0.05)
  # Of three documents two are originals, so each came two thirds as often.
  again = sum(more[text] for text in given) / sum(more.values())
  assert again == pytest.approx(2 / 3, abs=0.03)
  assert max(texts.values()) - min(texts[text] for text in given) <= 1
