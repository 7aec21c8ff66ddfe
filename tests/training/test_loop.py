"""The loop reports, saves and stops when it should; no model is involved."""

import itertools
import signal

import numpy as np
import pytest

from icl_gen import signals
from icl_gen.training import choosing, loop
from icl_gen.types import Batch


def batch():
  """Two rows with three and one tokens."""
  zeros = np.zeros((2, 4), np.int32)
  segments = np.int32([[1, 1, 2, 0], [1, 0, 0, 0]])
  return Batch(zeros, zeros, zeros, segments)


# Opaque, as reading from a placed batch would wait for the step in progress.
PLACED = object()


def run(*, losses=None, norms=None, first_step=0, **changed):
  """(events, last state); the state counts the steps."""
  settings = {'steps': 10, 'report_every': 4, 'save_every': 3} | changed
  losses, norms = losses or {}, norms or {}
  events = []

  def step(state, batch):
    assert batch is PLACED
    number = state + 1
    return number, {
      'loss': np.float32(losses.get(number, number)),
      'grad_norm': np.float32(norms.get(number, 1)),
    }

  try:
    last = loop.loop(
      first_step,
      itertools.repeat(batch()),
      step,
      place=lambda batch: PLACED if isinstance(batch, Batch) else None,
      first_step=first_step,
      on_report=lambda number, values: events.append(
        ('report', number, values)
      ),
      on_save=lambda number, state: events.append(('save', number, state)),
      **settings,
    )
  except (FloatingPointError, signals.Interrupted) as error:
    return events, error
  return events, last


def evaluated(*, best=(), over=None, **changed):
  """`run` with evaluations of which some are the best and one the last."""
  asked = []

  def evaluate(number, state):
    assert number == state
    asked.append(number)
    return choosing.Verdict(number in best, number == over)

  return asked, *run(evaluate=evaluate, **changed)


def steps_of(events, kind):
  return [number for name, number, _ in events if name == kind]


def test_it_reports_and_saves_at_intervals_and_at_the_end():
  events, last = run()
  assert steps_of(events, 'report') == [4, 8, 10]
  assert steps_of(events, 'save') == [3, 6, 9, 10]
  assert last == 10
  for kind, number, what in events:
    # The loss is that of the step; the state is the one after it.
    assert (what['loss'] if kind == 'report' else what) == number


def test_an_end_at_an_interval_is_reported_and_saved_once():
  events, _ = run(steps=12)
  assert steps_of(events, 'report') == [4, 8, 12]
  assert steps_of(events, 'save') == [3, 6, 9, 12]


def test_it_continues_from_the_first_step():
  events, last = run(first_step=7)
  assert steps_of(events, 'report') == [8, 10]
  assert steps_of(events, 'save') == [9, 10]
  assert last == 10


def test_a_finished_run_takes_no_step():
  assert run(first_step=10) == ([], 10)


def test_speed_counts_tokens_without_padding(monkeypatch):
  clock = itertools.count(100, 2.0)  # seconds, at each call
  monkeypatch.setattr(loop.time, 'monotonic', lambda: next(clock))
  events, _ = run(steps=8, save_every=8)
  first, second = (v for kind, _, v in events if kind == 'report')
  # Four steps of four tokens in 2 seconds; four steps to go.
  assert (first['tokens_per_second'], first['eta_seconds']) == (8.0, 2.0)
  assert (second['tokens_per_second'], second['eta_seconds']) == (8.0, 0.0)


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_a_loss_that_is_not_finite_stops_and_names_the_interval(value):
  lost = dict.fromkeys(range(5, 11), value)  # from step 5 on
  events, error = run(losses=lost, save_every=100)
  assert isinstance(error, FloatingPointError)
  assert f'loss is {value} at step 8' in str(error)
  assert 'finite at step 4' in str(error)
  assert steps_of(events, 'report') == [4]
  assert steps_of(events, 'save') == []


def test_a_state_that_is_not_finite_is_never_saved():
  """Otherwise a resumed run would start from it, again and again."""
  events, error = run(losses=dict.fromkeys(range(5, 11), float('nan')))
  assert 'at step 6; it was finite at step 4' in str(error)
  assert steps_of(events, 'save') == [3]
  # The loss is of the weights before the step; the gradient changes them.
  events, error = run(norms={6: float('nan')})
  assert 'grad_norm is nan at step 6' in str(error)
  assert steps_of(events, 'save') == [3]


@pytest.mark.parametrize('step', [5, 6, 10])
def test_a_request_to_stop_saves_the_step_reached_once(step):
  """Whether it is due anyway, as 6 and 10 are, or not."""
  events, stopped = run(asked=lambda number: number == step)
  assert isinstance(stopped, signals.Interrupted)
  assert f'state of step {step} is saved' in stopped.kept
  assert steps_of(events, 'save') == [*range(3, step, 3), step]
  resumed, last = run(first_step=step)
  assert last == 10
  assert steps_of(events + resumed, 'report') == [4, 8, 10]


def test_a_request_to_stop_saves_no_state_that_is_not_finite():
  events, error = run(losses={5: float('nan')}, asked=lambda number: number > 4)
  assert isinstance(error, FloatingPointError)
  assert steps_of(events, 'save') == [3]


def test_a_signal_is_looked_at_between_steps(monkeypatch):
  monkeypatch.setattr(signals, '_requests', signals._Requests())
  clock = itertools.count()

  def monotonic():  # at the beginning and at each report
    if next(clock) == 1:
      signals._note(signal.SIGTERM, None)
    return 0.0

  monkeypatch.setattr(loop.time, 'monotonic', monotonic)
  events, stopped = run(save_every=100)
  assert isinstance(stopped, signals.Interrupted)
  assert (stopped.status, str(stopped)) == (143, 'interrupted by SIGTERM')
  assert steps_of(events, 'save') == [5]


def test_evaluations_come_at_their_steps_and_at_the_last():
  asked, events, last = evaluated(evaluate_every=4)
  assert (asked, last) == ([4, 8, 10], 10)
  assert evaluated()[0] == []
  # Nothing else changes unless something is found.
  wanted, _ = run()
  assert [e[:2] for e in events] == [e[:2] for e in wanted]


def test_the_best_state_is_saved_whenever_it_comes():
  _, events, _ = evaluated(evaluate_every=2, best=(2, 6))
  assert steps_of(events, 'save') == [2, 3, 6, 9, 10]


def test_a_run_that_is_over_reports_and_saves_and_ends():
  asked, events, last = evaluated(evaluate_every=2, over=4, report_every=5)
  assert (asked, last) == ([2, 4], 4)
  assert steps_of(events, 'save') == [3, 4]
  assert steps_of(events, 'report') == [4]


def test_a_state_that_is_not_finite_is_not_evaluated():
  asked, _, error = evaluated(evaluate_every=2, losses={4: np.nan})
  assert asked == [2]
  assert 'loss is nan at step 4; it was finite at step 3' in str(error)
