"""The controlled study: worlds x seeds x models x conditions, then the report.

  python -m icl_gen.study --config=configs/study.py

On the files of the reversal-curse paper:

  python -m icl_gen.study --config=configs/study.py:files \\
    --config.experiments.celebrity.size.path=DIRECTORY --workdir=out/files

On your own documents and questions (see configs/custom.py):

  python -m icl_gen.study --config=configs/study.py:custom \\
    --documents=DIRECTORY

With a model other than the embedded one:

  python -m icl_gen.study --config=configs/study.py --workdir=out/gemma \\
    --config.models="('gemma3_1b',)" --config.checkpoint=DIRECTORY \\
    --config.tokenizer=FILE

With a second embedded model of a third of the parameters, on three worlds:

  python -m icl_gen.study --config=configs/study.py:sizes

Every world also in forms that are held out of pretraining, side by side:

  python -m icl_gen.study --config=configs/study.py:forms

Codebooks:

  python -m icl_gen.study --config=configs/study.py:codebook

The ablations and controls of configs/ablations.py, on two worlds: all of them
with both embedded models, in a night, or those that are named:

  python -m icl_gen.study --config=configs/study.py:full
  python -m icl_gen.study --config=configs/study.py:noise,controls

Other wordings of the prompts that ask for inferences:

  python -m icl_gen.study --config=configs/study.py:prompt_wordings

People with nonsense names and with plain ones:

  python -m icl_gen.study --config=configs/study.py:names

What the model expected in context, in place of what it wrote, as the targets of
its own inferences:

  python -m icl_gen.study --config=configs/study.py:distillation

At several learning rates and numbers of steps, side by side in the report:

  python -m icl_gen.study --config=configs/study.py \\
    --config.sweep='train.learning_rate=1e-3,2e-3 train.steps=200,400'

Every fine-tuned model on the other world, in context, and on its own after what
it recalls of the documents:

  python -m icl_gen.study --config=configs/study.py:forgetting,recall

Variants: `files`, `custom`, `sizes`, `forms`, `codebook`, `names`, `full` and
the names of ablations (as above), `forgetting`, `recall`; `quarter` has a
quarter of the facts of the same two worlds; `tiny` runs everything in a few
minutes, to check that it works; `gemma3_1b` and the other names of
icl_gen/runs/released.py are settings for those models.
"""

from collections.abc import Collection

from ml_collections import config_dict

from configs import (
  ablations,
  celebrity,
  codebook,
  custom,
  process,
  reversal,
  semantic,
  syllogism,
)
from icl_gen import cli
from icl_gen.runs import released

VARIANTS = (
  'files',
  'custom',
  'sizes',
  'forms',
  'codebook',
  'names',
  'full',
  'splitting',
  'prompts',
  'prompt_wordings',
  'samples',
  'schedule',
  'context',
  'controls',
  'wordings',
  'distillation',
  'noise',
  'told_reversed',
  'forgetting',
  'recall',
  'quarter',
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

# Which worlds there are, and which models.
_EXCLUSIVE = (
  ('files', 'custom', 'codebook', 'names', 'quarter'),
  ('sizes', *released.MODELS),
)


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """The study; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS, exclusive=_EXCLUSIVE)
  size = 'tiny' if 'tiny' in variants else ''
  ablated = [
    name
    for name in ablations.ABLATIONS
    if name in variants or 'full' in variants
  ]
  config = config_dict.ConfigDict()
  config.name = 'study'  # directory under the workdir
  for name in ('custom', 'codebook', 'names'):
    if name in variants:
      config.name = name

  # One experiment per world; its condition, seed and model are replaced by
  # those below.
  again = [name for name in ablations.AFTER_TRAINING if name in variants]
  few = bool(ablated or again or 'quarter' in variants)
  config.experiments = _experiments(variants, size, few=few)
  # The kind of question that the main figure shows of each experiment; '': all.
  config.main_kinds = dict(
    reversal='reversal',
    syllogism='syllogism',
    celebrity='reversal:target_seen',
    semantic='reversal',
    process='compositional',
    custom='',
  )

  if 'names' in variants:
    config.main_kinds.celebrity_plain = config.main_kinds.celebrity
  if 'codebook' in variants:
    config.main_kinds.codebook = 'reversal'
  if 'forms' in variants:
    _tell_twice(config)

  # How models come to the documents: not at all, in context, by fine-tuning on
  # them, and on the model's own inferences as well.
  config.conditions = ('pretrained', 'icl', 'ft', 'ft_aug')
  config.seeds = (0, 1, 2)  # of worlds, sampling and training
  config.models = ('nano',)  # names in runs/models.py
  # Unless '', these replace the settings of every experiment. A checkpoint or
  # a tokenizer needs `models` to be the one model that it fits.
  config.checkpoint = ''  # directory of weights
  config.tokenizer = ''  # SentencePiece model
  config.dtype = ''  # of the weights
  # Other settings, as a grid of runs: each is run where results depend on it,
  # e.g. 'train.learning_rate=1e-3,2e-3 train.steps=200,400'.
  config.sweep = ''
  # Whether the report chooses among these runs, by questions about what the
  # documents state, or shows the experiments' own settings.
  config.choose = True
  # What fine-tuned models are asked once more; names in runs/revisits.py.
  config.after_training = tuple(
    ablations.AFTER_TRAINING[name] for name in again
  )
  if ablated or again:
    config.name = 'ablations'
    config.sweep, config.choose = ablations.sweep(*ablated, *again), False
  if 'quarter' in variants:
    config.name = f'{config.name}_quarter'
    config.experiments.reversal.size.facts = 24  # as many less as more
    config.experiments.syllogism.size.examples = 17
  if {'sizes', 'full'} & set(variants):
    config.models = ('nano', 'nano_small')
  if 'sizes' in variants:
    config.name = 'sizes'
  if 'forms' in variants:
    config.name = 'forms'
  for model in variants:
    if model in released.MODELS:
      for experiment in config.experiments.values():
        experiment.update_from_flattened_dict(released.settings(model))
      config.models = (model,)
  return config


def _experiments(
  variants: Collection[str], size: str, *, few: bool
) -> config_dict.ConfigDict:
  """The experiments of the variants, by name.

  Args:
    variants: those of the study.
    size: 'tiny' or ''.
    few: whether to have only the two worlds of ablations.
  """
  found = config_dict.ConfigDict()
  if 'files' in variants:
    arg = ','.join(v for v in variants if v in celebrity.VARIANTS)
    found.celebrity = celebrity.get_config(arg)
  elif 'names' in variants:
    found.celebrity = celebrity.get_config(size)
    found.celebrity_plain = celebrity.get_config(size)
    found.celebrity_plain.world = 'celebrity_plain'
  elif 'custom' in variants:
    found.custom = custom.get_config(size)
  elif 'codebook' in variants:
    found.codebook = codebook.get_config(size)
  else:
    # Whether a control's documents name the right thing shows in questions that
    # give the degree and ask for the thing.
    of_reversal = ','.join(filter(None, ('balanced' if few else '', size)))
    found.reversal = reversal.get_config(of_reversal)
    found.syllogism = syllogism.get_config(size)
    if few and size == 'tiny':
      # There are not more documents about something else.
      found.reversal.context.distractors = 4
      found.syllogism.context.distractors = 4
    if not few:
      found.celebrity = celebrity.get_config(size)
      if 'sizes' not in variants:
        found.semantic = semantic.get_config(size)
        found.process = process.get_config(size)
  return found


def _tell_twice(config: config_dict.ConfigDict) -> None:
  """Adds every experiment once more, in forms held out of pretraining."""
  for name, experiment in list(config.experiments.items()):
    again = f'{name}_forms'
    experiment = config_dict.ConfigDict(experiment.to_dict())
    experiment.world = f'{experiment.world}_forms'
    config.experiments[again] = experiment
    config.main_kinds[again] = config.main_kinds[name]
  if 'syllogism' in config.experiments:
    # Some of the forms of inference are held out too.
    for name in ('syllogism', 'syllogism_forms'):
      config.experiments[name].size.by_form = True
