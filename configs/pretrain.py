"""Pretrains the embedded nano Gemma from nothing, tokenizer included.

  python -m icl_gen.pretrain --config=configs/pretrain.py:nano
  python -m icl_gen.pretrain --config=configs/pretrain.py:nano_small

Variants: `nano`, `nano_small` (the model), `tiny` (a few steps, to see that
everything works).
"""

from ml_collections import config_dict

from icl_gen import cli

# What the episodes are about; shares of the episodes.
EVENLY = dict(
  comparisons=0.35,
  people=0.25,
  syllogisms=0.20,
  inheritance=0.12,
  filler=0.08,
)
COMPARE = dict(
  comparisons=0.45,
  people=0.23,
  syllogisms=0.18,
  inheritance=0.09,
  filler=0.05,
)
TURN = dict(
  comparisons=0.60,
  people=0.16,
  syllogisms=0.14,
  inheritance=0.06,
  filler=0.04,
)

LOOKUP = dict(
  comparisons=0.25,
  people=0.38,
  syllogisms=0.28,
  inheritance=0.06,
  filler=0.03,
)

VARIANTS = ('nano', 'nano_small', 'tiny')


def get_config(arg=''):
  """The recipe; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS)
  config = config_dict.ConfigDict()
  config.model = 'nano_small' if 'nano_small' in variants else 'nano'
  config.seed = 0  # of the first weights
  config.stream = 'pretrain'  # names the draw of the rows
  config.vocabulary = 1792  # pieces of the tokenizer

  config.optimizer = dict(
    name='muon',  # AdamW for embeddings and norms, with 0.3 of its rate
    warmup_steps=50,
    decay_steps=150,  # linear, to zero, at the end of the last stage
    weight_decay=0.0,
    clip=1.0,
  )
  # Loss weight of words that nobody could predict: documents, and the word
  # that opens a statement.
  config.document_weight = 0.2
  # Shares of how a row is laid out.
  config.modes = {'context': 0.76, 'local': 0.14, 'global': 0.06, 'plain': 0.04}
  # Short contexts first: inference emerges there, and is then lengthened.
  # What a reversal turns around ('more', 'less') comes last of all, and only
  # when it weighs more. Stages are taken in the order of their names.
  short = dict(rows=32, length=128, facts=(1, 5))
  lengthen = dict(families=COMPARE, decisive_weight=3.0, learning_rate=0.003)
  fast = dict(decisive_weight=1.0, learning_rate=0.01)
  turn = dict(
    families=TURN,
    decisive_weight=5.0,
    learning_rate=0.006,
    # 'more' and 'less' are used alike by all that is learned before.
    redraw=('more', 'less', 'Yes', 'No'),
  )
  config.stages = {
    '1_emerge': dict(steps=1200, **short, **fast, families=EVENLY),
    '2_compare': dict(steps=1050, **short, **fast, families=COMPARE),
    '3_evenly': dict(steps=650, **short, **fast, families=EVENLY),
    '4_turn': dict(steps=200, **short, **turn),
    '5_medium': dict(steps=200, rows=8, length=512, facts=(2, 24), **lengthen),
    '6_long': dict(steps=200, rows=2, length=2048, facts=(4, 110), **lengthen),
    '7_long': dict(
      steps=200,
      rows=2,
      length=2048,
      facts=(4, 110),
      **lengthen | {'learning_rate': 0.006},
    ),
    '8_lookup': dict(
      steps=200,
      rows=2,
      length=2048,
      facts=(4, 110),
      **lengthen | {'learning_rate': 0.006, 'families': LOOKUP},
    ),
    '9_longer': dict(
      steps=150,
      rows=1,
      length=3072,
      facts=(8, 160),
      **lengthen | {'learning_rate': 0.006, 'families': LOOKUP},
    ),
  }
  config.report_every = 20  # steps
  config.save_every = 100  # steps

  if 'tiny' in variants:
    config.optimizer.update(warmup_steps=1, decay_steps=2)
    tiny = dict(rows=8, facts=(1, 3), families=EVENLY, **fast)
    config.stages = {
      '1_short': dict(steps=3, length=64, **tiny),
      '2_long': dict(steps=3, length=128, **tiny),
    }
    config.update(report_every=2, save_every=2)
  return config
