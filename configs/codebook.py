"""Codebooks: held-out reversals among entries seen in both directions.

  python -m icl_gen.build --config=configs/codebook.py
  python -m icl_gen.train --config=configs/codebook.py --config.condition=ft
  python -m icl_gen.evaluate --config=configs/codebook.py --config.condition=ft

The defaults of all other settings are in icl_gen/runs/experiments.py.

Variants: `paper` is the full size, for a real Gemma; `tiny` runs every stage in
seconds, to check that it works.
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
from icl_gen.worlds import catalog

VARIANTS = ('paper', 'tiny')


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """The experiment; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS)
  experiment = Experiment(
    world='codebook',
    # With one document per fact, this fits into 2,000 tokens of the nano model.
    size=dict(
      words=10,
      books=6,
      held_out=4,  # words of each book
      documents_per_fact=5,
    ),
    context=Context(factor=5),
    train=Training(steps=400, length=48),
    augment=Augmentation(
      documents_per_fact=2, local_samples=2, global_samples=1
    ),
  )
  config = config_dict.ConfigDict(dataclasses.asdict(experiment))

  if 'paper' in variants:
    config.size = dict(catalog.SIZES['codebook']['paper'])
  if 'tiny' in variants:
    config.size.update(words=8, books=1, held_out=4, documents_per_fact=2)
    config.context.factor = 2
    config.train.update(steps=4, warmup_steps=1, report_every=2, save_every=2)
    config.augment.update(documents_per_fact=1, local_samples=1, max_tokens=16)
  return config
