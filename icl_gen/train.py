"""Fine-tunes a model on a corpus, with or without its augmentation.

python -m icl_gen.train --config=configs/reversal.py --config.condition=ft
"""

import dataclasses
import pathlib
from typing import Any

import ml_collections

from icl_gen import cli, signals
from icl_gen.runs import experiments, stages
from icl_gen.runs.experiments import Experiment
from icl_gen.runs.stage import Stage
from icl_gen.storage import corpus_files, distributions
from icl_gen.training import limits


def run(config: ml_collections.FrozenConfigDict, workdir: pathlib.Path) -> None:
  """Writes <workdir>/runs/<cell>/params; resumes from its last checkpoint."""
  experiment = experiments.read(config.to_dict())
  limits.require_sensible(
    dataclasses.asdict(experiment.train), model=experiment.model
  )
  stage = stages.train(experiment, workdir)
  stage.complete(lambda: _train(experiment, stage))


def _train(experiment: Experiment, stage: Stage) -> None:
  # Imported here, so that mistakes and finished work answer at once.
  with signals.importing():
    from icl_gen.model import checkpoints, registry, sharding
    from icl_gen.scoring import while_training
    from icl_gen.training import (
      adapters,
      apart,
      choosing,
      fine_tuning,
      loop,
      metrics,
      states,
      stopping,
    )

  seed, train = experiment.seed, experiment.train
  plan = fine_tuning.make_plan(train)
  model = _model(experiment, plan.mesh)
  rows = _rows(experiment, stage, model.tokenizer)
  tuning = fine_tuning.start(model.module, model.params, train, plan, seed=seed)
  (source, *_), state, weights = stage.inputs, tuning.state, tuning.weights
  evaluation = while_training.Evaluation(experiment, source, model, weights)

  stage.begin()
  saved = apart.opened(stage.checkpoints, keep=train.keep)
  chooser = choosing.Chooser(
    evaluation.measure,
    by=train.evaluate_by,
    stop_after=train.stop_after,
    on_values=lambda *found: writer.write_evaluation(*found),
    on_best=saved.keep_too,
  )
  if saved.latest() is not None:
    state, position = saved.restore(state)
    chooser.restore(position)
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
      steps=done if chooser.is_over else train.steps,
      report_every=train.report_every,
      save_every=train.save_every,
      on_report=writer.write,
      on_save=lambda number, state: saved.save(
        number, state, rows.state() | {'step': number} | chooser.state()
      ),
      asked=stopping.make_asked(plan.mesh),
      evaluate_every=train.evaluate_every,
      evaluate=chooser.evaluate,
    )
  finally:  # of a run that is interrupted, too
    saved.wait()
  writer.close()
  if train.keep_best and chooser.best_step < int(state.step):
    like = states.shapes(state)
    del state  # Two of them may not fit.
    state = saved.restore_at(chooser.best_step, like)
  base, directory = experiment.checkpoint, stage.directory
  adapters.save(directory, state.params, tuning.lora, model.module, base)
  found = registry.with_all_rows(experiment.model, weights(state))
  checkpoints.save_params(stage.result, found)
  saved.close()
  stage.finish()
  print(chooser.summary(int(state.step)), end='')
  print(f'trained {name}, weights: {stage.result}', flush=True)


def _rows(experiment: Experiment, stage: Stage, tokenizer: Any) -> Any:
  from icl_gen.training import inputs

  found = None
  if experiment.train.targets == 'distribution':
    _, *generated = stage.inputs
    found = {
      name: one
      for directory in generated
      for name, one in distributions.read(directory).items()
    }
  return inputs.make(
    corpus_files.read_documents(stage.inputs),
    tokenizer,
    experiment.train,
    model=experiment.model,
    seed=experiment.seed,
    distributions=found,
  )


def _model(experiment: Experiment, mesh: Any) -> Any:
  from icl_gen.model import loading

  return loading.load(
    experiment.model,
    checkpoint=experiment.checkpoint,
    tokenizer=stages.tokenizer(experiment),
    dtype=experiment.dtype,
    mesh=mesh,
  )


if __name__ == '__main__':
  cli.main(run, together=True)
