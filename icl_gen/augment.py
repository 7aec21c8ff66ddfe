"""Samples a model's own in-context inferences and writes them as documents.

python -m icl_gen.augment --config=configs/reversal.py

With --config.augment.source, documents of another source, as a control.
"""

import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ml_collections

from icl_gen import assets, cli, processes, signals
from icl_gen.augmentation import audit, matching, parse, plan, sources
from icl_gen.exports import generated
from icl_gen.runs import controls, experiments, in_context, models, stages
from icl_gen.runs.experiments import Experiment
from icl_gen.runs.stage import Stage
from icl_gen.storage import corpus_files, distributions
from icl_gen.text import context as contexts
from icl_gen.text import tokens
from icl_gen.types import Corpus, Document
from icl_gen.worlds import catalog


def run(config: ml_collections.FrozenConfigDict, workdir: pathlib.Path) -> None:
  """Writes <workdir>/corpora/<world>-s<seed>-augmented-<model>/; resumes."""
  experiment = experiments.read(config.to_dict())
  controls.require_source(experiment)
  stage = stages.augment(experiment, workdir)
  work = _control if controls.is_control(experiment) else _augment
  stage.complete(lambda: work(experiment, stage))


def _augment(experiment: Experiment, stage: Stage) -> None:
  # Imported here, so that mistakes and finished work answer at once.
  with signals.importing():
    from icl_gen.model import loading
    from icl_gen.sampling import likeliest, resumable, sampler

  seed, augment = experiment.seed, experiment.augment
  (source,) = stage.inputs
  world, rebuilt = catalog.build(experiment.world, seed=seed, **experiment.size)
  corpus_files.require_same(source, rebuilt)
  model = loading.load(
    experiment.model,
    checkpoint=experiment.checkpoint,
    tokenizer=stages.tokenizer(experiment),
    dtype=experiment.dtype,
  )
  count_tokens = model.tokenizer.count
  documents = corpus_files.read_documents([source])
  chosen = plan.choose(
    documents, per_fact=augment.documents_per_fact, seed=source.name
  )
  context = in_context.of_inferences(
    experiment, documents, name=source.name, count_tokens=count_tokens
  )
  _require_room(experiment, chosen, context, count_tokens)
  likeliest.require_pieces(augment.likeliest, pieces=model.tokenizer.size)

  stage.begin()
  answered, costs = [], {}
  context_of = {'local': contexts.NONE, 'global': context}
  for kind, samples in (
    ('local', augment.local_samples),
    ('global', augment.global_samples),
  ):
    requests = plan.requests(
      chosen, kind=kind, samples=samples, wording=augment.prompt
    )
    completions, costs[kind] = resumable.sample(
      model,
      [sampler.Request(request.name, request.prompt) for request in requests],
      context_of[kind],
      kept=stage.parts[kind],
      of=stage.digest,
      seed=source.name,
      temperature=augment.temperature,
      max_tokens=augment.max_tokens,
    )
    answered += [
      (request, completion.text, completion.ended)
      for request, completion in zip(requests, completions, strict=True)
    ]
  parsed = parse.parse(
    answered,
    given=documents,
    read=catalog.reader(world),
    judge=audit.auditor(world),
    fits=_fits(experiment, count_tokens),
    details={'model': experiment.model, 'seed': str(seed)},
  )
  manifest = {
    'lines': parsed.lines,
    'dropped': dict(parsed.dropped),
    'costs': costs,
    'prompts': {
      kind: plan.prompt_hash(kind, wording=augment.prompt)
      for kind in plan.PROMPTS
    },
  }
  extra = []
  if augment.likeliest:
    expected = likeliest.of_inferences(
      model, parsed, context_of, count=augment.likeliest
    )
    manifest['likeliest'] = distributions.summary(expected)
    extra = [distributions.writer(expected, count=augment.likeliest)]
  _write(
    stage, parsed.documents, given=documents, manifest=manifest, extra=extra
  )
  if warning := parse.warning(parsed, given=documents):
    print(warning, flush=True)


def _require_room(
  experiment: Experiment,
  documents: Sequence[Document],
  context: contexts.Context,
  count_tokens: Callable[[str], int],
) -> None:
  """Checks that the model has room for every prompt and completion.

  Raises:
    ValueError: the longest one does not fit.
  """
  augment = experiment.augment
  longest = augment.max_tokens + plan.longest(
    documents, context, count_tokens, wording=augment.prompt
  )
  what = 'the longest prompt, with its context and what is sampled,'
  models.require_room(experiment.model, tokens=longest, what=what)


def _control(experiment: Experiment, stage: Stage) -> None:
  """Writes the documents of a source that is no model."""
  augment = experiment.augment
  kind, name, size = augment.source, experiment.world, experiment.size
  corpus, *inferences = stage.inputs
  world, rebuilt = catalog.build(name, seed=experiment.seed, **size)
  corpus_files.require_same(corpus, rebuilt)
  tokenizer = stages.tokenizer(experiment) or assets.path('tokenizer.model')
  count = tokens.load(tokenizer).count
  documents = corpus_files.read_documents([corpus])
  given = sources.Given(
    world=world,
    documents=documents,
    wording=lambda: catalog.wording(name, size),
    seed=corpus.name,
    share=augment.share,
    wordings=augment.wordings,
    openings=augment.openings,
  )
  own = [one.text for one in corpus_files.read_documents(inferences)]
  lines = matching.lines(
    sources.SOURCES[kind](given),
    size=augment.tokens or matching.tokens(own, count),
    count=count,
    noise=augment.noise,
    seed=f'{corpus.name}/{kind}',
  )

  stage.begin()
  written = matching.documents(
    lines,
    kind=kind,
    # No model is shown all wordings of a fact, so that its reader has not all.
    read=given.wording().read if kind == 'phrased' else catalog.reader(world),
    judge=audit.auditor(world),
    details={'model': 'none', 'seed': str(experiment.seed)},
  )
  spent = {'tokens': matching.tokens([one.text for one in written], count)}
  manifest = {'lines': len(lines), 'dropped': {}, 'costs': {kind: spent}}
  _write(stage, written, given=documents, manifest=manifest)


def _write(
  stage: Stage,
  documents: tuple[Document, ...],
  *,
  given: tuple[Document, ...],
  manifest: Mapping[str, Any],
  extra: Sequence[corpus_files.ExtraWriter] = (),
) -> None:
  """Writes the documents of an augmentation, with what they are made from."""
  if processes.is_first():
    corpus_files.write(
      Corpus(stage.directory.name, documents, (), manifest),
      stage.directory,
      extra_writers=(generated.writer(given), *extra),
    )
  stage.finish()
  source, *_ = stage.inputs
  print(
    f'augmented {source.name}: {len(documents)} documents, {stage.directory}'
  )


def _fits(
  experiment: Experiment, count_tokens: Callable[[str], int]
) -> Callable[[str], bool]:
  """Whether a text fits into a row of training; 0: rows follow from texts."""
  length = experiment.train.length
  # Training adds BOS and EOS.
  return lambda text: not length or count_tokens(text) + 2 <= length


if __name__ == '__main__':
  cli.main(run, together=True)
