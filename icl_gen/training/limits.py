"""Checks training settings, so that a bad one fails before anything starts."""

from typing import Any

from icl_gen.runs import models


def require_sensible(settings: Any, *, model: str) -> None:
  """Checks how the numbers of a training run, each in its range, fit together.

  Args:
    settings: a mapping with the fields of `Training`.
    model: one of `models.ALL`.

  Raises:
    ValueError: the warm-up is longer than the training, rows are longer than
      those the model was trained on, of a pair of settings only one is given,
      Gemma 3n and 4 are asked for what their package does not do, adapters are
      scaled by 0, or distributions are asked for of texts that are changed.
  """
  if settings['warmup_steps'] > settings['steps']:
    raise ValueError(
      f'--config.train.warmup_steps={settings["warmup_steps"]}; give 0 to'
      f' {settings["steps"]}, the number of steps: the learning rate would not'
      ' reach its peak'
    )
  require_rows(settings['length'], model=model)
  if model in models.PACKAGED and (
    settings['remat'] != 'none' or settings['scan']
  ):
    raise ValueError(
      f'--config.train.remat={settings["remat"]!r} and'
      f' --config.train.scan={settings["scan"]}: the gemma package computes'
      f" {model!r} itself, so it takes 'none' and False;"
      ' --config.train.microbatches saves memory as well'
    )
  if settings['lora_rank'] and not settings['lora_alpha']:
    raise ValueError(
      f'--config.train.lora_rank={settings["lora_rank"]} with'
      ' --config.train.lora_alpha=0: adapters that are scaled by 0 learn'
      ' nothing; give more, 16 for example, or lora_rank=0 to train the weights'
    )
  if bool(settings['replay']) != bool(settings['replay_share']):
    raise ValueError(
      f'--config.train.replay={settings["replay"]!r} and'
      f' --config.train.replay_share={settings["replay_share"]}: give both, the'
      ' texts and their share of the tokens, or neither'
    )
  for name in ('splitting', 'reverse', 'mask'):
    if settings['targets'] == 'distribution' and settings[name] != 'none':
      raise ValueError(
        f'--config.train.{name}={settings[name]!r} with'
        " --config.train.targets='distribution': distributions are of whole"
        f" texts as they were generated; give {name}='none', or"
        " targets='tokens'"
      )
  for name in ('stop_after', 'keep_best'):
    if settings[name] and not settings['evaluate_every']:
      raise ValueError(
        f'--config.train.{name}={settings[name]} with'
        ' --config.train.evaluate_every=0: nothing is evaluated while training;'
        ' give the steps between two evaluations'
      )


def require_rows(length: int, *, model: str) -> None:
  """Checks the length of rows.

  Args:
    length: tokens; 0 if it is not known yet.
    model: one of `models.ALL`.

  Raises:
    ValueError: rows are longer than those the model was trained on.
  """
  models.require_room(
    model,
    tokens=length,
    what=f'a row of --config.train.length={length}',
    remedy='give a smaller one',
  )
