"""The documents before questions, and before prompts for inferences."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from icl_gen.reporting.records import RECALLED
from icl_gen.runs import experiments, models
from icl_gen.runs.experiments import Experiment
from icl_gen.text import context as contexts
from icl_gen.text.context import Context
from icl_gen.text.prompts import Text
from icl_gen.types import Corpus, Document

# 'fitting': all documents, or, if they do not fit, those that match a question.
# 'recalled': no documents, but what the model recalls of them.
KINDS = ('all', *contexts.RETRIEVED, 'fitting', RECALLED)


def budget(experiment: Experiment) -> int:
  """Maximum number of tokens of a context of all documents; 0: no limit.

  Where the context is 'fitting', a third of the model's rows is left to the
  question, or to a prompt and what is sampled.
  """
  wanted = experiment.context
  if wanted.kind == 'fitting' and not wanted.budget:
    return 2 * models.longest(experiment.model) // 3
  return wanted.budget


def is_recalled(experiment: Experiment) -> bool:
  """Whether the model writes its own context before it is asked."""
  kind = experiment.context.kind
  return experiment.condition == 'icl' and kind == RECALLED


def require_samples(experiment: Experiment) -> None:
  """Checks that something can be recalled.

  Raises:
    ValueError: there are no samples, or fewer than have to agree.
  """
  samples, agree = experiment.context.documents, experiment.context.agree
  if samples < agree:
    raise ValueError(
      f'--config.context.documents={samples} samples of each cue, of which'
      f' --config.context.agree={agree} have to be the same; give at least as'
      ' many samples'
    )


def recorded(experiment: Experiment) -> dict[str, Any]:
  """The settings that decide the context.

  `agree` is among them only if it is not the default: contexts of documents
  have the same settings as before there were others.
  """
  values = dataclasses.asdict(experiment.context)
  if values['agree'] == experiments.Context.agree:
    del values['agree']
  return values


def context(
  experiment: Experiment,
  corpus: Corpus,
  *,
  name: str,
  count_tokens: Callable[[Text], int],
) -> Context | Sequence[Context]:
  """Returns one context for all questions, or one for each of them.

  Args:
    experiment: its `context` says how documents are chosen.
    corpus: the documents and questions.
    name: name of the corpus's directory; seeds the draw.
    count_tokens: number of tokens of a text.

  Raises:
    ValueError: an unknown kind of context, or settings that the corpus cannot
      satisfy.
  """
  wanted, chat = experiment.context, experiment.chat
  kind = wanted.kind
  assert kind != RECALLED, 'what is recalled has to be sampled'
  if kind == 'fitting':
    whole = contexts.build(corpus.documents, seed=f'{name}/context', chat=chat)
    # 1 for BOS.
    if 1 + count_tokens(whole.before) <= budget(experiment):
      return whole
    kind = 'bm25'
  if wanted.kind == 'all':
    return contexts.build(
      corpus.documents,
      seed=f'{name}/context',
      factor=wanted.factor,
      budget=wanted.budget,
      count_tokens=count_tokens,
      chat=chat,
    )
  return contexts.retrieve(
    corpus.documents,
    corpus.questions,
    seed=f'{name}/context',
    kind=kind,
    count=wanted.documents,
    distractors=wanted.distractors,
    chat=chat,
  )


def of_inferences(
  experiment: Experiment,
  documents: Sequence[Document],
  *,
  name: str,
  count_tokens: Callable[[Text], int],
) -> Context:
  """Returns the context that a model's global inferences are sampled after.

  Without such inferences, nothing is read: it is empty.

  Args:
    experiment: its `context` says how many documents there are.
    documents: of the corpus.
    name: name of the corpus's directory; seeds the draw.
    count_tokens: number of tokens of a text.

  Raises:
    ValueError: as `contexts.build`.
  """
  if not experiment.augment.global_samples:
    return contexts.NONE
  return contexts.build(
    documents,
    seed=f'{name}/augment',
    factor=experiment.context.factor,
    budget=budget(experiment),
    count_tokens=count_tokens,
  )
