"""Builds the data set of every world, at the paper's size; no training.

  python -m icl_gen.build --config=configs/worlds.py

Variants: `nano` (sizes for small models).
"""

from ml_collections import config_dict

from icl_gen import cli
from icl_gen.worlds import catalog

VARIANTS = ('nano',)


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """Settings of the data sets; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS)
  size = 'nano' if 'nano' in variants else 'paper'
  config = config_dict.ConfigDict()
  # World -> size. The sizes of a world are in its definition, icl_gen/worlds/.
  config.worlds = {
    world: dict(sizes[size]) for world, sizes in catalog.SIZES.items()
  }
  config.worlds.custom = dict(path='configs/custom_example', joiner=' ')
  config.seed = 0  # of all random draws
  config.file_format = 'array_record'  # or 'tfrecord'
  config.tokenizer = ''  # for the token counts of the cards; '': embedded nano
  config.audit = True  # check every corpus before it is written
  return config
