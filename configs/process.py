"""Derivatoids: a transform of functions, learned from worked examples.

  python -m icl_gen.build --config=configs/process.py
  python -m icl_gen.train --config=configs/process.py --config.condition=ft
  python -m icl_gen.evaluate --config=configs/process.py --config.condition=ft

The defaults of all other settings are in icl_gen/runs/experiments.py.

Variants: `paper` is the full size, for a real Gemma; `balanced` asks 100
questions of each kind, in which neither the length of a choice nor an n-gram
model of the documents tells the right one; `tiny` runs every stage in seconds,
to check that it works.
"""

import dataclasses

from ml_collections import config_dict

from icl_gen import cli
from icl_gen.runs.experiments import (
  Augmentation,
  Context,
  Experiment,
  Scoring,
  Training,
)
from icl_gen.worlds import catalog

VARIANTS = ('paper', 'balanced', 'tiny')


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """The experiment; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS)
  experiment = Experiment(
    world='process',
    # All documents fit into 2,000 tokens of the nano model.
    size=dict(
      examples=20,
      questions=24,  # of each kind
      numbers=4,  # the greatest
      depth=1,  # of nested combination rules
      rules=('power', 'sine', 'exponential', 'sum', 'product'),
      style='short',  # 'long' or 'short'
    ),
    context=Context(factor=1),
    scoring=Scoring(generate=True),
    train=Training(steps=250, length=112),
    augment=Augmentation(local_samples=2, global_samples=1, max_tokens=112),
  )
  config = config_dict.ConfigDict(dataclasses.asdict(experiment))

  if 'paper' in variants:
    _use_the_papers_size(config)
  if 'balanced' in variants:
    config.size.update(numbers=6, questions=100, balanced=True)
  if 'tiny' in variants:
    config.size.update(examples=3, questions=2, numbers=3)
    config.context.factor = 1
    config.train.update(steps=4, warmup_steps=1, report_every=2, save_every=2)
    config.augment.update(documents_per_fact=1, local_samples=1, max_tokens=32)
  return config


def _use_the_papers_size(config: config_dict.ConfigDict) -> None:
  config.size = dict(catalog.SIZES['process']['paper'])
  config.context.factor = 2  # half the documents: about 90,000 nano tokens
  config.train.update(steps=2000, length=320)
  config.augment.max_tokens = 320
