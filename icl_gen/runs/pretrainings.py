"""Pretraining as a stage: its directory, and the settings it depends on."""

import pathlib
from collections.abc import Mapping
from typing import Any

from icl_gen.runs.stage import Stage
from icl_gen.storage import files

# Settings that older runs did not record -> what those runs had.
_ADDED = {
  'reversals': 0.7,
  'entities': {'facts': 0, 'share': 0.0, 'both_orders': False},
}


def stage(recipe: Mapping[str, Any], workdir: files.Path) -> Stage:
  """Pretraining by a recipe, in <workdir>/pretrain/<its run, or its model>.

  Args:
    recipe: the values of configs/pretrain.py, or of a copy.
    workdir: where it is run.
  """
  settings = {
    name: value
    for name, value in recipe.items()
    if name != 'run' and (name, value) not in _ADDED.items()
  }
  name = recipe['run'] or recipe['model']
  return Stage('pretrain', pathlib.Path(workdir) / 'pretrain' / name, settings)
