"""From scores to numbers with uncertainty.

Knows scores only; refuses to know worlds, conditions and files.

How a choice's number is made from its log-likelihood (`NORMALISATIONS`), for
a choice y after a prompt x:

  sum        log p(y|x)                       lm-evaluation-harness `acc`
  token      log p(y|x) / tokens of y         HELM, normalised per token
  character  log p(y|x) / characters of y     lm-evaluation-harness `acc_norm`
  byte       log p(y|x) / UTF-8 bytes of y    lm-evaluation-harness `acc_bytes`
  pmi        log p(y|x) - log p(y|null)       pointwise mutual information,
                                              Holtzman et al. 2021
                                              (arXiv 2104.08315)

Not a comparison of choices: `exact`, whether what the model wrote by itself is
a right choice, for questions where it was asked to.

Characters and bytes are counted without the leading whitespace, as the harness
counts choices without their delimiter.
"""

import dataclasses
import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np

from icl_gen.types import ChoiceScore, Score

RESAMPLES = 2_000
LEVEL = 95  # per cent

# Outcomes of one seed: question id -> 1.0 right, 0.0 wrong.
Outcomes = Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Estimate:
  """A mean and its 95 % percentile bootstrap interval, as shares of 1."""

  mean: float
  low: float
  high: float


@dataclasses.dataclass(frozen=True)
class Difference:
  """A paired difference of two conditions: first minus second.

  Attributes:
    estimate: mean difference and its interval, from -1 to 1.
    p_value: two-sided, exact; see `difference`.
    questions: distinct questions that both answered under some common seed.
    unpaired: (seed, question) pairs that one of the two lacks, left out.
  """

  estimate: Estimate
  p_value: float
  questions: int
  unpaired: int


def _per(count: str):
  def value(choice: ChoiceScore) -> float:
    divisor = getattr(choice, count)
    # An empty span has no likelihood per anything: NaN is reported by name.
    return choice.logp / divisor if divisor > 0 else math.nan

  return value


NORMALISATIONS = {
  'sum': lambda choice: choice.logp,
  'token': _per('tokens'),
  'character': _per('characters'),
  'byte': _per('bytes'),
  'pmi': lambda choice: choice.logp - choice.logp_unconditional,
}

EXACT = 'exact'


def measures(scores: Sequence[Score]) -> tuple[str, ...]:
  """What the scores can be judged by: NORMALISATIONS, and EXACT if all can."""
  exact = all(score.exact is not None for score in scores)
  return (*NORMALISATIONS, *((EXACT,) if exact else ()))


def _values(score: Score, normalisation: str) -> tuple[float, ...]:
  if normalisation not in NORMALISATIONS:
    raise ValueError(
      f'unknown normalisation {normalisation!r}; allowed are'
      f' {", ".join(NORMALISATIONS)}'
    )
  values = tuple(map(NORMALISATIONS[normalisation], score.choices))
  if not values or any(math.isnan(value) for value in values):
    raise ValueError(
      f'question {score.question_id!r} has the choice values {values} under'
      f' {normalisation!r}; every choice needs a log-probability that is a'
      ' number and at least one token: evaluate the cell again'
    )
  return values


def choose(score: Score, normalisation: str) -> int:
  """Index of the best choice; among equals the lowest.

  Raises:
    ValueError: unknown normalisation, or a value that is not a number.
  """
  values = _values(score, normalisation)
  return values.index(max(values))


def correct(score: Score, normalisation: str) -> bool:
  """Whether the best choice is one of the right ones."""
  return choose(score, normalisation) in score.answers


def ties(scores: Sequence[Score], normalisation: str) -> int:
  """Number of questions whose best value is shared by several choices."""
  found = (_values(score, normalisation) for score in scores)
  return sum(values.count(max(values)) > 1 for values in found)


def chance(scores: Sequence[Score], measure: str = 'sum') -> float:
  """Expected accuracy of choosing at random: mean of answers per choices.

  Nobody writes a choice by chance: that of EXACT is 0.
  """
  assert scores, 'chance of no questions'
  if measure == EXACT:
    return 0.0
  return math.fsum(len(s.answers) / len(s.choices) for s in scores) / len(
    scores
  )


def outcomes(scores: Sequence[Score], normalisation: str) -> dict[str, float]:
  """Question id -> 1.0 where answered right, else 0.0."""
  if normalisation == EXACT:
    assert all(score.exact is not None for score in scores)
    return {s.question_id: float(s.exact) for s in scores}
  return {s.question_id: float(correct(s, normalisation)) for s in scores}


def estimate(by_seed: Mapping[int, Outcomes], *, name: str) -> Estimate:
  """Mean over seeds of the mean over questions, with a bootstrap interval.

  One seed: questions are resampled. Several: seeds are resampled, then
  questions, the same draw for all seeds that share the question's id.
  Questions are drawn within groups of those that the same seeds answered, so
  every seed keeps its number of questions.

  Args:
    by_seed: seed -> outcomes, none empty; values -1, 0 or 1.
    name: what is estimated; the only source of the randomness.
  """
  assert by_seed, f'nothing to estimate for {name}'
  assert all(by_seed.values()), f'a seed of {name} has no outcomes'
  values_QxS, answered_QxS = _matrix(by_seed)
  questions_S = answered_QxS.sum(axis=0)
  rng = _rng(name)
  sums_RxS = _resampled_sums(rng, values_QxS, answered_QxS)
  means_RxS = sums_RxS / questions_S
  seeds = len(by_seed)
  picked_RxS = rng.integers(seeds, size=(RESAMPLES, seeds))
  means_R = np.take_along_axis(means_RxS, picked_RxS, axis=1).mean(axis=1)
  tail = (100 - LEVEL) / 2
  low, high = np.percentile(means_R, [tail, 100 - tail])
  mean = (values_QxS.sum(axis=0) / questions_S).mean()
  return Estimate(float(mean), float(low), float(high))


def _matrix(by_seed: Mapping[int, Outcomes]) -> tuple[np.ndarray, np.ndarray]:
  """Values (0 where not answered) and which were answered, both [Q, S]."""
  seeds = sorted(by_seed)
  ids = sorted(set().union(*by_seed.values()))
  answered_QxS = np.array([[q in by_seed[s] for s in seeds] for q in ids])
  values_QxS = np.array(
    [[by_seed[s].get(q, 0.0) for s in seeds] for q in ids], dtype=np.float64
  )
  return values_QxS, answered_QxS


def _resampled_sums(rng, values_QxS, answered_QxS) -> np.ndarray:
  """Sums over resampled questions per seed, [RESAMPLES, S].

  Questions with equal rows are interchangeable, so how often each kind of row
  is drawn is multinomial: the same distribution as drawing indices, at a cost
  that does not grow with the number of questions.
  """
  rows = np.concatenate([answered_QxS, values_QxS], axis=1)
  patterns, counts = np.unique(rows, axis=0, return_counts=True)
  seeds = values_QxS.shape[1]
  groups, group_of = np.unique(patterns[:, :seeds], axis=0, return_inverse=True)
  sums_RxS = np.zeros((RESAMPLES, seeds))
  for group in range(len(groups)):
    members = group_of.reshape(-1) == group
    number = int(counts[members].sum())
    draws = rng.multinomial(number, counts[members] / number, size=RESAMPLES)
    sums_RxS += draws @ patterns[members, seeds:]
  return sums_RxS


def difference(
  first: Mapping[int, Outcomes],
  second: Mapping[int, Outcomes],
  *,
  names: tuple[str, str],
) -> Difference | None:
  """Paired difference, first minus second, on what both answered.

  The p-value is McNemar's exact test: of the questions on which the two
  differ, is the share that favours the first one half? With several seeds a
  question counts once, by the sign of its difference summed over the seeds
  (answers of one question under several seeds are not independent).

  Args:
    first: seed -> outcomes of the first condition.
    second: the same of the second.
    names: names of the two; they seed the resampling, in either order alike.

  Returns:
    The difference; None where no question was answered by both.
  """
  if names[0] > names[1]:
    # One orientation only is ever resampled, so that swapping the two negates
    # the result exactly.
    swapped = difference(second, first, names=names[::-1])
    return swapped and _negated(swapped)
  paired = {
    seed: {
      q: first[seed][q] - second[seed][q]
      for q in first[seed]
      if q in second[seed]
    }
    for seed in first
    if seed in second
  }
  paired = {seed: values for seed, values in paired.items() if values}
  if not paired:
    return None
  sums: dict[str, float] = {}
  for values in paired.values():
    for question, value in values.items():
      sums[question] = sums.get(question, 0.0) + value
  pairs = sum(map(len, paired.values()))
  sizes = sum(map(len, first.values())) + sum(map(len, second.values()))
  return Difference(
    estimate=estimate(paired, name=f'{names[0]} - {names[1]}'),
    p_value=mcnemar(
      sum(value > 0 for value in sums.values()),
      sum(value < 0 for value in sums.values()),
    ),
    questions=len(sums),
    unpaired=sizes - 2 * pairs,
  )


def _negated(d: Difference) -> Difference:
  e = d.estimate
  return dataclasses.replace(
    d, estimate=Estimate(mean=-e.mean, low=-e.high, high=-e.low)
  )


def mcnemar(first_only: int, second_only: int) -> float:
  """Exact two-sided p-value of the discordant counts under a fair coin."""
  discordant = first_only + second_only
  tail = sum(
    math.comb(discordant, k) for k in range(min(first_only, second_only) + 1)
  )
  # Integers of any size divide exactly rounded; 2.0 ** n would overflow.
  return min(1.0, 2 * tail / 2**discordant)


def _rng(name: str) -> np.random.Generator:
  digest = hashlib.sha256(name.encode('utf-8')).digest()
  return np.random.default_rng(int.from_bytes(digest[:16], 'big'))
