"""Words are found in scripts without spaces, and with accents apart."""

import unicodedata

from icl_gen.text import scripts


def test_words_are_compared_without_case_punctuation_and_encoding():
  text = 'Das Café, Zoës 3.'
  assert scripts.words(text) == ['das', 'café', 'zoës', '3']
  apart = unicodedata.normalize('NFD', text)
  assert apart != text and scripts.words(apart) == scripts.words(text)


def test_characters_are_words_where_there_are_no_spaces():
  assert scripts.words('磨坊Odd 7。') == ['磨', '坊', 'odd', '7']
  assert scripts.words('चक्की है।') == ['चक्की', 'है']


def test_words_start_with_their_punctuation():
  text = '"It is" 磨坊，大 3.5'
  starts = [*scripts.starts(text), len(text)]
  parts = [text[a:b] for a, b in zip(starts, starts[1:], strict=False)]
  assert parts == ['"It ', 'is" ', '磨', '坊，', '大 ', '3.5']


def test_a_space_stands_between_words_that_have_one():
  assert scripts.space('mill', 'is') == scripts.space('磨', 'is') == ' '
  assert scripts.space('磨', '坊') == scripts.space('磨，', '坊') == ''
