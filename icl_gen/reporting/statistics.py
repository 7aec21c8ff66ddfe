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

What is resampled and tested are clusters (`Question.cluster`), not questions:
phrasings of one fact are right or wrong together, and a question that recurs
under several seeds is one question. Sources:

  bootstrap  clusters are drawn whole: Davison and Hinkley 1997, Bootstrap
             Methods and their Application, 3.8; Field and Welsh 2007,
             J. R. Stat. Soc. B 69(3). Why in evaluations of language models:
             Miller 2024 (arXiv 2411.00640).
  test       exact sign test, Dixon and Mood 1946, J. Am. Stat. Assoc. 41(236),
             one sign per cluster. Of clusters of one question each and one
             seed it is McNemar's exact test.
"""

import dataclasses
import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np

from icl_gen.types import ChoiceScore, Score

RESAMPLES = 2_000
LEVEL = 95  # per cent

# Outcomes of one seed: (cluster, question id) -> 1.0 right, 0.0 wrong.
Outcomes = Mapping[tuple[str, str], float]


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
    questions: questions that both answered, summed over the seeds.
    clusters: distinct clusters of these: what the p-value counts.
    unpaired: (seed, question) pairs that one of the two lacks, left out.
  """

  estimate: Estimate
  p_value: float
  questions: int
  clusters: int
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
MEASURES = (*NORMALISATIONS, EXACT)


def measures(scores: Sequence[Score]) -> tuple[str, ...]:
  """What the scores can be judged by: MEASURES, EXACT only if all can."""
  exact = all(score.exact is not None for score in scores)
  return MEASURES if exact else tuple(NORMALISATIONS)


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


def outcomes(
  scores: Sequence[Score], normalisation: str
) -> dict[tuple[str, str], float]:
  """(cluster, question id) -> 1.0 where answered right, else 0.0."""

  def right(score: Score) -> bool:
    if normalisation != EXACT:
      return correct(score, normalisation)
    assert score.exact is not None
    return score.exact

  return {(s.cluster, s.question_id): float(right(s)) for s in scores}


def estimate(by_seed: Mapping[int, Outcomes], *, name: str) -> Estimate:
  """Mean over seeds of the mean over questions, with a bootstrap interval.

  One seed: clusters are resampled, each with all its questions. Several: seeds
  are resampled, then clusters, the same draw for all seeds that share the
  cluster. Clusters are drawn within groups of those that the same seeds asked
  about, so every seed keeps its number of clusters; the mean over questions is
  that over however many the drawn ones hold.

  Args:
    by_seed: seed -> outcomes, none empty; values -1, 0 or 1.
    name: what is estimated; the only source of the randomness.
  """
  assert by_seed, f'nothing to estimate for {name}'
  assert all(by_seed.values()), f'a seed of {name} has no outcomes'
  asked_CxS, sums_CxS = _by_cluster(by_seed)
  rng = _rng(name)
  means_RxS = _resampled_means(rng, asked_CxS, sums_CxS)
  seeds = len(by_seed)
  picked_RxS = rng.integers(seeds, size=(RESAMPLES, seeds))
  means_R = np.take_along_axis(means_RxS, picked_RxS, axis=1).mean(axis=1)
  tail = (100 - LEVEL) / 2
  low, high = np.percentile(means_R, [tail, 100 - tail])
  mean = (sums_CxS.sum(axis=0) / asked_CxS.sum(axis=0)).mean()
  return Estimate(float(mean), float(low), float(high))


def _by_cluster(
  by_seed: Mapping[int, Outcomes],
) -> tuple[np.ndarray, np.ndarray]:
  """Questions asked per cluster and seed, and the sum of their values; [C, S].

  Whole numbers as float64, so sums are exact in any order.
  """
  clusters = {cluster for found in by_seed.values() for cluster, _ in found}
  places = {cluster: place for place, cluster in enumerate(sorted(clusters))}
  asked_CxS = np.zeros((len(places), len(by_seed)))
  sums_CxS = np.zeros_like(asked_CxS)
  for column, seed in enumerate(sorted(by_seed)):
    rows = [places[cluster] for cluster, _ in by_seed[seed]]
    np.add.at(asked_CxS[:, column], rows, 1.0)
    np.add.at(sums_CxS[:, column], rows, list(by_seed[seed].values()))
  return asked_CxS, sums_CxS


def _resampled_means(rng, asked_CxS, sums_CxS) -> np.ndarray:
  """Means over the questions of resampled clusters per seed, [RESAMPLES, S].

  Clusters with equal rows are interchangeable, so how often each kind of row
  is drawn is multinomial: the same distribution as drawing indices, at a cost
  that does not grow with the number of clusters that are alike.
  """
  rows = np.concatenate([asked_CxS, sums_CxS], axis=1)
  patterns, counts = np.unique(rows, axis=0, return_counts=True)
  seeds = asked_CxS.shape[1]
  groups, group_of = np.unique(
    patterns[:, :seeds] > 0, axis=0, return_inverse=True
  )
  totals_Rx2S = np.zeros((RESAMPLES, 2 * seeds))
  for group in range(len(groups)):
    members = group_of.reshape(-1) == group
    number = int(counts[members].sum())
    draws = rng.multinomial(number, counts[members] / number, size=RESAMPLES)
    # A product of integers would go without BLAS: many times slower.
    totals_Rx2S += draws.astype(np.float64) @ patterns[members]
  return totals_Rx2S[:, seeds:] / totals_Rx2S[:, :seeds]


def difference(
  first: Mapping[int, Outcomes],
  second: Mapping[int, Outcomes],
  *,
  names: tuple[str, str],
) -> Difference | None:
  """Paired difference, first minus second, on what both answered.

  The p-value is that of the exact sign test: of the clusters on which the two
  differ, is the share that favours the first one half? A cluster counts once,
  by the sign of the difference summed over its questions and over the seeds
  that share it (neither are independent); clusters that only one seed has are
  evidence of their own. It says nothing of seeds that were not run: that these
  could differ is in the interval alone.

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
  _, sums_CxS = _by_cluster(paired)
  sums_C = sums_CxS.sum(axis=1)
  pairs = sum(map(len, paired.values()))
  sizes = sum(map(len, first.values())) + sum(map(len, second.values()))
  return Difference(
    estimate=estimate(paired, name=f'{names[0]} - {names[1]}'),
    p_value=sign_test(int((sums_C > 0).sum()), int((sums_C < 0).sum())),
    questions=pairs,
    clusters=len(sums_C),
    unpaired=sizes - 2 * pairs,
  )


def _negated(d: Difference) -> Difference:
  e = d.estimate
  return dataclasses.replace(
    d, estimate=Estimate(mean=-e.mean, low=-e.high, high=-e.low)
  )


def sign_test(positive: int, negative: int) -> float:
  """Exact two-sided p-value of the counts of signs under a fair coin."""
  signs = positive + negative
  tail = sum(math.comb(signs, k) for k in range(min(positive, negative) + 1))
  # Integers of any size divide exactly rounded; 2.0 ** n would overflow.
  return min(1.0, 2 * tail / 2**signs)


def _rng(name: str) -> np.random.Generator:
  digest = hashlib.sha256(name.encode('utf-8')).digest()
  return np.random.default_rng(int.from_bytes(digest[:16], 'big'))
