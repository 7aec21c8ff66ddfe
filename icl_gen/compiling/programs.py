"""The programs of each stage, compiled for devices that need not be there."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import jax

from icl_gen.compiling import report
from icl_gen.compiling.topology import Topology
from icl_gen.model import flops, prefix, sharding
from icl_gen.runs import models
from icl_gen.runs.experiments import Experiment
from icl_gen.sampling import sampler
from icl_gen.scoring import scorer
from icl_gen.training import fine_tuning, limits, placement

# Name of a program, and what the compiler says about it.
Told = Iterator[tuple[str, dict[str, Any]]]


def train(
  experiment: Experiment,
  module: Any,
  params: Any,
  found: Topology,
) -> Told:
  """The step of `train`."""
  settings = experiment.train
  rows, length = settings.batch_size, settings.length
  if not length:
    raise ValueError(
      '--config.train.length=0 follows from the documents, which are not read'
      ' here; give their tokens per row'
    )
  if settings.targets != 'tokens':
    raise ValueError(
      f'--config.train.targets={settings.targets!r} follows from what an'
      " augmentation stored, which is not read here; give 'tokens', whose step"
      ' has the same rows'
    )
  limits.require_sensible(dataclasses.asdict(settings), model=experiment.model)
  plan = fine_tuning.make_plan(settings, found.devices)
  lower, state, frozen = fine_tuning.lower(module, params, settings, plan)
  yield (
    'step',
    {
      'mesh': dict(plan.mesh.shape),
      'settings': dataclasses.asdict(settings),
      'placements': report.placements({**state.params, **frozen}),
      'weight_bytes': report.shard_bytes((state.params, frozen)),
      'optimizer_bytes': report.shard_bytes(state.opt_state),
      'gradient_bytes': report.shard_bytes(state.params),
      'trained_parameters': sum(
        leaf.size for leaf in jax.tree.leaves(state.params)
      ),
      **report.facts(
        report.compiled(lower),
        found,
        tokens=rows * length,
        model_flops=flops.of_training(module, params, rows=rows, length=length),
      ),
    },
  )


def evaluate(
  experiment: Experiment,
  module: Any,
  params: Any,
  found: Topology,
) -> Told:
  """The encoding of a context, and a pass of questions after it."""
  scoring = experiment.scoring
  mesh = sharding.make_mesh(
    data=scoring.data, model=scoring.model, devices=found.devices
  )
  weights = _on_mesh(mesh, module, params)
  shared, told = _context(experiment, module, weights, found, scoring.core)
  yield from told
  lowered, tokens = scorer.lower(module, weights, shared, mesh)
  compiled = report.compiled(lambda: lowered)
  yield 'pass', _facts(compiled, found, weights, tokens)


def augment(
  experiment: Experiment,
  module: Any,
  params: Any,
  found: Topology,
) -> Told:
  """The encoding of a context, and a batch of completions after it."""
  mesh = sharding.make_mesh(data=1, model=1, devices=found.devices)
  weights = _on_mesh(mesh, module, params)
  shared, told = _context(experiment, module, weights, found, 'auto')
  yield from told
  lowered, tokens = sampler.lower(
    module,
    weights,
    shared,
    prompt=sampler.PROMPT_BUCKET,
    max_tokens=experiment.augment.max_tokens,
  )
  compiled = report.compiled(lambda: lowered)
  yield 'batch', _facts(compiled, found, weights, tokens)


STAGES: dict[str, Callable[..., Told]] = {
  'train': train,
  'evaluate': evaluate,
  'augment': augment,
}


def _on_mesh(mesh: jax.sharding.Mesh, module: Any, params: Any) -> Any:
  places = sharding.shardings(mesh, module, params)
  return placement.with_shardings(params, places)


def _context(
  experiment: Experiment,
  module: Any,
  weights: Any,
  found: Topology,
  core: str,
) -> tuple[Any, list[tuple[str, dict[str, Any]]]]:
  """The shapes of an encoded context, and what is told of its encoding."""
  length = experiment.context.budget
  if not length:
    return None, []
  models.require_room(experiment.model, tokens=length, what='the context')
  lowered, shapes = prefix.lower(module, weights, length=length, core=core)
  compiled = report.compiled(lambda: lowered)
  if compiled.program is not None:
    shapes = placement.with_shardings(shapes, compiled.program.output_shardings)
  facts = _facts(compiled, found, weights, length)
  return shapes, [('context', facts)]


def _facts(
  compiled: report.Compiled,
  found: Topology,
  weights: Any,
  tokens: int,
) -> dict[str, Any]:
  return {
    'placements': report.placements(weights),
    'weight_bytes': report.shard_bytes(weights),
    **report.facts(
      compiled,
      found,
      tokens=tokens,
      model_flops=flops.of_forward(weights, tokens=tokens),
    ),
  }
