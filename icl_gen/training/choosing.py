"""Evaluations while training: which step is the best, and when to stop."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

_STATE = 'evaluations'
# From a state, its values by name; greater is better.
Measure = Callable[[Any], Mapping[str, float]]


@dataclasses.dataclass(frozen=True)
class Verdict:
  """What follows from an evaluation.

  Attributes:
    is_best: whether no evaluation before was as good; the first one is best.
    is_over: whether training should stop.
  """

  is_best: bool
  is_over: bool


class Chooser:
  """Evaluates states and compares them by one of their values.

  Attributes:
    best_step: the step of the best evaluation, the first of equals; 0: none.
  """

  def __init__(
    self,
    measure: Measure,
    *,
    by: str,
    stop_after: int,
    on_values: Callable[[int, Mapping[str, float]], None],
    on_best: Callable[[int], None],
  ) -> None:
    """Starts before the first evaluation.

    Args:
      measure: evaluates a state.
      by: the name of the value that counts.
      stop_after: evaluations without improvement after which to stop; 0: never.
      on_values: called with the step and its values.
      on_best: called with the step, after it turned out to be, or was restored
        as, the best one.
    """
    self._measure, self._by, self._stop_after = measure, by, stop_after
    self._on_values, self._on_best = on_values, on_best
    self._best, self._since = -math.inf, 0
    self.best_step = 0

  @property
  def is_over(self) -> bool:
    """Whether the last `stop_after` evaluations brought no improvement."""
    return 0 < self._stop_after <= self._since

  def evaluate(self, step: int, state: Any) -> Verdict:
    """Evaluates the state after a step."""
    values = self._measure(state)
    self._on_values(step, values)
    is_best = values[self._by] > self._best
    if is_best:
      self._best, self._since, self.best_step = values[self._by], 0, step
      self._on_best(step)
    else:
      self._since += 1
    return Verdict(is_best, self.is_over)

  def summary(self, kept: int) -> str:
    """A line about the best step and the one that is kept; '' for none."""
    if not self.best_step:
      return ''
    return f'best: step {self.best_step}; the weights are of step {kept}\n'

  def state(self) -> dict[str, Any]:
    """What a resumed run has to know, as JSON values under one name.

    Returns:
      {} before the first evaluation.
    """
    if not self.best_step:
      return {}
    found = {
      'best_step': self.best_step,
      'best': self._best,
      'since': self._since,
    }
    return {_STATE: found}

  def restore(self, saved: dict[str, Any]) -> None:
    """Continues where `state` was read; takes it out of what was saved."""
    found = saved.pop(_STATE, None)
    if found is not None:
      self.best_step, self._best = found['best_step'], found['best']
      self._since = found['since']
      self._on_best(self.best_step)
