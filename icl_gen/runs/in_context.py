"""The context of condition 'icl', as `evaluate` and `export` both give it."""

from collections.abc import Callable, Sequence

from icl_gen.runs.experiments import Experiment
from icl_gen.text import context as contexts
from icl_gen.text.context import Context
from icl_gen.text.prompts import Text
from icl_gen.types import Corpus


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
    kind=wanted.kind,
    count=wanted.documents,
    distractors=wanted.distractors,
    chat=chat,
  )
