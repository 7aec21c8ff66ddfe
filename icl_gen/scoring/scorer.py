"""Scores every choice of every question by its log-likelihood.

A context that all questions share is encoded once, as a prefix; the prompts and
choices after it are packed into trees, so that common beginnings are computed
once as well. Scores are exact: joint tokenisation, one BOS, log-probabilities
in float32. All choices of a question are scored on the same text, see
`tokens.encode_choices`.

The unconditional log-probability of a choice is that of the same ids after the
null prompt, which is BOS alone. `reporting.statistics` decides how the two are
combined (the summed log-probability by default) and how ties are broken.

Models that run only through the gemma package (Gemma 3n and 4) score whole
rows: just as exactly, but without sharing.
"""

import functools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.model import (
  forward,
  head,
  precision,
  prefix,
  prefix_attention,
  sharding,
)
from icl_gen.model.loading import Model
from icl_gen.scoring import tree, whole_rows
from icl_gen.text import context as contexts
from icl_gen.text import tokens
from icl_gen.text.context import Context
from icl_gen.text.prompts import Text
from icl_gen.types import ChoiceScore, Question, Score

TOKENS_PER_PASS = 2048
# The shortest buffer, in tokens. Attention costs a buffer's length per token,
# so short buffers are cheaper, unless many of them repeat the same beginning.
BUFFER = 128
# Where questions have different contexts, those up to this many tokens become
# part of the trees; longer ones are encoded as prefixes.
IN_TREE = 512

Encode = Callable[[np.ndarray], prefix.Prefix]

_log = logging.getLogger(__name__)


def score(
  model: Model,
  questions: Sequence[Question],
  context: Context | Sequence[Context],
  *,
  encode: Encode | None = None,
  tokens_per_pass: int = TOKENS_PER_PASS,
) -> tuple[Score, ...]:
  """Scores questions after one shared context, or each after its own.

  Args:
    model: the loaded model.
    questions: at least one; ids must be distinct.
    context: one for all questions (`contexts.NONE` for none), or a sequence
      with one per question. Equal contexts, and common beginnings of short
      ones, are computed once.
    encode: encodes a context's ids int32[P], for example with a cache that
      outlives this call. None: `prefix.encode`.
    tokens_per_pass: tokens per forward pass and device.

  Returns:
    one `Score` per question, in order.

  Raises:
    ValueError: for no questions, a repeated id, a number of contexts that
      differs from that of the questions, a choice without tokens, choices that
      are the same reply in a chat, or a model whose log-probabilities are not
      finite.
  """
  context_of = contexts.per_question(context, len(questions))
  _check(questions, context_of)
  if any(one.chat for one in context_of):
    tokens.require_turns(model.tokenizer)
  rows = [
    row
    for one, question in zip(context_of, questions, strict=True)
    for row in encode_question(model.tokenizer, one, question)
  ]
  context_texts = [
    one.before
    for one, question in zip(context_of, questions, strict=True)
    for _ in question.choices
  ]
  conditional_R = _conditional_sums(
    model, rows, context_texts, encode, tokens_per_pass
  )
  bos = np.array([model.tokenizer.bos_id], np.int32)
  choices_alone = [
    tokens.Row(np.concatenate([bos, row.ids[row.given :]]), 1) for row in rows
  ]
  unconditional_R = _sums(model, choices_alone, None, tokens_per_pass)
  scored = zip(rows, conditional_R, unconditional_R, strict=True)
  return tuple(
    Score(
      question_id=question.id,
      kind=question.kind,
      stratum=question.stratum,
      cluster=question.cluster,
      answers=question.answers,
      choices=tuple(
        _choice_score(choice, *next(scored)) for choice in question.choices
      ),
    )
    for question in questions
  )


def in_parts(
  model: Model,
  questions: Sequence[Question],
  context: Context | Sequence[Context],
  *,
  questions_per_part: int,
  encode: Encode,
  start: int = 0,
) -> Iterator[tuple[Score, ...]]:
  """Yields what `score` returns in parts, so that a run can be resumed.

  Args:
    model: the loaded model.
    questions: at least one; ids must be distinct.
    context: one for all questions, or a sequence with one per question.
    questions_per_part: questions at a time; the last part may have fewer.
    encode: encodes a context's ids int32[P]; see `score`.
    start: index of the first question to score.

  Raises:
    ValueError: as `score`, or for fewer than one question per part. Arguments
      are checked by this call, before the first part is computed.
  """
  context_of = contexts.per_question(context, len(questions))
  _check(questions, context_of)
  if questions_per_part < 1:
    raise ValueError(
      f'{questions_per_part} questions at a time; it must be 1 or more'
    )
  parts = (
    slice(first, first + questions_per_part)
    for first in range(start, len(questions), questions_per_part)
  )
  return (
    score(model, questions[part], context_of[part], encode=encode)
    for part in parts
  )


def _check(
  questions: Sequence[Question], context_of: Sequence[Context]
) -> None:
  if not questions:
    raise ValueError('no questions to score; build a corpus with questions')
  if len({question.id for question in questions}) != len(questions):
    raise ValueError('two questions have the same id; ids must be distinct')
  for question, context in zip(questions, context_of, strict=True):
    choice_of: dict[str, str] = {}
    for choice in question.choices:
      reply = contexts.reply(context, choice)
      other = choice_of.setdefault(reply, choice)
      if other != choice:
        raise ValueError(
          f'question {question.id!r} has choices {other!r} and {choice!r}: in a'
          ' chat both are the same reply, so they would score the same. Remove'
          ' one, or score without --config.chat.'
        )


def encode_question(
  tokenizer: tokens.Tokenizer, context: Context, question: Question
) -> list[tokens.Row]:
  """Token ids of the prompt with each choice, without those of the context."""
  return tokens.encode_choices(
    tokenizer,
    contexts.tail(context, question.prompt),
    [contexts.reply(context, choice) for choice in question.choices],
    after_context=bool(context.text),
  )


def _choice_score(
  choice: str, row: tokens.Row, logp: np.float32, logp_unconditional: np.float32
) -> ChoiceScore:
  text = choice.lstrip()
  return ChoiceScore(
    logp=float(logp),
    tokens=len(row.ids) - row.given,
    characters=len(text),
    bytes=len(text.encode()),
    logp_unconditional=float(logp_unconditional),
  )


def _conditional_sums(
  model: Model,
  rows: Sequence[tokens.Row],
  context_texts: Sequence[Text],
  encode: Encode | None,
  tokens_per_pass: int,
) -> np.ndarray:
  """Summed log-probability float32[R] of each row after its context."""
  ids_of = {
    text: _context_ids(model.tokenizer, text)
    for text in dict.fromkeys(context_texts)
  }
  prefix_texts = _contexts_to_encode(model, ids_of)
  sums_R = np.full(len(rows), np.nan, np.float32)
  for text in prefix_texts:
    chosen = [r for r, other in enumerate(context_texts) if other == text]
    # Every row needs a given token before its first scored one, and a row may
    # have none of its own: keep the context's last token out of the prefix.
    ids, last = np.split(ids_of[text], [-1])
    encoded = (
      prefix.encode(model.module, model.params, ids)
      if encode is None
      else encode(ids)
    )
    longer = [_after(last, rows[r]) for r in chosen]
    sums_R[chosen] = _sums(model, longer, encoded, tokens_per_pass)
  chosen = [
    r for r, text in enumerate(context_texts) if text not in prefix_texts
  ]
  if chosen:
    longer = [_after(ids_of[context_texts[r]], rows[r]) for r in chosen]
    sums_R[chosen] = _sums(model, longer, None, tokens_per_pass)
  assert not np.isnan(sums_R).any()
  return sums_R


def _context_ids(tokenizer: tokens.Tokenizer, text: Text) -> np.ndarray:
  ids = [tokenizer.bos_id, *tokenizer.encode(text)] if text else []
  return np.array(ids, np.int32)


def _contexts_to_encode(
  model: Model, ids_of: Mapping[Text, np.ndarray]
) -> list[Text]:
  """The contexts to encode as prefixes; the others are put into the rows.

  A context that is the only one, or is long, becomes a prefix that its rows
  share. Short ones go into the trees, which share beginnings too. Models other
  than Gemma 2 and 3 have no prefixes.
  """
  if not forward.is_dense(model.module):
    return []
  return [
    text
    for text, ids in ids_of.items()
    if text and (len(ids_of) == 1 or len(ids) > IN_TREE)
  ]


def _after(ids: np.ndarray, row: tokens.Row) -> tokens.Row:
  """The row with given ids put before it."""
  return tokens.Row(np.concatenate([ids, row.ids]), row.given + len(ids))


def _sums(
  model: Model,
  rows: Sequence[tokens.Row],
  shared_context: prefix.Prefix | None,
  tokens_per_pass: int,
) -> np.ndarray:
  """Summed log-probability float32[R] of the scored ids of each row."""
  if forward.is_dense(model.module):
    sums_R = _tree_sums(model, rows, shared_context, tokens_per_pass)
  else:
    assert shared_context is None
    sums_R = whole_rows.sums(model, rows, tokens_per_pass=tokens_per_pass)
  if not np.isfinite(sums_R).all():
    raise ValueError(
      f'{(~np.isfinite(sums_R)).sum()} of {len(rows)} log-probabilities are not'
      ' finite: use the weights of a trained model, or a wider dtype'
    )
  return sums_R.astype(np.float32)


def _tree_sums(
  model: Model,
  rows: Sequence[tokens.Row],
  shared_context: prefix.Prefix | None,
  tokens_per_pass: int,
) -> np.ndarray:
  """The sums, float64[R]; common beginnings of rows are computed once."""
  length = tree.power(max(BUFFER, 2 * tree.longest(rows)))
  buffers = tree.pack(rows, length=length)
  passes = tree.passes(
    buffers,
    count=max(1, tokens_per_pass // length),
    length=length,
    devices=1 if model.mesh is None else sharding.row_devices(model.mesh),
  )
  sums_R = np.zeros(len(rows))
  for part in passes:
    logps_E = _pass_logps(model, shared_context, part)
    sums_R += part.sums(sharding.on_host(logps_E), len(rows))
  return sums_R


def _pass_logps(
  model: Model, shared_context: prefix.Prefix | None, part: tree.Pass
) -> jax.Array:
  trees = part.tokens_BxL, part.depths_BxL, part.ends_BxL
  if model.mesh is not None:
    trees = sharding.split_rows(model.mesh, trees)
  return _edge_logps(
    model.module,
    model.params,
    shared_context,
    trees,
    (part.parents_T, np.int32(part.parents)),
    (part.edge_parents_E, part.edge_targets_E),
  )


def lower(
  module: Any,
  params: Any,
  shared_context: prefix.Prefix | None,
  mesh: jax.sharding.Mesh,
  *,
  length: int = BUFFER,
) -> tuple[Any, int]:
  """The program of one full pass, not compiled.

  Args:
    module: from `registry.make_module`.
    params: shapes of its parameters, with shardings.
    shared_context: shapes of an encoded context, or None.
    mesh: the devices.
    length: tokens per tree.

  Returns:
    (what `jax.jit(f).lower` gives, tokens of the pass).
  """
  rows = max(1, TOKENS_PER_PASS // length) * mesh.shape['data']

  def ints(*shape: int) -> Any:
    return jax.ShapeDtypeStruct(shape, np.int32)

  trees = (ints(rows, length).update(sharding=sharding.rows(mesh)),) * 3
  places = ints(rows * length)
  lowered = _edge_logps.lower(
    module,
    params,
    shared_context,
    trees,
    (places, ints()),
    (places, places),
  )
  return lowered, rows * length


@functools.partial(jax.jit, static_argnums=0)
@precision.of_module
def _edge_logps(
  module: Any,
  params: Any,
  shared_context: prefix.Prefix | None,
  trees: tuple[jax.Array, jax.Array, jax.Array],
  parents: tuple[jax.Array, jax.Array],
  edges: tuple[jax.Array, jax.Array],
) -> jax.Array:
  """log p(child | path to its parent) float32[E]; see `tree.Pass`."""
  tokens_BxL, depths_BxL, ends_BxL = trees
  # Runs once per compilation, when JAX traces this function.
  _log.info('compiling passes of %d trees of %d tokens', *tokens_BxL.shape)
  parents_T, count = parents
  offset = 0 if shared_context is None else shared_context.length
  positions_BxL = depths_BxL + offset
  hidden_BxLxD, _ = forward.forward(
    module,
    params,
    tokens_BxL,
    positions_BxL,
    prefix_attention.after(
      shared_context,
      None,
      positions_BxL,
      jnp.ones_like(tokens_BxL),
      ends_BxL,
    ),
  )
  T, D = parents_T.shape[0], hidden_BxLxD.shape[-1]
  hidden_TxD = hidden_BxLxD.reshape(T, D)[parents_T]
  # The normaliser belongs to the parent: compute it once for all its edges.
  lse_T = head.normalisers(module, params, hidden_TxD, count=count)
  edge_parents_E, edge_targets_E = edges
  logits_E = head.target_logits(
    module, params, hidden_TxD[edge_parents_E], edge_targets_E
  )
  return logits_E - lse_T[edge_parents_E]
