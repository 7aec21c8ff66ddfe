"""What a model infers in context, by kind of inference and context length.

  python -m icl_gen.measure --config=configs/measure.py
  python -m icl_gen.measure --config=configs/measure.py:nano_small

The numbers on the nano models' cards come from here. In words that pretraining
has not met, and forms that it has and has not met:

  python -m icl_gen.measure --config=configs/measure.py:forms

Variants: `nano_small`, `nano2`, `forms`, `tiny`.
"""

from ml_collections import config_dict

from icl_gen import cli

VARIANTS = ('nano_small', 'nano2', 'forms', 'tiny')
_MODELS = ('nano_small', 'nano2')


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """The measurement; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS, exclusive=[_MODELS])
  config = config_dict.ConfigDict()
  config.model = 'nano'
  for name in _MODELS:
    if name in variants:
      config.model = name
  config.checkpoint = ''  # directory of weights; '' for the embedded one
  config.tokenizer = ''  # SentencePiece model; '' for the embedded one
  config.dtype = 'float32'
  config.seeds = (100, 101)  # worlds that no study uses
  # Parts of the tables of forms that worlds are told in (icl_gen/text/forms/).
  config.forms = ('seen',)
  # World -> the size parameters that are varied, their values, and the fixed
  # ones. Contexts hold every document of the world once.
  config.worlds = dict(
    reversal=dict(
      grows=('facts',),
      sizes=(5, 20, 50, 100),
      fixed=dict(documents_per_fact=1),
    ),
    syllogism=dict(grows=('examples',), sizes=(4, 16, 40, 69), fixed=dict()),
    celebrity=dict(
      grows=('people',),
      sizes=(4, 10, 20, 30),
      fixed=dict(phrasings=1, question_phrasings=2),
    ),
    semantic=dict(
      grows=('categories', 'documents'),
      sizes=(10, 20, 40),
      fixed=dict(holdouts=2, told_backwards=0.0, questions=40, style='plain'),
    ),
  )
  if 'forms' in variants:
    config.forms = ('seen', 'development', 'test')
  if 'tiny' in variants:
    config.seeds = (100,)
    config.worlds.reversal.sizes = (3,)
    config.worlds.syllogism.sizes = (4,)
    config.worlds.celebrity.sizes = (4,)
    config.worlds.semantic.sizes = (10,)
  return config
