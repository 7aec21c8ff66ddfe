"""Words that are in no list are no nonsense words, which may be held out."""

import random

import pytest

from icl_gen.pretraining import spelling
from icl_gen.text import lexicon


@pytest.mark.parametrize('evaluation', [True, False])
def test_letters_are_no_nonsense_word(monkeypatch, evaluation):
  words = lexicon.words(evaluation=evaluation)
  monkeypatch.setattr(spelling, '_LETTERS', ''.join(words[:3]))
  found = {spelling.letters(random.Random(seed)) for seed in range(3000)}
  assert not found & set(words)
  monkeypatch.setattr(spelling, '_nonsense', frozenset)
  found = {spelling.letters(random.Random(seed)) for seed in range(3000)}
  assert found & set(words)


def test_either_is_of_syllables_or_letters_and_no_nonsense_word():
  words = {*lexicon.words(evaluation=True), *lexicon.words(evaluation=False)}
  rng = random.Random(0)
  found = [spelling.either(rng) for _ in range(4000)]
  assert not set(found) & words
  assert {spelling.syllables(rng, 1) for _ in range(4000)} & words
