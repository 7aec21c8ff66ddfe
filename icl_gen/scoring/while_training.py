"""Scores the questions that choose among the states of a training run."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

from icl_gen.model.loading import Model
from icl_gen.model.parameters import Params
from icl_gen.runs import development, models
from icl_gen.runs.experiments import Experiment
from icl_gen.scoring import scorer
from icl_gen.storage import corpus_files
from icl_gen.text import context as contexts
from icl_gen.text import tokens
from icl_gen.types import Question


class Evaluation:
  """Evaluates states by questions that are not among those that test.

  The questions, and so the shapes of their passes, are the same every time:
  each is compiled once.
  """

  def __init__(
    self,
    experiment: Experiment,
    corpus: pathlib.Path,
    model: Model,
    weights: Callable[[Any], Params],
  ) -> None:
    """Reads the questions.

    Args:
      experiment: its settings.
      corpus: directory of the corpus that has the questions.
      model: what is trained; its weights are not used.
      weights: from a state, the weights to score with.

    Raises:
      ValueError: as `development.split`, or a question is too long for the
        model, or it has no turns and the experiment asks in chats.
    """
    self._model, self._weights = model, weights
    self._asked: tuple[Question, ...] = ()
    self._context = contexts.NONE
    if not experiment.train.evaluate_every:
      return
    if experiment.chat:
      tokens.require_turns(model.tokenizer)
      self._context = contexts.NONE_IN_CHAT
    self._asked, _ = development.split(
      corpus_files.read(corpus).questions,
      experiment.train,
      seed=experiment.seed,
    )
    counts = contexts.summary(self._context, self._asked, model.tokenizer.count)
    what = 'the longest question'
    models.require_room(model.name, tokens=counts['row_tokens'], what=what)

  def measure(self, state: Any) -> dict[str, float]:
    """The values of `development.measures` after a state; see `score`."""
    now = dataclasses.replace(self._model, params=self._weights(state))
    return development.measures(scorer.score(now, self._asked, self._context))
