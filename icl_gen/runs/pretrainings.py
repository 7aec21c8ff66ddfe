"""Pretraining as a stage, and the pretrainings of a study.

A study may make its own models: copies of one recipe that differ in the values
of a grid and in nothing else, one for every point of the grid, model and seed.
Every cell is then run with the weights of each point, under the point's name.
"""

import ast
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from icl_gen import assets
from icl_gen.runs import directories, models, stages, sweeps
from icl_gen.runs.stage import Stage
from icl_gen.storage import files

# Setting of the recipe, with dots -> its value.
Point = Mapping[str, Any]

# Settings that older runs did not record -> what those runs had.
_ADDED = {
  'reversals': 0.7,
  'entities': {'facts': 0, 'share': 0.0, 'both_orders': False},
  'drawn': 0.0,
  'spelt': 0.0,
  'start': '',
  'check_every': 0,
  'check_tokens': 16_384,
}
# What a study sets in each copy of its recipe.
_OF_STUDY = ('model', 'seed', 'stream', 'run')
_KEYS = ('recipe', 'grid')
_MAY = ('predictions',)  # see predicted.py


def stage(recipe: Mapping[str, Any], workdir: files.Path) -> Stage:
  """Pretraining by a recipe, in <workdir>/pretrain/<its run, or its model>.

  Args:
    recipe: the values of configs/pretrain.py, or of a copy.
    workdir: where it is run.

  Raises:
    ValueError: what it starts from is no directory of weights.
  """
  settings = {
    name: value
    for name, value in recipe.items()
    if name != 'run' and (name, value) not in _ADDED.items()
  }
  if recipe.get('start'):  # older studies recorded none
    settings['start_is'] = _of_start(recipe)
  name = recipe['run'] or recipe['model']
  return Stage('pretrain', pathlib.Path(workdir) / 'pretrain' / name, settings)


def started_from(recipe: Mapping[str, Any]) -> str:
  """The directory of weights that a recipe starts from.

  Raises:
    ValueError: it does not exist.
  """
  start: str = recipe['start']
  if start in models.NANO:
    return assets.path(start)
  if not pathlib.Path(start).is_dir():
    raise ValueError(
      f'--config.start={start}: there is no such directory; give one of weights'
      ' with their tokenizer.model, the name of an embedded model,'
      f" {', '.join(models.NANO)}, or '' to start from nothing"
    )
  return start


def _of_start(recipe: Mapping[str, Any]) -> dict[str, Any]:
  start: str = recipe['start']
  given = {'tokenizer': '', 'dtype': 'float32'}
  if start in models.NANO:  # Where the package is installed does not matter.
    return stages.of_model(start, checkpoint='', **given)
  return stages.of_model(
    recipe['model'], checkpoint=started_from(recipe), **given
  )


def tokenizer(stage: Stage) -> pathlib.Path:
  """Where a pretraining writes its tokenizer."""
  return stage.directory / 'tokenizer.model'


def points(pretraining: Mapping[str, Any]) -> list[Point]:
  """Returns the points of a study's grid; one without settings for no grid.

  Args:
    pretraining: {}, or the recipe and the grid: a text like that of a sweep,
      'reversals=0.7,0.0 entities.both_orders=False,True'.

  Raises:
    ValueError: the grid cannot be read, or sets what the recipe does not have.
  """
  if not pretraining:
    return [{}]
  recipe = pretraining['recipe']
  return sweeps.grid(
    pretraining['grid'],
    lambda one, text: _read(one, text, like=_value_of(recipe, one)),
    flag='pretraining.grid',
    example='reversals=0.7,0.0',
  )


def name(point: Point) -> str:
  """The name of a point's runs, 'reversals_0.7,both_orders_False'."""
  return ','.join(f'{label(one)}_{value}' for one, value in point.items())


def label(setting: str) -> str:
  """A setting without the block it is in."""
  return setting.rpartition('.')[2]


def is_own(pretraining: Mapping[str, Any], point: Point) -> bool:
  """Whether a point has the values of the recipe itself."""
  recipe = pretraining['recipe']
  return all(_value_of(recipe, one) == value for one, value in point.items())


def recipe(
  pretraining: Mapping[str, Any], point: Point, *, model: str, seed: int
) -> dict[str, Any]:
  """The recipe of one point, model and seed.

  Weights and rows are drawn by the seed alone, so points differ in what their
  settings change and in nothing else.
  """
  made = dict(pretraining['recipe'])
  for setting, value in point.items():
    block, _, key = setting.rpartition('.')
    if block:
      made[block] = {**made[block], key: value}
    else:
      made[key] = value
  run = ','.join(filter(None, (f'{model}-s{seed}', name(point))))
  return made | {
    'model': model,
    'seed': seed,
    'stream': f'{made["stream"]}-s{seed}',
    'run': run,
  }


def require_possible(
  pretraining: Mapping[str, Any], *, of_models: Sequence[str]
) -> None:
  """Checks the pretrainings of a study.

  Args:
    pretraining: as for `points`.
    of_models: the study's models.

  Raises:
    ValueError: as `points`; a key is missing or unknown, a model is not one
      that is pretrained here, or two settings have the same label.
  """
  if not pretraining:
    return
  if set(pretraining) - set(_MAY) != set(_KEYS):
    raise ValueError(
      f'--config.pretraining has {", ".join(sorted(pretraining))}; give'
      f' {" and ".join(_KEYS)}, and maybe {_MAY[0]}, or nothing'
    )
  for model in of_models:
    if model not in models.NANO:
      raise ValueError(
        f'--config.models: {model!r} cannot be pretrained here; those that can'
        f' are {", ".join(models.NANO)}'
      )
  for point in points(pretraining):
    labels = [label(setting) for setting in point]
    if twice := sorted({one for one in labels if labels.count(one) > 1}):
      raise ValueError(
        f'--config.pretraining.grid: two settings are called {twice[0]!r}, and'
        ' the names of their runs would not tell them apart; vary one of them'
      )
    for model in of_models:
      made = recipe(pretraining, point, model=model, seed=2**32 - 1)
      directories.require_name(made['run'], flag='pretraining.grid')


def flags(message: str) -> str:
  """Replaces the flags of a pretraining by those of the study it is in."""
  return re.sub(r'--config\.', '--config.pretraining.recipe.', message)


def _value_of(recipe: Mapping[str, Any], setting: str) -> Any:
  value: Any = recipe
  for key in setting.split('.'):
    if not isinstance(value, Mapping) or key not in value:
      raise ValueError(
        f'--config.pretraining.grid: the recipe has no setting {setting!r}'
      )
    value = value[key]
  if setting in _OF_STUDY or isinstance(value, Mapping | tuple | list):
    raise ValueError(
      f'--config.pretraining.grid: {setting!r} cannot be varied; give a setting'
      ' with a single value that the study does not set itself'
    )
  return value


def _read(setting: str, text: str, *, like: Any) -> Any:
  """A value of a setting, of the type that it has in the recipe."""
  if isinstance(like, str):
    return text
  try:
    value = ast.literal_eval(text)
  except (ValueError, SyntaxError) as error:
    raise ValueError(
      f'--config.pretraining.grid: cannot read {text!r} in {setting!r}'
    ) from error
  if isinstance(like, float) and type(value) is int:
    value = float(value)
  if type(value) is not type(like):
    raise ValueError(
      f'--config.pretraining.grid: {text!r} in {setting!r} is not like'
      f' {like!r}, which the recipe has'
    )
  return value
