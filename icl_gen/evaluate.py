"""Scores a cell: every choice of every question, as log-likelihoods.

python -m icl_gen.evaluate --config=configs/reversal.py --config.condition=icl
"""

from icl_gen import cli
from icl_gen.data import files, places, scores, shards
from icl_gen.model import loaded
from icl_gen.scoring import scorer
from icl_gen.text import context as contexts
from icl_gen.text import tokens


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
    'chat': config.chat,
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
  count_tokens = lambda text: len(model.tokenizer.encode(text))  # noqa: E731
  if config.chat:
    tokens.require_turns(model.tokenizer)
  context = contexts.NONE_IN_CHAT if config.chat else contexts.NONE
  if condition == 'icl':
    context = _context(
      config,
      corpus,
      seed=f'{source.name}/context',
      count_tokens=count_tokens,
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
      **_told(context, count_tokens),
    },
  )
  files.mark_done(directory)
  print(f'scored {directory.name}: {len(found)} questions')


def _context(config, corpus, *, seed, count_tokens):
  """One context for all questions, or one for each."""
  wanted = config.context
  if wanted.kind == 'all':
    return contexts.build(
      corpus.documents,
      seed=seed,
      factor=wanted.factor,
      budget=wanted.budget,
      count_tokens=count_tokens,
      chat=config.chat,
    )
  return contexts.retrieve(
    corpus.documents,
    corpus.questions,
    kind=wanted.kind,
    seed=seed,
    count=wanted.documents,
    distractors=wanted.distractors,
    chat=config.chat,
  )


def _told(context, count_tokens):
  """What is noted of the contexts; of several, the largest numbers."""
  several = [context] if isinstance(context, contexts.Context) else context
  different = {one.text: one for one in several}.values()
  return {
    'contexts': len(different),
    'context_documents': max(len(one.documents) for one in different),
    'context_left_out': max(one.left_out for one in different),
    'context_tokens': max(count_tokens(one.text) for one in different),
  }


if __name__ == '__main__':
  cli.main(run)
