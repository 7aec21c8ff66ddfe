"""The loss is optax's cross-entropy, weighted."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from icl_gen.training import chunked_loss
from icl_gen.types import Targets
from tests import plain_loss

B, L, V = 3, 5, 7


def row():
  rng = np.random.default_rng(0)
  logits = 3 * rng.standard_normal((B, L, V)).astype(np.float32)
  tokens = rng.integers(0, V, (B, L)).astype(np.int32)
  weights = rng.choice([0.0, 0.2, 1.0], (B, L)).astype(np.float32)
  return logits, tokens, weights


def test_the_picture_of_the_docstring():
  """The logits at l predict token l + 1; a certain, right one costs 0."""
  bos, the, cat, sat, pad = range(5)
  tokens = np.int32([[bos, the, cat, sat, pad]])
  weights = np.float32([[0, 1, 1, 1, 0]])
  logits = np.full((1, 5, V), -50, np.float32)
  logits[0, [0, 1, 2], [the, cat, sat]] = 50
  found, total = plain_loss.next_token_loss(logits, tokens, weights)
  assert (float(found), float(total)) == (0.0, 3.0)
  logits[0, 1, cat], logits[0, 1, sat] = 0, 0
  logits[0, 1, 5:] = -50
  # One token of three is now uncertain between two.
  found, _ = plain_loss.next_token_loss(logits, tokens, weights)
  assert float(found) == pytest.approx(np.log(2) / 3)


def test_it_equals_the_cross_entropy_of_optax():
  logits, tokens, weights = row()
  found, total = plain_loss.next_token_loss(logits, tokens, weights)
  losses = optax.softmax_cross_entropy_with_integer_labels(
    jnp.asarray(logits[:, :-1]), jnp.asarray(tokens[:, 1:])
  )
  assert float(total) == pytest.approx(weights[:, 1:].sum())
  wanted = np.average(losses, weights=weights[:, 1:])
  assert float(found) == pytest.approx(wanted, rel=1e-6)


def test_a_distribution_costs_its_cross_entropy():
  logits, tokens, weights = row()
  rng = np.random.default_rng(1)
  shares_BxLxV = rng.dirichlet(np.ones(V), (B, L)).astype(np.float32)
  ids_BxLxV = np.argsort(rng.random((B, L, V))).astype(np.int32)
  targets = Targets(
    ids_BxLxV, np.take_along_axis(shares_BxLxV, ids_BxLxV, axis=-1)
  )
  found, _ = plain_loss.next_token_loss(logits, tokens, weights, targets)
  losses = optax.softmax_cross_entropy(
    jnp.asarray(logits[:, :-1]), jnp.asarray(shares_BxLxV[:, 1:])
  )
  wanted = np.average(losses, weights=weights[:, 1:])
  assert float(found) == pytest.approx(wanted, rel=1e-6)


def test_ids_out_of_range_have_no_piece():
  ids, shares = jnp.int32([[-1, 2, 3]]), jnp.float32([[0.5, 0.3, 0.2]])
  found = chunked_loss.over_pieces(ids, shares, pieces=3)
  np.testing.assert_array_equal(found, np.float32([[0, 0, 0.3]]))


def test_tokens_without_weight_have_no_gradient():
  logits, tokens, weights = row()
  grads, _ = jax.grad(plain_loss.next_token_loss, has_aux=True)(
    logits, tokens, weights
  )
  # The last logits predict nothing; column 0 of the weights is unused.
  weight_of_logits = np.pad(weights[:, 1:], ((0, 0), (0, 1)))
  assert 0 < (weight_of_logits == 0).sum() < B * L
  seen = np.abs(np.asarray(grads)).max(axis=-1)
  np.testing.assert_array_equal(seen > 0, weight_of_logits > 0)


def test_a_batch_without_weight_has_loss_zero():
  logits, tokens, weights = row()
  (found, total), grads = jax.value_and_grad(
    plain_loss.next_token_loss, has_aux=True
  )(logits, tokens, 0 * weights)
  assert (float(found), float(total)) == (0.0, 0.0)
  assert not np.asarray(grads).any()
