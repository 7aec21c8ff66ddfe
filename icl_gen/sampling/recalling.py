"""Samples what a model recalls when it is given cues, without any documents."""

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from icl_gen.augmentation import matching
from icl_gen.augmentation.audit import Auditor
from icl_gen.augmentation.matching import Line
from icl_gen.model.loading import Model
from icl_gen.sampling import resumable, sampler
from icl_gen.text import context as contexts
from icl_gen.text import prompts
from icl_gen.text.sentences import Reader
from icl_gen.types import Document

KIND = 'recalled'


def recall(
  model: Model,
  cues: Sequence[str],
  *,
  samples: int,
  agree: int,
  read: Reader,
  judge: Auditor,
  **settings: Any,
) -> tuple[dict[str, tuple[Document, ...]], dict[str, float]]:
  """Samples the documents that begin with each cue.

  Args:
    model: the loaded model.
    cues: beginnings of texts, each once.
    samples: number of completions of each cue.
    agree: number of them that must be the same for a document to be recalled.
      A model that recalls repeats itself; one that guesses does so rarely.
    read: reads the facts of a text, or returns None.
    judge: judges facts; see `audit.auditor`.
    **settings: further keyword arguments of `resumable.sample`.

  Returns:
    cue -> the different documents of its completions, without those that the
    token limit cut; and the cost, as `resumable.sample`. Neither depends on
    what is true.

  Raises:
    ValueError: as `sampler.sample`.
    OSError: if the disk is full.
  """
  asked = [(cue, f'{cue}/{i}') for cue in cues for i in range(samples)]
  completions, cost = resumable.sample(
    model,
    [sampler.Request(name, cue, whole=True) for cue, name in asked],
    contexts.NONE,
    **settings,
  )
  lines: dict[str, dict[str, list[Line]]] = {cue: {} for cue in cues}
  for (cue, name), completion in zip(asked, completions, strict=True):
    said, line_break, _ = completion.text.partition(prompts.NEWLINE)
    if completion.ended or line_break:
      text = said.rstrip()
      lines[cue].setdefault(text, []).append(Line(name, cue, text))
  recalled = {
    cue: matching.documents(
      [alike[0] for alike in found.values() if len(alike) >= agree],
      kind=KIND,
      read=read,
      judge=judge,
      details={},
    )
    for cue, found in lines.items()
  }
  return recalled, cost


def rows(
  recalled: Mapping[str, Sequence[Document]],
  questions: Mapping[str, Sequence[str]],
) -> list[dict[str, Any]]:
  """One JSON object per question, with what was recalled for it.

  Args:
    recalled: cue -> documents.
    questions: id -> its cues.
  """
  return [
    {'question': id, 'recalled': [_row(d) for cue in of for d in recalled[cue]]}
    for id, of in questions.items()
  ]


def _row(document: Document) -> dict[str, Any]:
  (cue,) = document.origin.parents
  return {'cue': cue, 'text': document.text, **dict(document.origin.details)}


def summary(recalled: Mapping[str, Sequence[Document]]) -> str:
  """A line that says how many documents were recalled, with which verdicts."""
  verdicts = [
    dict(document.origin.details)['verdict']
    for documents in recalled.values()
    for document in documents
  ]
  counts = sorted(collections.Counter(verdicts).items())
  told = ', '.join(f'{count} {verdict}' for verdict, count in counts)
  return f'recalled {len(verdicts)} documents from {len(recalled)} cues: {told}'
