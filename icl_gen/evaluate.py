"""Scores a cell: the log-probability of every choice of every question.

python -m icl_gen.evaluate --config=configs/reversal.py --config.condition=icl
"""

import pathlib
from collections.abc import Sequence
from typing import Any

import ml_collections

from icl_gen import cli, processes, signals
from icl_gen.reporting import summary
from icl_gen.runs import (
  development,
  experiments,
  found,
  in_context,
  models,
  stages,
)
from icl_gen.runs.experiments import Experiment
from icl_gen.runs.stage import Stage
from icl_gen.storage import corpus_files, scores
from icl_gen.text import context as contexts
from icl_gen.text import tokens
from icl_gen.types import Corpus, Score

# One for all questions, or one for each.
Context = contexts.Context | Sequence[contexts.Context]


def run(config: ml_collections.FrozenConfigDict, workdir: pathlib.Path) -> None:
  """Writes <workdir>/runs/<cell>/scores.parquet; resumes at the next part."""
  experiment = experiments.read(config.to_dict())
  if in_context.is_recalled(experiment):
    in_context.require_samples(experiment)
  stage = stages.evaluate(experiment, workdir)
  checkpoint = stages.checkpoint(experiment, workdir)
  stage.complete(lambda: _evaluate(experiment, stage, checkpoint))
  # Read in any case: a damaged file must not count as done.
  cell = found.cell(stage.result)
  print(f'accuracy of {stage.directory.name}, in per cent [95 % interval]:')
  print(*summary.lines(cell), sep='\n')
  print(f'scores: {stage.result}', flush=True)


def _evaluate(experiment: Experiment, stage: Stage, checkpoint: str) -> None:
  # Imported here, so that mistakes and finished work answer at once.
  with signals.importing():
    from icl_gen.model import loading, prefix_cache, sharding
    from icl_gen.sampling import answers
    from icl_gen.scoring import scorer

  model_name, scoring = experiment.model, experiment.scoring
  model = loading.load(
    model_name,
    checkpoint=checkpoint,
    tokenizer=stages.tokenizer(experiment),
    dtype=experiment.dtype,
    mesh=sharding.make_mesh(data=scoring.data, model=scoring.model),
  )
  prefixes = prefix_cache.PrefixCache(
    model.module,
    model.params,
    budget_bytes=int(scoring.contexts_gib * 2**30),
    core=scoring.core,
  )
  (source,) = stage.inputs
  corpus = development.tested(corpus_files.read(source), experiment)
  count_tokens = model.tokenizer.count
  if experiment.chat:
    tokens.require_turns(model.tokenizer)
  context, spent = _context(experiment, stage, corpus, model)
  counts = contexts.summary(context, corpus.questions, count_tokens)
  what = 'the longest question (with its context)'
  models.require_room(model_name, tokens=counts['row_tokens'], what=what)
  if scoring.generate:
    needed = answers.row_tokens(corpus.questions, context, count_tokens)
    what = 'the longest question (with its context and a generated answer)'
    models.require_room(model_name, tokens=needed, what=what)
  kept: tuple[Score, ...] = ()
  if stage.is_begun():
    parts_kept = scores.read_parts(stage.parts['scores'], of=stage.digest)
    kept = scores.of_first(parts_kept, corpus.questions)
  kept = kept[: processes.agreed(lambda: len(kept))]
  parts = scorer.in_parts(
    model,
    corpus.questions,
    context,
    encode=prefixes.encode,
    questions_per_part=scoring.questions,
    start=len(kept),
  )

  stage.begin()
  answered = kept
  for part in parts:
    if processes.is_first():
      scores.append_part(stage.parts['scores'], part, of=stage.digest)
    answered += part
    print(f'scored {len(answered)}/{len(corpus.questions)}', flush=True)
  if scoring.generate:
    answered = answers.added(
      model, corpus.questions, context, answered, core=scoring.core
    )
  metadata = {
    'world': experiment.world,
    'condition': experiment.condition,
    'model': model_name,
    'seed': experiment.seed,
    **counts,
    **spent,
    **({'run': experiment.run} if experiment.run else {}),
  }
  if processes.is_first():
    scores.write_scores(stage.result, answered, metadata=metadata)
  stage.finish()
  print(f'scored {stage.directory.name}: {len(answered)} questions')


def _context(
  experiment: Experiment, stage: Stage, corpus: Corpus, model: Any
) -> tuple[Context, dict[str, float]]:
  """The context before the questions, and the cost if it had to be sampled."""
  if in_context.is_recalled(experiment):
    from icl_gen.sampling import recalling

    return recalling.contexts_of(experiment, stage, corpus, model)
  if experiment.condition != 'icl':
    return contexts.NONE_IN_CHAT if experiment.chat else contexts.NONE, {}
  (source,) = stage.inputs
  found = in_context.context(
    experiment,
    corpus,
    name=source.name,
    count_tokens=model.tokenizer.count,
  )
  return found, {}


if __name__ == '__main__':
  cli.main(run, together=True)
