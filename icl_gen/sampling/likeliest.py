"""The likeliest tokens at each place of texts that a model wrote in context.

A text is scored where it was written: after the context, the prompt and what
the completion says before it. The tokens are those of the text alone, as
training has them. A tokenizer may begin a text that follows others differently
(`st`, `r`, `org` after a line break, `_str`, `org` alone), so places are
matched from the end, and the first ones may have no distribution:

  scored:    ... : \\n  st  r   org  _are  _less ...
  alone:               _str    org  _are  _less ...
  places:                        x     x     x
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.augmentation.parse import Parsed
from icl_gen.model import head, precision
from icl_gen.model.loading import Model
from icl_gen.sampling import decoding, sampler
from icl_gen.storage.distributions import Distributions
from icl_gen.text.context import Context
from icl_gen.text.tokens import Tokenizer

# Rows and texts are padded to multiples of this, so few shapes are compiled.
_BUCKET = 32


def of_inferences(
  model: Model,
  parsed: Parsed,
  context_of: Mapping[str, Context],
  *,
  count: int,
) -> dict[str, Distributions]:
  """What a model expects at each place of its own inferences.

  Args:
    model: the loaded model, which wrote them.
    parsed: the inferences.
    context_of: kind of augmentation -> the context of its prompts.
    count: tokens of a distribution.

  Returns:
    by id of the document.

  Raises:
    ValueError: as `likeliest`.
  """
  found: dict[str, Distributions] = {}
  for kind, context in context_of.items():
    chosen = [one for one in parsed.documents if one.origin.kind == kind]
    texts = [(parsed.before[one.id], one.text) for one in chosen]
    scored = likeliest(model, texts, context, count=count)
    found |= zip((one.id for one in chosen), scored, strict=True)
  return found


def require_pieces(count: int, *, pieces: int) -> None:
  """Checks that a vocabulary has so many tokens.

  Raises:
    ValueError: it has not.
  """
  if count > pieces:
    raise ValueError(
      f'--config.augment.likeliest={count}: the tokenizer has {pieces} pieces;'
      ' give at most as many (32 hold nearly all of the probability)'
    )


def likeliest(
  model: Model,
  texts: Sequence[tuple[str, str]],
  context: Context,
  *,
  count: int,
  rows_per_batch: int = sampler.ROWS_PER_BATCH,
) -> Iterator[Distributions]:
  """Yields the likeliest tokens of each text, in order.

  Args:
    model: the loaded model.
    texts: what is before each text, after the context, and the text. After a
      context, there has to be something before it.
    context: the context of all; `contexts.NONE` for none.
    count: tokens of a distribution.
    rows_per_batch: texts at a time.

  Raises:
    ValueError: a log-probability is not finite.
  """
  shared = sampler.encode_context(model, context) if texts else None
  rows = [
    _row(model.tokenizer, *text, after_context=shared is not None)
    for text in texts
  ]
  for start in range(0, len(rows), rows_per_batch):
    some = rows[start : start + rows_per_batch]
    tokens_BxL, lengths_B, places_B = _padded(some, rows_per_batch)
    width = max(1, -(-max(places_B) // _BUCKET)) * _BUCKET
    ids_BxWxK, logps_BxWxK = map(
      np.asarray,
      _likeliest(
        model.module,
        model.params,
        shared,
        tokens_BxL,
        lengths_B,
        lengths_B - places_B,
        width=width,
        count=count,
      ),
    )
    for b, (_, own, places) in enumerate(some):
      logps_NxK = logps_BxWxK[b, :places]
      if not np.isfinite(logps_NxK).all():
        raise ValueError(
          'log-probabilities are not finite: use the weights of a trained'
          ' model, or a wider dtype'
        )
      yield Distributions(
        np.array(own, np.int32), ids_BxWxK[b, :places], logps_NxK
      )


# Ids of a row, ids of the text alone, and how many at the end are the same.
_Row = tuple[list[int], list[int], int]


def _row(
  tokenizer: Tokenizer, before: str, text: str, *, after_context: bool
) -> _Row:
  if after_context:
    ids = tokenizer.encode_inner(before + text)
  else:
    ids = [tokenizer.bos_id, *tokenizer.encode(before + text)]
  own = tokenizer.encode(text)
  # The row's first token is predicted by none of the row.
  most = min(len(own), len(ids) - 1)
  places = next((n for n in range(most) if ids[-1 - n] != own[-1 - n]), most)
  return ids, own, places


def _padded(
  rows: Sequence[_Row], rows_per_batch: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Ids int32[B, L], lengths int32[B], places int32[B]; missing rows: 1, 0."""
  longest = max(len(ids) for ids, *_ in rows)
  shape = rows_per_batch, -(-longest // _BUCKET) * _BUCKET
  tokens_BxL = np.zeros(shape, np.int32)
  lengths_B = np.ones(rows_per_batch, np.int32)
  places_B = np.zeros(rows_per_batch, np.int32)
  for b, (ids, _, places) in enumerate(rows):
    tokens_BxL[b, : len(ids)] = ids
    lengths_B[b], places_B[b] = len(ids), places
  return tokens_BxL, lengths_B, places_B


@functools.partial(
  jax.jit, static_argnums=0, static_argnames=('width', 'count')
)
@precision.of_module
def _likeliest(
  module: Any,
  params: Any,
  shared: decoding.Shared,
  tokens_BxL: jax.Array,
  lengths_B: jax.Array,
  firsts_B: jax.Array,
  *,
  width: int,
  count: int,
) -> tuple[jax.Array, jax.Array]:
  """What is expected at `width` places of each row, from its first one on.

  Returns:
    ids int32[B, W, K] and log-probabilities float32[B, W, K].
  """
  hidden_BxLxD, _ = decoding.read(module, params, shared, tokens_BxL, lengths_B)
  last = tokens_BxL.shape[1] - 1
  # The state before a token predicts it.
  states_BxW = firsts_B[:, None] - 1 + jnp.arange(width, dtype=jnp.int32)[None]
  hidden_BxWxD = jnp.take_along_axis(
    hidden_BxLxD,
    jnp.clip(states_BxW, 0, last)[..., None],
    axis=1,
  )
  return head.likeliest(module, params, hidden_BxWxD, count=count)
