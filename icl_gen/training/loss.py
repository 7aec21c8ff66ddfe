"""Weighted next-token cross-entropy."""

import jax
import jax.numpy as jnp


def next_token_loss(
  logits_BxLxV: jax.Array, tokens_BxL: jax.Array, weights_BxL: jax.Array
) -> tuple[jax.Array, jax.Array]:
  """Mean negative log-likelihood per unit of weight, in nats.

  Aligned rows (the logits at l predict token l + 1):
    tokens:  bos  the  cat  sat  pad
    weights:  0    1    1    1    0
    logits:   >the >cat >sat  .    .

  Args:
    logits_BxLxV: float32.
    tokens_BxL: int32.
    weights_BxL: float32 weight of predicting each token; column 0 is unused.

  Returns:
    (loss, total weight), float32 scalars; the loss is 0 if no token has weight.
  """
  targets = tokens_BxL[:, 1:, None]
  weights = weights_BxL[:, 1:]
  logits = logits_BxLxV[:, :-1]
  # A masked sum instead of a gather, whose gradient would be a slow scatter.
  vocabulary = jax.lax.broadcasted_iota(jnp.int32, logits.shape, 2)
  target_logits = jnp.sum(jnp.where(vocabulary == targets, logits, 0.0), -1)
  losses = jax.nn.logsumexp(logits, axis=-1) - target_logits
  total = jnp.sum(weights)
  return jnp.sum(losses * weights) / jnp.maximum(total, 1e-6), total
