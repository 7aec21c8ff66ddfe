"""The training step: one jitted function from state and batch to state."""

import dataclasses
import functools
from typing import Any

import flax
import jax
import jax.numpy as jnp
import optax

from icl_gen.model import forward
from icl_gen.training import loss
from icl_gen.types import Batch

# `types` is read without JAX; here batches become trees of arrays.
jax.tree_util.register_dataclass(
  Batch,
  data_fields=[field.name for field in dataclasses.fields(Batch)],
  meta_fields=[],
)


@flax.struct.dataclass
class State:
  """What training carries along.

  Attributes:
    step: int32 scalar, number of steps taken.
    params: the gemma package's parameter tree, float32 whatever the model's
      dtype: a bfloat16 weight has 8 bits, and an update smaller than half of
      the last one would be rounded away, step after step.
    opt_state: the optimizer's, float32 as well.
  """

  step: jax.Array
  params: Any
  opt_state: Any


def make_state(params, optimizer: optax.GradientTransformation) -> State:
  """The state before the first step, of parameters of any float dtype."""
  masters = _cast(params, jnp.float32)
  return State(
    step=jnp.zeros((), jnp.int32),
    params=masters,
    opt_state=optimizer.init(masters),
  )


def weights(module, state: State):
  """The state's parameters in the module's dtype: what it computes with."""
  return _cast(state.params, module.dtype)


def _cast(params, dtype):
  return jax.tree.map(
    lambda leaf: leaf if leaf.dtype == dtype else leaf.astype(dtype), params
  )


def make_step(module, optimizer: optax.GradientTransformation):
  """Returns jitted step(state, batch) -> (state, metrics); state is donated.

  The module computes in its own dtype; gradients are those of the state's
  float32 parameters. Metrics are float32 scalars: loss (nats per unit of
  weight), weight, grad_norm.
  """

  def batch_loss(masters, batch: Batch):
    params = _cast(masters, module.dtype)
    positions, segments = batch.positions_BxL, batch.segments_BxL
    hidden_BxLxD, _ = forward.forward(
      module,
      params,
      batch.tokens_BxL,
      positions,
      forward.within_batch(positions, segments),
    )
    logits_BxLxV = forward.head(module, params, hidden_BxLxD)
    return loss.next_token_loss(
      logits_BxLxV, batch.tokens_BxL, batch.weights_BxL
    )

  @functools.partial(jax.jit, donate_argnums=0)
  def step(state: State, batch: Batch):
    (value, weight), grads = jax.value_and_grad(batch_loss, has_aux=True)(
      state.params, batch
    )
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    metrics = {
      'loss': value,
      'weight': weight,
      'grad_norm': optax.tree.norm(grads),
    }
    return State(state.step + 1, params, opt_state), metrics

  return step
