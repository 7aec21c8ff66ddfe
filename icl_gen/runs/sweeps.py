"""Sweeps: runs of a study that differ in their settings, on a grid.

A sweep is a text, 'train.learning_rate=1e-3,2e-3 train.steps=200,400'. Its
points are all combinations of these values. Several such grids, with '|'
between them, are put together; an empty one is the experiment's own settings.
A cell is run once for all points
that agree in what its condition depends on, and its name has those values that
are not the experiment's own: 'lr_0.001,steps_200'. So whatever does not depend
on a setting is shared by all values of it, and the point with the experiment's
own values is the run without a name.
"""

import dataclasses
import itertools
from collections.abc import Callable, Collection, Mapping
from typing import Any

from icl_gen.runs import controls, directories, experiments
from icl_gen.runs.experiments import Experiment

# Setting -> its value.
Point = Mapping[str, Any]

# Whose settings may be swept; others are of the world, the model or the host.
_BLOCKS = ('context', 'train', 'augment')
_SHORT = {'train.learning_rate': 'lr'}
# The setting of training that documents of the world do not depend on.
_OF_GENERATED = 'train.targets'
_OF_CONTROLS = tuple(f'augment.{name}' for name in controls.SETTINGS)
_MOST_POINTS = 1000


def settings() -> dict[str, type[Any]]:
  """The settings that may be swept, and the type of their values.

  Not those of how a result is computed, nor names and other free texts, nor
  those of which questions are kept for evaluation while training: points that
  are scored on different questions do not compare.
  """
  found = {
    f'{block}.{field.name}': field.type
    for block in _BLOCKS
    for field in dataclasses.fields(experiments.BLOCKS[block])
    if not (block == 'train' and field.name in experiments.HOW)
    and not field.name.startswith('evaluate_')
  }
  return {
    setting: kind
    for setting, kind in found.items()
    if isinstance(kind, type)
    and (kind in (bool, int, float) or setting in experiments.CHOICES)
  }


def depends(condition: str, setting: str) -> bool:
  """Whether the scores of a condition depend on a setting."""
  if condition == 'icl':
    return setting.startswith('context.')
  if condition not in directories.TRAINED:
    return False
  if condition == 'ft_aug' and shapes_samples(setting):
    return True
  is_of_all = condition == 'ft_aug' or setting != _OF_GENERATED
  return setting.startswith('train.') and is_of_all


def shapes_samples(setting: str) -> bool:
  """Whether an augmentation depends on a setting."""
  # What is longer than a row of training is dropped.
  others = ('context.factor', 'context.budget', 'train.length')
  return setting.startswith('augment.') or setting in others


def points(sweep: str) -> list[Point]:
  """Returns the points of a sweep; a single one without settings for ''.

  Args:
    sweep: settings with their values, separated by white space; several grids
      of them are separated by '|'.

  Raises:
    ValueError: it cannot be read, a setting is unknown or given twice, a value
      is not allowed or given twice, or there are too many points.
  """
  found = [point for grid in sweep.split('|') for point in _grid(grid)]
  if len(found) > _MOST_POINTS:
    raise ValueError(
      f'--config.sweep has more than {_MOST_POINTS:,} points; give fewer values'
    )
  return found


def _grid(sweep: str) -> list[Point]:
  example = 'train.learning_rate=1e-3,2e-3 train.steps=200,400'
  return grid(sweep, _value, flag='sweep', example=example)


def grid(
  text: str, value: Callable[[str, str], Any], *, flag: str, example: str
) -> list[Point]:
  """All combinations of the values of a grid; at most one too many.

  Args:
    text: settings with their values, separated by white space.
    value: (setting, text of a value) -> the value.
    flag: of the grid, for messages.
    example: of a grid, for messages.

  Raises:
    ValueError: it cannot be read, or a setting or value is given twice.
  """
  axes: dict[str, list[Any]] = {}
  for given in text.split():
    setting, mark, texts = given.partition('=')
    if not mark or not texts:
      raise ValueError(
        f'--config.{flag}: {given!r} is not SETTING=VALUE,VALUE; e.g.'
        f" --config.{flag}='{example}'"
      )
    if setting in axes:
      raise ValueError(f'--config.{flag}: {setting} is given twice')
    values = [value(setting, one) for one in texts.split(',')]
    if len(set(values)) < len(values):
      raise ValueError(f'--config.{flag}: {given}: give each value once')
    axes[setting] = values
  return [
    dict(zip(axes, values, strict=True))
    for values in itertools.islice(
      itertools.product(*axes.values()), _MOST_POINTS + 1
    )
  ]


def require_used(sweep: str, conditions: Collection[str]) -> None:
  """Checks that some condition depends on each setting of a sweep.

  Raises:
    ValueError: none does.
  """
  swept = dict.fromkeys(s for point in points(sweep) for s in point)
  for setting in swept:
    if not any(depends(condition, setting) for condition in conditions):
      those = [c for c in directories.CONDITIONS if depends(c, setting)]
      raise ValueError(
        f'--config.sweep: no condition of {", ".join(conditions)} depends on'
        f' {setting}; add {" or ".join(those)} to --config.conditions'
      )


def applied(cell: Experiment, point: Point) -> Experiment:
  """Returns a cell as it is at a point, with its names.

  Settings that its condition does not depend on stay the cell's own.

  Raises:
    ValueError: its name would be too long.
  """
  changed = {
    setting: value
    for setting, value in point.items()
    if depends(cell.condition, setting) and value != _of(cell, setting)
  }
  blocks: dict[str, Any] = {}
  for block in _BLOCKS:
    values = {
      setting.removeprefix(f'{block}.'): value
      for setting, value in changed.items()
      if setting.startswith(f'{block}.')
    }
    blocks[block] = dataclasses.replace(getattr(cell, block), **values)
  of_samples = {s: v for s, v in changed.items() if shapes_samples(s)}
  run = joined(cell.run, name(changed))
  directories.require_name(run, flag='sweep')
  made = dataclasses.replace(cell, run=run, **blocks)
  match = made.augment.match
  if controls.is_control(made):
    # It has as many tokens as the inferences at the same point.
    own = {s: v for s, v in of_samples.items() if s not in _OF_CONTROLS}
    was = cell.augment
    plain = was.match if controls.is_control(cell) else was.name
    match = joined(plain, name(own))
  augment = dataclasses.replace(
    made.augment, name=joined(cell.augment.name, name(of_samples)), match=match
  )
  return dataclasses.replace(made, augment=augment)


def name(changed: Point) -> str:
  """The name of a run with these settings; '' without any."""
  return ','.join(
    f'{_short(setting)}_{changed[setting]}' for setting in sorted(changed)
  )


def names_of_settings() -> list[str]:
  """What the name of a run calls each setting."""
  return [_short(setting) for setting in settings()]


def _short(setting: str) -> str:
  return _SHORT.get(setting, setting.partition('.')[2])


def joined(*names: str) -> str:
  """The name of a run that has several."""
  return ','.join(filter(None, names))


def _of(cell: Experiment, setting: str) -> Any:
  block, _, field = setting.partition('.')
  return getattr(getattr(cell, block), field)


def _value(setting: str, text: str) -> Any:
  """A value of a setting.

  Raises:
    ValueError: the setting is unknown, or the value is not allowed.
  """
  types = settings()
  if setting not in types:
    raise ValueError(
      f'--config.sweep: {setting!r} cannot be swept; those that can are'
      f' {", ".join(types)}'
    )
  given = f'--config.sweep: {setting}={text!r}'
  kind = types[setting]
  if kind is bool:
    if text not in ('True', 'False'):
      raise ValueError(f'{given}; allowed are True, False')
    return text == 'True'
  try:
    value = kind(text)
  except ValueError as error:
    what = 'a whole number' if kind is int else 'a number'
    raise ValueError(f'{given} is not {what}') from error
  if setting in experiments.CHOICES:
    if value not in experiments.CHOICES[setting]:
      raise ValueError(f'{given}; allowed are {experiments.allowed(setting)}')
  elif setting in experiments.RANGES:
    experiments.require_number(setting, value, flag=f'sweep: {setting}')
  return value
