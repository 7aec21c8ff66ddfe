"""Checks training settings, so that a bad one fails before anything starts."""

import math
from typing import Any

from icl_gen.runs import models

# Setting -> its lower limit, and whether the limit itself is allowed.
_LIMITS = {
  'steps': (1, True),
  'batch_size': (1, True),
  'length': (2, True),
  'learning_rate': (0, False),
  'warmup_steps': (0, True),
  'final_share': (0, True),
  'weight_decay': (0, True),
  'clip': (0, False),
}
_INTERVALS = ('report_every', 'save_every')


def require_sensible(settings: Any, *, seed: int, model: str) -> None:
  """Checks all numbers of a training run.

  Args:
    settings: a mapping that has `_LIMITS` and `_INTERVALS`.
    seed: seed of the order of the examples.
    model: one of `models.ALL`.

  Raises:
    ValueError: names the first setting that is out of range or not finite, or
      rows that are longer than those the model was trained on.
  """
  require_intervals(settings)
  for name, (limit, included) in _LIMITS.items():
    _require(name, settings[name], limit=limit, included=included)
  if settings['warmup_steps'] > settings['steps']:
    raise ValueError(
      f'warmup_steps={settings["warmup_steps"]}; give 0 to'
      f' {settings["steps"]}, the number of steps: the learning rate would not'
      ' reach its peak'
    )
  _require('seed', seed, limit=0, included=True)
  models.require_room(
    model, tokens=settings['length'], what='a row of train.length'
  )


def require_intervals(settings: Any) -> None:
  """Checks `report_every` and `save_every`, in steps.

  Raises:
    ValueError: if one is less than a step.
  """
  for name in _INTERVALS:
    _require(name, settings[name], limit=1, included=True)


def _require(name: str, value: float, *, limit: float, included: bool) -> None:
  in_range = value >= limit if included else value > limit
  if not in_range or not math.isfinite(value):
    allowed = f'{limit} or more' if included else f'more than {limit}'
    raise ValueError(f'{name}={value}; give {allowed}')
