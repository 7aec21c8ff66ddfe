"""Our worlds as TFDS builders. Importing this module registers them:

  import icl_gen.exports.tfds_builders
  import tensorflow_datasets as tfds

  tfds.load('icl_reversal/paper')
  tfds.data_source(  # the same without TensorFlow
    'icl_reversal/paper', builder_kwargs={'file_format': 'array_record'}
  )

Splits and columns are those of `corpus_files`. Nothing is downloaded: the first
load generates the world, with seed 0. Give no version: with one, TFDS imports
the classes that `features.json` names in the data's directory, not ours.
"""

from typing import Any

import tensorflow_datasets as tfds

from icl_gen.storage import corpus_files, tfds_files
from icl_gen.worlds import catalog

SEED = 0
_HOMEPAGE = 'https://arxiv.org/abs/2505.00661'


class _World(
  # mypy does not see the keyword, as it skips tfds.
  tfds.core.dataset_builder.FileReaderBuilder,  # type: ignore[call-arg]
  skip_registration=True,
):
  """A world of `catalog.SIZES`, one builder config per size."""

  # Increase the major number when records change: data that was prepared
  # before keeps its version.
  VERSION = tfds.core.Version('4.0.0')
  world = ''
  # Without this, TFDS looks for checksums of downloads next to the code, using
  # a package that it does not depend on (importlib_resources).
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
    # Our writer gives the same bytes each time and needs no TensorFlow.
    del dl_manager, download_config
    size = catalog.SIZES[self.world][self.builder_config.name]
    _, corpus = catalog.build(self.world, seed=SEED, **size)
    splits = corpus_files.split_rows(corpus)
    tfds_files.write_splits(splits, self.data_dir, info=self.info)


def _builder(world: str) -> type[_World]:
  """Returns the builder class of a world, named 'icl_<world>' in TFDS."""
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
