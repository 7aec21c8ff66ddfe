"""Pretrains a nano Gemma from scratch: tokenizer, weights, loss curve.

python -m icl_gen.pretrain --config=configs/pretrain.py:nano
"""

import functools
import pathlib
from collections.abc import Sequence
from typing import Any

import ml_collections

from icl_gen import assets, cli, processes, signals
from icl_gen.pretraining import (
  curriculum,
  episodes,
  stream,
  told,
  vocabulary,
)
from icl_gen.runs import directories, experiments, models, pretrainings
from icl_gen.runs.stage import Stage
from icl_gen.storage import files, working_copies
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
  for flag in ('drawn', 'spelt'):
    if not 0 <= config[flag] <= 1:
      raise ValueError(f'--config.{flag}={config[flag]}; give 0 to 1')
  directories.require_name(config.run, flag='run')
  entities = told.Told(**config.entities.to_dict())
  told.require_possible(entities, flag='entities')
  lessons = curriculum.read(
    {name: phase.to_dict() for name, phase in config.stages.items()},
    {
      'modes': config.modes.to_dict(),
      'document_weight': config.document_weight,
      'forms': config.forms,
      'drawn': config.drawn,
      'spelt': config.spelt,
      'reversals': config.reversals,
      'told': entities,
    },
  )
  for lesson in lessons:
    is_own = 'reversals' in config.stages[lesson.name]
    episodes.require_families(
      lesson.stage.families,
      reversals=lesson.stage.reversals,
      flag=f'stages.{lesson.name}.reversals' if is_own else 'reversals',
    )
  stage = pretrainings.stage(config.to_dict(), workdir)
  stage.complete(lambda: _pretrain(config, stage, lessons))


def _pretrain(
  config: ml_collections.FrozenConfigDict,
  stage: Stage,
  lessons: Sequence[curriculum.Lesson],
) -> None:
  # Imported here, so that mistakes and finished work answer at once.
  with signals.importing():
    from icl_gen.model import checkpoints, registry, sharding
    from icl_gen.training import (
      apart,
      metrics,
      optimizer,
      step,
      stopping,
      teaching,
    )
    from icl_gen.training.plan import Plan

  name, hyper, directory = config.model, config.optimizer, stage.directory
  module = registry.make_module(name)
  registry.require_vocabulary(name, module, pieces=config.vocabulary)
  clip, decay = hyper.clip, hyper.weight_decay
  updates = functools.partial(
    optimizer.make_optimizer, hyper.name, weight_decay=decay, clip=clip
  )
  phases = [lesson.stage for lesson in lessons]
  schedule = teaching.schedule(
    lessons, warmup_steps=hyper.warmup_steps, is_fixed=not config.check_every
  )
  plan = Plan(sharding.make_training_mesh(rows=min(p.rows for p in phases)))
  state = step.make_state(_weights(config, module), updates(schedule(0, 0)))
  state = sharding.replicate(plan.mesh, state)

  stage.begin()
  saved = apart.opened(stage.checkpoints)
  is_begun = saved.latest() is not None
  tokenizer = _tokenizer(config, stage, is_begun=is_begun)
  state, position = saved.restore(state) if is_begun else (state, {})

  steps, done = sum(phase.steps for phase in phases), int(state.step)
  writer = metrics.Writer(
    directory, name=directory.name, steps=steps, done=done
  )
  teacher = teaching.Teacher(
    lessons,
    tokenizer,
    teaching.make_predict(module, plan),
    tokens=config.check_tokens,
    on_values=writer.write_skills,
  )
  teacher.restore(position, step=done)
  try:
    state = teaching.teach(
      teacher,
      state,
      make_step=lambda lesson, begun: step.make_step(
        module, updates(schedule(lesson, begun)), plan
      ),
      batches=lambda phase, first: stream.batches(
        phase, tokenizer, seed=config.stream, first_step=first
      ),
      check_every=config.check_every,
      place=lambda batch: sharding.split_rows(plan.mesh, batch),
      report_every=config.report_every,
      save_every=config.save_every,
      on_report=lambda number, values: writer.write(
        number, _with_time_left(phases, number, values)
      ),
      on_save=lambda number, state: saved.save(
        number, state, {'step': number} | teacher.state()
      ),
      asked=stopping.make_asked(plan.mesh),
    )
  finally:  # of a run that is interrupted, too
    saved.wait()
  writer.close()
  checkpoints.save_params(stage.result, state.params)
  saved.close()
  stage.finish()
  print(f'pretrained {directory.name}, weights: {stage.result}', flush=True)


def _weights(config: ml_collections.FrozenConfigDict, module: Any) -> Any:
  """New weights, or those that training starts from."""
  from icl_gen.model import initialisation, loading

  if config.start:
    checkpoint = pretrainings.started_from(config)
    return loading.load(config.model, checkpoint=checkpoint).params
  params = initialisation.make_params(module, seed=config.seed)
  return initialisation.scaled_to_unit(params)


def _tokenizer(
  config: ml_collections.FrozenConfigDict, stage: Stage, *, is_begun: bool
) -> tokens.Tokenizer:
  """Makes the tokenizer, or loads that of a run that has a checkpoint.

  Without one, it may be from settings that were changed since.
  """
  path = pretrainings.tokenizer(stage)
  if processes.is_first() and not (is_begun and path.exists()):
    with files.atomic_write(path) as partial:
      partial.write_bytes(_pieces(config))
  working_copies.share(path)
  return tokens.load(path)


def _pieces(config: ml_collections.FrozenConfigDict) -> bytes:
  """The model of a new tokenizer, or of that of the weights it starts from."""
  if not config.start:
    return vocabulary.train(size=config.vocabulary, seed='vocabulary')
  given = assets.tokenizer('', checkpoint=pretrainings.started_from(config))
  return pathlib.Path(given or assets.path('tokenizer.model')).read_bytes()


def _with_time_left(
  phases: Sequence[stream.Stage], number: int, values: dict[str, float]
) -> dict[str, float]:
  return values | {'eta_seconds': _seconds_left(phases, number, values)}


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
