"""Fine-tuning as its settings say: mesh, plan, optimizer and adapters.

The commands that train and those that compile take them from here, so that both
mean the same program.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import optax

from icl_gen.model import parameters, sharding
from icl_gen.model.lora import Lora
from icl_gen.model.parameters import Params
from icl_gen.runs.experiments import Training
from icl_gen.training import optimizer, placement, step
from icl_gen.training.plan import Plan
from icl_gen.training.step import State, Step

# What is frozen -> the blocks of the parameters that are not trained.
FREEZES: Mapping[str, tuple[str, ...]] = {
  'none': (),
  'embeddings': ('embedder',),
}


def make_plan(train: Training, devices: Sequence[Any] | None = None) -> Plan:
  """How the settings say that a step is computed.

  Args:
    train: the settings.
    devices: to compute on; None: all of this process's backend.

  Raises:
    ValueError: if rows or devices do not divide as the settings say.
  """
  rows, rest = divmod(train.batch_size, train.microbatches)
  if rest:
    raise ValueError(
      f'--config.train.batch_size={train.batch_size} rows cannot be split into'
      f' --config.train.microbatches={train.microbatches} parts: choose a'
      ' multiple'
    )
  mesh = sharding.make_training_mesh(
    rows=rows, fsdp=train.fsdp, model=train.model, devices=devices
  )
  return Plan(
    mesh=mesh,
    remat=train.remat,
    scan=train.scan,
    microbatches=train.microbatches,
  )


def make_optimizer(train: Training) -> optax.GradientTransformation:
  """The optimizer and schedule of the settings."""
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
    decay_on=train.decay_on,
    moments=train.moments,
  )


def make_lora(train: Training) -> Lora | None:
  """The adapters of the settings; None: all weights are trained.

  Raises:
    ValueError: for unknown targets, or an optimizer that cannot train adapters.
  """
  if train.lora_rank == 0:
    return None
  if train.optimizer == 'muon' or train.decay_on != 'all':
    raise ValueError(
      f'--config.train.optimizer={train.optimizer!r} and'
      f' --config.train.decay_on={train.decay_on!r} with'
      ' --config.train.lora_rank='
      f"{train.lora_rank}: adapters take 'adamw' or 'adafactor', and 'all'"
    )
  return Lora(train.lora_rank, train.lora_alpha, train.lora_on)


@dataclasses.dataclass(frozen=True)
class Run:
  """What a training run consists of.

  Attributes:
    state: before the first step; its parameters are those that are trained.
    step: (state, batch) -> (state, metrics), which donates the state.
    weights: from a state, the weights to save, in the module's dtype.
    lora: what the state's parameters are adapters of; None: they are weights.
  """

  state: State
  step: Step
  weights: Callable[[State], Params]
  lora: Lora | None


def start(
  module: Any, params: Params, train: Training, plan: Plan, *, seed: int
) -> Run:
  """Puts a run on the devices.

  Args:
    module: from `registry.make_module`.
    params: its parameters in any float dtype. They should be on the plan's mesh
      already, as they may not fit on one device.
    train: the settings.
    plan: from `make_plan`.
    seed: of new adapters.

  Raises:
    ValueError: as `make_lora` and `sharding.specs`.
  """
  lora, updates = make_lora(train), make_optimizer(train)
  trained, frozen = _parts(params, lora, train.freeze, seed=seed)
  train_step = step.make_step(module, updates, plan, lora=lora)
  return Run(
    state=make_state(module, trained, updates, plan.mesh),
    step=functools.partial(train_step, frozen=frozen) if frozen else train_step,
    weights=(
      _merging(lora, frozen)
      if lora is not None
      else lambda state: {**frozen, **step.weights(module, state)}
    ),
    lora=lora,
  )


def _parts(
  params: Params, lora: Lora | None, freeze: str, *, seed: int
) -> tuple[Params, Params]:
  """What is trained, and those of the parameters that are not."""
  if lora is not None:
    return lora.make(params, seed=seed), params
  names = FREEZES[freeze]
  return (
    {name: params[name] for name in params if name not in names},
    {name: params[name] for name in params if name in names},
  )


def _merging(lora: Lora, params: Params) -> Callable[[State], Params]:
  axes = parameters.axes(params)
  # The weights are an argument: as constants, they would be in the program.
  merge = jax.jit(lambda params, adapters: lora.merged(params, adapters, axes))
  return lambda state: merge(params, state.params)


def lower(
  module: Any, params: Params, train: Training, plan: Plan
) -> tuple[Callable[[], Any], State, Params]:
  """The program of a step, not compiled.

  Args:
    module: from `registry.make_module`.
    params: shapes of its parameters.
    train: the settings.
    plan: from `make_plan`.

  Returns:
    what gives `jax.jit(f).lower`'s result, the shapes of the state, and those
    of the parameters that are not trained ({}: all are), with shardings.

  Raises:
    ValueError: as `start`.
  """
  lora, updates = make_lora(train), make_optimizer(train)
  train_step: Any = step.make_step(module, updates, plan, lora=lora)
  batch = placement.batch_shapes(
    plan.mesh, rows=train.batch_size, length=train.length
  )
  trained, frozen = jax.eval_shape(
    lambda params: _parts(params, lora, train.freeze, seed=0), params
  )
  places = sharding.shardings(plan.mesh, module, frozen)
  frozen = placement.with_shardings(frozen, places)
  state = state_shapes(module, trained, updates, plan.mesh)
  return lambda: train_step.lower(state, batch, frozen), state, frozen


def state_shapes(
  module: Any,
  params: Params,
  optimizer: optax.GradientTransformation,
  mesh: jax.sharding.Mesh,
) -> State:
  """The shapes of the state before the first step, and where each part lives.

  Args:
    module: from `registry.make_module`.
    params: its parameters, or their shapes.
    optimizer: from `make_optimizer`.
    mesh: the devices.

  Raises:
    ValueError: as `sharding.specs`.
  """
  start = functools.partial(step.make_state, optimizer=optimizer)
  shapes = jax.eval_shape(start, params)
  places = placement.shardings(module, mesh, shapes)
  found: State = placement.with_shardings(shapes, places)
  return found


def make_state(
  module: Any,
  params: Params,
  optimizer: optax.GradientTransformation,
  mesh: jax.sharding.Mesh,
) -> State:
  """The state before the first step, on a mesh."""
  if mesh.size == 1:
    alone: State = sharding.replicate(mesh, step.make_state(params, optimizer))
    return alone
  shapes = state_shapes(module, params, optimizer, mesh)
  start = functools.partial(step.make_state, optimizer=optimizer)
  places = jax.tree.map(lambda leaf: leaf.sharding, shapes)
  split: State = jax.jit(start, out_shardings=places)(params)
  return split
