"""The output head: from hidden states to logits and log-probabilities.

log p(target) is the target's logit minus the normaliser of the hidden state, so
targets that share a state (choices of one prompt) share the costly half of it.

One token has as many logits as the vocabulary has pieces (262,144 in Gemma 3).
Log-probabilities are therefore computed for a block of tokens and of pieces at
a time, and the full logits never exist.
"""

from typing import Any

import jax
import jax.numpy as jnp

from icl_gen.model import attention, place
from icl_gen.model.parameters import Params

# Tokens per block.
TOKENS = 256
# Pieces per block on a CPU, which multiplies bfloat16 matrices in float32 and
# would copy the whole table for it.
PIECES_ON_CPU = 8192


def logits(module: Any, params: Params, hidden: jax.Array) -> jax.Array:
  """All logits, float32[..., V], of hidden states [..., D]."""
  return _logits(module, '...D,VD->...V', hidden, _table(params))


def likeliest(
  module: Any, params: Params, hidden: jax.Array, *, count: int
) -> tuple[jax.Array, jax.Array]:
  """The likeliest next tokens of each hidden state, and their log p.

  Args:
    module: from `registry.make_module`.
    params: its parameters.
    hidden: final hidden states [..., D].
    count: K, at most the pieces of the vocabulary.

  Returns:
    ids int32[..., K], the likeliest first, and float32[..., K].
  """
  *lead, D = hidden.shape
  hidden_TxD = hidden.reshape(-1, D)
  T = hidden_TxD.shape[0]
  size = min(TOKENS, T)
  blocks = -(-T // size)

  def block(some_TxD: jax.Array) -> tuple[jax.Array, jax.Array]:
    logits_TxV = logits(module, params, some_TxD)
    top_TxK, ids_TxK = jax.lax.top_k(logits_TxV, count)
    return ids_TxK, top_TxK - jax.nn.logsumexp(logits_TxV, 1, keepdims=True)

  padded = jnp.pad(hidden_TxD, ((0, blocks * size - T), (0, 0)))
  ids, logps = jax.lax.map(block, padded.reshape(blocks, size, D))
  shape = (*lead, count)
  return (
    ids.reshape(-1, count)[:T].reshape(shape),
    logps.reshape(-1, count)[:T].reshape(shape),
  )


def target_logps(
  module: Any,
  params: Params,
  hidden: jax.Array,
  targets: jax.Array,
  *,
  pieces: int | None = None,
) -> jax.Array:
  """log p(target), float32[...], of each hidden state.

  Args:
    module: from `registry.make_module`.
    params: its parameters.
    hidden: final hidden states [..., D].
    targets: token ids int32[...].
    pieces: see `normalisers`.
  """
  hidden_TxD = hidden.reshape(-1, hidden.shape[-1])
  logps_T = target_logits(module, params, hidden_TxD, targets.reshape(-1))
  logps_T -= normalisers(module, params, hidden_TxD, pieces=pieces)
  return logps_T.reshape(targets.shape)


def target_logits(
  module: Any, params: Params, hidden_TxD: jax.Array, targets_T: jax.Array
) -> jax.Array:
  """The logit, float32[T], of one target int32[T] per hidden state."""
  rows_TxD = _table(params)[targets_T]
  return _logits(module, 'TD,TD->T', hidden_TxD, rows_TxD)


def normalisers(
  module: Any,
  params: Params,
  hidden_TxD: jax.Array,
  *,
  count: jax.Array | None = None,
  pieces: int | None = None,
) -> jax.Array:
  """The log-sum-exp over all logits, float32[T], of each hidden state.

  Args:
    module: from `registry.make_module`.
    params: its parameters.
    hidden_TxD: final hidden states.
    count: int32 scalar, how many leading states to compute; the results of the
      rest are undefined, and cost next to nothing. It is an argument of the
      compiled program, so a new value does not recompile. None: all.
    pieces: pieces of the vocabulary per block. None: suits the device. (Take a
      table that is split over devices as a whole.)
  """
  table_VxD = _table(params)
  V, T = table_VxD.shape[0], hidden_TxD.shape[0]
  if pieces is None:
    pieces = PIECES_ON_CPU if place.platform() == 'cpu' else V
  pieces, size = min(pieces, V), min(TOKENS, T)

  def block(i: jax.Array, lse_T: jax.Array) -> jax.Array:
    # The last block may overlap the one before, and finds the same there.
    start = jnp.minimum(i * size, T - size)
    some = jax.lax.dynamic_slice_in_dim(hidden_TxD, start, size)
    found = _normalisers_of_block(module, some, table_VxD, pieces)
    return jax.lax.dynamic_update_slice_in_dim(lse_T, found, start, 0)

  blocks = -(-(T if count is None else count) // size)
  return jax.lax.fori_loop(0, blocks, block, jnp.zeros(T, jnp.float32))


def _normalisers_of_block(
  module: Any, hidden_TxD: jax.Array, table_VxD: jax.Array, pieces: int
) -> jax.Array:
  """An online log-sum-exp, float32[T], over the vocabulary."""
  V = table_VxD.shape[0]
  if pieces == V:
    logits_TxV = _logits(module, 'TD,VD->TV', hidden_TxD, table_VxD)
    return jax.nn.logsumexp(logits_TxV, axis=1)

  def step(i: jax.Array, lse_T: jax.Array) -> jax.Array:
    # The last block may overlap the one before, which must not count twice.
    start = jnp.minimum(i * pieces, V - pieces)
    some = jax.lax.dynamic_slice_in_dim(table_VxD, start, pieces)
    logits_TxV = _logits(module, 'TD,VD->TV', hidden_TxD, some)
    new = start + jnp.arange(pieces) >= i * pieces
    logits_TxV = jnp.where(new[None], logits_TxV, attention.MASKED)
    return jnp.logaddexp(lse_T, jax.nn.logsumexp(logits_TxV, axis=1))

  nothing_T = jnp.full(hidden_TxD.shape[0], attention.MASKED, jnp.float32)
  return jax.lax.fori_loop(0, -(-V // pieces), step, nothing_T)


def _table(params: Params) -> jax.Array:
  return params['embedder']['input_embedding']  # tied: the output weights too


def _logits(
  module: Any, equation: str, hidden: jax.Array, table: jax.Array
) -> jax.Array:
  """Soft-capped logits in float32, whatever the dtype of the weights."""
  out = jnp.einsum(equation, hidden, table, preferred_element_type=jnp.float32)
  return attention.capped(out, module.config.final_logit_softcap)
