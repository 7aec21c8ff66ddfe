"""Markdown is read as it is shown, and no word of it is lost."""

import pytest

from icl_gen.text import markdown
from tests.rules import ROOT


def test_lines_of_a_paragraph_are_joined_and_no_others():
  text = (
    '# A\nb\nc  \nd\n\n- e\n  f\n- g\n1. h\n> i\n> j\n\n| k |\n\n```\nk\nl\n'
    '```\nm\n\n    n\n    o\n\n<div>\np\n</div>\n'
  )
  assert markdown.unwrapped(text) == (
    '# A\nb c  \nd\n\n- e f\n- g\n1. h\n> i j\n\n| k |\n\n```\nk\nl\n'
    '```\nm\n\n    n\n    o\n\n<div>\np\n</div>\n'
  )


@pytest.mark.parametrize(
  'path', sorted((ROOT / 'docs').glob('*.md')), ids=lambda path: path.name
)
def test_unwrapping_keeps_all_words(path):
  text = path.read_text('utf-8')
  once = markdown.unwrapped(text)
  assert once.replace('>', '').split() == text.replace('>', '').split()
  assert markdown.unwrapped(once) == once


@pytest.mark.parametrize(
  ('text', 'expected'),
  [
    ('The\nmill\n===\nIt is\nold.', '# The mill\nIt is old.'),
    ('A.\n\nThe mill\n-\nB.', 'A.\n\n## The mill\nB.'),
    ('A.\n\n---\nB.\n\n***\n', 'A.\n\n---\nB.\n\n***\n'),
    ('a | b\n--- | ---\nc | d\n\ne', '| a | b\n| --- | ---\n| c | d\n\ne'),
    ('````\n```\na\nb\n```\n````\nc\nd', '````\n```\na\nb\n```\n````\nc d'),
    ('• a\n• b', '• a\n• b'),
    ('磨坊是由奥德\n建造的。', '磨坊是由奥德建造的。'),
    ('磨坊 Odd\n建造的。', '磨坊 Odd 建造的。'),
  ],
)
def test_what_looks_like_a_paragraph_is_told_apart(text, expected):
  assert markdown.unwrapped(text) == expected


@pytest.mark.parametrize(
  ('above', 'page', 'expected'),
  [
    ('---\ntitle: "The mill"\ntags:\n- a\n---\n', 'B.', '# The mill\n\nB.'),
    ("+++\ntitle = 'The mill'\n+++", '\n\nB.', '# The mill\n\nB.'),
    ('---\n# note\n\nTitle: a\n---\n', '\n# C\n\nB.', '# C\n\nB.'),
    ('---\ntitle: a\n---\n', 'C\n===\n\nB.', 'C\n===\n\nB.'),
    ('---\ntags: a\n---\n', 'B.', 'B.'),
    ('---\ntitle: a\n---', '', '# a'),
    ('---\n---\n', 'B.', 'B.'),
  ],
)
def test_only_the_title_of_front_matter_is_read(above, page, expected):
  assert markdown.without_front_matter(above + page) == expected


@pytest.mark.parametrize(
  'page',
  ['---\n\nText between rules.\n\n---\n', '---\ntitle: a\n\nNo end.', 'a: b'],
)
def test_what_is_no_front_matter_stays(page):
  assert markdown.without_front_matter(page) == page


def test_paragraphs_are_told_from_what_surrounds_them():
  text = (
    '# A\nB\nc.\n- d\n\n> e\n\n| f |\n|---|\n| g |\n\n```\nh\n```\n\n    i\n\n'
    '<div>\nj\n</div>\n\nK\n---\n[l]: https://example.org\n'
  )
  assert list(markdown.paragraphs(text)) == ['B\nc.', 'i']
