"""Samples a model's own in-context inferences and writes them as documents.

python -m icl_gen.augment --config=configs/reversal.py
"""

from icl_gen import cli
from icl_gen.augmentation import audit, parse, plan
from icl_gen.model import loading, registry
from icl_gen.runs import directories, stages
from icl_gen.sampling import resumable
from icl_gen.storage import corpus_files
from icl_gen.text import context as contexts
from icl_gen.types import Corpus
from icl_gen.worlds import catalog


def run(config, workdir):
  """Writes <workdir>/corpora/<world>-s<seed>-augmented-<model>/; resumes."""
  world_name, seed, augment = config.world, config.seed, config.augment
  size = dict(config.size.items())
  registry.require_plain(config.model, door='augment')
  source = directories.require_built(
    workdir, world=world_name, seed=seed, size=size
  )
  directory = directories.augmented(
    workdir, world=world_name, seed=seed, model=config.model
  )
  settings = stages.augment(config, source)
  whole = corpus_files.is_written(directory)
  if directories.is_finished(directory, 'augment', settings, whole=whole):
    return
  world, rebuilt = catalog.build(world_name, seed=seed, **size)
  corpus_files.require_same(source, rebuilt)
  model = loading.load(
    config.model,
    checkpoint=config.checkpoint,
    tokenizer=config.tokenizer,
    dtype=config.dtype,
  )
  count_tokens = model.tokenizer.count
  documents = corpus_files.read_documents([source])
  chosen = plan.choose(
    documents, per_fact=augment.documents_per_fact, seed=source.name
  )
  context = contexts.build(
    documents,
    seed=f'{source.name}/augment',
    factor=config.context.factor,
    budget=config.context.budget,
    count_tokens=count_tokens,
  )
  longest = plan.longest(chosen, context, count_tokens) + augment.max_tokens
  what = 'the longest prompt, with its context and what is sampled,'
  registry.require_room(config.model, tokens=longest, what=what)
  beside = directories.note_beside(directory)
  kept = {kind: beside / f'sampled.{kind}.jsonl' for kind in plan.PROMPTS}
  directories.claim(beside, 'augment', settings, parts=kept.values())
  answered, costs = [], {}
  for kind, samples, behind in (
    ('local', augment.local_samples, contexts.NONE),
    ('global', augment.global_samples, context),
  ):
    found, costs[kind] = _sample(
      model,
      plan.requests(chosen, kind=kind, samples=samples),
      behind,
      kept=kept[kind],
      seed=source.name,
      temperature=augment.temperature,
      max_tokens=augment.max_tokens,
    )
    answered += found

  parsed = parse.parse(
    answered,
    given=documents,
    read=catalog.reader(world),
    judge=audit.auditor(world),
    # BOS and EOS come with it.
    fits=lambda text: count_tokens(text) + 2 <= config.train.length,
    details={'model': config.model, 'seed': str(seed)},
  )
  manifest = {
    'lines': parsed.lines,
    'dropped': dict(parsed.dropped),
    'costs': costs,
    'prompts': {kind: plan.prompt_hash(kind) for kind in plan.PROMPTS},
  }
  corpus_files.write(
    Corpus(directory.name, parsed.documents, (), manifest), directory
  )
  for path in kept.values():
    path.unlink(missing_ok=True)
  print(f'augmented {source.name}: {len(parsed.documents)} documents')


def _sample(model, requests, context, **settings):
  """(request, completion, ended) of all, and what it cost."""
  completions, cost = resumable.sample(model, requests, context, **settings)
  answered = [
    (request, completion.text, completion.ended)
    for request, completion in zip(requests, completions, strict=True)
  ]
  return answered, cost


if __name__ == '__main__':
  cli.main(run)
