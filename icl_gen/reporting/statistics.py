"""Which choice a model prefers, and whether it is right.

A choice y after a prompt x is ranked by one of these values (`NORMALISATIONS`):

  sum        log p(y|x)                       lm-evaluation-harness `acc`
  token      log p(y|x) / tokens of y         HELM, normalised per token
  character  log p(y|x) / characters of y     lm-evaluation-harness `acc_norm`
  byte       log p(y|x) / UTF-8 bytes of y    lm-evaluation-harness `acc_bytes`
  pmi        log p(y|x) - log p(y|null)       pointwise mutual information,
                                              Holtzman et al. 2021
                                              (arXiv 2104.08315)

Characters and bytes are counted without leading whitespace, as the harness
counts choices without their delimiter. The sixth measure, `exact`, ranks
nothing: the text that the model generates must equal a right choice.
"""

import math
from collections.abc import Callable, Iterable

from icl_gen.types import ChoiceScore, Score


def _per(count: str) -> Callable[[ChoiceScore], float]:
  def value(choice: ChoiceScore) -> float:
    divisor = getattr(choice, count)
    # NaN for an empty choice: `_values` then names the question.
    return choice.logp / divisor if divisor > 0 else math.nan

  return value


NORMALISATIONS: dict[str, Callable[[ChoiceScore], float]] = {
  'sum': lambda choice: choice.logp,
  'token': _per('tokens'),
  'character': _per('characters'),
  'byte': _per('bytes'),
  'pmi': lambda choice: choice.logp - choice.logp_unconditional,
}

EXACT = 'exact'
MEASURES = (*NORMALISATIONS, EXACT)


def require_known(normalisation: str) -> None:
  """Raises ValueError unless it is one of `NORMALISATIONS`."""
  if normalisation not in NORMALISATIONS:
    raise ValueError(
      f'unknown normalisation {normalisation!r}; allowed are'
      f' {", ".join(NORMALISATIONS)}'
    )


def _values(score: Score, normalisation: str) -> tuple[float, ...]:
  require_known(normalisation)
  values = tuple(map(NORMALISATIONS[normalisation], score.choices))
  if not values or any(math.isnan(value) for value in values):
    raise ValueError(
      f'question {score.question_id!r} has the choice values {values} under'
      f' {normalisation!r}; every choice needs a log-probability that is a'
      ' number and at least one token: re-run the evaluation of this cell'
    )
  return values


def choose(score: Score, normalisation: str) -> int:
  """Index of the choice with the highest value; the lowest index if tied.

  Raises:
    ValueError: unknown normalisation, or a value that is not a number.
  """
  values = _values(score, normalisation)
  return values.index(max(values))


def correct(score: Score, measure: str) -> bool | None:
  """Whether the question was answered right, by one of `MEASURES`.

  Returns:
    None if the measure is `EXACT` and nothing was generated.

  Raises:
    ValueError: unknown measure, or a value that is not a number.
  """
  if measure == EXACT:
    return score.exact
  return choose(score, measure) in score.answers


def is_tied(score: Score, normalisation: str) -> bool:
  """Whether several choices share the highest value."""
  values = _values(score, normalisation)
  return values.count(max(values)) > 1


def chance(scores: Iterable[Score]) -> float:
  """Expected accuracy of a random choice: mean of answers / choices."""
  return mean(len(s.answers) / len(s.choices) for s in scores)


def mean(values: Iterable[float]) -> float:
  """The exactly rounded mean, so that it does not depend on the order."""
  found = list(values)
  assert found, 'mean of no values'
  return math.fsum(found) / len(found)
