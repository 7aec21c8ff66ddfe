"""Checks training settings, so that a bad one fails before anything starts."""

from typing import Any

from icl_gen.runs import models

_INTERVALS = ('report_every', 'save_every')


def require_sensible(settings: Any, *, model: str) -> None:
  """Checks how the numbers of a training run, each in its range, fit together.

  Args:
    settings: a mapping with `steps`, `warmup_steps` and `length`.
    model: one of `models.ALL`.

  Raises:
    ValueError: the warm-up is longer than the training, or rows are longer than
      those the model was trained on.
  """
  if settings['warmup_steps'] > settings['steps']:
    raise ValueError(
      f'--config.train.warmup_steps={settings["warmup_steps"]}; give 0 to'
      f' {settings["steps"]}, the number of steps: the learning rate would not'
      ' reach its peak'
    )
  models.require_room(
    model,
    tokens=settings['length'],
    what=f'a row of --config.train.length={settings["length"]}',
  )


def require_intervals(settings: Any) -> None:
  """Checks `report_every` and `save_every`, in steps.

  Raises:
    ValueError: if one is less than a step.
  """
  for name in _INTERVALS:
    if not settings[name] >= 1:
      raise ValueError(f'--config.{name}={settings[name]}; give 1 or more')
