"""The loss of `training.chunked_loss`, from all logits at once."""

import jax
import jax.numpy as jnp

from icl_gen.training.chunked_loss import over_pieces
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
