"""Splits training documents into sentences, or starts them at each."""

import dataclasses
import re
from collections.abc import Iterable

from icl_gen.text import markdown, sentence_ends
from icl_gen.types import Document

SPLITTINGS = ('none', 'independent', 'cumulative', 'onward')
_END_OF_PARAGRAPH = re.compile(r'\n[ \t]*\n\s*(?=\S)')
# Of the lines of a list or table; it is not part of what they say.
_MARK = re.compile(r'\n?[ \t]*(?:[-*+|>•]|\d+[.)])[ \t]+(?=\S)')
_ITEM = re.compile(rf'(?=\n){_MARK.pattern}')


def split(
  documents: Iterable[Document], *, splitting: str
) -> tuple[Document, ...]:
  """Splits documents into sentences; n sentences give n documents.

    'A b. C d.'  independent:  'A b.'  'C d.'
                 cumulative:   'A b.'  'A b. C d.'
                 onward:       'A b. C d.'  'C d.'

  Onward, paragraphs and the items of lists count as sentences too: a question
  that quotes any of them then starts as a row of training does. No row starts
  inside code.

  In a cumulative document, everything before the last sentence is prompt, so
  that each sentence is learned once if the loss is on the completion. The
  prompt of the document stays prompt in its parts; a part that is all prompt
  has no loss then. A document of one sentence is returned unchanged.

  Args:
    documents: the training documents.
    splitting: one of SPLITTINGS; 'none' returns them as they are.

  Raises:
    ValueError: the splitting is unknown.
  """
  if splitting not in SPLITTINGS:
    raise ValueError(
      f'splitting {splitting!r}; allowed are {", ".join(SPLITTINGS)}'
    )
  if splitting == 'none':
    return tuple(documents)
  if splitting == 'onward':
    return tuple(part for one in documents for part in _onward(one))
  return tuple(
    part
    for document in documents
    for part in _parts(document, cumulative=splitting == 'cumulative')
  )


def _onward(document: Document) -> list[Document]:
  text = document.text
  places = [0, *(start for _, start in sentence_ends.gaps(text))]
  for pattern in (_END_OF_PARAGRAPH, _ITEM):
    places += [found.end() for found in pattern.finditer(text)]
  code = list(markdown.fenced(text))
  starts = {
    _after_mark(text, place)
    for place in places
    if not any(start < place <= end for start, end in code)
  } - {0}
  if not starts:
    return [document]
  return [
    dataclasses.replace(
      document,
      id=f'{document.id}/{i}',
      text=text[start:],
      facts=(),
      prompt_length=max(0, document.prompt_length - start),
    )
    for i, start in enumerate(sorted({0, *starts}))
  ]


def _after_mark(text: str, place: int) -> int:
  found = _MARK.match(text, place)
  return found.end() if found else place


def _parts(document: Document, *, cumulative: bool) -> list[Document]:
  gaps = list(sentence_ends.gaps(document.text))
  if not gaps:
    return [document]
  ends, starts = zip(*gaps, strict=True)
  parts = []
  spans = zip([0, *starts], [*ends, len(document.text)], strict=True)
  for i, (start, end) in enumerate(spans):
    begin = 0 if cumulative else start
    prompt_end = max(start, document.prompt_length)
    parts.append(
      dataclasses.replace(
        document,
        id=f'{document.id}/{i}',
        text=document.text[begin:end],
        facts=(),
        prompt_length=min(prompt_end, end) - begin,
      )
    )
  return parts
