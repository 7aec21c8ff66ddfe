"""From hidden states to log-probabilities of given tokens.

log p(target) is the target's logit less the normaliser of the hidden state, so
targets that share a state (choices of one prompt) share the costly half of it.

The logits of a token are as many numbers as the vocabulary has pieces, 262,144
with Gemma 3: they are made for some tokens and some pieces at a time.
"""

import jax
import jax.numpy as jnp

from icl_gen.model import attention

# Logits at a time: tokens, and pieces where the table is in bfloat16 on a CPU,
# which multiplies in float32 and would copy the whole table for it.
TOKENS = 256
PIECES_OF_CPU = 8192


def target_logps(module, params, hidden, targets, *, pieces: int | None = None):
  """log p(target), float32[...], of each hidden state.

  Args:
    module: from `registry.make_module`.
    params: its parameters.
    hidden: final hidden states [..., D].
    targets: int32[...] ids.
    pieces: see `normalisers`.
  """
  hidden_TxD = hidden.reshape(-1, hidden.shape[-1])
  logps_T = target_logits(module, params, hidden_TxD, targets.reshape(-1))
  logps_T -= normalisers(module, params, hidden_TxD, pieces=pieces)
  return logps_T.reshape(targets.shape)


def target_logits(module, params, hidden_TxD, targets_T):
  """The logit, float32[T], of one target int32[T] of each hidden state."""
  rows_TxD = _table(params)[targets_T]
  return _logits(module, 'TD,TD->T', hidden_TxD, rows_TxD)


def normalisers(
  module, params, hidden_TxD, *, count=None, pieces: int | None = None
):
  """log of the sum of the exp of all logits, float32[T], of each hidden state.

  Args:
    module: from `registry.make_module`.
    params: its parameters.
    hidden_TxD: final hidden states.
    count: int32 scalar; only so many first ones are meant, the others are of no
      meaning (and of no cost, nearly). It may differ from call to call without
      a compilation. None: all.
    pieces: how many pieces of the vocabulary at a time; None: what suits the
      device. (A table that is split over devices is best taken as a whole.)
  """
  table_VxD = _table(params)
  V, T = table_VxD.shape[0], hidden_TxD.shape[0]
  if pieces is None:
    pieces = PIECES_OF_CPU if jax.default_backend() == 'cpu' else V
  pieces, size = min(pieces, V), min(TOKENS, T)

  def part(i, lse_T):
    # The last part may reach back into the one before: it finds the same.
    start = jnp.minimum(i * size, T - size)
    some = jax.lax.dynamic_slice_in_dim(hidden_TxD, start, size)
    found = _normalisers_of_some(module, some, table_VxD, pieces)
    return jax.lax.dynamic_update_slice_in_dim(lse_T, found, start, 0)

  parts = -(-(T if count is None else count) // size)
  return jax.lax.fori_loop(0, parts, part, jnp.zeros(T, jnp.float32))


def _normalisers_of_some(module, hidden_TxD, table_VxD, pieces):
  """An online log-sum-exp, float32[T], over the vocabulary."""
  V = table_VxD.shape[0]
  if pieces == V:
    logits_TxV = _logits(module, 'TD,VD->TV', hidden_TxD, table_VxD)
    return jax.nn.logsumexp(logits_TxV, axis=1)

  def step(i, lse_T):
    # The last pieces may reach back to ones before, which do not count again.
    start = jnp.minimum(i * pieces, V - pieces)
    some = jax.lax.dynamic_slice_in_dim(table_VxD, start, pieces)
    logits_TxV = _logits(module, 'TD,VD->TV', hidden_TxD, some)
    new = start + jnp.arange(pieces) >= i * pieces
    logits_TxV = jnp.where(new[None], logits_TxV, attention.MASKED)
    return jnp.logaddexp(lse_T, jax.nn.logsumexp(logits_TxV, axis=1))

  nothing_T = jnp.full(hidden_TxD.shape[0], attention.MASKED, jnp.float32)
  return jax.lax.fori_loop(0, -(-V // pieces), step, nothing_T)


def _table(params):
  return params['embedder']['input_embedding']


def _logits(module, equation, hidden, table):
  """Capped logits in float32."""
  out = jnp.einsum(equation, hidden, table, preferred_element_type=jnp.float32)
  return attention.capped(out, module.config.final_logit_softcap)
