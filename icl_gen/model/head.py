"""From hidden states to log-probabilities of given tokens.

The logits of a token are as many numbers as the vocabulary has pieces, 262,144
with Gemma 3: they are made for some tokens and some pieces at a time.
"""

import functools

import jax
import jax.numpy as jnp

from icl_gen.model import attention

# Logits at a time: tokens, and pieces where the table is in bfloat16 on a CPU,
# which multiplies in float32 and would copy the whole table for it.
TOKENS = 512
PIECES_OF_CPU = 8192


def target_logps(module, params, hidden, targets, *, pieces: int | None = None):
  """log p(target), float32[...], of each hidden state.

  Args:
    module: from `registry.make_module`.
    params: its parameters.
    hidden: final hidden states [..., D].
    targets: int32[...] ids.
    pieces: how many pieces of the vocabulary at a time; None: what suits the
      device. (A table that is split over devices is best taken as a whole.)
  """
  table_VxD = params['embedder']['input_embedding']
  V, D = table_VxD.shape
  if pieces is None:
    pieces = PIECES_OF_CPU if jax.default_backend() == 'cpu' else V
  at_a_time = functools.partial(
    _of_some,
    table_VxD=table_VxD,
    soft_cap=module.config.final_logit_softcap,
    pieces=min(pieces, V),
  )
  hidden_TxD, targets_T = hidden.reshape(-1, D), targets.reshape(-1)
  T = targets_T.shape[0]
  if T <= TOKENS:
    return at_a_time((hidden_TxD, targets_T)).reshape(targets.shape)
  padding = -T % TOKENS
  logps = jax.lax.map(
    at_a_time,
    (
      jnp.pad(hidden_TxD, ((0, padding), (0, 0))).reshape(-1, TOKENS, D),
      jnp.pad(targets_T, (0, padding)).reshape(-1, TOKENS),
    ),
  )
  return logps.reshape(-1)[:T].reshape(targets.shape)


def _of_some(inputs, *, table_VxD, soft_cap, pieces):
  """log p(target) float32[T], by an online log-sum-exp over the vocabulary."""
  hidden_TxD, targets_T = inputs
  V = table_VxD.shape[0]

  def logits(equation, table):
    out = jnp.einsum(
      equation, hidden_TxD, table, preferred_element_type=jnp.float32
    )
    return attention.capped(out, soft_cap)

  def step(i, lse_T):
    # The last pieces may reach back to ones before, which do not count again.
    start = jnp.minimum(i * pieces, V - pieces)
    logits_TxV = logits(
      'TD,VD->TV', jax.lax.dynamic_slice_in_dim(table_VxD, start, pieces)
    )
    new = start + jnp.arange(pieces) >= i * pieces
    logits_TxV = jnp.where(new[None], logits_TxV, attention.MASKED)
    return jnp.logaddexp(lse_T, jax.nn.logsumexp(logits_TxV, axis=1))

  if pieces == V:
    lse_T = jax.nn.logsumexp(logits('TD,VD->TV', table_VxD), axis=1)
  else:
    nothing_T = jnp.full(targets_T.shape, attention.MASKED, jnp.float32)
    lse_T = jax.lax.fori_loop(0, -(-V // pieces), step, nothing_T)
  return logits('TD,TD->T', table_VxD[targets_T]) - lse_T
