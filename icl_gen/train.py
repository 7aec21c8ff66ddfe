"""Fine-tunes a model on a corpus, with or without its augmentation.

python -m icl_gen.train --config=configs/reversal.py --config.condition=ft
"""

import dataclasses
import pathlib
from collections.abc import Sequence

import ml_collections

from icl_gen import cli, signals
from icl_gen.runs import experiments, models, stages
from icl_gen.runs.experiments import Experiment
from icl_gen.runs.stage import Stage
from icl_gen.storage import corpus_files
from icl_gen.training import limits


def run(config: ml_collections.FrozenConfigDict, workdir: pathlib.Path) -> None:
  """Writes <workdir>/runs/<cell>/params; resumes from its last checkpoint."""
  experiment = experiments.read(config.to_dict())
  models.require_plain(experiment.model, door='train')
  limits.require_sensible(
    dataclasses.asdict(experiment.train), model=experiment.model
  )
  stage = stages.train(experiment, workdir)
  stage.complete(lambda: _train(experiment, stage))


def _train(experiment: Experiment, stage: Stage) -> None:
  # Imported here, so that mistakes and finished work answer at once.
  with signals.importing():
    from icl_gen.model import checkpoints, loading, registry, sharding
    from icl_gen.training import (
      batches,
      examples,
      fine_tuning,
      loop,
      metrics,
      stopping,
    )

  seed, train = experiment.seed, experiment.train
  plan = fine_tuning.make_plan(train)
  model = loading.load(
    experiment.model,
    checkpoint=experiment.checkpoint,
    tokenizer=stages.tokenizer(experiment),
    dtype=experiment.dtype,
    mesh=plan.mesh,
  )
  sequences = examples.examples(
    corpus_files.read_documents(stage.inputs),
    model.tokenizer,
    splitting=train.splitting,
    reverse=train.reverse,
    loss_on=train.loss_on,
  )
  rows = batches.batches(
    sequences,
    batch_size=train.batch_size,
    length=_row_length(experiment, [len(one.ids) for one in sequences]),
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
  print(f'trained {name}, weights: {stage.result}', flush=True)


def _row_length(experiment: Experiment, lengths: Sequence[int]) -> int:
  """The length of rows, as set or as the examples need it."""
  length = limits.row_length(experiment.train.length, longest=max(lengths))
  limits.require_rows(length, model=experiment.model)
  return length


if __name__ == '__main__':
  cli.main(run, together=True)
