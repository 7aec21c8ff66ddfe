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

from icl_gen.model import forward, precision
from icl_gen.model.lora import Lora
from icl_gen.model.parameters import Params
from icl_gen.training import chunked_loss, hidden, placement
from icl_gen.training.plan import Plan
from icl_gen.types import Batch, Targets

# Not in `types`, which is imported without JAX.
for _record in (Batch, Targets):
  jax.tree_util.register_dataclass(
    _record,
    data_fields=[field.name for field in dataclasses.fields(_record)],
    meta_fields=[],
  )


@struct.dataclass
class State:
  """The state of a training run.

  Attributes:
    step: int32 scalar, number of steps taken.
    params: those that are trained, in float32, whatever the model's dtype. A
      bfloat16 weight has 8 bits, so updates smaller than half of the last bit
      would be rounded away: at a learning rate of 1e-5, 99 % of the weights
      never moved.
    opt_state: the optimizer's state, float32 too.
  """

  step: jax.Array
  params: Params
  opt_state: Any


Step = Callable[..., tuple[State, dict[str, jax.Array]]]


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


# Otherwise gradients of split matrices are computed part by part, one for each
# device, to overlap with what is sent: products too narrow for a matrix unit.
_ON_TPU = {'xla_tpu_enable_windowed_einsum_for_reduce_scatter': 'false'}


def make_step(
  module: Any,
  optimizer: optax.GradientTransformation,
  plan: Plan,
  *,
  lora: Lora | None = None,
) -> Step:
  """A jitted step(state, batch) -> (state, metrics) that donates the state.

  The module computes in its own dtype; gradients are with respect to the
  state's float32 parameters. Metrics are float32 scalars: loss (nats per unit
  of weight), weight, grad_norm (before clipping).

  Args:
    module: from `registry.make_module`.
    optimizer: from `optimizer.make_optimizer`.
    plan: the devices, and how to compute on them.
    lora: what the state's parameters are adapters of. None: they are the
      model's.

  Returns:
    the step; what the state does not have of the model's parameters is its
    third argument.
  """

  @functools.partial(
    jax.jit, donate_argnums=0, compiler_options=_compiler_options(plan)
  )
  @precision.of(module.dtype)
  def step(
    state: State, batch: Batch, frozen: Params = None
  ) -> tuple[State, dict[str, jax.Array]]:
    batch_loss = functools.partial(
      _batch_loss, module, frozen=frozen, plan=plan, lora=lora
    )
    value, weight, grads = _gradients(
      batch_loss, state.params, batch, microbatches=plan.microbatches
    )
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    metrics = {
      'loss': value,
      'weight': weight,
      'grad_norm': optax.tree.norm(grads),
    }
    after = State(state.step + 1, params, opt_state)
    if plan.is_split:
      places = placement.shardings(module, plan.mesh, after)
      after = jax.lax.with_sharding_constraint(after, places)
    return after, metrics

  return step


def _compiler_options(plan: Plan) -> dict[str, str]:
  if plan.mesh.devices.flat[0].platform != 'tpu':
    return {}
  return _ON_TPU


def _gradients(
  batch_loss: Callable[..., tuple[jax.Array, jax.Array]],
  masters: Params,
  batch: Batch,
  *,
  microbatches: int,
) -> tuple[jax.Array, jax.Array, Params]:
  """The loss of a batch, its total weight, and the gradients."""
  if microbatches == 1:
    (value, weight), grads = jax.value_and_grad(batch_loss, has_aux=True)(
      masters, batch
    )
    return value, weight, grads
  total = jnp.sum(batch.weights_BxL[:, 1:])

  def share(masters: Params, part: Batch) -> jax.Array:
    # A part counts by its weight, so parts with few tokens count less.
    value, weight = batch_loss(masters, part)
    return value * weight / jnp.maximum(total, 1e-6)

  def add(sums: Any, part: Batch) -> tuple[Any, None]:
    found = jax.value_and_grad(share)(masters, part)
    return jax.tree.map(jnp.add, sums, found), None

  nothing = jnp.zeros(()), jax.tree.map(jnp.zeros_like, masters)
  parts = jax.tree.map(lambda x: _parts(x, microbatches), batch)
  (value, grads), _ = jax.lax.scan(add, nothing, parts)
  return value, total, grads


def _parts(x: jax.Array, count: int) -> jax.Array:
  """[count, B / count, ...] of [B, ...]; a part has rows of every device."""
  B, *rest = x.shape
  return jnp.swapaxes(x.reshape(B // count, count, *rest), 0, 1)


def _batch_loss(
  module: Any,
  masters: Params,
  batch: Batch,
  *,
  frozen: Params,
  plan: Plan,
  lora: Lora | None,
) -> tuple[jax.Array, jax.Array]:
  """(loss, total weight) of a batch."""
  tokens, weights = batch.tokens_BxL, batch.weights_BxL
  frozen = frozen or {}
  params = {**frozen, **masters} if lora is None else frozen
  adapters = None if lora is None else masters
  table_VxD = params['embedder']['input_embedding']
  (B, L), V = tokens.shape, table_VxD.shape[0]
  is_plain = forward.is_dense(module) and plan.is_plain(
    rows=B, length=L, vocabulary=V
  )
  if lora is None and is_plain:
    return _plain_loss(module, params, batch, plan)
  hidden_BxLxD = hidden.hidden_states(
    module, params, batch, plan, adapters=adapters, lora=lora
  )
  return chunked_loss.next_token_loss(
    module,
    table_VxD,
    hidden_BxLxD,
    tokens,
    weights,
    batch.targets,
    mesh=plan.mesh,
    frozen='embedder' in frozen,
  )


def _plain_loss(
  module: Any, params: Params, batch: Batch, plan: Plan
) -> tuple[jax.Array, jax.Array]:
  """`_batch_loss` as is fastest for small models on one device."""
  params = _cast(params, module.dtype)
  tokens, positions = batch.tokens_BxL, batch.positions_BxL
  attend = forward.within_batch(positions, batch.segments_BxL, mesh=plan.mesh)
  hidden_BxLxD, _ = forward.forward(
    module,
    params,
    tokens,
    positions,
    attend,
    settled=plan.mesh.devices.flat[0].platform == 'cpu',
  )
  return chunked_loss.next_token_loss(
    module,
    params['embedder']['input_embedding'],
    hidden_BxLxD,
    tokens,
    batch.weights_BxL,
    batch.targets,
  )
