"""The two lexica are disjoint; every word is an onset and a rime."""

import itertools
import re

import pytest

from icl_gen.text import abilities, lexicon, tokens
from icl_gen.text.forms import persons, statements, taxonomy

EVALUATION = lexicon.words(evaluation=True)
PRETRAINING = lexicon.words(evaluation=False)
# This word of the phrasings is a piece of its own.
ONE_PIECE = {'jump'}


def test_the_lexica_are_disjoint_and_large_enough():
  assert not set(EVALUATION) & set(PRETRAINING)
  assert len(set(EVALUATION)) == len(EVALUATION) > 2 * 3 * 100
  assert len(set(PRETRAINING)) == len(PRETRAINING) > 5 * len(EVALUATION) / 2
  assert all(map(lexicon.is_evaluation, EVALUATION))
  assert not any(map(lexicon.is_evaluation, PRETRAINING))


def test_no_word_is_english():
  assert not lexicon.ENGLISH & {*EVALUATION, *PRETRAINING}
  said = ' '.join(
    [
      *abilities.ABILITIES,
      *itertools.chain(*statements.PREAMBLES),
      *itertools.chain(*statements.FEATURES),
      *itertools.chain(*persons.NAME_FIRST),
      *itertools.chain(*persons.DESCRIPTION_FIRST),
      *itertools.chain(*persons.ADJECTIVES),
      *itertools.chain(*persons.VERBS),
      *(' '.join(role) for part in persons.ROLES for role in part),
      *(' '.join(pair) for part in taxonomy.PLAIN for pair in part.values()),
    ]
  )
  words = set(re.findall('[a-z]+', said.lower()))
  assert not words & set(EVALUATION)
  assert words & set(PRETRAINING) == ONE_PIECE


@pytest.mark.parametrize('words', [EVALUATION, PRETRAINING])
def test_every_word_is_an_onset_and_a_rime(words):
  for word in words:
    assert word.isascii() and word.isalpha() and word.islower()
    assert any(
      word == onset + rime
      for onset in lexicon.ONSETS
      for rime in lexicon.RIMES
      if word.startswith(onset)
    )


@pytest.mark.parametrize('words', [EVALUATION, PRETRAINING])
def test_every_word_is_two_pieces_in_both_cases(words, pytestconfig):
  nano = tokens.load(pytestconfig.rootpath / 'icl_gen/assets/tokenizer.model')
  for word in set(words) - ONE_PIECE:
    for said in (word, lexicon.title([word])):
      first, second = nano.encode(said)
      assert nano.decode([first]) + nano.decode([second]) == said
      # The same pieces inside a text.
      assert nano.encode(f'the {said}.')[1:3] == [first, second]


def test_titles_are_capitalised():
  assert lexicon.title(['glon', 'trask']) == 'Glon Trask'


def one_edit_apart(one, other):
  if len(one) == len(other):
    return sum(a != b for a, b in zip(one, other, strict=True)) == 1
  short, long = sorted((one, other), key=len)
  return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


@pytest.mark.parametrize('letters', [(4, 5), None])
@pytest.mark.parametrize('seed', ['a', 'b'])
def test_no_two_words_of_a_draw_are_one_edit_apart(seed, letters):
  drawn = lexicon.sample(250, seed=seed, letters=letters)
  assert len(set(drawn)) == 250 and set(drawn) <= set(EVALUATION)
  lengths = {len(word) for word in drawn}
  assert lengths == set(letters) if letters else lengths >= {4, 5, 6}
  for i, one in enumerate(drawn):
    assert not any(one_edit_apart(one, other) for other in drawn[:i])


def test_removing_a_word_changes_only_the_draws_with_it(monkeypatch):
  assert 'ruft' not in EVALUATION and 'ruft' not in PRETRAINING
  drawn = lexicon.sample(270, seed='a')
  left = drawn[100]
  known = tuple(word for word in EVALUATION if word != left)
  monkeypatch.setattr(lexicon, 'words', lambda *, evaluation: known)
  assert lexicon.sample(100, seed='a') == drawn[:100]
  assert left not in lexicon.sample(270, seed='a')


def test_the_seed_decides_the_draw():
  drawn = lexicon.sample(50, seed='a')
  assert lexicon.sample(20, seed='a') == drawn[:20]
  assert set(lexicon.sample(50, seed='b')) != set(drawn)


@pytest.mark.parametrize('letters', [(4, 5), None])
def test_every_word_left_out_is_one_edit_from_a_drawn_one(letters):
  every = [w for w in EVALUATION if letters is None or len(w) in letters]
  with pytest.raises(ValueError, match='no two one edit apart') as refused:
    lexicon.sample(len(every), seed='a', letters=letters)
  count = int(str(refused.value).split('this draw has ')[1].split('.')[0])
  drawn = lexicon.sample(count, seed='a', letters=letters)
  for word in set(every) - set(drawn):
    assert any(one_edit_apart(word, other) for other in drawn)


@pytest.mark.parametrize('count', [480, 960])
def test_reserved_words_have_no_part_of_their_own(count):
  """A model that meets the other words knows every onset and rime of these."""
  kept = lexicon.reserved(count)
  assert len(kept) == count
  assert kept < set(lexicon.words(evaluation=False))
  rest = set(lexicon.words(evaluation=False)) - kept
  for part in (0, 1):
    assert {parts(word)[part] for word in kept} <= {
      parts(word)[part] for word in rest
    }


def test_fewer_reserved_words_are_among_more():
  assert lexicon.reserved(0) == frozenset()
  assert lexicon.reserved(100) < lexicon.reserved(500)


def parts(word):
  """The onset and the rime."""
  onset = max(filter(word.startswith, lexicon.ONSETS), key=len)
  return onset, word[len(onset) :]
