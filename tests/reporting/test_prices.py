"""Costs per point gained and per question won."""

import pytest

from icl_gen.reporting import answers, augmentations, prices
from tests.reporting import synthetic

COSTS = (
  ('reversal', 'nano', '', '0', 'local tokens_out', 300.0),
  ('reversal', 'nano', '', '0', 'global tokens_out', 100.0),
  ('reversal', 'nano', '', '0', 'local tokens_in', 50.0),
  ('reversal', 'nano', '', '0', 'global context_tokens', 7.0),
  ('reversal', 'nano', '', '0', 'local seconds', 8.0),
)


def rows(before, after, costs=COSTS):
  cells = [
    synthetic.cell(before, condition='ft'),
    synthetic.cell(after, condition='ft_aug'),
  ]
  table = answers.table(cells)
  spent = [augmentations.Cost(*cost) for cost in costs]
  spent += [
    augmentations.Cost(world, model, run, answers.MEAN, cost, value)
    for world, model, run, _, cost, value in costs
  ]
  return {
    row.seed: row
    for row in prices.prices(
      answers.comparisons(table), spent, table, normalisation='sum'
    )
  }


def test_cost_is_divided_by_what_was_gained():
  # 3 won and 1 lost of 10: 20 points.
  found = rows([0, 0, 0, 1] + [1] * 6, [1, 1, 1, 0] + [1] * 6)
  for row in (found['0'], found['mean']):
    assert (row.won, row.lost) == (3, 1)
    assert row.gain == pytest.approx(0.2)
    assert (row.tokens_read, row.tokens_written) == (57, 400)
    assert row.tokens_per_point == pytest.approx(400 / 20)
    assert row.seconds_per_point == pytest.approx(8 / 20)
    assert row.tokens_per_question == pytest.approx(400 / 3)
    assert row.seconds_per_question == pytest.approx(8 / 3)
    assert row.tokens_per_point_low < row.tokens_per_point
    # The interval of so few questions includes a loss.
    assert row.low < 0
    assert row.tokens_per_point_high is None


def test_a_loss_has_no_price():
  row = rows([1] * 5 + [0] * 5, [0] * 5 + [0] * 5)['mean']
  assert (row.won, row.lost) == (0, 5)
  assert row.tokens_per_point is row.tokens_per_point_high is None
  assert row.tokens_per_question is row.seconds_per_question is None


def test_the_interval_of_a_price_is_that_of_the_gain():
  row = rows([0] * 30, [1] * 28 + [0] * 2)['mean']
  assert row.tokens_per_point_low * row.high == pytest.approx(4)
  assert row.tokens_per_point_high * row.low == pytest.approx(4)


def test_means_are_ratios_of_means_over_the_seeds():
  cells = [
    synthetic.cell(right, condition=condition, seed=seed)
    for seed, before, after in ((0, 2, 6), (1, 4, 6))
    for condition, number in (('ft', before), ('ft_aug', after))
    for right in [[True] * number + [False] * (10 - number)]
  ]
  table = answers.table(cells)
  costs = [
    augmentations.Cost('reversal', 'nano', '', seed, cost, value)
    for seed, value in (('0', 100.0), ('1', 500.0), ('mean', 300.0))
    for cost in ('tokens_out', 'seconds')
  ]
  found = {
    row.seed: row.tokens_per_question
    for row in prices.prices(
      answers.comparisons(table), costs, table, normalisation='sum'
    )
  }
  assert found == {'0': 100 / 4, '1': 500 / 2, 'mean': 300 / 3}


def test_costs_are_those_of_the_seeds_that_the_gain_is_of():
  cells = [
    synthetic.cell([0, 0], condition='ft', seed=0),
    *(synthetic.cell([1, 1], condition='ft_aug', seed=n) for n in (0, 1)),
  ]
  table = answers.table(cells)
  costs = [
    augmentations.Cost('reversal', 'nano', '', seed, cost, value)
    for seed, value in (('0', 100.0), ('1', 500.0), ('mean', 300.0))
    for cost in ('tokens_out', 'seconds')
  ]
  compared = answers.comparisons(table)
  found = prices.prices(compared, costs, table, normalisation='sum')
  assert {row.seed: row.tokens_written for row in found} == {
    '0': 100,
    'mean': 100,
  }
  # Where they are not known of all these seeds, nothing is said.
  assert not prices.prices(compared, costs[2:], table, normalisation='sum')


def test_without_costs_there_are_no_rows():
  assert rows([0, 1], [1, 1], costs=()) == {}
