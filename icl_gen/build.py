"""Builds the corpus of a world, or of several, in every format.

python -m icl_gen.build --config=configs/reversal.py
python -m icl_gen.build --config=configs/worlds.py
python -m icl_gen.build --config=configs/semantic.py --audit
"""

import dataclasses
import functools
import pathlib
from typing import Any

import ml_collections

from icl_gen import assets, cli
from icl_gen.exports import data_card, jsonl_and_parquet
from icl_gen.runs import directories, experiments, stages
from icl_gen.runs.stage import Stage
from icl_gen.storage import corpus_files
from icl_gen.text import tokens
from icl_gen.worlds import audit as audits
from icl_gen.worlds import catalog


def run(config: ml_collections.FrozenConfigDict, workdir: pathlib.Path) -> None:
  """Writes <workdir>/corpora/<world>-s<seed>/, unless it exists.

  A config with several `worlds` writes <workdir>/corpora/<world>/ each.
  """
  shared = {
    'seed': config.seed,
    'file_format': config.file_format,
    'audit': config.audit,
    'tokenizer': config.tokenizer,
  }
  if 'worlds' in config:
    for world, size in config.worlds.to_dict().items():
      _build(workdir / 'corpora' / world, world=world, size=size, **shared)
  else:
    world, size = config.world, config.size.to_dict()
    directory = directories.corpus(workdir, world=world, seed=config.seed)
    shared['tokenizer'] = assets.tokenizer(
      config.tokenizer, checkpoint=config.checkpoint
    )
    _build(directory, world=world, size=size, **shared)


def _build(
  directory: pathlib.Path,
  *,
  world: str,
  size: dict[str, Any],
  seed: int,
  file_format: str,
  audit: bool,
  tokenizer: str,
) -> None:
  corpus_files.check_format(file_format)
  experiments.require_size(size)
  stage = stages.corpus(
    directory,
    world=world,
    size=size,
    seed=seed,
    file_format=file_format,
    audit=audit,
    tokenizer=tokenizer,
  )
  stage.complete(lambda: _write(stage))


def _write(stage: Stage) -> None:
  directory, given = stage.directory, stage.settings
  world, tokenizer = given['world'], given['tokenizer']
  truth, corpus = catalog.build(world, seed=given['seed'], **given['size'])
  counted_by = tokens.load(tokenizer or assets.path('tokenizer.model'))
  more = {'tokens': tokens.report(counted_by, corpus)}
  if given['audit']:
    more['audit'] = audits.audit(truth, corpus)
    for complaint in more['audit']['complaints']:
      print(f'audit of {directory.name}: {complaint}')
  corpus = dataclasses.replace(corpus, manifest={**corpus.manifest, **more})

  stage.begin()
  about = functools.partial(data_card.write, about=catalog.describe(world))
  corpus_files.write(
    corpus,
    directory,
    file_format=given['file_format'],
    extra_writers=(jsonl_and_parquet.write, about),
  )
  stage.finish()
  if 'notes' in corpus.manifest:
    for note in corpus.manifest['notes']:
      print(f'{directory.name}: {note}')
  print(
    f'built {directory}: {len(corpus.documents)} documents,'
    f' {len(corpus.questions)} questions'
  )


if __name__ == '__main__':
  cli.main(run, short={'--audit': '--config.audit=True'})
