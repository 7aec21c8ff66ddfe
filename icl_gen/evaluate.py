"""Scores a cell: every choice of every question, as log-likelihoods.

python -m icl_gen.evaluate --config=configs/reversal.py --config.condition=icl
"""

from icl_gen import cli
from icl_gen.data import files, places, scores, shards
from icl_gen.model import loaded
from icl_gen.scoring import scorer
from icl_gen.text import context as contexts


def run(config, workdir):
  """Writes <workdir>/runs/<cell>/scores.parquet; nothing if it is there."""
  world, seed, condition = config.world, config.seed, config.condition
  directory = places.run(
    workdir, world=world, condition=condition, model=config.model, seed=seed
  )
  source = places.corpus(workdir, world=world, seed=seed)
  places.require(source, door='build')
  checkpoint = config.checkpoint
  if condition in places.TRAINED:
    checkpoint = str(directory / 'params')
    if not (directory / 'params').exists():
      raise ValueError(
        f'{directory.name!r} is not trained: run icl_gen.train with the same'
        ' config first'
      )
  settings = {
    'corpus': shards.read_manifest(source)['sha256'],
    'checkpoint': config.checkpoint,
    'tokenizer': config.tokenizer,
    'dtype': config.dtype,
  }
  if condition == 'icl':
    settings['context'] = dict(config.context.items())
  places.check(directory, 'evaluate', settings)
  if files.is_done(directory):
    return

  model = loaded.load(
    config.model,
    checkpoint=checkpoint,
    tokenizer=config.tokenizer,
    dtype=config.dtype,
  )
  corpus = shards.read(source)
  context = contexts.NONE
  if condition == 'icl':
    context = contexts.build(
      corpus.documents,
      seed=f'{source.name}/context',
      factor=config.context.factor,
      budget=config.context.budget,
      count_tokens=lambda text: len(model.tokenizer.encode(text)),
    )
  places.claim(directory, 'evaluate', settings)
  found = scorer.score(model, corpus.questions, context)
  scores.write_scores(
    directory / 'scores.parquet',
    found,
    metadata={
      'world': world,
      'condition': condition,
      'model': config.model,
      'seed': seed,
      'context_documents': len(context.documents),
      'context_left_out': context.left_out,
      'context_tokens': len(model.tokenizer.encode(context.text)),
    },
  )
  files.mark_done(directory)
  print(f'scored {directory.name}: {len(found)} questions')


if __name__ == '__main__':
  cli.main(run)
