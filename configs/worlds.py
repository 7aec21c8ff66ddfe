"""Every world at the paper's size: the data sets, without any training.

  python -m icl_gen.build --config=configs/worlds.py

Variants: `nano` (sizes for small models).
"""

from ml_collections import config_dict

from icl_gen import cli
from icl_gen.worlds import catalog

VARIANTS = ('nano',)


def get_config(arg=''):
  """The data sets; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS)
  size = 'nano' if 'nano' in variants else 'paper'
  config = config_dict.ConfigDict()
  # World -> its size. A new world is a line of SIZES in worlds/catalog.py.
  config.worlds = {
    world: dict(sizes[size]) for world, sizes in catalog.SIZES.items()
  }
  config.worlds.custom = dict(path='configs/custom_example', joiner=' ')
  config.seed = 0  # of every world
  config.file_format = 'array_record'  # or 'tfrecord'
  config.tokenizer = ''  # counts the cards' tokens; '' for the embedded nano
  config.audit = True  # check every corpus before it is written
  return config
