"""Finds where sentences end: after quotations, and not after abbreviations.

Where it is uncertain, two sentences stay one: half a sentence states nothing,
or something else.
"""

import itertools
import re
from collections.abc import Iterator

# Closing quotes, brackets and emphasis of Markdown, and marks of footnotes.
_AFTER = r'(?:["\'”’»)\]*_]|\[\^?\w+\])*'
# Chinese and Japanese put no space after a sentence. Behind a closing quote
# there, 'said he' may follow.
_END = re.compile(
  rf'[.!?…؟۔։።।॥](?P<after>{_AFTER})(?P<gap>\s+)(?=\S)'
  r'|[。！？｡](?P<gap2>\s*)(?=[^\s。！？｡」』”’）】》])'
)
_PARAGRAPH = re.compile(r'\S(?:.|\n(?!\s*?\n))*')
_LINE = re.compile(r'\S(?:.*\S)?')
_ITEM = re.compile(r'(?:[-*+|>•]|\d+[.)])\s')
_BLANK = re.compile(r'\n[ \t]*\n')
_WORD = re.compile(r'[\w.]*\Z')
_MARGIN = re.compile(r'(?:\A|\n)[ \t]*\Z')
_FARTHEST = 24  # characters that are looked at before a mark

# They stand before what they belong to, ...
_NEVER = frozenset(
  'Mr Mrs Ms Messrs Dr Prof Rev Hon St Mt Ft Gen Col Maj Capt Cmdr Lt Sgt Gov'
  ' Sen Rep Pres Mme Mlle vs cf viz resp e.g i.e'.split()
)
# ... before a number, ...
_BEFORE_NUMBER = frozenset(
  'No Nos Nr no nos nr Vol vol Fig Figs fig figs Eq Eqs Ch ch Sec sec Art p pp'
  ' c ca Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec'.split()
)
# ... or end a sentence only if another one clearly begins.
_SELDOM = frozenset(
  'etc al ff approx Inc Ltd Co Corp Bros Jr Sr a.m p.m'.split()
)
_DOTTED = re.compile(r'(?:[^\W\d_]\.)+[^\W\d_]')  # U.S, J.R.R
_BEGINNINGS = frozenset(
  'A After All An And As At Before But For From He Her His However I If In It'
  ' Its My No On Our She Since So That The Their Then There These They This'
  ' Those To Today We When Where While With You'.split()
)


def gaps(text: str) -> Iterator[tuple[int, int]]:
  """Yields the end of every sentence but the last, and the start of the next.

  'Dr. Q said "No." He left.' gives the place of ' ' before 'He'
  """
  found = set(_between_lines(text))
  for mark in _END.finditer(text):
    name = 'gap' if mark['gap2'] is None else 'gap2'
    if name == 'gap2' or _ends(text, mark):
      found.add(mark.span(name))
  yield from sorted(found)


def _between_lines(text: str) -> Iterator[tuple[int, int]]:
  """Yields the gaps between lines that say something each.

  Lines that were wrapped do not: there, the next word had no room. Items of
  lists are left to the caller.
  """
  for paragraph in _PARAGRAPH.finditer(text):
    lines = list(_LINE.finditer(text, *paragraph.span()))
    width = max(line.end() - line.start() for line in lines)
    broken = [
      len(line[0]) + 1 + len(following[0].split(None, 1)[0]) <= width
      for line, following in itertools.pairwise(lines)
    ]
    if 2 * sum(broken) >= len(broken):
      for line, following in itertools.pairwise(lines):
        if not _ITEM.match(following[0]):
          yield line.end(), following.start()


def _ends(text: str, found: re.Match[str]) -> bool:
  """Whether a mark with white space after it ends a sentence."""
  place, following = found.start(), text[found.end()]
  if _BLANK.search(found['gap']):
    return True
  if found['after'] and following.islower():
    return False  # "Who?" asked she
  if text[place] == '…' or text.endswith('..', 0, place):
    return not following.islower()
  if text[place] != '.':
    return True
  farthest = max(0, place - _FARTHEST)
  match = _WORD.search(text, farthest, place)
  assert match is not None
  if match[0].isdigit():
    # Else it is the mark of an item of a list.
    return not _MARGIN.search(text, farthest, match.start())
  return _ends_after(match[0], text[found.end() : found.end() + _FARTHEST])


def _ends_after(word: str, rest: str) -> bool:
  """Whether a full stop after a word ends a sentence, going by what follows."""
  if word in _NEVER:
    return False
  if word in _BEFORE_NUMBER:
    return not rest[0].isdigit()
  if word in _SELDOM:
    return rest[0].isupper()
  is_initial = len(word) == 1 and word.isupper() and word != 'I'
  if is_initial or _DOTTED.fullmatch(word):
    following = re.match(r'\w*', rest)
    return following is not None and following[0] in _BEGINNINGS
  return True
