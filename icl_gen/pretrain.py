"""Pretrains a nano Gemma from nothing: tokenizer, weights, loss curve.

python -m icl_gen.pretrain --config=configs/pretrain.py:nano
"""

from icl_gen import cli
from icl_gen.model import (
  checkpoints,
  forward,
  initialisation,
  registry,
  sharding,
)
from icl_gen.pretraining import stream, vocabulary
from icl_gen.runs import directories
from icl_gen.storage import files
from icl_gen.text import tokens
from icl_gen.training import loop, mesh, metrics, optimizer, step


def run(config, workdir):
  """Writes <workdir>/pretrain/<model>/{tokenizer.model,params}."""
  name, hyper = config.model, config.optimizer
  loop.require_intervals(config)
  directory = workdir / 'pretrain' / name
  stages = [
    stream.Stage(
      **stage.to_dict(),
      modes=config.modes.to_dict(),
      document_weight=config.document_weight,
    )
    for _, stage in sorted(config.stages.items())
  ]
  directories.check(directory, 'pretrain', config.to_dict())
  if (directory / 'params').exists():
    return

  module = registry.make_module(name)
  registry.require_vocabulary(name, module, pieces=config.vocabulary)
  steps = sum(stage.steps for stage in stages)
  updates = optimizer.make_optimizer(
    hyper.name,
    optimizer.make_piecewise(
      [(stage.steps, *stage.learning_rate) for stage in stages],
      warmup_steps=hyper.warmup_steps,
    ),
    weight_decay=hyper.weight_decay,
    clip=hyper.clip,
  )
  devices = mesh.make_mesh(batch_size=min(stage.rows for stage in stages))
  params = forward.make_params(module, seed=config.seed)
  state = step.make_state(initialisation.scaled_to_unit(params), updates)
  state = mesh.replicate(devices, state)
  directories.claim(directory, 'pretrain', config.to_dict())
  vocabulary_path = directory / 'tokenizer.model'
  saved = checkpoints.Checkpoints(directory / 'checkpoints')
  # One without a state may be of settings that were mended since.
  if saved.latest() is None or not vocabulary_path.exists():
    with files.written_whole(vocabulary_path) as partial:
      partial.write_bytes(
        vocabulary.train(size=config.vocabulary, seed='vocabulary')
      )
  tokenizer = tokens.load(vocabulary_path)
  if saved.latest() is not None:
    state, _ = saved.restore(state)

  writer = metrics.Writer(
    directory, name=name, steps=steps, done=int(state.step)
  )
  train_step, done = step.make_step(module, updates), 0
  for stage in stages:
    begin, done = done, done + stage.steps
    first = max(begin, int(state.step))
    state = loop.loop(
      state,
      stream.batches(stage, tokenizer, seed=config.stream, first_step=first),
      train_step,
      place=lambda batch: sharding.split_rows(devices, batch),
      first_step=first,
      steps=done,
      report_every=config.report_every,
      save_every=config.save_every,
      on_report=lambda number, values: writer.write(
        number, values | {'eta_seconds': _seconds_left(stages, number, values)}
      ),
      on_save=lambda number, state: saved.save(number, state, {'step': number}),
    )
  writer.close()
  checkpoints.save_params(directory / 'params', state.params)
  saved.close()


def _seconds_left(stages, number: int, values: dict[str, float]) -> float:
  """Of all stages, not of this one: as long as tokens take now."""
  tokens = 0
  for stage in stages:
    taken = min(number, stage.steps)
    tokens += (stage.steps - taken) * stage.rows * stage.length
    number -= taken
  return tokens / values['tokens_per_second']


if __name__ == '__main__':
  cli.main(run)
