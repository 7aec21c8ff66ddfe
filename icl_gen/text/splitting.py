"""Splits training documents into sentences."""

import dataclasses
import re
from collections.abc import Iterable

from icl_gen.types import Document

SPLITTINGS = ('none', 'independent', 'cumulative')
_END_OF_SENTENCE = re.compile(r'(?<=[.!?])\s+(?=\S)')


def split(
  documents: Iterable[Document], *, splitting: str
) -> tuple[Document, ...]:
  """Splits documents into sentences; n sentences give n documents.

    'A b. C d.'  independent:  'A b.'  'C d.'
                 cumulative:   'A b.'  'A b. C d.'

  In a cumulative document, everything before the last sentence is prompt, so
  that each sentence is learned once if the loss is on the completion. The
  prompt of the document stays prompt in its parts; a part that is all prompt
  has no loss then. A document of one sentence is returned unchanged.

  Args:
    documents: the training documents.
    splitting: 'none', 'independent' or 'cumulative'.

  Raises:
    ValueError: the splitting is unknown.
  """
  if splitting not in SPLITTINGS:
    raise ValueError(
      f'splitting {splitting!r}; allowed are {", ".join(SPLITTINGS)}'
    )
  if splitting == 'none':
    return tuple(documents)
  return tuple(
    part
    for document in documents
    for part in _parts(document, cumulative=splitting == 'cumulative')
  )


def _parts(document: Document, *, cumulative: bool) -> list[Document]:
  ends = [m.start() for m in _END_OF_SENTENCE.finditer(document.text)]
  starts = [m.end() for m in _END_OF_SENTENCE.finditer(document.text)]
  if not ends:
    return [document]
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
