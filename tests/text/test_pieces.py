"""Long texts are split where a reader would, and nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icl_gen.text import pieces
from tests.rules import ROOT

PAGE = """# One

First. Second is longer.

## Two

- an item
- another item

```
# no heading

code
```
"""
blocks = st.lists(
  st.sampled_from(
    ['# A', '## B b', 'C d. E f!', '- g\n- h', '```\n# i\n\nj\n```', '| k |']
  ),
  min_size=1,
  max_size=8,
)


def words(texts):
  return ' '.join(texts).split()


@given(blocks, st.integers(1, 60))
def test_no_word_is_lost_or_moved(found, longest):
  text = '\n\n'.join(found)
  split = pieces.split(text, longest=longest)
  assert words(split) == text.split()
  assert all(piece == piece.strip() != '' for piece in split)


@pytest.mark.parametrize('longest', [300, 600])
@pytest.mark.parametrize('name', ['scoring', 'worlds', 'own-data'])
def test_only_what_has_no_place_to_split_is_longer(name, longest):
  text = (ROOT / 'docs' / f'{name}.md').read_text('utf-8')
  split = pieces.split(text, longest=longest)
  assert words(split) == text.split()
  for piece in split:
    if len(piece) > longest:
      heading, _, rest = piece.partition('\n\n')
      alone = rest if heading.startswith('#') else piece
      # One block of code or one sentence, wrapped or not.
      assert pieces.split(alone, longest=longest) == [alone] or '```' in piece


def test_a_text_that_fits_is_one_piece():
  assert pieces.split(f'\n{PAGE}', longest=len(PAGE)) == [PAGE.strip()]


def test_headings_come_first_and_stay_with_what_follows():
  one, two = pieces.split(PAGE, longest=75)
  assert one.startswith('# One') and one.endswith('longer.')
  assert two.startswith('## Two\n\n- an item')


def test_neighbours_that_fit_are_joined():
  text = '\n\n'.join(['aaaa.', 'bbbb.', 'cccc.', 'dddd.'])
  assert pieces.split(text, longest=12) == ['aaaa.\n\nbbbb.', 'cccc.\n\ndddd.']


def test_code_is_one_paragraph():
  assert pieces.split(PAGE, longest=1)[-1] == '```\n# no heading\n\ncode\n```'


@pytest.mark.parametrize(
  'code',
  [
    '~~~~\n```\na\n\nb\n```\n~~~~',
    '````md\n```py\na\n\nb\n```\n\nc\n````',
    '```` a\n\n``` b\n\nc\n`````',
  ],
)
def test_a_fence_ends_where_one_like_it_does(code):
  text = f'A.\n\n{code}\n\nB.\n\nC.'
  assert pieces.split(text, longest=1) == ['A.', code, 'B.', 'C.']


@pytest.mark.parametrize('end', ['.', '。'])
def test_pieces_end_where_sentences_do(end):
  gap = ' ' if end == '.' else ''
  said = [f'Dr. Q wrote No. {n} of it{end}' for n in range(9)]
  text = gap.join(said)
  assert pieces.split(text, longest=25) == said


def test_the_mark_of_a_list_is_no_piece():
  text = '1. ' + 'Now ' * 20 + 'is.'
  assert pieces.split(text, longest=20) == [text]


def test_sentences_are_never_cut():
  text = 'Long ago it was. ' + 'Now ' * 50 + 'is.'
  assert pieces.split(text, longest=20) == ['Long ago it was.', text[17:]]
