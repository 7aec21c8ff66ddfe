"""The best of some evaluations, and when to stop; resumed or not."""

import json

import pytest

from icl_gen.training import choosing

VALUES = [0.1, 0.5, 0.5, 0.4, 0.7, 0.7, 0.6, 0.2, 0.9]


def chooser(*, values=VALUES, stop_after=0, by='accuracy', best=None):
  """A chooser that finds `values[step - 1]` after a step."""
  return choosing.Chooser(
    lambda step: {'accuracy': values[step - 1], 'margin': -values[step - 1]},
    by=by,
    stop_after=stop_after,
    on_values=lambda step, found: None,
    on_best=[].append if best is None else best.append,
  )


def verdicts(one, steps):
  return [one.evaluate(step, step) for step in steps]


def test_the_first_of_equals_is_the_best():
  best = []
  one = chooser(best=best)
  found = [v.is_best for v in verdicts(one, range(1, 10))]
  assert [n for n, is_best in enumerate(found, 1) if is_best] == [1, 2, 5, 9]
  assert best == [1, 2, 5, 9]
  assert one.best_step == 9
  assert not one.is_over  # it never stops


def test_the_value_that_counts_is_named():
  one = chooser(by='margin')
  verdicts(one, range(1, 10))
  assert one.best_step == 1


@pytest.mark.parametrize(
  ('stop_after', 'end'), [(1, 3), (2, 4), (3, 8), (4, 0)]
)
def test_it_is_over_after_so_many_without_improvement(stop_after, end):
  found = verdicts(chooser(stop_after=stop_after), range(1, 10))
  over = [number for number, v in enumerate(found, 1) if v.is_over]
  assert (over[0] if over else 0) == end


@pytest.mark.parametrize('stop', range(10))
def test_a_resumed_one_goes_on_as_if_nothing_had_been(stop):
  whole = chooser(stop_after=2)
  wanted = verdicts(whole, range(1, 10))
  begun, best = chooser(stop_after=2), []
  verdicts(begun, range(1, stop + 1))
  saved = json.loads(json.dumps({'step': stop} | begun.state()))
  resumed = chooser(stop_after=2, best=best)
  resumed.restore(saved)
  assert saved == {'step': stop}  # what others read
  assert best == ([begun.best_step] if stop else [])
  assert resumed.is_over == begun.is_over
  assert verdicts(resumed, range(stop + 1, 10)) == wanted[stop:]
  assert resumed.state() == whole.state()


def test_a_run_that_was_saved_without_evaluations_begins_with_none():
  one = chooser()
  one.restore({'step': 3})
  assert one.state() == {}
  assert one.evaluate(1, 1).is_best
