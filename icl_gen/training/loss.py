"""Weighted cross-entropy with next tokens, or with distributions of them."""

import jax
import jax.numpy as jnp

from icl_gen.types import Targets


def next_token_loss(
  logits_BxLxV: jax.Array,
  tokens_BxL: jax.Array,
  weights_BxL: jax.Array,
  targets: Targets | None = None,
) -> tuple[jax.Array, jax.Array]:
  """Mean negative log-likelihood per unit of weight, in nats.

  Of a distribution over tokens, it is the mean over that distribution: the
  cross-entropy. A distribution that is all on one token is that token.

  Aligned rows (the logits at l predict token l + 1):
    tokens:  bos  the  cat  sat  pad
    weights:  0    1    1    1    0
    logits:   >the >cat >sat  .    .

  Args:
    logits_BxLxV: float32.
    tokens_BxL: int32.
    weights_BxL: float32 weight of predicting each token; column 0 is unused.
    targets: distributions, aligned like the tokens; None: the tokens.

  Returns:
    (loss, total weight), float32 scalars; the loss is 0 if no token has weight.
  """
  weights = weights_BxL[:, 1:]
  logits = logits_BxLxV[:, :-1]
  # A masked sum instead of a gather, whose gradient would be a slow scatter.
  if targets is None:
    vocabulary = jax.lax.broadcasted_iota(jnp.int32, logits.shape, 2)
    is_target = vocabulary == tokens_BxL[:, 1:, None]
    target_logits = jnp.sum(jnp.where(is_target, logits, 0.0), -1)
  else:
    shares = over_pieces(
      targets.ids_BxLxK[:, 1:],
      targets.shares_BxLxK[:, 1:],
      pieces=logits.shape[-1],
    )
    target_logits = jnp.sum(shares * logits, -1)
  losses = jax.nn.logsumexp(logits, axis=-1) - target_logits
  total = jnp.sum(weights)
  return jnp.sum(losses * weights) / jnp.maximum(total, 1e-6), total


def of_hidden(
  hidden_BxLxD: jax.Array,
  table_VxD: jax.Array,
  tokens_BxL: jax.Array,
  weights_BxL: jax.Array,
) -> tuple[jax.Array, jax.Array]:
  """`next_token_loss` from hidden states, with a gradient that is written out.

  Without soft cap, in float32; all logits exist at once. The last position of a
  row predicts nothing, and has no logits.

  Args:
    hidden_BxLxD: float32, final hidden states.
    table_VxD: float32, the embedding table.
    tokens_BxL: int32.
    weights_BxL: float32 weight of predicting each token; column 0 is unused.

  Returns:
    as `next_token_loss`.
  """
  weights = weights_BxL[:, 1:].reshape(-1)
  total = jnp.sum(weights)
  value = _cross_entropy(
    hidden_BxLxD[:, :-1].reshape(-1, hidden_BxLxD.shape[-1]),
    table_VxD,
    tokens_BxL[:, 1:].reshape(-1),
    weights / jnp.maximum(total, 1e-6),
  )
  return value, total


@jax.custom_vjp
def _cross_entropy(
  hidden_TxD: jax.Array,
  table_VxD: jax.Array,
  targets_T: jax.Array,
  weights_T: jax.Array,
) -> jax.Array:
  """The weighted sum of the targets' negative log-likelihoods."""
  return _kept(hidden_TxD, table_VxD, targets_T, weights_T)[0]


def _kept(
  hidden_TxD: jax.Array,
  table_VxD: jax.Array,
  targets_T: jax.Array,
  weights_T: jax.Array,
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
  logits_TxV = jnp.einsum('TD,VD->TV', hidden_TxD, table_VxD)
  lse_T = jax.nn.logsumexp(logits_TxV, axis=-1)
  is_target = _is_target(logits_TxV, targets_T)
  found_T = jnp.sum(jnp.where(is_target, logits_TxV, 0.0), axis=-1)
  kept = hidden_TxD, table_VxD, targets_T, weights_T, logits_TxV, lse_T
  return jnp.sum((lse_T - found_T) * weights_T), kept


def _gradient(
  kept: tuple[jax.Array, ...], cotangent: jax.Array
) -> tuple[jax.Array, jax.Array, None, None]:
  hidden_TxD, table_VxD, targets_T, weights_T, logits_TxV, lse_T = kept
  probs_TxV = jnp.exp(logits_TxV - lse_T[:, None])
  off_TxV = probs_TxV - _is_target(logits_TxV, targets_T)
  # Computed once, for both products; and of the larger one, not transposed.
  of_logits_TxV = jax.lax.optimization_barrier(
    off_TxV * (weights_T * cotangent)[:, None]
  )
  of_table_DxV = jax.lax.optimization_barrier(
    jnp.einsum('TD,TV->DV', hidden_TxD, of_logits_TxV)
  )
  of_hidden_TxD = jnp.einsum('TV,VD->TD', of_logits_TxV, table_VxD)
  return of_hidden_TxD, of_table_DxV.T, None, None


_cross_entropy.defvjp(_kept, _gradient)


def _is_target(logits_TxV: jax.Array, targets_T: jax.Array) -> jax.Array:
  # A mask, as the gradient of a gather would be a slow scatter.
  pieces = jax.lax.broadcasted_iota(jnp.int32, logits_TxV.shape, 1)
  return pieces == targets_T[:, None]


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
