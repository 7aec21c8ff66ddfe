"""The training step: one jitted function from state and batch to state."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct

from icl_gen.model import forward, head
from icl_gen.model.parameters import Params
from icl_gen.training import loss
from icl_gen.types import Batch

# Not in `types`, which is imported without JAX.
jax.tree_util.register_dataclass(
  Batch,
  data_fields=[field.name for field in dataclasses.fields(Batch)],
  meta_fields=[],
)


@struct.dataclass
class State:
  """The state of a training run.

  Attributes:
    step: int32 scalar, number of steps taken.
    params: the parameters in float32, whatever the model's dtype. A bfloat16
      weight has 8 bits, so updates smaller than half of the last bit would be
      rounded away: at a learning rate of 1e-5, 99 % of the weights never moved.
    opt_state: the optimizer's state, float32 too.
  """

  step: jax.Array
  params: Params
  opt_state: Any


Step = Callable[[State, Batch], tuple[State, dict[str, jax.Array]]]


def make_state(
  params: Params, optimizer: optax.GradientTransformation
) -> State:
  """The state before the first step, from parameters of any float dtype."""
  masters = _cast(params, jnp.float32)
  return State(
    step=jnp.zeros((), jnp.int32),
    params=masters,
    opt_state=optimizer.init(masters),
  )


def weights(module: Any, state: State) -> Params:
  """The parameters in the module's dtype, in which it computes."""
  return _cast(state.params, module.dtype)


def _cast(params: Params, dtype: np.typing.DTypeLike) -> Params:
  return jax.tree.map(
    lambda leaf: leaf if leaf.dtype == dtype else leaf.astype(dtype), params
  )


def make_step(module: Any, optimizer: optax.GradientTransformation) -> Step:
  """A jitted step(state, batch) -> (state, metrics) that donates the state.

  The module computes in its own dtype; gradients are with respect to the
  state's float32 parameters. Metrics are float32 scalars: loss (nats per unit
  of weight), weight, grad_norm (before clipping).
  """

  def batch_loss(masters: Params, batch: Batch) -> tuple[jax.Array, jax.Array]:
    params = _cast(masters, module.dtype)
    positions, segments = batch.positions_BxL, batch.segments_BxL
    hidden_BxLxD, _ = forward.forward(
      module,
      params,
      batch.tokens_BxL,
      positions,
      forward.within_batch(positions, segments),
    )
    logits_BxLxV = head.logits(module, params, hidden_BxLxD)
    return loss.next_token_loss(
      logits_BxLxV, batch.tokens_BxL, batch.weights_BxL
    )

  @functools.partial(jax.jit, donate_argnums=0)
  def step(state: State, batch: Batch) -> tuple[State, dict[str, jax.Array]]:
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
