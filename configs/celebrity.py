"""Names and descriptions of invented people, with the paper's structure.

  python -m icl_gen.build --config=configs/celebrity.py
  python -m icl_gen.train --config=configs/celebrity.py --config.condition=ft

With the files of the reversal-curse paper in place of the generator:

  python -m icl_gen.build --config=configs/celebrity.py:files \\
    --config.size.path=DIRECTORY

The defaults of all other settings are in icl_gen/runs/experiments.py.

Variants: `files` (the paper's files, from a directory), `hub` (the same files
from the hub), `plain` (ordinary-looking names for the invented people), `tiny`
runs every stage in seconds, to check that it works.
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

VARIANTS = ('files', 'hub', 'plain', 'tiny')
_PEOPLE = ('files', 'hub', 'plain')


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """The experiment; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS, exclusive=[_PEOPLE])
  experiment = Experiment(
    world='celebrity',
    size=dict(
      people=30,  # in each of the three groups
      phrasings=30,  # training documents per person and order
      question_phrasings=10,
      # Whose names are the wrong choices; every stratum is reported.
      distractors=('target_seen', 'never_target'),
    ),
    context=Context(factor=30),
    train=Training(steps=420, length=48, save_every=250),
    augment=Augmentation(
      documents_per_fact=4, local_samples=1, global_samples=1, max_tokens=72
    ),
  )
  config = config_dict.ConfigDict(dataclasses.asdict(experiment))

  if 'plain' in variants:
    config.size.names = 'plain'  # 'nonsense' or 'plain'
  if 'files' in variants or 'hub' in variants:
    _use_the_papers_data(config, hub='hub' in variants)
  if 'tiny' in variants:
    if config.world == 'celebrity':
      config.size.update(people=4, phrasings=2, question_phrasings=1)
    config.context.factor = 2
    config.train.update(steps=4, warmup_steps=1, report_every=2, save_every=2)
    config.augment.update(documents_per_fact=1)
  return config


def _use_the_papers_data(config: config_dict.ConfigDict, *, hub: bool) -> None:
  config.world = 'celebrity_hub' if hub else 'celebrity_files'
  config.size = dict(distractors=('target_seen', 'never_target'))
  if not hub:
    config.size.path = ''  # the directory of the five files
  # One document for each of the 120 descriptions is twice the nano model's
  # context, so every question gets those that share most words with it. The
  # global prompts of augmentation get as many documents as fit.
  config.context.kind = 'bm25'
  config.context.documents = 16
  config.context.factor = 1
  config.context.budget = 2800  # leaves room for a prompt and its completion
  config.train.update(length=160, batch_size=8, steps=500)
  config.augment.max_tokens = 160
