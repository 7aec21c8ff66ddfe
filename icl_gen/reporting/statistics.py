"""From scores to accuracies, bootstrap intervals and p-values.

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

Intervals and tests are clustered (`Question.cluster`): phrasings of one fact
are right or wrong together, and a question asked under several seeds is one
question. Sources:

  bootstrap  whole clusters are resampled: Davison and Hinkley 1997, Bootstrap
             Methods and their Application, 3.8; Field and Welsh 2007,
             J. R. Stat. Soc. B 69(3). For language-model evaluations:
             Miller 2024 (arXiv 2411.00640).
  test       exact sign test, Dixon and Mood 1946, J. Am. Stat. Assoc. 41(236),
             one sign per cluster. With one question per cluster and one seed,
             this is McNemar's exact test.
"""

import dataclasses
import hashlib
import math
from collections.abc import Callable, Hashable, Iterable, Sequence

import numpy as np

from icl_gen.types import ChoiceScore, Score

RESAMPLES = 2_000
LEVEL = 95  # per cent


@dataclasses.dataclass(frozen=True)
class Estimate:
  """A mean and its 95 % percentile bootstrap interval, as shares of 1."""

  mean: float
  low: float
  high: float


@dataclasses.dataclass(frozen=True)
class Difference:
  """A paired difference between two conditions: first minus second.

  Attributes:
    estimate: mean difference and its interval, from -1 to 1.
    p_value: two-sided, exact; see `difference`.
    clusters: number of distinct clusters.
  """

  estimate: Estimate
  p_value: float
  clusters: int


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


def estimate(
  values: Sequence[float] | np.ndarray,
  *,
  clusters: Sequence[Hashable] | np.ndarray,
  seeds: Sequence[int] | np.ndarray,
  name: str,
) -> Estimate:
  """Mean over seeds of the mean over questions, with a bootstrap interval.

  One seed: clusters are resampled, each with all its questions. Several: seeds
  are resampled, then clusters, with one draw for all seeds that share the
  cluster. Clusters are resampled within groups that appear under the same
  seeds, so every seed keeps its number of clusters; the number of questions
  varies with the clusters drawn.

  Args:
    values: one value per question and seed: 0 or 1, or -1 to 1 for a
      difference; at least one.
    clusters: the questions' clusters, in the same order.
    seeds: the seeds, in the same order.
    name: what is estimated; it seeds the resampling.
  """
  assert len(values), f'nothing to estimate for {name}'
  asked_CxS, sums_CxS = _by_cluster(values, clusters, seeds)
  rng = _rng(name)
  means_RxS = _resampled_means(rng, asked_CxS, sums_CxS)
  number = asked_CxS.shape[1]
  picked_RxS = rng.integers(number, size=(RESAMPLES, number))
  means_R = np.take_along_axis(means_RxS, picked_RxS, axis=1).mean(axis=1)
  tail = (100 - LEVEL) / 2
  low, high = np.percentile(means_R, [tail, 100 - tail])
  center = (sums_CxS.sum(axis=0) / asked_CxS.sum(axis=0)).mean()
  return Estimate(float(center), float(low), float(high))


def _by_cluster(values, clusters, seeds) -> tuple[np.ndarray, np.ndarray]:
  """Number of questions per cluster and seed, and their sum of values; [C, S].

  Integers stored as float64, so sums are exact in any order.
  """
  known_clusters, rows = np.unique(clusters, return_inverse=True)
  known_seeds, columns = np.unique(seeds, return_inverse=True)
  asked_CxS = np.zeros((len(known_clusters), len(known_seeds)))
  sums_CxS = np.zeros_like(asked_CxS)
  np.add.at(asked_CxS, (rows, columns), 1.0)
  np.add.at(sums_CxS, (rows, columns), np.asarray(values, np.float64))
  return asked_CxS, sums_CxS


def _resampled_means(
  rng: np.random.Generator, asked_CxS: np.ndarray, sums_CxS: np.ndarray
) -> np.ndarray:
  """Means over the questions of resampled clusters per seed, [RESAMPLES, S].

  Clusters with equal rows are interchangeable, so the number of times that
  each distinct row is drawn is multinomial: the same distribution as drawing
  indices, at a cost that does not grow with the number of equal clusters.
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
    # Integer matrix products bypass BLAS and are many times slower.
    totals_Rx2S += draws.astype(np.float64) @ patterns[members]
  return totals_Rx2S[:, seeds:] / totals_Rx2S[:, :seeds]


def difference(
  first: np.ndarray,
  second: np.ndarray,
  *,
  clusters: Sequence[Hashable] | np.ndarray,
  seeds: Sequence[int] | np.ndarray,
  names: tuple[str, str],
) -> Difference:
  """Paired difference, first minus second, on the same questions.

  The p-value is that of the exact sign test: among the clusters on which the
  two differ, is the share that favours the first one half? A cluster counts
  once, by the sign of the difference summed over its questions and the seeds
  that share it (neither are independent); clusters that only one seed has are
  independent evidence. The test is conditional on the seeds that were run;
  only the interval allows for variation between seeds.

  Args:
    first: 1 or 0 per question and seed, for the first condition.
    second: the same for the second condition, in the same order.
    clusters: the questions' clusters, in the same order.
    seeds: the seeds, in the same order.
    names: names of the two; they seed the resampling.
  """
  if names[0] > names[1]:
    # Only one orientation is ever resampled, so that swapping the two negates
    # the result exactly.
    return _negated(
      difference(
        second, first, clusters=clusters, seeds=seeds, names=names[::-1]
      )
    )
  gains = np.asarray(first, np.float64) - np.asarray(second, np.float64)
  _, sums_CxS = _by_cluster(gains, clusters, seeds)
  sums_C = sums_CxS.sum(axis=1)
  return Difference(
    estimate=estimate(
      gains,
      clusters=clusters,
      seeds=seeds,
      name=f'{names[0]} - {names[1]}',
    ),
    p_value=sign_test(int((sums_C > 0).sum()), int((sums_C < 0).sum())),
    clusters=len(sums_C),
  )


def _negated(d: Difference) -> Difference:
  e = d.estimate
  return dataclasses.replace(
    d, estimate=Estimate(mean=-e.mean, low=-e.high, high=-e.low)
  )


def sign_test(positive: int, negative: int) -> float:
  """Exact two-sided p-value of the signs' counts; 1 without any signs."""
  signs = positive + negative
  if not signs:
    return 1.0  # scipy would return NaN
  from scipy import stats  # takes a second to import, and only this needs it

  return float(stats.binomtest(positive, signs).pvalue)


def _rng(name: str) -> np.random.Generator:
  digest = hashlib.sha256(name.encode('utf-8')).digest()
  return np.random.default_rng(int.from_bytes(digest[:16], 'big'))
