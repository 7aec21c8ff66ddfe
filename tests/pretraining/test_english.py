"""The word lists have plain words, without repetitions."""

import pytest

from icl_gen.pretraining import english

# Removing the second ones would change every row of the pretraining stream.
TWICE = {'language', 'sold'}


@pytest.mark.parametrize(
  'name', ['NOUNS', 'VERBS', 'ADJECTIVES', 'PLACES', 'MORE', 'DEEDS']
)
def test_words_occur_once_and_are_plain(name):
  words = getattr(english, name)
  assert {word for word in words if words.count(word) > 1} <= TWICE
  assert all(w.isascii() and w.isalpha() and w.islower() for w in words)


def test_an_episode_of_the_longest_context_finds_enough_nouns():
  # Each document of `filler` needs another noun.
  assert len(english.NOUNS) >= 150
