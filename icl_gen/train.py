"""Finetunes a model on a corpus, with or without its augmentations.

python -m icl_gen.train --config=configs/reversal.py --config.condition=ft
"""

from icl_gen import cli
from icl_gen.model import checkpoints, loading, registry, sharding
from icl_gen.runs import directories, stages
from icl_gen.storage import corpus_files
from icl_gen.text import splitting, tokens
from icl_gen.training import (
  batches,
  limits,
  loop,
  mesh,
  metrics,
  optimizer,
  step,
)


def run(config, workdir):
  """Writes <workdir>/runs/<cell>/params; goes on where it was interrupted."""
  world, seed, condition = config.world, config.seed, config.condition
  model_name, train = config.model, config.train
  directory = directories.run(
    workdir, world=world, condition=condition, model=model_name, seed=seed
  )
  if condition not in directories.TRAINED:
    raise ValueError(
      f'condition {condition!r} does not train; those that do are'
      f' {", ".join(directories.TRAINED)}'
    )
  registry.require_plain(model_name, door='train')
  loop.require_intervals(train)
  limits.require_sensible(train, seed=seed)
  directories.require_built(workdir, world=world, seed=seed, size=config.size)
  sources = stages.sources(config, workdir)
  for inferred in sources[1:]:
    directories.require(inferred, door='augment')
  settings = stages.train(config, sources)
  directories.check(directory, 'train', settings)
  if (directory / 'params').exists():
    return

  model = loading.load(
    model_name,
    checkpoint=config.checkpoint,
    tokenizer=config.tokenizer,
    dtype=config.dtype,
  )
  examples = _examples(model.tokenizer, sources, train)
  rows = batches.batches(
    examples,
    batch_size=train.batch_size,
    length=train.length,
    seed=seed,
    steps=train.steps,
  )
  updates = _optimizer(train)
  devices = mesh.make_mesh(batch_size=train.batch_size)
  state = mesh.replicate(devices, step.make_state(model.params, updates))
  directories.claim(directory, 'train', settings)
  saved = checkpoints.Checkpoints(directory / 'checkpoints')
  if saved.latest() is not None:
    state, position = saved.restore(state)
    rows.restore(position)

  writer = metrics.Writer(
    directory, name=directory.name, steps=train.steps, done=int(state.step)
  )
  state = loop.loop(
    state,
    rows,
    step.make_step(model.module, updates),
    place=lambda batch: sharding.split_rows(devices, batch),
    first_step=int(state.step),
    steps=train.steps,
    report_every=train.report_every,
    save_every=train.save_every,
    on_report=writer.write,
    on_save=lambda number, state: saved.save(
      number, state, rows.state() | {'step': number}
    ),
  )
  writer.close()
  trained = step.weights(model.module, state)
  checkpoints.save_params(directory / 'params', trained)
  saved.close()


def _examples(tokenizer, sources, train) -> list[batches.Example]:
  """The rows that the documents become."""
  given = corpus_files.read_documents(sources)
  return [
    batches.Example(
      *tokens.encode_document(tokenizer, document, loss_on=train.loss_on),
      name=document.id,
    )
    for document in splitting.split(given, splitting=train.splitting)
  ]


def _optimizer(train):
  schedule = optimizer.make_schedule(
    peak=train.learning_rate,
    warmup_steps=train.warmup_steps,
    steps=train.steps,
    final_share=train.final_share,
  )
  return optimizer.make_optimizer(
    train.optimizer,
    schedule,
    weight_decay=train.weight_decay,
    clip=train.clip,
  )


if __name__ == '__main__':
  cli.main(run)
