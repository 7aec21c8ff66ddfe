"""Our models in lm-evaluation-harness: its requests, answered by our scorer.

  python -m icl_gen.scoring.lm_eval_model --model icl_gen \\
    --model_args name=nano --include_path DIRECTORY --tasks ...

is the harness's own command with one more model in it; `model_args` are the
arguments of `loading.load`. The rest of this file works without the harness.

Where a context and its continuation are parted is decided as in our scores, and
not as in the harness's own models: they move the spaces at a context's end into
the continuation, and cut the joint ids at the context's number of ids, also
where pieces merge. The two are the same unless a context ends in a space, or
within a piece.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from icl_gen.model import loading
from icl_gen.scoring import scorer
from icl_gen.text import context as contexts
from icl_gen.text import prompts
from icl_gen.types import Question

try:
  from lm_eval.api.model import LM
except ModuleNotFoundError:  # an extra: nothing of ours needs it
  LM = object

NAME = 'icl_gen'
_BEFORE_PROMPT = prompts.NEWLINE + prompts.BULLET


def log_likelihoods(
  model: loading.Model, pairs: Sequence[tuple[str, str]]
) -> list[float]:
  """Natural-log probability of each continuation behind its context.

  What equal contexts share is computed once, and so are a context's
  continuations in as far as they begin alike. Those of equal contexts are taken
  for the choices of one question: where pieces of one of them merge with the
  context, all are scored for those pieces too, see `tokens.encode_choices`.

  Args:
    model: the loaded model.
    pairs: (context, continuation) texts, in any order; they may repeat.

  Returns:
    one number per pair, in order.

  Raises:
    ValueError: for a continuation without tokens, or a model whose
      log-probabilities are not finite.
  """
  behind: dict[str, dict[str, None]] = {}
  for context, continuation in pairs:
    behind.setdefault(context, {})[continuation] = None
  if not behind:
    return []
  asked, before = [], []
  for number, (context, continuations) in enumerate(behind.items()):
    shared, prompt = split(context)
    before.append(shared)
    asked.append(Question(str(number), prompt, tuple(continuations), (0,), ''))
  scores = scorer.score(model, asked, before)
  logps = {
    context: dict(
      zip(continuations, (choice.logp for choice in score.choices), strict=True)
    )
    for (context, continuations), score in zip(
      behind.items(), scores, strict=True
    )
  }
  return [logps[context][continuation] for context, continuation in pairs]


def split(text: str) -> tuple[contexts.Context, str]:
  """A text as documents and the prompt behind them, as our exports write it.

  '- a document\\n- a prompt' is the context '- a document\\n' with 'a prompt'.
  A text without such bullets is a prompt without a context.
  """
  documents, found, prompt = text.rpartition(_BEFORE_PROMPT)
  if not found:
    return contexts.NONE, text
  return contexts.Context(documents + prompts.NEWLINE, (), 0), prompt


class HarnessModel(LM):
  """A model of ours as `lm_eval.simple_evaluate` takes it.

  For tasks of multiple choice and of perplexity; nothing is generated.
  """

  def __init__(self, model: loading.Model):
    super().__init__()
    self._model = model

  @classmethod
  def create_from_arg_obj(
    cls,
    arg_dict: Mapping[str, Any],
    additional_config: Mapping[str, Any] | None = None,
  ) -> 'HarnessModel':
    """Loads the model that `--model_args` name; see `loading.load`."""
    del additional_config  # Batch size and device: the scorer has its own.
    return cls(loading.load(**arg_dict))

  def loglikelihood(self, requests) -> list[tuple[float, bool]]:
    """Per (context, continuation): its log-probability, and whether it is
    sure to be the greedy one (above one half, nothing else can be)."""
    logps = log_likelihoods(self._model, [request.args for request in requests])
    return [(logp, logp > math.log(0.5)) for logp in logps]

  def loglikelihood_rolling(self, requests) -> list[float]:
    """Log-probability of each whole text behind BOS."""
    texts = [text for (text,) in (request.args for request in requests)]
    return log_likelihoods(self._model, [('', text) for text in texts])

  def generate_until(self, requests) -> list[str]:
    """Refuses: `sampling` is beside this room, and stops at no given text."""
    raise NotImplementedError(
      f'{len(requests)} requests to generate text; icl_gen scores choices only.'
      ' Give tasks of the output type multiple_choice or loglikelihood_rolling'
    )


def main() -> None:
  """The command line of lm-evaluation-harness, which then knows `NAME`.

  Raises:
    ValueError: lm_eval is not installed.
  """
  if LM is object:
    raise ValueError("lm_eval is missing: pip install -e '.[lm_eval]'")
  from lm_eval import __main__ as harness
  from lm_eval.api import registry

  registry.register_model(NAME)(HarnessModel)
  harness.cli_evaluate()


if __name__ == '__main__':
  main()
