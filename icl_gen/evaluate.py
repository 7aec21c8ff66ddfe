"""Scores a cell: every choice of every question, as log-likelihoods.

python -m icl_gen.evaluate --config=configs/reversal.py --config.condition=icl
"""

from icl_gen import cli
from icl_gen.model import loading, prefix_cache, registry, sharding
from icl_gen.runs import directories, stages
from icl_gen.sampling import answers
from icl_gen.scoring import scorer
from icl_gen.storage import corpus_files, files, scores
from icl_gen.text import context as contexts
from icl_gen.text import tokens


def run(config, workdir):
  """Writes <workdir>/runs/<cell>/scores.parquet; goes on where it stopped."""
  world, seed, condition = config.world, config.seed, config.condition
  scoring = config.scoring
  if scoring.generate:
    registry.require_plain(config.model, door='scoring.generate')
  directory = directories.run(
    workdir, world=world, condition=condition, model=config.model, seed=seed
  )
  source = directories.require_built(
    workdir, world=world, seed=seed, size=config.size
  )
  checkpoint = config.checkpoint
  if condition in directories.TRAINED:
    checkpoint = str(directories.require_trained(directory))
  settings = stages.evaluate(config, source, directory)
  directories.check(directory, 'evaluate', settings)
  if files.is_done(directory):
    return

  model = loading.load(
    config.model,
    checkpoint=checkpoint,
    tokenizer=config.tokenizer,
    dtype=config.dtype,
    mesh=sharding.make_mesh(data=scoring.data, model=scoring.model),
  )
  kept = prefix_cache.Prefixes(
    model.module,
    model.params,
    budget_bytes=int(scoring.contexts_gib * 2**30),
    core=scoring.core,
  )
  corpus = corpus_files.read(source)
  if config.chat:
    tokens.require_turns(model.tokenizer)
  context = _context(config, corpus, source.name, model.tokenizer.count)
  noted = contexts.summary(context, corpus.questions, model.tokenizer.count)
  what = 'the longest question (with its context)'
  registry.require_room(config.model, tokens=noted['row_tokens'], what=what)
  begun, found = directory / 'scored.jsonl', []
  if directories.is_noted(directory, 'evaluate', settings):
    found += scores.read_parts(begun)
  parts = scorer.in_parts(
    model,
    corpus.questions,
    context,
    encode=kept.encode,
    questions_per_part=scoring.questions,
    start=len(found),
  )
  directories.claim(directory, 'evaluate', settings, parts=[begun])
  for part in parts:
    scores.append_part(begun, part)
    found += part
    print(f'scored {len(found)}/{len(corpus.questions)}', flush=True)
  if scoring.generate:
    found = answers.added(
      model, corpus.questions, context, found, core=scoring.core
    )
  scores.write_scores(
    directory / 'scores.parquet',
    found,
    metadata={
      'world': world,
      'condition': condition,
      'model': config.model,
      'seed': seed,
      **noted,
    },
  )
  files.mark_done(directory)
  begun.unlink()
  print(f'scored {directory.name}: {len(found)} questions')


def _context(config, corpus, name, count_tokens):
  """One context for all questions, or one for each."""
  if config.condition != 'icl':
    return contexts.NONE_IN_CHAT if config.chat else contexts.NONE
  wanted = config.context
  drawn = {'seed': f'{name}/context', 'chat': config.chat}
  if wanted.kind == 'all':
    part = {'factor': wanted.factor, 'budget': wanted.budget}
    return contexts.build(
      corpus.documents, count_tokens=count_tokens, **part, **drawn
    )
  retrieved = {'count': wanted.documents, 'distractors': wanted.distractors}
  return contexts.retrieve(
    corpus.documents, corpus.questions, kind=wanted.kind, **retrieved, **drawn
  )


if __name__ == '__main__':
  cli.main(run)
