"""Simple reversals: 100 comparison facts over nonsense plurals.

  python -m icl_gen.build --config=configs/reversal.py
  python -m icl_gen.train --config=configs/reversal.py --config.condition=ft
  python -m icl_gen.evaluate --config=configs/reversal.py --config.condition=ft

The defaults of all other settings are in icl_gen/runs/experiments.py.

Variants: `balanced` gives every feature as many facts with more as with less,
and asks which of two things a reversal is about, too; `tiny` runs every stage
in seconds, to check that it works; `gemma3_1b` and the other names of
icl_gen/runs/released.py are settings for those models.
"""

import dataclasses

from ml_collections import config_dict

from icl_gen import cli
from icl_gen.runs import released
from icl_gen.runs.experiments import (
  Augmentation,
  Context,
  Experiment,
  Training,
)

VARIANTS = (
  'balanced',
  'tiny',
  'gemma2_2b',
  'gemma2_9b',
  'gemma2_27b',
  'gemma3_270m',
  'gemma3_1b',
  'gemma3_4b',
  'gemma3_12b',
  'gemma3_27b',
)


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """The experiment; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS, exclusive=[released.MODELS])
  experiment = Experiment(
    world='reversal',
    size=dict(facts=100, documents_per_fact=10),
    context=Context(factor=10),
    train=Training(steps=300, length=48),
    augment=Augmentation(
      documents_per_fact=2, local_samples=2, global_samples=1
    ),
  )
  config = config_dict.ConfigDict(dataclasses.asdict(experiment))

  if 'balanced' in variants:
    config.size.update(balanced=True, swaps=True)
  for model in variants:
    if model in released.MODELS:
      config.update_from_flattened_dict(released.settings(model))
  if 'tiny' in variants:
    config.size.update(facts=6, documents_per_fact=3)
    config.context.factor = 3
    config.train.update(steps=4, warmup_steps=1, report_every=2, save_every=2)
    config.augment.update(documents_per_fact=1, local_samples=1, max_tokens=16)
  return config
