"""n sentences give n documents, and no text is lost."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icl_gen.text import splitting
from icl_gen.types import GIVEN, Document, Fact

EXAMPLE = Document('d', 'A b. C d.', facts=(Fact('a', 'b', 'c'),))
sentences = st.lists(
  st.text('ab ,', min_size=1, max_size=6).filter(str.strip).map(str.strip),
  min_size=1,
  max_size=5,
)


def split(document, how):
  return splitting.split([document], splitting=how)


def test_the_examples_of_the_docstring():
  assert [d.text for d in split(EXAMPLE, 'independent')] == ['A b.', 'C d.']
  cumulative = split(EXAMPLE, 'cumulative')
  assert [d.text for d in cumulative] == ['A b.', 'A b. C d.']
  assert [d.text[d.prompt_length :] for d in cumulative] == ['A b.', 'C d.']
  onward = split(EXAMPLE, 'onward')
  assert [d.text for d in onward] == ['A b. C d.', 'C d.']
  assert split(EXAMPLE, 'none') == (EXAMPLE,)


def test_onward_starts_at_everything_that_a_question_may_quote():
  text = '# A\n\nB c. D e.\n\n- f\n- g h.\n\n1. i'
  parts = split(Document('d', text, prompt_length=10), 'onward')
  assert [part.text.split()[0] for part in parts] == [*'#BDfgi']
  assert all(text.endswith(part.text) for part in parts)
  assert [part.prompt_length for part in parts] == [10, 5, 0, 0, 0, 0]
  assert len({part.id for part in parts}) == len(parts)


def test_no_row_starts_inside_code_onward():
  text = 'A b.\n\n```\nC d. E f.\n\n- g\n```\n\nH i.'
  parts = split(Document('d', text), 'onward')
  assert [part.text[:3] for part in parts] == ['A b', '```', 'H i']


@pytest.mark.parametrize('mark', ['- ', '1. ', '> ', '| ', '• '])
def test_the_first_line_of_a_list_starts_a_row_onward(mark):
  parts = split(Document('d', f'{mark}A b\n{mark}C d'), 'onward')
  assert [part.text for part in parts] == [
    f'{mark}A b\n{mark}C d',
    f'A b\n{mark}C d',
    'C d',
  ]


@given(sentences, st.sampled_from([' ', '\n', '\n\n', '\n- ']))
def test_every_sentence_starts_a_row_onward(said, gap):
  text = gap.join(f'{sentence}.' for sentence in said)
  parts = split(Document('d', text), 'onward')
  assert parts[0].text == text
  starts = [part.text.partition('.')[0] for part in parts]
  assert starts == said


@pytest.mark.parametrize(
  ('prompt_length', 'independent', 'cumulative'),
  [
    (2, ['A ', ''], ['A ', 'A b. ']),
    (4, ['A b.', ''], ['A b.', 'A b. ']),
    (5, ['A b.', ''], ['A b.', 'A b. ']),
    (7, ['A b.', 'C '], ['A b.', 'A b. C ']),
  ],
)
def test_the_prompt_stays_prompt(prompt_length, independent, cumulative):
  document = dataclasses.replace(EXAMPLE, prompt_length=prompt_length)
  for how, expected in (
    ('independent', independent),
    ('cumulative', cumulative),
  ):
    parts = split(document, how)
    assert [part.text[: part.prompt_length] for part in parts] == expected


@given(
  sentences,
  st.sampled_from('.!?'),
  st.sampled_from([' ', '\n', '  ']),
  st.sampled_from(['', ' ', '\n']),
)
def test_sentences_add_up_to_the_text(said, end, gap, rest):
  text = gap.join(sentence + end for sentence in said) + rest
  document = Document('d', text)
  independent = split(document, 'independent')
  assert len(independent) == len(said)
  assert gap.join(part.text for part in independent) == text
  cumulative = split(document, 'cumulative')
  assert [c.text[c.prompt_length :] for c in cumulative] == [
    part.text for part in independent
  ]
  assert all(text.startswith(part.text) for part in cumulative)
  assert cumulative[-1].text == text


@pytest.mark.parametrize('how', splitting.SPLITTINGS)
def test_one_sentence_is_unchanged(how):
  document = Document('d', 'A 3.5 b, e.g.c', (Fact('a', 'b', 'c'),), 3)
  assert split(document, how) == (document,)


@pytest.mark.parametrize('how', ['independent', 'cumulative'])
def test_parts_have_unique_ids_and_keep_their_origin(how):
  parts = splitting.split([EXAMPLE, Document('e', 'E f? G.')], splitting=how)
  assert [part.id for part in parts] == ['d/0', 'd/1', 'e/0', 'e/1']
  # It is unknown which sentence states which fact.
  assert all(part.facts == () and part.origin == GIVEN for part in parts)


def test_unknown_splittings_are_errors():
  with pytest.raises(ValueError, match="'words'; allowed are none, indep"):
    splitting.split([EXAMPLE], splitting='words')
