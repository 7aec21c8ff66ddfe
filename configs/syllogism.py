"""Simple syllogisms: 69 examples of two premises over three nonsense words.

  python -m icl_gen.build --config=configs/syllogism.py
  python -m icl_gen.augment --config=configs/syllogism.py
  python -m icl_gen.train --config=configs/syllogism.py

The defaults of all other settings are in icl_gen/runs/experiments.py.

Variants: `varied` words premises differently from conclusions and reports each
form of inference; `tiny` runs every stage in seconds, to check that it works.
"""

import dataclasses

from ml_collections import config_dict

from icl_gen import cli
from icl_gen.runs.experiments import (
  Augmentation,
  Context,
  Experiment,
  Training,
)

VARIANTS = ('varied', 'tiny')


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """The experiment; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS)
  experiment = Experiment(
    world='syllogism',
    size=dict(
      examples=69,
      style='plain',  # or 'varied': premises share no wording with conclusions
    ),
    context=Context(factor=1),
    train=Training(steps=300, length=64, save_every=150),
    augment=Augmentation(local_samples=4, global_samples=2),
  )
  config = config_dict.ConfigDict(dataclasses.asdict(experiment))

  if 'varied' in variants:
    config.size.update(style='varied', by_form=True)
  if 'tiny' in variants:
    config.size.examples = 8
    config.train.update(steps=4, warmup_steps=1, report_every=2, save_every=2)
    config.augment.update(local_samples=1, global_samples=1)
  return config
