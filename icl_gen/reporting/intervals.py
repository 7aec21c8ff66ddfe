"""Intervals and p-values for means over seeds of means over questions.

Two things vary: the seed (its world and its training run) and the questions
that were drawn. Questions vary in clusters (`Question.cluster`), as phrasings
of one fact are right or wrong together. Seeds with worlds of their own share no
cluster; a question that is asked under several seeds is one cluster.

The variance of the mean is estimated from both, and the t quantile has the
degrees of freedom of the part that dominates, often only seeds - 1:

  V = V_clusters + max(0, V_seeds - V_expected)

  V_clusters  of the mean over clusters, seeds held fixed: the linearised
              variance of a ratio, Cochran 1977, Sampling Techniques, 6.3
  V_seeds     of the seeds' means, divided by their number
  V_expected  what V_seeds would be on average if seeds differed only by the
              clusters that they do not share: so the difference is the
              estimate of moments of the variance between seeds (Searle et al.
              1992, Variance Components, 4.4)
  df          Satterthwaite 1946, Biometrics Bulletin 2(6)

An accuracy has a Wilson interval with the effective number of questions
m (1 - m) / V: it stays within 0 and 1 and never has zero width (Franco et al.
2019, J. Surv. Stat. Methodol. 7(3); adjusted for df as in Korn and Graubard
1998, Surv. Methodol. 24(2)). A difference has mean +- t sqrt(V), and the
p-value of the t test that this interval inverts. V is at least that of two
clusters more with the differences 1 and -1 (Bonett and Price 2012, J. Educ.
Behav. Stat. 37(4)).

tests/reporting/test_coverage.py shows by simulation that the intervals cover
the truth in 92 to 98 % of studies, whether seeds differ or not; in 88 % where
three seeds differ by 20 points around 85 %, as their distribution is skewed;
and in 80 to 88 % where two seeds differ, as they are close by chance too often.
"""

import dataclasses
import math
from collections.abc import Hashable, Sequence

import numpy as np

LEVEL = 95  # per cent
_UPPER = 0.5 + LEVEL / 200  # of the two-sided quantiles


@dataclasses.dataclass(frozen=True)
class Estimate:
  """A mean and its 95 % interval, as shares of 1."""

  mean: float
  low: float
  high: float


@dataclasses.dataclass(frozen=True)
class Difference:
  """A paired difference between two conditions: first minus second.

  Attributes:
    estimate: mean difference and its interval, from -1 to 1.
    p_value: two-sided; of the t test that the interval inverts.
    clusters: number of distinct clusters.
  """

  estimate: Estimate
  p_value: float
  clusters: int


Labels = Sequence[Hashable] | np.ndarray


def accuracy(
  values: Sequence[float] | np.ndarray,
  *,
  clusters: Labels,
  seeds: Labels,
  pooled: bool = False,
) -> Estimate:
  """The mean of shares, over seeds of the mean over questions.

  Args:
    values: one per question and seed, from 0 to 1; at least one.
    clusters: the questions' clusters, in the same order.
    seeds: the seeds, in the same order.
    pooled: whether every question counts the same, instead of every seed.
  """
  found = _moments(values, clusters, seeds, pooled=pooled)
  share = found.mean
  normal = _quantile()
  if not 0 < share < 1:
    effective = float(found.clusters)
  else:
    # Not more than there are questions, where clusters agree by chance.
    spread = share * (1 - share)
    questions = len(values)
    effective = (
      min(spread / found.variance, questions) if found.variance else (questions)
    )
    effective *= (normal / _quantile(found.df)) ** 2
  return Estimate(share, *wilson(share, float(effective)))


def wilson(share: float, number: float) -> tuple[float, float]:
  """The Wilson score interval of a share.

  Source: Wilson 1927, J. Am. Stat. Assoc. 22(158).

  Args:
    share: from 0 to 1.
    number: of independent questions; need not be whole.
  """
  z = _quantile()
  center = share + z**2 / (2 * number)
  spread = share * (1 - share) / number + (z / (2 * number)) ** 2
  low, high = (center + sign * z * spread**0.5 for sign in (-1, 1))
  # At the ends, rounding may put the share outside, or an end beyond 0 or 1.
  scale = 1 + z**2 / number
  return (
    max(0.0, min(low / scale, share)),
    min(1.0, max(high / scale, share)),
  )


def difference(
  first: np.ndarray, second: np.ndarray, *, clusters: Labels, seeds: Labels
) -> Difference:
  """Paired difference, first minus second, on the same questions.

  Args:
    first: 1 or 0 per question and seed, for the first condition.
    second: the same for the second condition, in the same order.
    clusters: the questions' clusters, in the same order.
    seeds: the seeds, in the same order.
  """
  gains = np.asarray(first, np.float64) - np.asarray(second, np.float64)
  found = _moments(gains, clusters, seeds)
  least = 2 * (1 + found.mean**2) / (found.clusters + 2) ** 2
  error = max(found.variance, least) ** 0.5
  reach = _quantile(found.df) * error
  low, high = max(found.mean - reach, -1.0), min(found.mean + reach, 1.0)
  return Difference(
    estimate=Estimate(found.mean, low, high),
    p_value=_p_value(found.mean / error, found.df),
    clusters=found.clusters,
  )


# scipy is imported late, as it takes longer than the rest of a command's start.


def _quantile(df: float = math.inf) -> float:
  """The two-sided t quantile of LEVEL; the normal one for infinite df."""
  from scipy import special

  found = (
    special.ndtri(_UPPER) if df == math.inf else (special.stdtrit(df, _UPPER))
  )
  return float(found)


def _p_value(t: float, df: float) -> float:
  """Of a two-sided t test."""
  from scipy import special

  return float(2 * special.stdtr(df, -abs(t)))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
  """p-values adjusted for their number, in the same order.

  Rejecting those up to 5 % keeps the probability of any false rejection below
  5 %, however they depend on one another. Source: Holm 1979, Scand. J. Stat.
  6(2).
  """
  adjusted = [0.0] * len(p_values)
  largest = 0.0
  order = sorted(range(len(p_values)), key=lambda index: p_values[index])
  for rank, index in enumerate(order):
    largest = max(largest, min(1.0, (len(order) - rank) * p_values[index]))
    adjusted[index] = largest
  return tuple(adjusted)


@dataclasses.dataclass(frozen=True)
class _Moments:
  """A mean, the variance of its estimate, and how well that is known."""

  mean: float
  variance: float
  df: float
  clusters: int


def _moments(
  values: Sequence[float] | np.ndarray,
  clusters: Labels,
  seeds: Labels,
  *,
  pooled: bool = False,
) -> _Moments:
  """The weighted mean over seeds of the mean over questions; see the module."""
  assert len(values), 'nothing to estimate'
  asked_CxS, sums_CxS = _by_cluster(values, clusters, seeds)
  number = asked_CxS.shape[1]
  asked_S = asked_CxS.sum(axis=0)
  weight_S = asked_S / asked_S.sum() if pooled else np.full(number, 1 / number)
  means_S = sums_CxS.sum(axis=0) / asked_S
  mean = float(means_S @ weight_S)
  # How much each cluster moves the mean of each seed, and that of all.
  moves_CxS = (sums_CxS - means_S * asked_CxS) / asked_S
  moves_C = moves_CxS @ weight_S
  # Clusters that appear under the same seeds were drawn together.
  _, group_C = np.unique(asked_CxS > 0, axis=0, return_inverse=True)
  group_C = group_C.reshape(-1)
  of_clusters = _variance(moves_C, group_C)
  free = max(len(asked_CxS) - (int(group_C.max()) + 1), number - 1, 1)
  if number == 1:
    return _Moments(mean, of_clusters, free, len(asked_CxS))
  apart_SxC = moves_CxS.T - moves_C
  expected_S = np.array([_variance(apart_C, group_C) for apart_C in apart_SxC])
  scale_S = weight_S**2 * number / (number - 1)
  expected = float(scale_S @ expected_S)
  of_seeds = float(scale_S @ (means_S - mean) ** 2)
  if of_seeds <= expected:
    return _Moments(mean, of_clusters, free, len(asked_CxS))
  shared = max(of_clusters - expected, 0.0)  # by all seeds
  variance = of_seeds + shared
  df = variance**2 / (of_seeds**2 / (number - 1) + shared**2 / free)
  return _Moments(mean, variance, df, len(asked_CxS))


def _by_cluster(
  values: Sequence[float] | np.ndarray, clusters: Labels, seeds: Labels
) -> tuple[np.ndarray, np.ndarray]:
  """Number of questions per cluster and seed, and their sum of values; [C, S].

  Integers stored as float64, so sums are exact in any order. Rows are sorted,
  so that what is summed later does not depend on the order either.
  """
  known_clusters, rows = np.unique(np.asarray(clusters), return_inverse=True)
  known_seeds, columns = np.unique(np.asarray(seeds), return_inverse=True)
  asked_CxS = np.zeros((len(known_clusters), len(known_seeds)))
  sums_CxS = np.zeros_like(asked_CxS)
  np.add.at(asked_CxS, (rows, columns), 1.0)
  np.add.at(sums_CxS, (rows, columns), np.asarray(values, np.float64))
  order = np.lexsort(np.concatenate([asked_CxS, sums_CxS], axis=1).T)
  return asked_CxS[order], sums_CxS[order]


def _variance(moves_C: np.ndarray, group_C: np.ndarray) -> float:
  """The variance of a sum over clusters that were drawn in groups.

  A group of one cluster adds nothing: its variance is not known.
  """
  count_G = np.bincount(group_C)
  mean_G = np.bincount(group_C, moves_C) / count_G
  squares_G = np.bincount(group_C, (moves_C - mean_G[group_C]) ** 2)
  many_G = count_G > 1
  factor_G = count_G[many_G] / (count_G[many_G] - 1)
  return float((factor_G * squares_G[many_G]).sum())
