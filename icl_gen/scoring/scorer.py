"""Scores every choice of every question by its log-likelihood.

The context is encoded once; a row is a prompt with one choice. Scores are
exact: joint tokenisation, one BOS, log-probabilities in float32.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.model import forward, prefix
from icl_gen.model.loaded import Model
from icl_gen.text import context as contexts
from icl_gen.text import tokens
from icl_gen.types import ChoiceScore, Question, Score

# Lengths are rounded up to this, so that few programs are compiled.
ROW_BUCKET = 16
# Logits that are there at a time: this many numbers.
LOGITS_AT_A_TIME = 2**25


def score(
  model: Model,
  questions: Sequence[Question],
  context: contexts.Context,
  *,
  rows_per_batch: int = 64,
) -> tuple[Score, ...]:
  """Scores questions behind a context.

  Args:
    model: the loaded model.
    questions: in any number; ids must be distinct.
    context: `contexts.NONE` for none.
    rows_per_batch: rows (question x choice) per forward pass.

  Returns:
    one `Score` per question, in order.

  Raises:
    ValueError: for no questions, a repeated id, a choice without tokens, or a
      model whose log-probabilities are not finite.
  """
  if not questions:
    raise ValueError('no questions to score; build a corpus with questions')
  if len({question.id for question in questions}) != len(questions):
    raise ValueError('two questions have the same id; ids must be distinct')
  pairs = [(q, c) for q in questions for c in range(len(q.choices))]
  behind, rows = _encode(model.tokenizer, pairs, context)
  shared = None
  if behind is not None:
    shared = prefix.encode(model.module, model.params, behind)
  conditional = _sums(model, rows, shared, rows_per_batch)
  bos = model.tokenizer.bos_id
  alone = [
    tokens.Row(
      np.concatenate([[bos], row.ids[row.given :]]).astype(np.int32), 1
    )
    for row in rows
  ]
  unconditional = _sums(model, alone, None, rows_per_batch)
  choices: dict[str, list[ChoiceScore]] = {q.id: [] for q in questions}
  for (question, c), row, logp, logp_alone in zip(
    pairs, rows, conditional, unconditional, strict=True
  ):
    text = question.choices[c].lstrip()
    choices[question.id].append(
      ChoiceScore(
        logp=float(logp),
        tokens=len(row.ids) - row.given,
        characters=len(text),
        bytes=len(text.encode()),
        logp_unconditional=float(logp_alone),
      )
    )
  return tuple(
    Score(q.id, q.kind, q.stratum, q.answers, tuple(choices[q.id]))
    for q in questions
  )


def _encode(tokenizer, pairs, context):
  """The shared ids (None for no context) and one row per question x choice.

  The last id of the context stands at the start of every row instead, so that
  a row always has a given token before its first scored one.
  """
  behind = bool(context.text)
  rows = [
    tokens.encode_choice(
      tokenizer,
      contexts.tail(context, question.prompt),
      question.choices[c],
      after_context=behind,
    )
    for question, c in pairs
  ]
  if not behind:
    return None, rows
  ids = [tokenizer.bos_id, *tokenizer.encode(context.text)]
  last = np.asarray(ids[-1:], np.int32)
  rows = [
    tokens.Row(np.concatenate([last, row.ids]), row.given + 1) for row in rows
  ]
  return np.asarray(ids[:-1], np.int32), rows


def _up(length: int, bucket: int) -> int:
  return -(-length // bucket) * bucket


def _sums(model, rows, shared, rows_per_batch) -> np.ndarray:
  """Summed log-probability float32[R] of the scored ids of each row.

  Equal rows (a name that is a choice of many questions) are computed once.
  """
  different: dict[tuple[bytes, int], int] = {}
  place_R = [
    different.setdefault((row.ids.tobytes(), row.given), len(different))
    for row in rows
  ]
  first = dict(zip(reversed(place_R), reversed(rows), strict=True))
  once = [first[place] for place in range(len(different))]
  return _sums_of_different(model, once, shared, rows_per_batch)[place_R]


def _sums_of_different(model, rows, shared, rows_per_batch) -> np.ndarray:
  """`_sums` of rows of which no two are equal.

  Rows are taken in order of length, so that a batch has little padding; every
  row is answered exactly once.
  """
  order = sorted(range(len(rows)), key=lambda r: len(rows[r].ids))
  sums = np.zeros(len(rows), np.float32)
  answered = np.zeros(len(rows), bool)
  for start in range(0, len(order), rows_per_batch):
    chosen = order[start : start + rows_per_batch]
    length = _up(max(len(rows[r].ids) for r in chosen), ROW_BUCKET)
    tokens_BxL = np.zeros((rows_per_batch, length), np.int32)
    lengths_B = np.zeros(rows_per_batch, np.int32)
    given_B = np.zeros(rows_per_batch, np.int32)
    for b, r in enumerate(chosen):
      tokens_BxL[b, : len(rows[r].ids)] = rows[r].ids
      lengths_B[b], given_B[b] = len(rows[r].ids), rows[r].given
    found = _row_sums(
      model.module, model.params, shared, tokens_BxL, lengths_B, given_B
    )
    assert not answered[chosen].any()
    sums[chosen], answered[chosen] = np.asarray(found)[: len(chosen)], True
  assert answered.all()
  if not np.isfinite(sums).all():
    raise ValueError(
      f'{(~np.isfinite(sums)).sum()} of {len(sums)} log-probabilities are not'
      ' finite: the weights are not those of a trained model, or they need a'
      ' wider dtype'
    )
  return sums


@functools.partial(jax.jit, static_argnums=0)
def _row_sums(module, params, shared, tokens_BxL, lengths_B, given_B):
  B, L = tokens_BxL.shape
  index_BxL = jnp.tile(jnp.arange(L, dtype=jnp.int32)[None], (B, 1))
  segments_BxL = (index_BxL < lengths_B[:, None]).astype(jnp.int32)
  positions_BxL = index_BxL + (0 if shared is None else shared.length)
  hidden_BxLxD, _ = forward.forward(
    module,
    params,
    tokens_BxL,
    positions_BxL,
    prefix.after(shared, None, positions_BxL, segments_BxL),
  )
  targets_BxL = jnp.roll(tokens_BxL, -1, axis=1)
  logp_BxL = _target_logps(module, params, hidden_BxLxD, targets_BxL)
  scored_BxL = (index_BxL + 1 >= given_B[:, None]) & (
    index_BxL + 1 < lengths_B[:, None]
  )
  return jnp.sum(jnp.where(scored_BxL, logp_BxL, 0.0), axis=1)


def _target_logps(module, params, hidden_BxLxD, targets_BxL):
  """log p(target) float32[B, L], a part of the positions at a time."""
  B, L, D = hidden_BxLxD.shape
  at_a_time = max(1, min(B * L, LOGITS_AT_A_TIME // module.config.num_embed))
  padding = -(B * L) % at_a_time
  hidden = jnp.pad(hidden_BxLxD.reshape(B * L, D), ((0, padding), (0, 0)))
  targets = jnp.pad(targets_BxL.reshape(B * L), (0, padding))

  def part(inputs):
    hidden_TxD, targets_T = inputs
    logits_TxV = forward.head(module, params, hidden_TxD)
    chosen = jnp.take_along_axis(logits_TxV, targets_T[:, None], axis=1)[:, 0]
    return chosen - jax.nn.logsumexp(logits_TxV, axis=1)

  logps = jax.lax.map(
    part,
    (hidden.reshape(-1, at_a_time, D), targets.reshape(-1, at_a_time)),
  )
  return logps.reshape(-1)[: B * L].reshape(B, L)
