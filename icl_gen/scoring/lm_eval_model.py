"""Evaluates our models in lm-evaluation-harness: our scorer answers requests.

  python -m icl_gen.scoring.lm_eval_model --model icl_gen \\
    --model_args name=nano --include_path DIRECTORY --tasks ...

is the harness's own command with `icl_gen` registered as a model; `model_args`
are the arguments of `loading.load`. `log_likelihoods` and `split` do not need
the harness.

The boundary between context and continuation follows our scores, not the
harness's own models. Those move spaces from a context's end into the
continuation, and cut the joint ids at the length of the context's ids even
where pieces merge. The two agree unless a context ends in a space or within a
piece.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from icl_gen.model import loading
from icl_gen.runs import models
from icl_gen.scoring import scorer
from icl_gen.text import context as contexts
from icl_gen.text import prompts
from icl_gen.types import Question

try:
  from lm_eval.api.model import LM
except ModuleNotFoundError:  # An optional extra.
  LM = object

NAME = 'icl_gen'
_BEFORE_PROMPT = prompts.NEWLINE + prompts.BULLET


def log_likelihoods(
  model: loading.Model, pairs: Sequence[tuple[str, str]]
) -> list[float]:
  """Natural-log probability of each continuation after its context.

  Equal contexts, and common beginnings of their continuations, are computed
  once. Continuations of one context are treated as the choices of a question:
  if pieces of one of them merge with the context, the log-probabilities of all
  include those pieces; see `tokens.encode_choices`.

  Args:
    model: the loaded model.
    pairs: (context, continuation) texts, in any order; they may repeat.

  Returns:
    one log-probability per pair, in order.

  Raises:
    ValueError: for a continuation without tokens, a row longer than those that
      the model was trained on, or a model whose log-probabilities are not
      finite.
  """
  # Dictionaries as ordered sets: distinct texts in the order given.
  continuations_of: dict[str, dict[str, None]] = {}
  for context, continuation in pairs:
    continuations_of.setdefault(context, {})[continuation] = None
  if not continuations_of:
    return []
  questions, documents = [], []
  for number, (context, choices) in enumerate(continuations_of.items()):
    shared, prompt = split(context)
    documents.append(shared)
    questions.append(Question(str(number), prompt, tuple(choices), (0,), ''))
  needed = contexts.summary(documents, questions, model.tokenizer.count)
  models.require_room(
    model.name,
    tokens=needed['row_tokens'],
    what='the longest context with its continuation',
    remedy='choose other tasks, or fewer examples (--num_fewshot)',
  )
  scores = scorer.score(model, questions, documents)
  logps = {
    (context, continuation): choice.logp
    for (context, continuations), score in zip(
      continuations_of.items(), scores, strict=True
    )
    for continuation, choice in zip(continuations, score.choices, strict=True)
  }
  return [logps[pair] for pair in pairs]


def split(text: str) -> tuple[contexts.Context, str]:
  """Splits a text of our exports into the documents and the prompt after them.

  '- a document\\n- a prompt' is the context '- a document\\n' and 'a prompt'.
  A text without such bullets is a prompt without a context.
  """
  documents, found, prompt = text.rpartition(_BEFORE_PROMPT)
  if not found:
    return contexts.NONE, text
  return contexts.Context(documents + prompts.NEWLINE, (), 0), prompt


class HarnessModel(LM):
  """Adapts a model to the interface of `lm_eval.simple_evaluate`.

  Supports multiple-choice and perplexity tasks, not generation.
  """

  def __init__(self, model: loading.Model) -> None:
    super().__init__()
    self._model = model

  @classmethod
  def create_from_arg_obj(
    cls,
    arg_dict: Mapping[str, Any],
    additional_config: Mapping[str, Any] | None = None,
  ) -> 'HarnessModel':
    """Loads the model that `--model_args` names; see `loading.load`."""
    del additional_config  # Batch size and device; the scorer chooses them.
    return cls(loading.load(**arg_dict))

  def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
    """Log-probability per (context, continuation), and whether it is greedy.

    Only continuations above one half are reported as greedy: no other
    continuation can then be likelier.
    """
    logps = log_likelihoods(self._model, [request.args for request in requests])
    return [(logp, logp > math.log(0.5)) for logp in logps]

  def loglikelihood_rolling(self, requests: Sequence[Any]) -> list[float]:
    """Log-probability of each whole text after BOS."""
    texts = [request.args[0] for request in requests]
    return log_likelihoods(self._model, [('', text) for text in texts])

  def generate_until(self, requests: Sequence[Any]) -> list[str]:
    """Not supported: our sampler has no stop strings."""
    raise NotImplementedError(
      f'{len(requests)} requests to generate text; icl_gen only scores choices.'
      ' Use tasks of the output type multiple_choice or loglikelihood_rolling'
    )


def main() -> None:
  """Runs the command line of lm-evaluation-harness with our model registered.

  Without lm_eval, it says so, and exits as the doors do after a mistake.
  """
  if LM is object:
    print('error: lm_eval is missing: run `make lm-eval`', file=sys.stderr)
    sys.exit(2)
  from lm_eval import __main__ as harness
  from lm_eval.api import registry

  registry.register_model(NAME)(HarnessModel)
  harness.cli_evaluate()


if __name__ == '__main__':
  main()
