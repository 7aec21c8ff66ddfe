"""The documents before questions, and before prompts for inferences."""

from collections.abc import Callable, Sequence

from icl_gen.runs import models
from icl_gen.runs.experiments import Experiment
from icl_gen.text import context as contexts
from icl_gen.text.context import Context
from icl_gen.text.prompts import Text
from icl_gen.types import Corpus, Document

# 'fitting': all documents, or, if they do not fit, those that match a question.
KINDS = ('all', *contexts.RETRIEVED, 'fitting')


def budget(experiment: Experiment) -> int:
  """Maximum number of tokens of a context of all documents; 0: no limit.

  Where the context is 'fitting', a third of the model's rows is left to the
  question, or to a prompt and what is sampled.
  """
  wanted = experiment.context
  if wanted.kind == 'fitting' and not wanted.budget:
    return 2 * models.longest(experiment.model) // 3
  return wanted.budget


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

  Args:
    experiment: its `context` says how many documents there are.
    documents: of the corpus.
    name: name of the corpus's directory; seeds the draw.
    count_tokens: number of tokens of a text.

  Raises:
    ValueError: as `contexts.build`.
  """
  return contexts.build(
    documents,
    seed=f'{name}/augment',
    factor=experiment.context.factor,
    budget=budget(experiment),
    count_tokens=count_tokens,
  )
