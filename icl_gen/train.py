"""Fine-tunes a model on a corpus, with or without its augmentation.

python -m icl_gen.train --config=configs/reversal.py --config.condition=ft
"""

import dataclasses
import pathlib
from collections.abc import Sequence

import ml_collections

from icl_gen import cli
from icl_gen.model import checkpoints, loading, registry, sharding
from icl_gen.runs import experiments, stages
from icl_gen.runs.experiments import Experiment, Training
from icl_gen.runs.stage import Stage
from icl_gen.storage import corpus_files
from icl_gen.text import splitting, tokens
from icl_gen.training import (
  batches,
  fine_tuning,
  limits,
  loop,
  metrics,
  stopping,
)


def run(config: ml_collections.FrozenConfigDict, workdir: pathlib.Path) -> None:
  """Writes <workdir>/runs/<cell>/params; resumes from its last checkpoint."""
  experiment = experiments.read(config.to_dict())
  registry.require_plain(experiment.model, door='train')
  limits.require_sensible(
    dataclasses.asdict(experiment.train),
    seed=experiment.seed,
    model=experiment.model,
  )
  stage = stages.train(experiment, workdir)
  stage.complete(lambda: _train(experiment, stage))


def _train(experiment: Experiment, stage: Stage) -> None:
  seed, train = experiment.seed, experiment.train
  plan = fine_tuning.make_plan(train)
  model = loading.load(
    experiment.model,
    checkpoint=experiment.checkpoint,
    tokenizer=stages.tokenizer(experiment),
    dtype=experiment.dtype,
    mesh=plan.mesh,
  )
  rows = batches.batches(
    _examples(model.tokenizer, stage.inputs, train),
    batch_size=train.batch_size,
    length=train.length,
    seed=seed,
    steps=train.steps,
  )
  tuning = fine_tuning.start(model.module, model.params, train, plan, seed=seed)
  state = tuning.state

  stage.begin()
  saved = checkpoints.Checkpoints(stage.checkpoints, keep=train.keep)
  if saved.latest() is not None:
    state, position = saved.restore(state)
    rows.restore(position)
  name, done = stage.directory.name, int(state.step)
  writer = metrics.Writer(
    stage.directory, name=name, steps=train.steps, done=done
  )
  try:
    state = loop.loop(
      state,
      rows,
      tuning.step,
      place=lambda batch: sharding.split_rows(plan.mesh, batch),
      first_step=done,
      steps=train.steps,
      report_every=train.report_every,
      save_every=train.save_every,
      on_report=writer.write,
      on_save=lambda number, state: saved.save(
        number, state, rows.state() | {'step': number}
      ),
      asked=stopping.make_asked(plan.mesh),
    )
  finally:  # of a run that is interrupted, too
    saved.wait()
  writer.close()
  weights = registry.with_all_rows(experiment.model, tuning.weights(state))
  checkpoints.save_params(stage.result, weights)
  saved.close()
  stage.finish()


def _examples(
  tokenizer: tokens.Tokenizer, sources: Sequence[pathlib.Path], train: Training
) -> list[batches.Example]:
  """The training rows of all documents."""
  documents = corpus_files.read_documents(sources)
  return [
    batches.Example(
      *tokens.encode_document(tokenizer, document, loss_on=train.loss_on),
      name=document.id,
    )
    for document in splitting.split(documents, splitting=train.splitting)
  ]


if __name__ == '__main__':
  cli.main(run, together=True)
