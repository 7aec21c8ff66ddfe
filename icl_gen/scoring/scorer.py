"""Scores every choice of every question by its log-likelihood.

A context that all questions share is encoded once; what follows it is packed
into trees, so that common beginnings are computed once as well. Scores are
exact: joint tokenisation, one BOS, log-probabilities in float32. All choices of
a question are scored for the same text, see `tokens.encode_choices`.

The unconditional log-probability of a choice is that of the same ids under the
null prompt, which is BOS alone. How a choice's number is made from these (the
summed log-probability by default), and which of equal choices wins, is decided
in `reporting.statistics`.

Models that only the gemma package knows (Gemma 3n and 4) are given whole rows:
the scores are as exact, nothing is saved.
"""

import functools
import logging
from collections.abc import Callable, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.model import forward, head, prefix, sharding
from icl_gen.model.loading import Model
from icl_gen.scoring import tree, whole_rows
from icl_gen.text import context as contexts
from icl_gen.text import tokens
from icl_gen.text.context import Context
from icl_gen.types import ChoiceScore, Question, Score

# Tokens of a pass through the model, in buffers of at least this many each.
# Attention in a buffer costs its length per token: short ones are better, as
# long as paths are not repeated in many of them.
TOKENS_PER_PASS = 2048
BUFFER = 128
# Of several contexts, those up to this many tokens are parts of the trees.
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
  """Scores questions behind a context, or each behind one of its own.

  Args:
    model: the loaded model.
    questions: in any number; ids must be distinct.
    context: `contexts.NONE` for none; a sequence: one per question. What equal
      contexts (and short ones that begin alike) share is computed once.
    encode: encodes a context int32[P]; `prefixes.Prefixes.encode` remembers
      those of other calls. None: with `prefix.encode`.
    tokens_per_pass: tokens of a forward pass, on each device.

  Returns:
    one `Score` per question, in order.

  Raises:
    ValueError: for no questions, a repeated id, another number of contexts
      than of questions, a choice without tokens, or a model whose
      log-probabilities are not finite.
  """
  _check(questions)
  behind = contexts.one_each(context, len(questions))
  if any(one.chat for one in behind):
    tokens.require_turns(model.tokenizer)
  pairs = [
    (number, choice)
    for number, question in enumerate(questions)
    for choice in range(len(question.choices))
  ]
  rows = [
    row
    for one, question in zip(behind, questions, strict=True)
    for row in encode_question(model.tokenizer, one, question)
  ]
  texts = [behind[number].text for number, _ in pairs]
  conditional_R = _behind_contexts(model, rows, texts, encode, tokens_per_pass)
  bos = np.int32([model.tokenizer.bos_id])
  alone = [
    tokens.Row(np.concatenate([bos, row.ids[row.given :]]), 1) for row in rows
  ]
  unconditional_R = _sums(model, alone, None, tokens_per_pass)
  choices: list[list[ChoiceScore]] = [[] for _ in questions]
  for (number, choice), row, logp, logp_alone in zip(
    pairs, rows, conditional_R, unconditional_R, strict=True
  ):
    text = questions[number].choices[choice].lstrip()
    choices[number].append(
      ChoiceScore(
        logp=float(logp),
        tokens=len(row.ids) - row.given,
        characters=len(text),
        bytes=len(text.encode()),
        logp_unconditional=float(logp_alone),
      )
    )
  return tuple(
    Score(q.id, q.kind, q.stratum, q.cluster, q.answers, tuple(answered))
    for q, answered in zip(questions, choices, strict=True)
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
  """What `score` returns, part by part, so that each can be told and kept.

  Args:
    model, questions, context, encode: as of `score`.
    questions_per_part: the last part may have fewer.
    start: the first question that is scored; those before it are only checked.

  Raises:
    ValueError: as `score`, or for less than one question per part; what can be
      seen without computing is checked before the first part is asked for.
  """
  _check(questions)
  if questions_per_part < 1:
    raise ValueError(
      f'{questions_per_part} questions at a time; allowed are 1 and more'
    )
  behind = contexts.one_each(context, len(questions))
  parts = (
    slice(first, first + questions_per_part)
    for first in range(start, len(questions), questions_per_part)
  )
  return (
    score(model, questions[part], behind[part], encode=encode) for part in parts
  )


def _check(questions) -> None:
  if not questions:
    raise ValueError('no questions to score; build a corpus with questions')
  if len({question.id for question in questions}) != len(questions):
    raise ValueError('two questions have the same id; ids must be distinct')


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


def _behind_contexts(model, rows, texts, encode, tokens_per_pass) -> np.ndarray:
  """Summed log-probability float32[R] of each row behind its context.

  A context that is the only one, or is long, is a prefix that its rows share.
  Short contexts are put before their rows: in trees, they are shared too. So
  are all contexts where the model knows no prefix.
  """
  bos, ids_of = model.tokenizer.bos_id, model.tokenizer.encode
  before = {
    text: np.int32([bos, *ids_of(text)] if text else [])
    for text in dict.fromkeys(texts)
  }
  dense = forward.is_dense(model.module)
  in_rows = {
    text: not text or not dense or (len(before) > 1 and len(ids) <= IN_TREE)
    for text, ids in before.items()
  }
  sums_R = np.full(len(rows), np.nan, np.float32)

  def add(chosen, kept, shared):
    # The last id that is not in the prefix stands before every row: a row
    # always has a given token before its first scored one.
    longer = [
      tokens.Row(np.concatenate([ids, rows[r].ids]), rows[r].given + len(ids))
      for r, ids in zip(chosen, kept, strict=True)
    ]
    assert np.isnan(sums_R[chosen]).all()
    sums_R[chosen] = _sums(model, longer, shared, tokens_per_pass)

  for text, ids in before.items():
    if not in_rows[text]:
      chosen = [r for r, other in enumerate(texts) if other == text]
      shared = (
        prefix.encode(model.module, model.params, ids[:-1])
        if encode is None
        else encode(ids[:-1])
      )
      add(chosen, [ids[-1:]] * len(chosen), shared)
  chosen = [r for r, text in enumerate(texts) if in_rows[text]]
  if chosen:
    add(chosen, [before[texts[r]] for r in chosen], None)
  assert not np.isnan(sums_R).any()
  return sums_R


def _sums(model, rows, shared, tokens_per_pass) -> np.ndarray:
  """Summed log-probability float32[R] of the scored ids of each row."""
  if forward.is_dense(model.module):
    sums_R = _sums_of_trees(model, rows, shared, tokens_per_pass)
  else:
    assert shared is None
    sums_R = whole_rows.sums(model, rows, tokens_per_pass=tokens_per_pass)
  if not np.isfinite(sums_R).all():
    raise ValueError(
      f'{(~np.isfinite(sums_R)).sum()} of {len(rows)} log-probabilities are not'
      ' finite: the weights are not those of a trained model, or they need a'
      ' wider dtype'
    )
  return sums_R.astype(np.float32)


def _sums_of_trees(model, rows, shared, tokens_per_pass) -> np.ndarray:
  """The sums, float64[R], what rows begin with being computed once."""
  length = tree.power(max(BUFFER, 2 * tree.longest(rows)))
  buffers = tree.pack(rows, length=length)
  passes = tree.passes(
    buffers,
    count=max(1, tokens_per_pass // length),
    length=length,
    devices=1 if model.mesh is None else model.mesh.shape['data'],
  )
  sums_R = np.zeros(len(rows))
  for part in passes:
    logps_E = _logps_of(model, shared, part)
    sums_R += part.sums(np.asarray(logps_E), len(rows))
  return sums_R


def _logps_of(model, shared, part: tree.Pass) -> jax.Array:
  trees = part.tokens_BxL, part.depths_BxL, part.ends_BxL
  if model.mesh is not None:
    trees = sharding.split_rows(model.mesh, trees)
  return _edge_logps(
    model.module,
    model.params,
    shared,
    trees,
    (part.parents_T, np.int32(part.parents)),
    (part.edge_parents_E, part.edge_targets_E),
  )


@functools.partial(jax.jit, static_argnums=0)
def _edge_logps(module, params, shared, trees, parents, edges):
  """log p(child | path to its parent) float32[E]; see `tree.Pass`."""
  tokens_BxL, depths_BxL, ends_BxL = trees
  # This line runs when a program is made, not when it is used.
  _log.info('compiling passes of %d trees of %d tokens', *tokens_BxL.shape)
  parents_T, count = parents
  positions_BxL = depths_BxL + (0 if shared is None else shared.length)
  hidden_BxLxD, _ = forward.forward(
    module,
    params,
    tokens_BxL,
    positions_BxL,
    prefix.after(
      shared, None, positions_BxL, jnp.ones_like(tokens_BxL), ends_BxL
    ),
  )
  T, D = parents_T.shape[0], hidden_BxLxD.shape[-1]
  hidden_TxD = hidden_BxLxD.reshape(T, D)[parents_T]
  # Edges that share a parent share its normaliser.
  lse_T = head.normalisers(module, params, hidden_TxD, count=count)
  edge_parents_E, edge_targets_E = edges
  logits_E = head.target_logits(
    module, params, hidden_TxD[edge_parents_E], edge_targets_E
  )
  return logits_E - lse_T[edge_parents_E]
