"""Choices by hand; intervals by their relations; tests against closed forms."""

import dataclasses
import math
import random

import numpy as np
import pytest

from icl_gen.reporting import statistics
from tests.reporting.synthetic import choice, score

NORMALISATIONS = tuple(statistics.NORMALISATIONS)

# Every normalisation prefers another one of these choices:
#   sum -4; token -8/4=-2; character -6/6=-1; byte -9/18=-0.5; pmi -10+20=10.
BY_HAND = dataclasses.replace(
  score('q', (0.0,), answers=(3,)),
  choices=(
    choice(-4.0, tokens=1, characters=1, n_bytes=1, null=-4.0),
    choice(-8.0, tokens=4, characters=2, n_bytes=2, null=-8.0),
    choice(-6.0, tokens=1, characters=6, n_bytes=6, null=-6.0),
    choice(-9.0, tokens=1, characters=1, n_bytes=18, null=-9.0),
    choice(-10.0, tokens=1, characters=1, n_bytes=1, null=-20.0),
  ),
)


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


def estimate(by_seed, *, name):
  seeds, clusters, _, values = flat(by_seed)
  return statistics.estimate(values, clusters=clusters, seeds=seeds, name=name)


def difference(first, second, *, names):
  """Of two conditions that answered the same questions."""
  seeds, clusters, questions, one = flat(first)
  other = [
    second[seed][cluster, question]
    for seed, cluster, question in zip(seeds, clusters, questions, strict=True)
  ]
  return statistics.difference(
    np.array(one), np.array(other), clusters=clusters, seeds=seeds, names=names
  )


@pytest.mark.parametrize(
  ('normalisation', 'chosen'), list(zip(NORMALISATIONS, range(5), strict=True))
)
def test_choice_by_hand(normalisation, chosen):
  assert statistics.choose(BY_HAND, normalisation) == chosen
  assert statistics.correct(BY_HAND, normalisation) == (chosen == 3)


def test_any_of_several_answers_is_right():
  several = dataclasses.replace(BY_HAND, answers=(0, 3))
  assert statistics.correct(several, 'sum')
  assert statistics.correct(several, 'byte')
  assert not statistics.correct(several, 'token')


@pytest.mark.parametrize('normalisation', NORMALISATIONS)
def test_permuted_choices_permute_the_chosen(normalisation):
  chosen = statistics.choose(BY_HAND, normalisation)
  rng = random.Random(0)
  for _ in range(20):
    order = rng.sample(range(5), 5)
    permuted = dataclasses.replace(
      BY_HAND, choices=tuple(BY_HAND.choices[i] for i in order)
    )
    assert order[statistics.choose(permuted, normalisation)] == chosen


def test_ties_go_to_the_lowest_and_are_counted():
  tied = score('tied', (-2.0, -1.0, -1.0))
  clear = score('clear', (-1.0, -2.0, -2.0))
  assert statistics.choose(tied, 'sum') == 1
  assert [statistics.is_tied(s, 'sum') for s in (tied, clear)] == [True, False]


@pytest.mark.parametrize('normalisation', NORMALISATIONS)
def test_nan_names_the_question(normalisation):
  with pytest.raises(ValueError, match="question 'odd'"):
    statistics.choose(score('odd', (-1.0, math.nan)), normalisation)


def test_an_empty_span_names_the_question():
  empty = dataclasses.replace(
    BY_HAND, choices=(choice(-1.0), choice(0.0, tokens=0))
  )
  with pytest.raises(ValueError, match="question 'q'"):
    statistics.choose(empty, 'token')


def test_unknown_normalisation_lists_the_known():
  with pytest.raises(ValueError, match='sum, token, character, byte, pmi'):
    statistics.choose(BY_HAND, 'length')


def test_chance_by_hand():
  scores = [score('a', (0.0,) * 2), score('b', (0.0,) * 4, answers=(0, 1, 2))]
  assert statistics.chance(scores) == (1 / 2 + 3 / 4) / 2


def test_interval_contains_the_mean_and_shrinks_with_questions():
  widths = []
  for size in (20, 80, 320):
    found = estimate({0: fair(size)}, name='x')
    assert found.mean == 0.5
    assert found.low < found.mean < found.high
    widths.append(found.high - found.low)
  # A quarter of the variance: half the width.
  ratios = [a / b for a, b in zip(widths, widths[1:], strict=False)]
  assert all(1.6 < ratio < 2.4 for ratio in ratios), widths


def test_interval_of_one_seed_is_the_binomial_one():
  found = estimate({0: fair(400)}, name='x')
  assert found.high - found.low == pytest.approx(
    2 * 1.96 * math.sqrt(0.25 / 400), rel=0.08
  )


def test_seeds_that_differ_widen_the_interval_of_the_mean():
  equal = {seed: fair(200, seed=seed) for seed in range(3)}
  apart = {
    seed: fair(200, seed=seed, share=share)
    for seed, share in enumerate((0.2, 0.5, 0.8))
  }
  widths = []
  for by_seed in (equal, apart):
    found = estimate(by_seed, name='x')
    assert found.mean == pytest.approx(0.5)
    widths.append(found.high - found.low)
  assert widths[1] > 3 * widths[0]


def test_shared_questions_are_drawn_together():
  # Three seeds with equal answers know no more than one; three with questions
  # of their own know three times as much.
  same = {seed: fair(100) for seed in range(3)}
  own = {seed: renamed(fair(100), seed) for seed in range(3)}
  one = estimate({0: fair(100)}, name='x')
  width = {
    name: (e := estimate(by_seed, name='x')).high - e.low
    for name, by_seed in (('same', same), ('own', own))
  }
  assert width['same'] == pytest.approx(one.high - one.low, rel=0.1)
  assert width['own'] < 0.85 * width['same']


def test_interval_is_that_of_drawing_seeds_and_questions_by_index():
  by_seed = {s: fair(60, seed=s, share=0.3 + 0.2 * s) for s in range(3)}
  values_SxQ = np.array([list(v.values()) for v in by_seed.values()])
  rng = np.random.default_rng(0)
  means = [
    values_SxQ[rng.integers(3, size=3)][:, rng.integers(60, size=60)].mean()
    for _ in range(4000)
  ]
  found = estimate(by_seed, name='x')
  low, high = np.percentile(means, [2.5, 97.5])
  assert found.low == pytest.approx(low, abs=0.03)
  assert found.high == pytest.approx(high, abs=0.03)


def test_mean_weighs_seeds_alike():
  by_seed = {0: asked({'a': 1}), 1: asked({'a': 0, 'b': 0, 'c': 0})}
  found = estimate(by_seed, name='x')
  assert found.mean == 0.5
  assert (found.low, found.high) == (0.0, 1.0)


def test_estimate_depends_on_name_and_content_only():
  questions = fair(50, share=0.4)
  turned = dict(reversed(questions.items()))
  first = estimate({0: questions, 1: fair(50)}, name='x')
  assert first == estimate({1: fair(50), 0: turned}, name='x')
  found = {estimate({0: fair(499, share=0.37)}, name=name) for name in 'abcd'}
  assert len(found) > 1


def test_difference_is_antisymmetric():
  first = {s: fair(80, seed=s, share=0.8) for s in range(3)}
  second = {s: fair(80, seed=s + 7, share=0.4) for s in range(3)}
  there = difference(first, second, names=('icl', 'ft'))
  back = difference(second, first, names=('ft', 'icl'))
  assert there.estimate.mean == pytest.approx(0.4)
  assert there.estimate.low < 0.4 < there.estimate.high
  assert back.estimate.mean == -there.estimate.mean
  assert back.estimate.low == -there.estimate.high
  assert back.estimate.high == -there.estimate.low
  assert back.p_value == there.p_value


def test_pairing_narrows_the_interval():
  base = fair(200)
  better = base | asked({f'q{i}': 1 for i in range(10)})
  paired = difference({0: better}, {0: base}, names=('a', 'b')).estimate
  alone = estimate({0: base}, name='x')
  assert paired.high - paired.low < 0.5 * (alone.high - alone.low)


def test_difference_by_hand():
  first = {0: asked({'a': 1, 'b': 1, 'c': 0})}
  second = {0: asked({'a': 0, 'b': 1, 'c': 0})}
  found = difference(first, second, names=('x', 'y'))
  assert found.estimate.mean == pytest.approx(1 / 3)
  assert found.clusters == 3
  assert found.p_value == 1.0


@pytest.mark.parametrize(
  ('counts', 'expected'),
  [((0, 0), 1.0), ((5, 0), 2 / 32), ((1, 7), 18 / 256), ((3, 3), 1.0)],
)
def test_sign_test_by_hand(counts, expected):
  assert statistics.sign_test(*counts) == pytest.approx(expected)
  assert statistics.sign_test(*counts[::-1]) == statistics.sign_test(*counts)


def test_sign_test_of_thousands_is_finite():
  assert 0.0 <= statistics.sign_test(3000, 900) < 1e-200


def compared(first, second):
  return difference(first, second, names=('a', 'b'))


def test_a_question_under_several_seeds_is_one_and_others_add_evidence():
  better = asked(dict.fromkeys('abcdef', 1))
  worse = asked(dict.fromkeys('abcdef', 0))
  same = compared(
    dict.fromkeys(range(3), better), dict.fromkeys(range(3), worse)
  )
  own = compared(
    {seed: renamed(better, seed) for seed in range(3)},
    {seed: renamed(worse, seed) for seed in range(3)},
  )
  alone = compared({0: better}, {0: worse}).p_value
  assert alone == same.p_value == pytest.approx(2 / 2**6)
  assert own.p_value == pytest.approx(2 / 2**18)
  assert (same.clusters, own.clusters) == (6, 18)


def test_a_cluster_has_the_sign_of_its_sum():
  # Over its questions and its seeds: c is +1 -1 -1, d is +1 +1 -1.
  first = {
    0: {('c', '0'): 1.0, ('c', '1'): 0.0, ('d', '0'): 1.0},
    1: {('c', '2'): 0.0, ('d', '1'): 1.0, ('d', '2'): 0.0},
  }
  second = {s: {key: 1 - v for key, v in f.items()} for s, f in first.items()}
  assert compared(first, second).p_value == 1.0
  first[0]['c', '1'] = 1.0  # c: +1 +1 -1, no sign against it is left
  second[0]['c', '1'] = 0.0
  assert compared(first, second).p_value == pytest.approx(2 / 2**2)


def test_repeating_questions_in_their_clusters_changes_nothing():
  first = {s: fair(50, seed=s, share=0.8) for s in range(3)}
  second = {s: fair(50, seed=s + 7, share=0.4) for s in range(3)}
  once = compared(first, second)
  for times in (2, 10):
    many = compared(
      {s: repeated(found, times) for s, found in first.items()},
      {s: repeated(found, times) for s, found in second.items()},
    )
    assert many.estimate == once.estimate
    assert many.p_value == once.p_value
    assert many.clusters == once.clusters


def test_interval_is_that_of_drawing_clusters_by_index():
  rng = np.random.default_rng(0)
  asked_C = rng.integers(1, 9, size=40)
  # What is asked often is mostly right: how many are drawn matters as well.
  right_C = rng.binomial(asked_C, np.where(asked_C > 4, 0.9, 0.1))
  found = estimate(
    {
      0: {
        (f'c{c}', f'{c}/{i}'): float(i < right_C[c])
        for c in range(40)
        for i in range(asked_C[c])
      }
    },
    name='x',
  )
  means = []
  for _ in range(4000):
    drawn = rng.integers(40, size=40)
    means.append(right_C[drawn].sum() / asked_C[drawn].sum())
  low, high = np.percentile(means, [2.5, 97.5])
  assert found.mean == right_C.sum() / asked_C.sum()
  assert found.low == pytest.approx(low, abs=0.02)
  assert found.high == pytest.approx(high, abs=0.02)


def test_intervals_cover_the_truth_where_phrasings_stand_or_fall_together(
  monkeypatch,
):
  monkeypatch.setattr(statistics, 'RESAMPLES', 200)
  rng = np.random.default_rng(0)
  covered = {'clusters': 0, 'questions': 0}
  for trial in range(200):
    people = {}
    for person, share in enumerate(rng.beta(0.5, 0.5, size=30)):
      for i in range(10):
        people[str(person), f'{person}/{i}'] = float(rng.random() < share)
    alone = {(q, q): right for (_, q), right in people.items()}
    for name, found in (('clusters', people), ('questions', alone)):
      e = estimate({0: found}, name=f'{trial}')
      covered[name] += e.low <= 0.5 <= e.high
  # Of 200: nominally 190, with a standard deviation of 3.
  assert covered['clusters'] >= 180, covered
  assert covered['questions'] <= 140, covered
