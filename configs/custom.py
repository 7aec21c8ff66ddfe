"""Your own documents and questions; by default, those of a village.

  python -m icl_gen.build --config=configs/custom.py \\
    --config.size.path=DIRECTORY

The files of the directory are described in icl_gen/worlds/custom.py;
configs/custom_example is an example.

The defaults of all other settings are in icl_gen/runs/experiments.py.

Variants: `tiny` runs every stage in seconds, to check that it works.
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

VARIANTS = ('tiny',)


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """The experiment; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS)
  experiment = Experiment(
    world='custom',
    size=dict(
      path='configs/custom_example',  # the folder of documents and questions
      joiner=' ',  # between prompt and choice, where there is no white space
      longest=300,  # characters of a document; longer ones are split (0: none)
      column='text',  # of the texts in JSONL, parquet and arrow files
    ),
    context=Context(kind='fitting', factor=1),
    train=Training(
      # Rows start where a question may; measured in docs/own-data.md.
      splitting='onward',
      steps=300,
      batch_size=8,
      length=0,
      save_every=150,
    ),
    augment=Augmentation(local_samples=4, global_samples=2),
  )
  config = config_dict.ConfigDict(dataclasses.asdict(experiment))

  if 'tiny' in variants:
    config.train.update(steps=4, warmup_steps=1, report_every=2, save_every=2)
    config.augment.update(local_samples=1, global_samples=1)
  return config
