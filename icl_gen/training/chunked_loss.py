"""Weighted cross-entropy with next tokens, or with distributions of them.

It is computed in chunks of tokens, so that B x L x V logits never exist: for 8
rows of 1,024 tokens and Gemma 3's 262,144 pieces they would take 8 GiB. A
chunk's logits give its share of the loss and, while they are there, of the
gradients, so that they are not computed again.

The table stays split over devices: those that share one ('fsdp') gather a
chunk's hidden states instead, each for its own pieces. For gemma3_4b the
gradient of a whole table alone would take 2.5 GiB on every device.
"""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from icl_gen.model import attention, sharding
from icl_gen.training import gathering, plan
from icl_gen.types import Targets

# Of places: the ids of their tokens; or of their distributions, with shares.
Wanted = tuple[jax.Array, ...]


@dataclasses.dataclass(frozen=True)
class _Head:
  """What does not change between chunks.

  Attributes:
    mesh: the devices; None: one.
    dtype: in which the model computes.
    soft_cap: of the final logits, or None.
    chunk: positions per chunk; None: suits the device.
    frozen: whether the table gets no gradient.
  """

  mesh: Mesh | None
  dtype: np.dtype[Any]
  soft_cap: float | None
  chunk: int | None
  frozen: bool

  @property
  def pieces(self) -> tuple[str, ...]:
    """The axes of the mesh along which devices have different pieces."""
    if self.mesh is None:
      return ()
    return tuple(
      name for name in ('model', 'fsdp') if self.mesh.shape[name] > 1
    )

  @property
  def sharing(self) -> int:
    """How many devices with rows of their own share a table."""
    return 1 if self.mesh is None else self.mesh.shape['fsdp']


def next_token_loss(
  module: Any,
  table_VxD: jax.Array,
  hidden_BxLxD: jax.Array,
  tokens_BxL: jax.Array,
  weights_BxL: jax.Array,
  targets: Targets | None = None,
  *,
  mesh: Mesh | None = None,
  chunk: int | None = None,
  frozen: bool = False,
) -> tuple[jax.Array, jax.Array]:
  """Mean negative log-likelihood per unit of weight, in nats.

  Of a distribution over tokens, it is the mean over that distribution: the
  cross-entropy. A distribution that is all on one token is that token.

  Aligned rows (the hidden state at l predicts token l + 1):
    tokens:  bos  the  cat  sat  pad
    weights:  0    1    1    1    0
    hidden:   >the >cat >sat  .    .

  Args:
    module: from `registry.make_module`.
    table_VxD: its embedding table, in float32.
    hidden_BxLxD: final hidden states, in the module's dtype.
    tokens_BxL: int32.
    weights_BxL: float32 weight of predicting each token; column 0 is unused.
    targets: distributions, aligned like the tokens; None: the tokens.
    mesh: the devices; None: one.
    chunk: positions per chunk; None: suits the device.
    frozen: whether the table gets no gradient.

  Returns:
    (loss, total weight), float32 scalars; the loss is 0 if no token has weight.
  """
  # Of the token after each, where there is one.
  weights = jnp.pad(weights_BxL[:, 1:], ((0, 0), (0, 1)))
  total = jnp.sum(weights)
  mesh = None if mesh is None or mesh.size == 1 else mesh
  soft_cap = module.config.final_logit_softcap
  head = _Head(mesh, module.dtype, soft_cap, chunk, frozen)
  wanted: Wanted = (tokens_BxL,)
  if targets is not None:
    wanted = targets.ids_BxLxK, targets.shares_BxLxK
  mean = _sum_of_losses(
    head,
    table_VxD,
    hidden_BxLxD,
    tuple(jnp.roll(x, -1, axis=1) for x in wanted),
    weights / jnp.maximum(total, 1e-6),
  )
  return mean, total


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _sum_of_losses(
  head: _Head,
  table_VxD: jax.Array,
  hidden_BxLxD: jax.Array,
  wanted: Wanted,
  weights_BxL: jax.Array,
) -> jax.Array:
  return _with_gradients(head, table_VxD, hidden_BxLxD, wanted, weights_BxL)[0]


def _forward(head: _Head, *inputs: Any) -> tuple[jax.Array, Any]:
  found, *gradients = _with_gradients(head, *inputs)
  return found, gradients


def _backward(head: _Head, gradients: Any, scale: jax.Array) -> tuple[Any, ...]:
  d_table, d_hidden = ((g * scale).astype(g.dtype) for g in gradients)
  return None if head.frozen else d_table, d_hidden, None, None


_sum_of_losses.defvjp(_forward, _backward)


def _with_gradients(
  head: _Head, *inputs: Any
) -> tuple[jax.Array, jax.Array, jax.Array]:
  """The loss, and its gradients with respect to table and hidden states."""
  of_device = functools.partial(_of_device, head)
  if head.mesh is None:
    return of_device(*inputs)
  table, rows = gathering.table_spec(head.mesh), jax.P(sharding.ROWS)
  return jax.shard_map(
    of_device,
    mesh=head.mesh,
    in_specs=(table, rows, rows, rows),
    out_specs=(jax.P(), table, rows),
    check_vma=False,
  )(*inputs)


def _of_device(
  head: _Head,
  table_VxD: jax.Array,
  hidden_BxLxD: jax.Array,
  wanted: Wanted,
  weights_BxL: jax.Array,
) -> tuple[jax.Array, jax.Array, jax.Array]:
  master = table_VxD.dtype
  table_VxD = table_VxD.astype(head.dtype)
  V = table_VxD.shape[0]  # of this device
  first = V * jax.lax.axis_index(head.pieces) if head.pieces else 0
  B, L, D = hidden_BxLxD.shape
  size = head.chunk or plan.chunk(rows=B * head.sharing, length=L, vocabulary=V)
  size = min(size, L)
  count = -(-L // size)

  def chunked(x: jax.Array) -> jax.Array:
    """[B, L, ...] as [chunks, B x size, ...]; padding has no weight."""
    more = ((0, 0), (0, count * size - L), *((0, 0),) * (x.ndim - 2))
    parts = jnp.pad(x, more).reshape(B, count, size, *x.shape[2:])
    return jnp.moveaxis(parts, 1, 0).reshape(count, B * size, *x.shape[2:])

  def step(
    sums: tuple[jax.Array, jax.Array], inputs: Any
  ) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
    loss, d_table = sums
    hidden_TxD, (ids, *shares), weights_T = jax.tree.map(
      lambda x: _gathered(head, x), inputs
    )
    more, d_logits_TxV = _of_chunk(
      head, table_VxD, hidden_TxD, (ids - first, *shares), weights_T
    )
    d_hidden_TxD = jnp.einsum(
      'TV,VD->TD', d_logits_TxV, table_VxD, preferred_element_type=jnp.float32
    )
    d_hidden_TxD = _scattered(head, d_hidden_TxD)
    if not head.frozen:
      d_table += jnp.einsum(
        'TV,TD->VD',
        d_logits_TxV,
        hidden_TxD,
        preferred_element_type=jnp.float32,
      )
    return (loss + more, d_table), d_hidden_TxD.astype(hidden_TxD.dtype)

  shape = (0, D) if head.frozen else table_VxD.shape
  (loss, d_table), d_hidden = jax.lax.scan(
    step,
    (jnp.zeros((), jnp.float32), jnp.zeros(shape, jnp.float32)),
    jax.tree.map(chunked, (hidden_BxLxD, wanted, weights_BxL)),
  )
  d_hidden_BxLxD = jnp.moveaxis(
    d_hidden.reshape(count, B, size, D), 0, 1
  ).reshape(B, count * size, D)[:, :L]
  if head.mesh is not None:
    loss, d_table = jax.lax.psum((loss, d_table), 'data')
  return loss, d_table.astype(master), d_hidden_BxLxD


def _gathered(head: _Head, x_T: jax.Array) -> jax.Array:
  """A chunk of all devices that share a table."""
  if head.sharing == 1:
    return x_T
  return jax.lax.all_gather(x_T, 'fsdp', axis=0, tiled=True)


def _scattered(head: _Head, x_TxD: jax.Array) -> jax.Array:
  """Sums over all pieces, and gives each device its own part of a chunk."""
  if 'model' in head.pieces:
    x_TxD = jax.lax.psum(x_TxD, 'model')
  if head.sharing == 1:
    return x_TxD
  return jax.lax.psum_scatter(x_TxD, 'fsdp', scatter_dimension=0, tiled=True)


def _of_chunk(
  head: _Head,
  table_VxD: jax.Array,
  hidden_TxD: jax.Array,
  wanted: Wanted,
  weights_T: jax.Array,
) -> tuple[jax.Array, jax.Array]:
  """The weighted loss of a chunk, and its gradient with respect to logits."""
  logits_TxV = attention.capped(
    jnp.einsum(
      'TD,VD->TV', hidden_TxD, table_VxD, preferred_element_type=jnp.float32
    ),
    head.soft_cap,
  )
  top_T = jnp.max(logits_TxV, axis=1)
  if head.pieces:
    top_T = jax.lax.pmax(top_T, head.pieces)
  weights_TxV = jnp.exp(logits_TxV - top_T[:, None])
  sums_T = jnp.sum(weights_TxV, axis=1)
  shares_TxV, chosen_T = _chosen(logits_TxV, *wanted)
  if head.pieces:
    sums_T, chosen_T = jax.lax.psum((sums_T, chosen_T), head.pieces)
  losses_T = jnp.log(sums_T) + top_T - chosen_T
  d_logits_TxV = (weights_TxV / sums_T[:, None] - shares_TxV) * weights_T[
    :, None
  ]
  if head.soft_cap is not None:
    d_logits_TxV *= 1.0 - jnp.square(logits_TxV / head.soft_cap)
  return jnp.sum(losses_T * weights_T), d_logits_TxV.astype(head.dtype)


def _chosen(
  logits_TxV: jax.Array, ids: jax.Array, shares_TxK: jax.Array | None = None
) -> tuple[jax.Array, jax.Array]:
  """What each piece has of a target, [T, V], and the targets' mean logits.

  Args:
    logits_TxV: of the pieces of this device.
    ids: int32[T], or with shares int32[T, K]; others may be other devices'.
    shares_TxK: see `Targets`.
  """
  if shares_TxK is None:
    pieces_TxV = jax.lax.broadcasted_iota(jnp.int32, logits_TxV.shape, 1)
    is_target_TxV = pieces_TxV == ids[:, None]
    chosen_TxV = jnp.where(is_target_TxV, logits_TxV, 0.0)
    return is_target_TxV, jnp.sum(chosen_TxV, axis=1)
  shares_TxV = over_pieces(ids, shares_TxK, pieces=logits_TxV.shape[1])
  return shares_TxV, jnp.sum(shares_TxV * logits_TxV, axis=1)


def over_pieces(ids: jax.Array, shares: jax.Array, *, pieces: int) -> jax.Array:
  """Distributions as float32[..., V], from the tokens that have a share.

  Args:
    ids: int32[..., K]; those that are not from 0 to V - 1 are left out.
    shares: float32[..., K].
    pieces: V.
  """
  *lead, K = ids.shape
  ids_TxK = ids.reshape(-1, K)
  T = ids_TxK.shape[0]
  # Negative indices would count from the end.
  is_inside = (ids_TxK >= 0) & (ids_TxK < pieces)
  ids_TxK = jnp.where(is_inside, ids_TxK, pieces)
  shares_TxV = (
    jnp.zeros((T, pieces), jnp.float32)
    .at[jnp.arange(T)[:, None], ids_TxK]
    .add(shares.reshape(-1, K), mode='drop')
  )
  return shares_TxV.reshape(*lead, pieces)
