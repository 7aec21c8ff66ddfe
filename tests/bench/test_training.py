"""What the table of training steps says follows from what was measured."""

import pytest

from tests.bench import training

TURN = {
  'losses': [7.0, 6.5, 6.25],
  'seconds': [2.0, 4.0, 8.0],
  'first_seconds': 30.0,
  'start_bytes': 2**30,
  'peak_bytes': 3 * 2**30,
}


def found(*turns):
  return training.summary(turns, tokens=400, operations=1000, peak=500)


def test_a_line_has_the_median_of_all_steps_and_the_highest_memory():
  slow = TURN | {'seconds': [16.0, 32.0], 'peak_bytes': 4 * 2**30}
  line = found(TURN, slow)
  assert line['tokens_per_second'] == 400 / 8
  assert line['share_of_peak'] == 1000 / 8 / 500
  assert (line['training_gib'], line['peak_gib']) == (3, 4)


def test_the_table_says_how_much_faster_ours_is():
  other = found(TURN | {'seconds': [8.0]})
  lines = list(
    training.table('nano', (2, 200, 3), {'icl_gen': found(TURN), 'x': other})
  )
  assert [line.split(' | ')[4] for line in lines] == ['1.00', '2.00']


def test_libraries_that_computed_something_else_are_no_peers():
  close = TURN | {'losses': [7.001, 6.501, 6.249]}
  training.require_same({'icl_gen': [TURN], 'x': [close]})
  far = TURN | {'losses': [7.0, 6.5, 6.2]}
  with pytest.raises(ValueError, match='losses of x'):
    training.require_same({'icl_gen': [TURN], 'x': [far]})
