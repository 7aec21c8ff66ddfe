"""The loop: steps, metrics, checkpoints. Knows no files and no formats."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from icl_gen.types import Batch

# What the loop reports every few steps; floats by name.
Metrics = dict[str, float]


def require_intervals(settings: Any) -> None:
  """Checks `report_every` and `save_every` before anything is begun.

  Raises:
    ValueError: if one is less than a step.
  """
  for name in ('report_every', 'save_every'):
    if settings[name] < 1:
      raise ValueError(f'{name}={settings[name]}; give 1 step or more')


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
) -> Any:
  """Trains from `first_step` to `steps`.

  Args:
    state: before the first step; it is consumed.
    batches: yields the batch of each step, from `first_step` on, as NumPy
      arrays.
    step: (state, placed batch) -> (state, metrics).
    place: puts a batch on the devices. Nothing is read back from there but
      metrics that are due: it would wait for the step in progress.
    first_step: steps taken already.
    steps: steps at the end.
    report_every: report interval in steps; the last step reports too.
    save_every: checkpoint interval in steps; the last step saves too. What is
      not finite is never saved: going on from it would be in vain.
    on_report: called with the step number and its metrics.
    on_save: called with the step number and the state after it.

  Returns:
    the state after the last step.

  Raises:
    FloatingPointError: when the loss, or another metric of the step, is not
      finite; names the interval.
  """
  tokens, since, reported = 0, time.monotonic(), first_step
  finite = first_step
  for number in range(first_step + 1, steps + 1):
    batch = next(batches)
    tokens += np.count_nonzero(batch.segments_BxL)
    state, metrics = step(state, place(batch))
    last = number == steps
    reports = last or number % report_every == 0
    saves = last or number % save_every == 0
    if reports or saves:
      values = {name: float(value) for name, value in metrics.items()}
      _check_finite(values, number=number, finite=finite)
      finite = number
    if reports:
      seconds = time.monotonic() - since
      values['tokens_per_second'] = tokens / max(seconds, 1e-9)
      values['eta_seconds'] = seconds / (number - reported) * (steps - number)
      on_report(number, values)
      tokens, since, reported = 0, time.monotonic(), number
    if saves:
      on_save(number, state)
  return state


def _check_finite(values: Metrics, *, number: int, finite: int) -> None:
  for name, value in values.items():
    if not math.isfinite(value):
      raise FloatingPointError(
        f'{name} is {value} at step {number}; it was finite at step {finite}.'
        ' Lower the learning rate, or look at the documents.'
      )
