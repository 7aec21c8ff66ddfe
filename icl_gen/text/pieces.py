"""Splits long texts at headings, paragraphs and sentences, without loss.

Nothing is cut inside a sentence or a line of a list or table, and code between
fences is one paragraph.
"""

import re

from icl_gen.text import markdown, sentence_ends

_HEADING = re.compile(r'^(#{1,6})[ \t]+\S.*$', re.MULTILINE)
_DEEPEST = 6
_BLANK = re.compile(r'\n[ \t]*\n\s*?(?=[^\s])')
_ITEM = re.compile(r'\n(?=[ \t]*(?:[-*+|•]|\d+[.)])[ \t])')


def split(text: str, *, longest: int) -> list[str]:
  """Splits a text into as few pieces as neighbouring parts allow.

  A text that is too long is split before its headings, those of the highest
  level first; what is still too long, between paragraphs, then before the lines
  of lists and tables, then between sentences. A heading stays with what follows
  it. Neighbours that fit together are joined again.

  Args:
    text: plain or Markdown.
    longest: characters of a piece; 1 or more. A piece is longer only if it is
      one sentence or line.

  Returns:
    the pieces, without white space around them, in order.
  """
  assert longest >= 1
  return [
    piece.strip()
    for piece in _parts(text.strip(), longest, level=1)
    if piece.strip()
  ]


def _parts(text: str, longest: int, *, level: int) -> list[str]:
  """Pieces that add up to the text, white space included."""
  if len(text.strip()) <= longest or level > _DEEPEST + 3:
    return [text]
  places = [0, *_places(text, level), len(text)]
  parts = [
    part
    for start, end in zip(places, places[1:], strict=False)
    for part in _parts(text[start:end], longest, level=level + 1)
  ]
  joined = parts[:1]
  for part in parts[1:]:
    together = joined[-1] + part
    if len(together.strip()) <= longest:
      joined[-1] = together
    else:
      joined.append(part)
  return joined


def _places(text: str, level: int) -> list[int]:
  """Where a text may be split at a level: headings, then finer and finer."""
  code = list(markdown.fenced(text))
  if level <= _DEEPEST:
    found = [m.start() for m in _HEADING.finditer(text) if len(m[1]) == level]
  elif level == _DEEPEST + 1:
    found = [m.end() for m in _BLANK.finditer(text)]
  elif level == _DEEPEST + 2:
    found = [m.end() for m in _ITEM.finditer(text)]
  else:
    found = [start for _, start in sentence_ends.gaps(text)]
  return [
    place
    for place in found
    if place
    and not _follows_heading(text, place)
    and not any(start < place < end for start, end in code)
  ]


def _follows_heading(text: str, place: int) -> bool:
  """Whether the last line with text before a place is a heading."""
  end = place
  while end and text[end - 1].isspace():
    end -= 1
  return bool(_HEADING.fullmatch(text, text.rfind('\n', 0, end) + 1, end))
