"""Intervals by their relations and against scipy; tests against closed forms.

That intervals cover the truth is shown in test_coverage.py.
"""

import random

import numpy as np
import pytest
import scipy.stats

from icl_gen.reporting import intervals


def fair(size, *, seed=0, share=0.5):
  rng = random.Random(f'{seed} {size}')
  right = set(rng.sample(range(size), round(share * size)))
  return asked({f'q{i}': i in right for i in range(size)})


def asked(found):
  """Outcomes of questions that are a cluster each."""
  return {(q, q): float(right) for q, right in found.items()}


def renamed(outcomes, seed):
  """The same under clusters that no other seed has."""
  return {(f'{seed}/{c}', q): right for (c, q), right in outcomes.items()}


def repeated(outcomes, times):
  """Every question asked so many times, in its cluster."""
  return {
    (c, f'{q}/{i}'): right
    for (c, q), right in outcomes.items()
    for i in range(times)
  }


def flat(by_seed):
  """Seeds, clusters, questions and values as parallel sequences."""
  rows = [
    (seed, cluster, question, value)
    for seed, found in by_seed.items()
    for (cluster, question), value in found.items()
  ]
  return zip(*rows, strict=True)


def accuracy(by_seed, **options):
  seeds, clusters, _, values = flat(by_seed)
  return intervals.accuracy(values, clusters=clusters, seeds=seeds, **options)


def width(found):
  return found.high - found.low


def difference(first, second):
  """Of two conditions that answered the same questions."""
  seeds, clusters, questions, one = flat(first)
  other = [
    second[seed][cluster, question]
    for seed, cluster, question in zip(seeds, clusters, questions, strict=True)
  ]
  return intervals.difference(
    np.array(one), np.array(other), clusters=clusters, seeds=seeds
  )


def test_interval_contains_the_mean_and_shrinks_with_questions():
  widths = []
  for size in (20, 80, 320):
    found = accuracy({0: fair(size)})
    assert found.mean == 0.5
    assert found.low < found.mean < found.high
    widths.append(width(found))
  # A quarter of the variance: half the width.
  ratios = [a / b for a, b in zip(widths, widths[1:], strict=False)]
  assert all(1.6 < ratio < 2.4 for ratio in ratios), widths


@pytest.mark.parametrize(('right', 'number'), [(0, 7), (3, 7), (50, 50)])
def test_wilson_is_that_of_scipy(right, number):
  ours = intervals.wilson(right / number, number)
  theirs = scipy.stats.binomtest(right, number).proportion_ci(method='wilson')
  assert ours == pytest.approx(tuple(theirs))


@pytest.mark.parametrize('share', [0.0, 0.3, 1.0])
def test_one_seed_without_clusters_is_nearly_the_plain_wilson_interval(share):
  found = accuracy({0: fair(400, share=share)})
  plain = intervals.wilson(share, 400)
  assert (found.low, found.high) == pytest.approx(plain, abs=0.001)


def test_no_interval_has_zero_width():
  for share in (0.0, 1.0):
    found = accuracy({s: renamed(fair(20, share=share), s) for s in range(3)})
    assert width(found) == pytest.approx(width_of_wilson(share, 60))
  # Every cluster has one right and one wrong question.
  halves = {(c, f'{c}{i}'): float(i) for c in 'abcd' for i in range(2)}
  assert width(accuracy({0: halves})) > 0.3
  same = difference({0: fair(20)}, {0: fair(20)})
  assert same.estimate.low < 0 < same.estimate.high
  assert same.p_value == 1.0


def width_of_wilson(share, number):
  low, high = intervals.wilson(share, number)
  return high - low


def apart(*shares):
  """Seeds with questions of their own, of which so many are right."""
  return {
    seed: renamed(fair(200, seed=seed, share=share), seed)
    for seed, share in enumerate(shares)
  }


def test_seeds_that_differ_widen_the_interval_of_the_mean():
  equal, other = accuracy(apart(0.5, 0.5, 0.5)), accuracy(apart(0.2, 0.5, 0.8))
  assert equal.mean == other.mean == pytest.approx(0.5)
  assert width(other) > 3 * width(equal)


def test_where_seeds_differ_much_only_their_means_count():
  """A t interval of three numbers, by scipy."""
  means = np.array([0.2, 0.5, 0.8])
  one = difference(apart(*means), apart(0.0, 0.0, 0.0))
  theirs = scipy.stats.ttest_1samp(means, 0)
  low, high = theirs.confidence_interval(0.95)
  assert one.p_value == pytest.approx(theirs.pvalue, rel=1e-6)
  assert one.estimate.low == pytest.approx(max(low, -1), rel=1e-6)
  assert one.estimate.high == pytest.approx(min(high, 1), rel=1e-6)


def test_shared_questions_are_drawn_together():
  # Three seeds with equal answers know no more than one; three with questions
  # of their own know three times as much.
  same = accuracy({seed: fair(100) for seed in range(3)})
  own = accuracy({seed: renamed(fair(100), seed) for seed in range(3)})
  one = accuracy({0: fair(100)})
  assert width(same) == pytest.approx(width(one), rel=0.01)
  assert width(own) == pytest.approx(width(one) / 3**0.5, rel=0.03)


def test_mean_weighs_seeds_alike_unless_pooled():
  by_seed = {0: asked({'a': 1}), 1: asked({'b': 0, 'c': 0, 'd': 0})}
  assert accuracy(by_seed).mean == 0.5
  assert accuracy(by_seed, pooled=True).mean == 0.25
  equal = apart(0.2, 0.5, 0.8)
  assert accuracy(equal) == accuracy(equal, pooled=True)


def test_order_changes_nothing():
  questions = fair(50, share=0.4)
  turned = dict(reversed(questions.items()))
  first = accuracy({0: questions, 1: fair(50)})
  assert first == accuracy({1: fair(50), 0: turned})


def test_difference_is_antisymmetric():
  first = {s: fair(80, seed=s, share=0.8) for s in range(3)}
  second = {s: fair(80, seed=s + 7, share=0.4) for s in range(3)}
  there, back = difference(first, second), difference(second, first)
  assert there.estimate.mean == pytest.approx(0.4)
  assert there.estimate.low < 0.4 < there.estimate.high
  assert back.estimate.mean == pytest.approx(-there.estimate.mean)
  assert back.estimate.low == pytest.approx(-there.estimate.high)
  assert back.estimate.high == pytest.approx(-there.estimate.low)
  assert back.p_value == pytest.approx(there.p_value)


def test_pairing_narrows_the_interval():
  base = fair(200)
  better = base | asked({f'q{i}': 1 for i in range(10)})
  paired = difference({0: better}, {0: base}).estimate
  assert width(paired) < 0.5 * width(accuracy({0: base}))


def test_an_interval_without_zero_has_a_p_value_below_five_per_cent():
  base = fair(60, share=0.3)
  seen = set()
  for more in range(1, 12):
    better = base | asked({f'q{i}': 1 for i in range(more)})
    found = difference({0: better}, {0: base})
    assert (found.estimate.low > 0) == (found.p_value < 0.05)
    seen.add(found.p_value < 0.05)
  assert seen == {True, False}


def test_one_seed_is_a_paired_t_test_on_clusters():
  gains = {f'q{i}': float(i % 3 == 0) for i in range(60)}
  found = difference({0: asked(gains)}, {0: asked(dict.fromkeys(gains, 0.0))})
  theirs = scipy.stats.ttest_1samp(list(gains.values()), 0)
  assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-6)
  assert found.clusters == 60


def test_repeating_questions_in_their_clusters_changes_nothing():
  first = {s: fair(50, seed=s, share=0.8) for s in range(3)}
  second = {s: fair(50, seed=s + 7, share=0.4) for s in range(3)}
  once = difference(first, second)
  for times in (2, 10):
    many = difference(
      {s: repeated(found, times) for s, found in first.items()},
      {s: repeated(found, times) for s, found in second.items()},
    )
    assert many.p_value == pytest.approx(once.p_value)
    assert many.estimate.low == pytest.approx(once.estimate.low)
    assert many.clusters == once.clusters


def test_variance_is_that_of_drawing_clusters_by_index():
  rng = np.random.default_rng(0)
  asked_C = rng.integers(1, 9, size=40)
  # What is asked often is mostly right: how many are drawn matters as well.
  right_C = rng.binomial(asked_C, np.where(asked_C > 4, 0.9, 0.1))
  found = accuracy(
    {
      0: {
        (f'c{c}', f'{c}/{i}'): float(i < right_C[c])
        for c in range(40)
        for i in range(asked_C[c])
      }
    }
  )
  means = []
  for _ in range(4000):
    drawn = rng.integers(40, size=40)
    means.append(right_C[drawn].sum() / asked_C[drawn].sum())
  assert found.mean == right_C.sum() / asked_C.sum()
  low, high = np.percentile(means, [2.5, 97.5])
  assert found.low == pytest.approx(low, abs=0.03)
  assert found.high == pytest.approx(high, abs=0.03)


def test_holm_by_hand():
  # 0.01 * 3; then 0.02 * 2; then 0.03 * 1, but not below the one before.
  assert intervals.holm([0.03, 0.01, 0.02]) == pytest.approx((0.04, 0.03, 0.04))
  assert intervals.holm([0.5, 0.9]) == (1.0, 1.0)
  assert intervals.holm([]) == ()
