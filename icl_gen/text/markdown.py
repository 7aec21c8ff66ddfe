"""Reads Markdown as it is shown.

What is a paragraph, a table or code is decided by markdown-it-py, which reads
CommonMark, and tables as GitHub does.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

from icl_gen.text import scripts

# YAML between lines of hyphens, or TOML between plus signs; what has no entry
# is text between two rules.
_ENTRY = r'["\']?[\w-]+["\']?[ \t]*[:=]'
_FRONT_MATTER = re.compile(
  r'(?P<rule>---|\+\+\+)[ \t]*\n'
  rf'(?P<entries>(?:[ \t]*(?:#.*)?\n)*(?:{_ENTRY}.*\n(?:.*\n)*?)?)'
  r'(?P=rule)[ \t]*(?:\n|\Z)'
)
_TITLE = re.compile(
  r'^title[ \t]*[:=][ \t]*(["\']?)(\S.*?)\1[ \t]*$', re.MULTILINE
)
_HEADED = re.compile(r'#|.+\n=+[ \t]*(?:\n|\Z)')
# Ends of lines that break them where they are shown.
_BREAKS = ('  ', '\\')
_FENCE = re.compile(r'[ \t]*(?P<marks>`{3,}(?!.*`)|~{3,})(?P<after>.*)')
_MARGIN = re.compile(r'[ \t]*(?:>[ \t]*)*')


def without_front_matter(text: str) -> str:
  """Returns a page without the settings above it.

  Their `title` becomes a heading, unless the page begins with one.
  """
  found = _FRONT_MATTER.match(text)
  if not found:
    return text
  page = text[found.end() :].strip('\n')
  title = _TITLE.search(found['entries'])
  if title is None or _HEADED.match(page):
    return page
  return f'# {title[2]}\n\n{page}'.rstrip('\n')


def unwrapped(text: str) -> str:
  """Returns Markdown with each paragraph in one line.

  A line break inside a paragraph stands for a space. Headings that are
  underlined get number signs, and rows of tables begin with a bar. All else
  stays as it is, as do line breaks that are shown.
  """
  lines: list[str | None] = [*text.split('\n')]
  for token in _parser().parse(text):
    if token.map is None:
      continue
    start, end = token.map
    if token.type == 'paragraph_open':
      _join(lines, start, end)
    elif token.type == 'heading_open' and token.markup in ('=', '-'):
      _join(lines, start, end - 1)
      if token.level == 0:
        lines[start] = f'{"#" * int(token.tag[1:])} {_text(lines[start])}'
        lines[end - 1] = None
    elif token.type == 'table_open' and token.level == 0:
      for place in range(start, end):
        row = _text(lines[place])
        lines[place] = row if row.startswith('|') else f'| {row}'
  return '\n'.join(line for line in lines if line is not None)


def paragraphs(text: str) -> Iterator[str]:
  """Yields the paragraphs that are in no list, quotation or table.

  Indented ones count too, as texts that are no Markdown have them.
  """
  found = _parser(indented_code=False).parse(text)
  for token, inner in zip(found, found[1:], strict=False):
    if token.type == 'paragraph_open' and token.level == 0:
      yield inner.content


def _join(lines: list[str | None], start: int, end: int) -> None:
  """Joins lines with the first one of them, but where they are broken."""
  first, parts = start, [lines[start] or '']
  for place in range(start + 1, end):
    before, line = parts[-1], _MARGIN.sub('', lines[place] or '', count=1)
    if before.endswith(_BREAKS) or line.startswith('•'):
      lines[first] = ''.join(parts)
      first, parts = place, [lines[place] or '']
      continue
    parts[-1] = before.rstrip()
    parts += [scripts.space(parts[-1], line), line]
    lines[place] = None
  lines[first] = ''.join(parts)


def _text(line: str | None) -> str:
  return (line or '').strip()


@functools.cache
def _parser(*, indented_code: bool = True) -> Any:
  # Imported here, as most commands read no documents.
  import markdown_it

  parser = markdown_it.MarkdownIt('commonmark').enable('table')
  parser.core.ruler.enableOnly(['block'])
  return parser if indented_code else parser.disable('code')


def fenced(text: str) -> Iterator[tuple[int, int]]:
  """Yields start and end of each block of code between fences.

  A block without an end goes on to the end of the text.
  """
  opening, start, place = '', 0, 0
  for line in text.split('\n'):
    found = _FENCE.match(line)
    if found and not opening:
      opening, start = found['marks'], place
    elif (
      found
      and found['marks'].startswith(opening)
      and not found['after'].strip()
    ):
      yield start, place + len(line)
      opening = ''
    place += len(line) + 1
  if opening:
    yield start, len(text)
