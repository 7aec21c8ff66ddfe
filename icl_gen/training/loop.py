"""The training loop; reports and checkpoints are its caller's functions."""

import math
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from icl_gen import signals
from icl_gen.training.choosing import Verdict
from icl_gen.types import Batch

# Values of a report by name.
Metrics = dict[str, float]


@signals.deferred()
def loop(
  state: Any,
  batches: Iterator[Batch],
  step: Callable[..., tuple[Any, dict[str, jax.Array]]],
  *,
  place: Callable[[Batch], Batch],
  first_step: int,
  steps: int,
  report_every: int,
  save_every: int,
  on_report: Callable[[int, Metrics], None],
  on_save: Callable[[int, Any], None],
  asked: Callable[[int], bool] = lambda number: bool(signals.asked()),
  evaluate_every: int = 0,
  evaluate: Callable[[int, Any], Verdict] = lambda *_: Verdict(False, False),
) -> Any:
  """Trains from `first_step` to `steps`.

  Args:
    state: the state after `first_step` steps; it is donated.
    batches: yields the batches of the steps after `first_step`, as NumPy
      arrays.
    step: (state, placed batch) -> (state, metrics).
    place: puts a batch on the devices.
    first_step: number of steps already taken.
    steps: number of steps at the end of the run.
    report_every: report interval in steps; the last step reports too.
    save_every: checkpoint interval in steps; the last step saves too.
    on_report: called with the step number and its metrics.
    on_save: called with the step number and the state after it.
    asked: called with the step number; whether to save this step and stop.
      Several processes must answer alike, as they save together.
    evaluate_every: evaluation interval in steps; the last step is evaluated
      too; 0: nothing is evaluated.
    evaluate: called with the step number and the state after it. The best state
      is saved, and so is the last one.

  Returns:
    the state after the last step, or after that at which `evaluate` was over.

  Raises:
    FloatingPointError: if the loss or another metric of a step that reports,
      saves or is evaluated is not finite; names the interval. The state is not
      saved, as a run resumed from it could not recover.
    signals.Interrupted: after a step that was saved because of `asked`.
  """
  tokens, since, reported = 0, time.monotonic(), first_step
  finite = first_step
  for number in range(first_step + 1, steps + 1):
    batch = next(batches)
    tokens += int(np.count_nonzero(batch.segments_BxL))
    state, metrics = step(state, place(batch))
    last = number == steps
    evaluates = _due(number, evaluate_every, last)
    reports = _due(number, report_every, last)
    stops = asked(number)
    saves = stops or _due(number, save_every, last)
    # Read only when due: reading a metric waits for the step to finish.
    if reports or saves or evaluates:
      values = {name: float(value) for name, value in metrics.items()}
      _check_finite(values, number=number, finite=finite)
      finite = number
    if evaluates:
      verdict = evaluate(number, state)
      last = last or verdict.is_over
      reports, saves = reports or last, saves or last or verdict.is_best
    if reports:
      seconds = time.monotonic() - since
      values['tokens_per_second'] = tokens / max(seconds, 1e-9)
      values['eta_seconds'] = seconds / (number - reported) * (steps - number)
      on_report(number, values)
      tokens, since, reported = 0, time.monotonic(), number
    if saves:
      on_save(number, state)
    if stops:
      raise _interrupted(number)
    if last:
      break
  return state


def _due(number: int, every: int, last: bool) -> bool:
  return every > 0 and (last or number % every == 0)


def _interrupted(number: int) -> signals.Interrupted:
  # If only another process was asked, it was by a scheduler.
  return signals.Interrupted(
    signals.asked() or signal.SIGTERM,
    f'the state of step {number} is saved; re-run the command to resume from'
    ' it',
  )


def _check_finite(values: Metrics, *, number: int, finite: int) -> None:
  for name, value in values.items():
    if not math.isfinite(value):
      raise FloatingPointError(
        f'{name} is {value} at step {number}; it was finite at step {finite}.'
        ' Lower the learning rate, or check the documents.'
      )
