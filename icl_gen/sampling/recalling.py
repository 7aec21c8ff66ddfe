"""Samples what a model recalls when it is given cues, without any documents."""

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from icl_gen import processes
from icl_gen.augmentation import audit, matching
from icl_gen.augmentation.audit import Auditor
from icl_gen.augmentation.matching import Line
from icl_gen.model.loading import Model
from icl_gen.runs import models
from icl_gen.runs.experiments import Experiment
from icl_gen.runs.stage import Stage
from icl_gen.sampling import resumable, sampler
from icl_gen.storage import corpus_files, recollections
from icl_gen.text import context as contexts
from icl_gen.text import prompts, recall
from icl_gen.text.context import Context
from icl_gen.text.sentences import Reader
from icl_gen.types import Corpus, Document
from icl_gen.worlds import catalog


def contexts_of(
  experiment: Experiment, stage: Stage, corpus: Corpus, model: Model
) -> tuple[tuple[Context, ...], dict[str, float]]:
  """What a model recalls before each question of a corpus; writes it down.

  Args:
    experiment: its settings.
    stage: of the evaluation, which this begins.
    corpus: the documents, and the questions that are asked.
    model: the loaded model.

  Returns:
    a context for each question, and the cost in requests and tokens.

  Raises:
    ValueError: as `recall.cues`, or the model's rows are too short.
    OSError: if the disk is full.
  """
  (source,) = stage.inputs
  world, rebuilt = catalog.build(
    experiment.world, seed=experiment.seed, **experiment.size
  )
  corpus_files.require_same(source, rebuilt)
  find, sampling = recall.cues(corpus.documents), experiment.augment
  cues_of = {question.id: find(question) for question in corpus.questions}
  cues = list(dict.fromkeys(cue for found in cues_of.values() for cue in found))
  longest = 1 + max(map(model.tokenizer.count, cues)) + sampling.max_tokens
  models.require_room(
    experiment.model, tokens=longest, what='the longest cue and its document'
  )

  stage.begin()
  recalled, cost = sample(
    model,
    cues,
    samples=experiment.context.documents,
    agree=experiment.context.agree,
    read=catalog.reader(world),
    judge=audit.auditor(world),
    kept=stage.parts['recalled'],
    of=stage.digest,
    seed=source.name,
    temperature=sampling.temperature,
    max_tokens=sampling.max_tokens,
  )
  print(summary(recalled), flush=True)
  if processes.is_first():
    recollections.write(stage.directory, by_question(recalled, cues_of))
  found = tuple(
    recall.context(recalled, of, seed=source.name, chat=experiment.chat)
    for of in cues_of.values()
  )
  # Not the seconds: the same cell has the same scores, to the byte.
  del cost['seconds']
  return found, {
    f'{recollections.KIND}_{name}': value for name, value in cost.items()
  }


def sample(
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
      kind=recollections.KIND,
      read=read,
      judge=judge,
      details={},
    )
    for cue, found in lines.items()
  }
  return recalled, cost


def by_question(
  recalled: Mapping[str, Sequence[Document]],
  questions: Mapping[str, Sequence[str]],
) -> dict[str, list[Document]]:
  """Question -> what was recalled for it.

  Args:
    recalled: cue -> documents.
    questions: id -> its cues.
  """
  return {
    id: [document for cue in cues for document in recalled[cue]]
    for id, cues in questions.items()
  }


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
