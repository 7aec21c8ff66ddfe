"""The smallest study that uses every door, with several parts in each.

Its runs with a name are of a sweep; training evaluates while it trains.

Variants: `cell` is its experiment, `measure` what it measures, `own` a study of
documents without questions.
"""

import pathlib

from ml_collections import config_dict

from configs import custom, measure, reversal
from icl_gen import cli
from icl_gen.runs import directories

VARIANTS = ('cell', 'measure', 'own')
# Of the runs with a name: fewer samples, so that they take less time.
NAME, LOCAL_SAMPLES = 'local_samples_2', (12, 2)
TEXTS = pathlib.Path(__file__).parent / 'texts'


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """The study; `arg` is one of VARIANTS."""
  variants = cli.parse_variants(arg, VARIANTS)
  if 'measure' in variants:
    measured = measure.get_config('tiny')
    worlds = {'reversal': measured.worlds.reversal}
    measured.worlds = config_dict.ConfigDict(worlds)
    return measured
  cell = reversal.get_config('tiny')
  cell.train.update(steps=8, batch_size=8)
  cell.train.update(evaluate_every=4, evaluate_share=0.2, keep_best=True)
  # More than one batch of the sampler, and three parts of the questions.
  cell.augment.update(local_samples=LOCAL_SAMPLES[0])
  cell.scoring.update(questions=4)
  if 'cell' in variants:
    return cell
  if 'own' in variants:
    own = custom.get_config('tiny')
    own.size.path = str(TEXTS)
    own.augment.max_tokens = 16
    return _study('own', {'custom': own}, {'custom': ''}, ('ft_aug',))
  study = _study(
    'study',
    {'reversal': cell},
    {'reversal': 'reversal'},
    directories.CONDITIONS,
  )
  study.sweep = f'augment.local_samples={",".join(map(str, LOCAL_SAMPLES))}'
  return study


def _study(name, experiments, main_kinds, conditions):
  return config_dict.ConfigDict(
    {
      'name': name,
      'experiments': experiments,
      'main_kinds': main_kinds,
      'conditions': conditions,
      'seeds': (0,),
      'models': ('nano',),
      'checkpoint': '',
      'tokenizer': '',
      'dtype': '',
      'sweep': '',
    }
  )
