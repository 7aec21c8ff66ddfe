"""The smallest study that uses every door, with several parts in each.

Variants: `cell` is its experiment, `measure` what it measures.
"""

from ml_collections import config_dict

from configs import measure, reversal
from icl_gen import cli
from icl_gen.runs import directories

VARIANTS = ('cell', 'measure')


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
  # More than one batch of the sampler, and three parts of the questions.
  cell.augment.update(local_samples=12)
  cell.scoring.update(questions=4)
  if 'cell' in variants:
    return cell
  return config_dict.ConfigDict(
    {
      'name': 'study',
      'experiments': {'reversal': cell},
      'main_kinds': {'reversal': 'reversal'},
      'conditions': directories.CONDITIONS,
      'seeds': (0,),
      'models': ('nano',),
      'checkpoint': '',
      'tokenizer': '',
      'dtype': '',
    }
  )
