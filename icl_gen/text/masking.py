"""Makes documents into tasks: restore the text from one with blanks.

A model trained from left to right on 'A is B' learns to continue 'A'; asked to
restore '_ is B', it also has to find 'A' from what follows. Pan et al. 2025
(arXiv 2510.09885) call this masked fine-tuning.
"""

import dataclasses
import random
import re
from collections.abc import Sequence

from icl_gen.text.scripts import MARKS
from icl_gen.types import Document

MASKINGS = ('none', 'added', 'alone')
# One piece in every tokenizer of the Gemma family; '[MASK]' would be several.
BLANK = '_'
# The task, before the text that restores it. Its space keeps the first word in
# the pieces that it has in sentences, with any tokenizer.
TASK = 'Fill in the blanks: {masked}\nText: '
# A word with its inner marks (Trask's, well-known, 3.5).
_WORD = re.compile(rf"[\w{MARKS}]+(?:[-'’.][\w{MARKS}]+)*")


def masked(
  documents: Sequence[Document], *, copies: int, share: float, seed: str
) -> tuple[Document, ...]:
  """Returns tasks to restore the documents, `copies` of each.

    'Glon is old.'  'Fill in the blanks: Glon _ old.\\nText: Glon is old.'

  The task is a prompt; the text after it is the whole document, with what was
  its own prompt. Tasks have no known facts, as nothing reads them. What is
  blanked depends on the seed, the document's id and the number of the copy.

  Args:
    documents: the training documents.
    copies: of each document, with different blanks; 1 or more.
    share: of a document's words, that are blanked, rounded, but at least one;
      0: in each copy another share, drawn evenly between 0 and 1.
    seed: name of the draw.
  """
  return tuple(
    _task(document, copy, share=share, seed=seed)
    for document in documents
    for copy in range(copies)
  )


def _task(
  document: Document, copy: int, *, share: float, seed: str
) -> Document:
  rng = random.Random(f'{seed}/{document.id}/masked/{copy}')
  share = share or rng.random()
  words = list(_WORD.finditer(document.text))
  count = min(len(words), max(1, round(share * len(words))))
  chosen = {word.start() for word in rng.sample(words, count)}

  def blank(word: re.Match[str]) -> str:
    return BLANK if word.start() in chosen else word[0]

  task = TASK.format(masked=_WORD.sub(blank, document.text))
  return dataclasses.replace(
    document,
    id=f'{document.id}/masked/{copy}',
    text=task + document.text,
    facts=(),
    prompt_length=len(task),
  )
