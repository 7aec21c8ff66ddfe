"""The baselines by hand, and what they make of the other worlds."""

import pytest

from icl_gen.types import Corpus, Document, Question
from icl_gen.worlds import baselines, reversal, syllogism
from icl_gen.worlds.celebrity import invented as celebrity


def corpus(texts, prompt, *choices):
  """The first choice is right."""
  return Corpus(
    'c',
    tuple(Document(str(i), text) for i, text in enumerate(texts)),
    (Question('q', prompt, choices, (0,), 'kind'),),
  )


@pytest.mark.parametrize(
  ('texts', 'prompt', 'choices', 'right'),
  [
    (['A b c. A b d. A b c.'], 'A b', [' c', ' d'], 1),
    (['A b c. A b d. A b c.'], 'A b', [' d', ' c'], 0),
    (['A b c. A b d.'], 'A b', [' d', ' c'], 0.5),
    # A longer context decides against a shorter one.
    (['A b c.', 'x b d. y b d.'], 'a b', [' c', ' d'], 1),
    # Nothing of the context is known: the more frequent word.
    (['A b c. d c.'], 'x y', [' c', ' b'], 1),
    (['A b c. d c.'], 'x y', [' z', ' b'], 0),
    # Documents end where they end.
    (['a b', 'c d'], 'a b', [' c', ' d'], 0.5),
  ],
)
def test_ngram_by_hand(texts, prompt, choices, right):
  assert baselines.ngram(corpus(texts, prompt, *choices)) == {'kind': right}


@pytest.mark.parametrize(
  ('texts', 'prompt', 'choices', 'right'),
  [
    (['a b c d.'], 'A b', [' c', ' d'], 1),
    (['a b c d.'], 'X b', [' d', ' c'], 0),
    (['a b c d. b d b d'], 'a b', [' c', ' d'], 1),
    (['a b c'], 'x', [' a', ' b', ' c', ' d'], pytest.approx(1 / 3)),
    (['a b', 'c'], 'b', [' c', ' a'], 0.5),
    ([], 'a', [' b', ' c'], 0.5),
  ],
)
def test_longest_match_by_hand(texts, prompt, choices, right):
  found = baselines.longest_match(corpus(texts, prompt, *choices))
  assert found == {'kind': right}


def test_what_is_told_is_found_and_its_reversal_is_not():
  _, told = reversal.build(seed='s')
  assert baselines.longest_match(told) == {'forward': 1, 'reversal': 0.5}
  found = baselines.ngram(told)
  assert found['forward'] == 1 and found['reversal'] < 0.6
  _, told = celebrity.build(seed='s', people=12, phrasings=10)
  for baseline in (baselines.ngram, baselines.longest_match):
    found = baseline(told)
    assert found['forward'] > 0.6 and found['reversal'] < 0.4


def test_other_words_do_not_give_the_conclusion_away():
  _, told = syllogism.build(seed='s')
  assert baselines.ngram(told)['syllogism'] > 0.6
  _, told = syllogism.build(seed='s', style='varied')
  chance = told.manifest['chance']['syllogism']
  for found in (
    *(baselines.ngram(told, order=order) for order in (2, 3, 4)),
    baselines.longest_match(told),
  ):
    assert abs(found['syllogism'] - chance) < 0.08
    assert abs(found['forward'] - told.manifest['chance']['forward']) < 0.08
