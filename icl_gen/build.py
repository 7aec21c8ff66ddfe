"""Builds a world, or several: documents and questions, in every format.

python -m icl_gen.build --config=configs/reversal.py
python -m icl_gen.build --config=configs/worlds.py
python -m icl_gen.build --config=configs/semantic.py --audit
"""

import dataclasses
import functools

from icl_gen import assets, cli
from icl_gen.exports import card, plain_files
from icl_gen.runs import directories, stages
from icl_gen.storage import corpus_files
from icl_gen.text import tokens
from icl_gen.worlds import audit, catalog


def run(config, workdir):
  """Writes <workdir>/corpora/<world>-s<seed>/; nothing if it is there.

  A config of several `worlds` gives <workdir>/corpora/<world>/ each.
  """
  corpus_files.check_format(config.file_format)
  if 'worlds' in config:
    for world, size in config.worlds.items():
      _build(workdir / 'corpora' / world, config, world, size)
  else:
    directory = directories.corpus(
      workdir, world=config.world, seed=config.seed
    )
    _build(directory, config, config.world, config.size)


def _build(directory, config, world, size):
  settings = stages.build(config, world=world, size=size)
  whole = corpus_files.is_written(directory)
  if directories.is_finished(directory, 'build', settings, whole=whole):
    return
  truth, corpus = catalog.build(world, seed=config.seed, **size)
  counted_by = tokens.load(config.tokenizer or assets.path('tokenizer.model'))
  more = {'tokens': tokens.report(counted_by, corpus)}
  if config.audit:
    more['audit'] = audit.audit(truth, corpus)
    for complaint in more['audit']['complaints']:
      print(f'audit of {directory.name}: {complaint}')
  corpus = dataclasses.replace(corpus, manifest={**corpus.manifest, **more})
  directories.claim(directories.note_beside(directory), 'build', settings)
  about = functools.partial(card.write, about=catalog.describe(world))
  corpus_files.write(
    corpus,
    directory,
    file_format=config.file_format,
    beside=(plain_files.write, about),
  )
  print(
    f'built {directory}: {len(corpus.documents)} documents,'
    f' {len(corpus.questions)} questions'
  )


if __name__ == '__main__':
  cli.main(run, short={'--audit': '--config.audit=True'})
