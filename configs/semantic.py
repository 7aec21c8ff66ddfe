"""A taxonomy in nonsense words: reversals, syllogisms, chains, held-out parts.

  python -m icl_gen.build --config=configs/semantic.py
  python -m icl_gen.train --config=configs/semantic.py --config.condition=ft
  python -m icl_gen.build --config=configs/semantic.py:paper

The defaults of all other settings are in icl_gen/runs/experiments.py.

Without variants, the nano model can read the whole world in one context.
Variants: `paper` is the paper's size (110 categories, 2,200 documents);
`reworded` asks for stated facts in words that no document has; `tiny` runs
every stage in seconds, to check that it works.
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

VARIANTS = ('paper', 'reworded', 'tiny')


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """The experiment; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS)
  experiment = Experiment(
    world='semantic',
    size=dict(
      categories=20,
      documents=80,  # the facts of each category, in several orders
      holdouts=3,  # categories of which only the parent is stated
      told_backwards=0.0,  # share of the facts that are stated in reverse
      questions=60,  # at most, of each kind except 'holdout'
      style='plain',  # 'plain' or 'varied' documents
    ),
    context=Context(factor=4),
    train=Training(steps=250, length=128),
    augment=Augmentation(local_samples=4, global_samples=2),
  )
  config = config_dict.ConfigDict(dataclasses.asdict(experiment))

  if 'paper' in variants:
    _use_the_papers_size(config)
  if 'reworded' in variants:
    config.size.reworded = True
  if 'tiny' in variants:
    config.size.update(categories=8, documents=8, holdouts=1, questions=8)
    config.context.factor = 1
    config.train.update(steps=4, warmup_steps=1, report_every=2, save_every=2)
    config.augment.update(local_samples=1, global_samples=1, max_tokens=16)
  return config


def _use_the_papers_size(config: config_dict.ConfigDict) -> None:
  config.size = dict(catalog.SIZES['semantic']['paper'])
  config.context.factor = 20
  config.train.update(steps=2000, length=512)
