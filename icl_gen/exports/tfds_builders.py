"""Our worlds as TFDS builders, registered by importing `icl_gen.exports.tfds_builders`:

  import icl_gen.exports.tfds_builders
  import tensorflow_datasets as tfds

  tfds.load('icl_reversal/paper')
  tfds.data_source(  # the same without TensorFlow
    'icl_reversal/paper', builder_kwargs={'file_format': 'array_record'}
  )

Splits and columns are those of `shards`; the seed is 0. There is nothing to
download: the first load draws the world.
"""

from typing import Any

import tensorflow_datasets as tfds

from icl_gen.storage import corpus_files, tfds_files
from icl_gen.worlds import catalog

SEED = 0
_HOMEPAGE = 'https://arxiv.org/abs/2505.00661'


class _World(
  tfds.core.dataset_builder.FileReaderBuilder, skip_registration=True
):
  """A world of `catalog.SIZES`, one builder config per size."""

  # The first number changes with the records: what was prepared stays as is.
  VERSION = tfds.core.Version('3.0.0')
  world = ''
  # TFDS would look for checksums of downloads beside the code, with a package
  # (importlib_resources) that it does not ask for.
  url_infos = None

  def _info(self) -> tfds.core.DatasetInfo:
    return tfds.core.DatasetInfo(
      builder=self,
      description=catalog.describe(self.world),
      features=tfds_files.features(),
      homepage=_HOMEPAGE,
    )

  def _download_and_prepare(
    self, dl_manager: Any, download_config: Any
  ) -> None:
    # Our own writer: the same bytes each time, and no TensorFlow.
    del dl_manager, download_config
    size = catalog.SIZES[self.world][self.builder_config.name]
    _, corpus = catalog.build(self.world, seed=SEED, **size)
    splits = corpus_files.split_rows(corpus)
    tfds_files.write_splits(splits, self.data_dir, info=self.info)


def _builder(world: str) -> type[_World]:
  """The builder class of one world; TFDS names it 'icl_<world>'."""
  configs = [
    tfds.core.BuilderConfig(name=size, description=f'{size}: {given}')
    for size, given in catalog.SIZES[world].items()
  ]
  name = 'Icl' + ''.join(part.title() for part in world.split('_'))
  members: dict[str, Any] = {
    '__module__': __name__,
    '__doc__': catalog.describe(world),
    'BUILDER_CONFIGS': configs,
    'world': world,
  }
  return type(name, (_World,), members)


BUILDERS = {f'icl_{world}': _builder(world) for world in catalog.SIZES}
