"""What in pretraining makes the gap? A grid of small models, made from nothing.

  python -m icl_gen.study --config=configs/causal.py

Two things in the pretraining text are varied, everything else is equal:

- in-context reversals: whether half of the statements that follow a context
  reverse its comparisons (`reversals` 0.5), or all repeat them (0.0);
- both orders in the weights: whether facts about persistent entities, which no
  context states, are told in one order only, or in either (`both_orders`).

Each of the four models is made with every seed, and goes through all conditions
on comparisons of new words. The models of a seed start from the same weights,
and their rows have the same words, facts and numbers of tokens at the same
places; the order within a statement is the only difference.

What is predicted was written down before the first run, and its margins before
the first complete one; the report judges it (`PREDICTIONS`). Without in-context
reversals, accuracy on reversals in context is at chance, or below it: a model
that has only learned to repeat copies the degree of the document, which is the
wrong choice. 'swap' questions give the degree and ask for the other thing.

How the share of in-context reversals matters (a second grid):

  python -m icl_gen.study --config=configs/causal.py:shares

Variants: `shares`; `tiny` runs everything with a few steps, to check that it
works.
"""

from ml_collections import config_dict

from configs import pretrain, reversal
from icl_gen import cli

VARIANTS = ('shares', 'tiny')
_FULL = (0.01, 0.01)  # learning rates at both ends of a stage

_WITH, _WITHOUT = dict(reversals=0.5), dict(reversals=0.0)
_REVERSALS = ('reversal',)
_GUESSED = dict(high=0.1, above_chance=True)
PREDICTIONS = {
  'P1': dict(
    text='In context, reversals are inferred by models that saw in-context'
    ' reversals in pretraining: at least 90 % right. By others they are not: at'
    ' most 10 points above chance.',
    rules=dict(
      seen=dict(measured='icl', kinds=_REVERSALS, low=0.9, where=_WITH),
      unseen=dict(measured='icl', kinds=_REVERSALS, where=_WITHOUT, **_GUESSED),
    ),
  ),
  'P2': dict(
    text='After fine-tuning, reversals are better than chance if pretraining'
    ' told facts about entities in both orders. Otherwise they are at most 10'
    ' points above chance.',
    rules=dict(
      both=dict(
        measured='ft',
        kinds=('reversal', 'swap'),
        low=0.0,
        above_chance=True,
        where=dict(both_orders=True),
      ),
      one=dict(
        measured='ft',
        kinds=('reversal', 'swap'),
        where=dict(both_orders=False),
        **_GUESSED,
      ),
    ),
  ),
  'P3': dict(
    text='Own inferences close the gap if pretraining had in-context reversals:'
    ' at most 5 points are left. Otherwise they gain at most 10 points.',
    rules=dict(
      closed=dict(
        measured='ft_aug-icl', kinds=_REVERSALS, low=-0.05, where=_WITH
      ),
      open=dict(
        measured='ft_aug-ft', kinds=_REVERSALS, high=0.1, where=_WITHOUT
      ),
    ),
  ),
}


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """The study; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS)
  is_tiny = 'tiny' in variants
  config = config_dict.ConfigDict()
  config.name = 'causal'  # directory under the workdir
  experiment = reversal.get_config('balanced,tiny' if is_tiny else 'balanced')
  # Contexts are as short as those of pretraining.
  experiment.context.update(kind='oracle', documents=1, distractors=3)
  # These models know no context of all documents.
  experiment.augment.update(documents_per_fact=1, global_samples=0)
  config.experiments = {'reversal': experiment}
  config.main_kinds = dict(reversal='reversal')
  config.conditions = ('pretrained', 'icl', 'ft', 'ft_aug')
  config.seeds = (0, 1, 2)
  config.models = ('nano',)
  config.checkpoint = ''
  config.tokenizer = ''
  config.dtype = ''
  config.sweep = ''

  # Copies of the recipe that differ in the values of the grid; the model, the
  # seed and the name of the rows are replaced by those of the study.
  recipe = pretrain.get_config('tiny' if is_tiny else '')
  recipe.stream = 'causal'
  # With more of them, a model reverses everything before it looks at the order.
  recipe.reversals = 0.5
  recipe.entities = dict(facts=240, share=0.25, both_orders=False)
  grid = 'reversals=0.5,0.0 entities.both_orders=False,True'
  if 'shares' in variants:
    config.name = 'causal_shares'
    grid = 'reversals=0.5,0.2,0.05,0.01,0.0'
  same = dict(
    families=dict(comparisons=1.0), decisive_weight=10.0, lookup_weight=1.0
  )
  if is_tiny:
    config.seeds = (0,)
    config.conditions = ('pretrained', 'icl')
    recipe.entities.facts = 8
    for stage in recipe.stages.values():
      stage.update(same)
      stage.families = config_dict.ConfigDict(same['families'])
  else:
    same.update(rows=32, length=128)
    recipe.stages = {
      # Which of two things a statement starts from is learned only by a model
      # that already looks the degree up, and only if there is one fact.
      '1_repeat': dict(
        **dict(steps=300, learning_rate=_FULL, facts=(1, 3), reversals=0.0),
        **same,
      ),
      '2_one': dict(steps=300, learning_rate=_FULL, facts=(1, 1), **same),
      '3_more': dict(steps=500, learning_rate=_FULL, facts=(1, 4), **same),
      '4_falling': dict(
        steps=300, learning_rate=(0.01, 0.0), facts=(1, 5), **same
      ),
    }
    recipe.save_every = 200
  config.pretraining = dict(recipe=recipe, grid=grid, predictions=PREDICTIONS)
  return config
