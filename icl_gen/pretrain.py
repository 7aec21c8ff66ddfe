"""Pretrains a nano Gemma from scratch: tokenizer, weights, loss curve.

python -m icl_gen.pretrain --config=configs/pretrain.py:nano
"""

import pathlib
from collections.abc import Sequence

import ml_collections

from icl_gen import cli, processes, signals
from icl_gen.pretraining import episodes, stream, told, vocabulary
from icl_gen.runs import directories, experiments, models, pretrainings
from icl_gen.runs.stage import Stage
from icl_gen.storage import files
from icl_gen.text import tokens
from icl_gen.text.forms import split


def run(config: ml_collections.FrozenConfigDict, workdir: pathlib.Path) -> None:
  """Writes <workdir>/pretrain/<name>/{tokenizer.model,params}; resumes."""
  models.require_known(config.model)
  for flag in ('report_every', 'save_every'):
    experiments.require_number(f'train.{flag}', config[flag], flag=flag)
  for name in ('clip', 'weight_decay', 'warmup_steps'):
    value = config.optimizer[name]
    flag = f'optimizer.{name}'
    experiments.require_number(f'train.{name}', value, flag=flag)
  if config.forms not in split.STREAMS:
    raise ValueError(
      f'--config.forms={config.forms!r}; allowed are {", ".join(split.STREAMS)}'
    )
  directories.require_name(config.run, flag='run')
  entities = told.Told(**config.entities.to_dict())
  told.require_possible(entities, flag='entities')
  phases = [
    stream.Stage(
      **phase.to_dict(),
      modes=config.modes.to_dict(),
      document_weight=config.document_weight,
      forms=config.forms,
      reversals=config.reversals,
      told=entities,
    )
    for _, phase in sorted(config.stages.items())
  ]
  for phase in phases:
    episodes.require_families(phase.families, reversals=config.reversals)
  stage = pretrainings.stage(config.to_dict(), workdir)
  stage.complete(lambda: _pretrain(config, stage, phases))


def _pretrain(
  config: ml_collections.FrozenConfigDict,
  stage: Stage,
  phases: Sequence[stream.Stage],
) -> None:
  # Imported here, so that mistakes and finished work answer at once.
  with signals.importing():
    from icl_gen.model import checkpoints, initialisation, registry, sharding
    from icl_gen.training import loop, metrics, optimizer, step, stopping
    from icl_gen.training.plan import Plan

  name, hyper, directory = config.model, config.optimizer, stage.directory
  module = registry.make_module(name)
  registry.require_vocabulary(name, module, pieces=config.vocabulary)
  steps = sum(phase.steps for phase in phases)
  schedule = optimizer.make_piecewise(
    [(phase.steps, *phase.learning_rate) for phase in phases],
    warmup_steps=hyper.warmup_steps,
  )
  updates = optimizer.make_optimizer(
    hyper.name, schedule, weight_decay=hyper.weight_decay, clip=hyper.clip
  )
  plan = Plan(
    sharding.make_training_mesh(rows=min(phase.rows for phase in phases))
  )
  params = initialisation.make_params(module, seed=config.seed)
  state = step.make_state(initialisation.scaled_to_unit(params), updates)
  state = sharding.replicate(plan.mesh, state)

  stage.begin()
  vocabulary_path = pretrainings.tokenizer(stage)
  saved = checkpoints.Checkpoints(stage.checkpoints)
  # Without a checkpoint, the tokenizer may be from settings that were changed
  # since.
  is_new = saved.latest() is None or not vocabulary_path.exists()
  if processes.is_first() and is_new:
    with files.atomic_write(vocabulary_path) as partial:
      partial.write_bytes(
        vocabulary.train(size=config.vocabulary, seed='vocabulary')
      )
  processes.barrier()
  tokenizer = tokens.load(vocabulary_path)
  if saved.latest() is not None:
    state, _ = saved.restore(state)

  writer = metrics.Writer(
    directory, name=directory.name, steps=steps, done=int(state.step)
  )
  asked = stopping.make_asked(plan.mesh)
  train_step, done = step.make_step(module, updates, plan), 0
  try:
    for phase in phases:
      begin, done = done, done + phase.steps
      first = max(begin, int(state.step))
      state = loop.loop(
        state,
        stream.batches(phase, tokenizer, seed=config.stream, first_step=first),
        train_step,
        place=lambda batch: sharding.split_rows(plan.mesh, batch),
        first_step=first,
        steps=done,
        report_every=config.report_every,
        save_every=config.save_every,
        on_report=lambda number, values: writer.write(
          number,
          values | {'eta_seconds': _seconds_left(phases, number, values)},
        ),
        on_save=lambda number, state: saved.save(
          number, state, {'step': number}
        ),
        asked=asked,
      )
  finally:  # of a run that is interrupted, too
    saved.wait()
  writer.close()
  checkpoints.save_params(stage.result, state.params)
  saved.close()
  stage.finish()
  print(f'pretrained {directory.name}, weights: {stage.result}', flush=True)


def _seconds_left(
  phases: Sequence[stream.Stage], number: int, values: dict[str, float]
) -> float:
  """Estimates the time left in all phases from the current tokens/second."""
  tokens_left = 0
  for phase in phases:
    taken = min(number, phase.steps)
    tokens_left += (phase.steps - taken) * phase.rows * phase.length
    number -= taken
  return tokens_left / values['tokens_per_second']


if __name__ == '__main__':
  cli.main(run, together=True)
