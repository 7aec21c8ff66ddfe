"""Builds a world: its documents and questions, as a TFDS data set.

python -m icl_gen.build --config=configs/reversal.py
"""

from icl_gen import cli
from icl_gen.data import places, shards
from icl_gen.worlds import catalog


def run(config, workdir):
  """Writes <workdir>/corpora/<world>-s<seed>/; nothing if it is there."""
  world, seed, size = config.world, config.seed, dict(config.size.items())
  directory = places.corpus(workdir, world=world, seed=seed)
  note = directory.parent / f'{directory.name}.settings'
  settings = {'world': world, 'seed': seed, 'size': size}
  places.check(note, 'build', settings)
  if shards.is_written(directory):
    return
  _, corpus = catalog.build(world, seed=seed, **size)
  places.claim(note, 'build', settings)
  shards.write(corpus, directory)
  print(
    f'built {directory}: {len(corpus.documents)} documents,'
    f' {len(corpus.questions)} questions'
  )


if __name__ == '__main__':
  cli.main(run)
