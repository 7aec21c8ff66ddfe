"""Two lexica that never meet; every word an onset and a rime."""

import re

import pytest

from icl_gen.text import tokens
from icl_gen.worlds import lexicon, phrasings

EVALUATION = lexicon.words(evaluation=True)
PRETRAINING = lexicon.words(evaluation=False)
# A word of the phrasings, and so one piece.
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
      *phrasings.PREAMBLES,
      *phrasings.NAME_FIRST,
      *phrasings.DESCRIPTION_FIRST,
      *phrasings.FEATURES,
      *phrasings.ADJECTIVES,
      *phrasings.ABILITIES,
      *(' '.join(role) for role in phrasings.ROLES),
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
      # The same pieces inside of a text.
      assert nano.encode(f'the {said}.')[1:3] == [first, second]


def test_a_sample_is_named_by_its_seed():
  assert lexicon.sample(50, seed='a') == lexicon.sample(50, seed='a')
  assert set(lexicon.sample(50, seed='a')) != set(lexicon.sample(50, seed='b'))
  assert len(set(lexicon.sample(300, seed='a'))) == 300
  assert set(lexicon.sample(300, seed='a')) <= set(EVALUATION)
  assert set(lexicon.sample(9, seed='a', evaluation=False)) <= set(PRETRAINING)


def test_more_words_than_there_are_are_refused():
  count = len(EVALUATION) + 1
  with pytest.raises(ValueError, match=f'{count} distinct.*has {count - 1}'):
    lexicon.sample(count, seed='a')


def test_titles_are_capitalised():
  assert lexicon.title(['glon', 'trask']) == 'Glon Trask'


def one_edit_apart(one, other):
  if len(one) == len(other):
    return sum(a != b for a, b in zip(one, other, strict=True)) == 1
  short, long = sorted((one, other), key=len)
  return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


@pytest.mark.parametrize('seed', ['a', 'b'])
def test_words_can_be_drawn_apart(seed):
  drawn = lexicon.sample_apart(250, seed=seed)
  assert len(set(drawn)) == 250 and set(drawn) <= set(EVALUATION)
  assert {len(word) for word in drawn} == {4, 5}
  assert lexicon.sample_apart(60, seed=seed) == drawn[:60]
  for i, one in enumerate(drawn):
    assert not any(one_edit_apart(one, other) for other in drawn[:i])


def test_a_draw_of_words_apart_loses_no_word_in_vain():
  every = [word for word in EVALUATION if len(word) in (4, 5)]
  with pytest.raises(ValueError, match='no two one edit apart') as refused:
    lexicon.sample_apart(len(every), seed='a')
  count = int(str(refused.value).split('this draw has ')[1].split('.')[0])
  drawn = lexicon.sample_apart(count, seed='a')
  for word in set(every) - set(drawn):
    assert any(one_edit_apart(word, other) for other in drawn)
