"""The baselines by hand, and on the worlds."""

import pytest

from icl_gen.types import Corpus, Document, Question
from icl_gen.worlds import baselines
from tests.worlds import paper


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
    # A longer context takes precedence over a shorter one.
    (['A b c.', 'x b d. y b d.'], 'a b', [' c', ' d'], 1),
    # An unknown context: the more frequent word.
    (['A b c. d c.'], 'x y', [' c', ' b'], 1),
    (['A b c. d c.'], 'x y', [' z', ' b'], 0),
    # No match runs across documents.
    (['a b', 'c d'], 'a b', [' c', ' d'], 0.5),
    ([], 'a', [' b', ' c'], 0.5),
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


def test_baselines_find_stated_facts_but_not_reversals():
  _, built = paper.build('reversal', seed='s')
  assert baselines.longest_match(built) == {'forward': 1, 'reversal': 0.5}
  found = baselines.ngram(built)
  assert found['forward'] == 1 and found['reversal'] < 0.6
  _, built = paper.build('celebrity', seed='s', people=12, phrasings=10)
  for baseline in (baselines.ngram, baselines.longest_match):
    found = baseline(built)
    assert found['forward'] > 0.6 and found['reversal'] < 0.4


def test_varied_syllogisms_do_not_give_the_conclusion_away():
  _, built = paper.build('syllogism', seed='s')
  assert baselines.ngram(built)['syllogism'] > 0.6
  _, built = paper.build('syllogism', seed='s', style='varied')
  chance = built.manifest['chance']['syllogism']
  for found in (
    *(baselines.ngram(built, order=order) for order in (2, 3, 4)),
    baselines.longest_match(built),
  ):
    assert abs(found['syllogism'] - chance) < 0.08
    assert abs(found['forward'] - built.manifest['chance']['forward']) < 0.08


@pytest.mark.parametrize('name', ['reversal', 'syllogism'])
def test_counting_only_what_is_asked_scores_the_same(name):
  _, built = paper.build(name, seed='s')
  texts = [document.text for document in built.documents]
  pairs = [(q.prompt, choice) for q in built.questions for choice in q.choices]
  every = baselines.ngram_merit(texts, order=4)
  asked = baselines.ngram_merit(texts, order=4, asked=pairs)
  for prompt, choice in pairs[::7]:
    assert asked(prompt, choice) == every(prompt, choice)
    assert asked('', choice) == every('', choice)
