"""Completions to documents: lines, duplicates dropped, each with its verdict.

Every line of every completion ends as kept or as dropped for a reason, and the
two add up.
"""

import collections
import dataclasses
from collections.abc import Callable, Mapping, Sequence

from icl_gen.augmentation import plan
from icl_gen.augmentation.audit import Auditor
from icl_gen.augmentation.plan import Request
from icl_gen.text import prompts
from icl_gen.types import Document, Fact, Origin

Reader = Callable[[str], tuple[Fact, ...] | None]


@dataclasses.dataclass(frozen=True)
class Parsed:
  """What came of the completions.

  Attributes:
    documents: the kept lines.
    dropped: number of lines dropped, by reason: 'empty', 'unfinished' (the
      completion was cut by the token limit), 'long' (no training row holds
      it), 'duplicate' (of an earlier line), 'given' (word for word a document
      of the corpus).
    lines: number of lines in all; kept and dropped add up to it.
  """

  documents: tuple[Document, ...]
  dropped: Mapping[str, int]
  lines: int


def parse(
  answered: Sequence[tuple[Request, str, bool]],
  *,
  given: Sequence[Document],
  read: Reader,
  judge: Auditor,
  fits: Callable[[str], bool],
  details: Mapping[str, str],
) -> Parsed:
  """Makes documents of completions.

  Args:
    answered: request, completion, and whether the model ended it itself.
    given: the corpus's documents.
    read: the world's grammar; None for what it cannot read.
    judge: the world's auditor.
    fits: whether a training row holds the text.
    details: provenance for every document (model, seed, ...).

  Returns:
    the documents, in the order of the requests.
  """
  seen = {normalised(document.text): 'given' for document in given}
  documents, dropped, lines = [], collections.Counter(), 0
  for request, text, ended in answered:
    said = text.strip('\n').split('\n')
    for i, line in enumerate(said):
      lines += 1
      line = line.strip().removeprefix(prompts.BULLET.strip()).strip()
      cut = i == len(said) - 1 and not (ended or text.endswith('\n'))
      reason = 'empty' if not line else 'unfinished' if cut else ''
      reason = reason or seen.get(normalised(line), '')
      reason = reason or ('' if fits(line) else 'long')
      if reason:
        dropped[reason] += 1
        continue
      seen[normalised(line)] = 'duplicate'
      documents.append(
        _document(f'{request.name}/{i}', line, request, read, judge, details)
      )
  assert len(documents) + dropped.total() == lines
  return Parsed(tuple(documents), dict(sorted(dropped.items())), lines)


def normalised(text: str) -> str:
  """Case, spacing and end punctuation do not make a sentence another one."""
  return ' '.join(text.lower().split()).rstrip('.!')


def _document(name, line, request, read, judge, details) -> Document:
  facts = read(line)
  verdict = judge(facts)
  return Document(
    id=name,
    text=line,
    facts=facts or (),
    origin=Origin(
      kind=request.kind,
      parents=(request.parent,),
      details=(
        *details.items(),
        ('prompt', plan.prompt_hash(request.kind)),
        ('request', request.name),
        ('verdict', verdict.label),
        ('hops', str(verdict.hops)),
      ),
    ),
  )
