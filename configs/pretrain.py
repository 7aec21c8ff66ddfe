"""Pretrains an embedded nano Gemma from scratch, tokenizer included.

  python -m icl_gen.pretrain --config=configs/pretrain.py:nano
  python -m icl_gen.pretrain --config=configs/pretrain.py:nano_small

Variants: `nano` and `nano_small` choose the model; `tiny` takes only a few
steps, to check that everything works.
"""

from ml_collections import config_dict

from icl_gen import cli

# Sampling weights of the families of episodes, see `pretraining.episodes`. A
# stage uses one of these tables.
EVENLY = dict(
  comparisons=0.30,
  people=0.24,
  syllogisms=0.20,
  kinds=0.16,
  inheritance=0.05,
  filler=0.05,
)
# Looking up people and combining premises take the longest to extend to long
# contexts.
LOOKUP = dict(
  comparisons=0.22,
  people=0.34,
  syllogisms=0.26,
  kinds=0.12,
  inheritance=0.03,
  filler=0.03,
)

PEOPLE = dict(
  comparisons=0.14,
  people=0.52,
  syllogisms=0.20,
  kinds=0.10,
  inheritance=0.02,
  filler=0.02,
)
# Once the model can go back to a name, half of the episodes about people mostly
# mention the description first.
ORDERS = dict(PEOPLE, people=0.26, described=0.26)

NAMES = dict(
  comparisons=0.08,
  people=0.36,
  described=0.36,
  syllogisms=0.14,
  kinds=0.04,
  inheritance=0.01,
  filler=0.01,
)
BALANCED = dict(EVENLY, people=0.12, described=0.12)

# Combining premises among many others, and names after descriptions.
PREMISES = dict(
  comparisons=0.14,
  people=0.14,
  described=0.24,
  syllogisms=0.40,
  kinds=0.06,
  inheritance=0.01,
  filler=0.01,
)

VARIANTS = ('nano', 'nano_small', 'tiny')
_MODELS = ('nano', 'nano_small')


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """Returns the recipe; `arg` is a comma-separated list of VARIANTS."""
  variants = cli.parse_variants(arg, VARIANTS, exclusive=[_MODELS])
  config = config_dict.ConfigDict()
  config.model = 'nano_small' if 'nano_small' in variants else 'nano'
  config.seed = 0  # of the initial weights
  # Weights to go on from: a directory with their tokenizer.model, or the name
  # of an embedded model; '' makes new ones, and a tokenizer.
  config.start = ''
  config.stream = 'pretrain'  # seed of the rows
  # What the rows may say: 'all', the recipe of the embedded models, or
  # 'pretraining', without the forms that are held out (icl_gen/text/forms/).
  config.forms = 'all'
  # Share of the preambles, of the relations of trees and of the sentences about
  # people that an episode words in its own way, which occurs nowhere else.
  config.drawn = 0.0
  # Share of the words of these wordings that are no English, but syllables or
  # letters.
  config.spelt = 0.0
  # Share of the statements about comparisons that reverse one of the context.
  config.reversals = 0.7
  # Facts about persistent entities, which only the weights can hold: how many,
  # the share of the rows that tell them, and whether in both orders.
  config.entities = dict(facts=0, share=0.0, both_orders=False)
  config.run = ''  # name of the directory; '' for the model's
  config.vocabulary = 2304  # pieces of the tokenizer = embeddings of the model

  config.optimizer = dict(
    name='muon',  # AdamW for embeddings and norms, with 0.3 of its rate
    warmup_steps=50,
    weight_decay=0.0,
    clip=1.0,
  )
  # Loss weight of words that cannot be predicted: documents, and the first word
  # of a statement.
  config.document_weight = 0.2
  # Sampling weights of the row layouts.
  config.modes = {'context': 0.76, 'local': 0.14, 'global': 0.06, 'plain': 0.04}
  # Stages run in the order of their names. Each has so many steps and rows of a
  # length, the fewest and most facts of a row, sampling weights of families,
  # and loss weights of words that decide or that are looked up.
  config.stages = _stages()
  # Steps between two measurements of the skills that a stage teaches; 0: never,
  # and every stage takes all of its steps. Tokens that each is measured on, in
  # rows as long as the stage's.
  config.check_every = 0
  config.check_tokens = 16_384
  config.report_every = 20  # steps
  config.save_every = 100  # steps

  if 'tiny' in variants:
    _shrink(config)
  return config


def _stages() -> dict[str, dict]:
  """The stages of the embedded models."""
  # Inference emerges in short contexts and is then extended to long ones. The
  # word that a reversal inverts ('more', 'less') weighs more than others.
  # Looking a name up by its description emerges last, and only with a higher
  # weight.
  short = dict(rows=32, length=128, facts=(1, 5))
  medium = dict(rows=8, length=512, facts=(2, 26))
  long = dict(rows=2, length=2048, facts=(4, 110))
  longer = dict(rows=1, length=3072, facts=(8, 160))
  evenly = dict(families=EVENLY, decisive_weight=3.0, lookup_weight=1.0)
  mixed = dict(families=LOOKUP, decisive_weight=3.0, lookup_weight=1.0)
  names = dict(families=NAMES, decisive_weight=3.0, lookup_weight=8.0)
  lookup = dict(families=PEOPLE, decisive_weight=3.0, lookup_weight=5.0)
  orders = dict(families=ORDERS, decisive_weight=3.0, lookup_weight=5.0)
  # Learning rates change linearly from the first value to the second.
  full, high, low, falling = (0.01,) * 2, (0.008,) * 2, (0.006,) * 2, (0.006, 0)
  balanced = dict(families=BALANCED, decisive_weight=5.0, lookup_weight=5.0)
  premises = dict(families=PREMISES, decisive_weight=5.0, lookup_weight=5.0)
  return {
    '01_emerge': dict(steps=1400, learning_rate=full, **short, **evenly),
    '02_medium': dict(steps=400, learning_rate=high, **medium, **evenly),
    '03_long': dict(steps=600, learning_rate=low, **long, **mixed),
    '04_longer': dict(steps=100, learning_rate=low, **longer, **mixed),
    '05_settle': dict(steps=150, learning_rate=falling, **longer, **mixed),
    '06_people': dict(steps=600, learning_rate=high, **short, **lookup),
    '07_medium': dict(steps=200, learning_rate=high, **medium, **orders),
    '08_long': dict(steps=250, learning_rate=low, **long, **orders),
    '09_longer': dict(steps=150, learning_rate=falling, **longer, **orders),
    '10_medium': dict(steps=450, learning_rate=high, **medium, **names),
    '11_long': dict(steps=200, learning_rate=low, **long, **names),
    '12_longer': dict(steps=120, learning_rate=falling, **longer, **orders),
    '13_evenly': dict(steps=200, learning_rate=high, **short, **balanced),
    '14_long': dict(steps=80, learning_rate=low, **long, **balanced),
    '15_longer': dict(steps=60, learning_rate=falling, **longer, **balanced),
    '16_medium': dict(steps=300, learning_rate=high, **medium, **premises),
    '17_long': dict(steps=300, learning_rate=falling, **long, **premises),
  }


def _shrink(config: config_dict.ConfigDict) -> None:
  """Leaves a few steps."""
  config.optimizer.update(warmup_steps=1)
  tiny = dict(
    **dict(rows=8, facts=(1, 3), families=EVENLY),
    **dict(decisive_weight=1.0, lookup_weight=1.0, learning_rate=(0.01, 0.01)),
  )
  config.stages = {
    '1_short': dict(steps=3, length=64, **tiny),
    '2_long': dict(steps=3, length=128, **tiny),
  }
  config.update(report_every=2, save_every=2)
