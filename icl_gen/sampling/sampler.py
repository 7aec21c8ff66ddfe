"""Samples completions of many prompts after a context that is encoded once.

Every request has its own random key, derived from its name, so a completion
does not depend on its batch or its place in the batch.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.model import head, precision, sharding
from icl_gen.model.loading import Model
from icl_gen.sampling import decoding
from icl_gen.text import tokens
from icl_gen.text.context import Context
from icl_gen.text.prompts import Text

# Prompts are padded to multiples of this, so that few shapes are compiled.
PROMPT_BUCKET = 32
ROWS_PER_BATCH = 64


@dataclasses.dataclass(frozen=True)
class Request:
  """A completion to sample.

  Attributes:
    name: unique among requests; the random key is derived from it.
    prompt: it follows the line break that ends a shared context.
    whole: whether the completion's text begins with the prompt. Some tokenizers
      leave out the space that a text without it begins with.
  """

  name: str
  prompt: Text
  whole: bool = False


@dataclasses.dataclass(frozen=True)
class Completion:
  """A sampled completion.

  Attributes:
    name: the request's name.
    text: the completion, without control tokens, perhaps after the prompt.
    tokens_in: tokens of the prompt, without a shared context.
    tokens_out: sampled tokens, including the one that ends the completion.
    ended: whether the model ended the completion: it sampled one of the
      tokenizer's `end_ids`.
  """

  name: str
  text: str
  tokens_in: int
  tokens_out: int
  ended: bool


def encode_context(
  model: Model, context: Context, *, core: str = 'auto'
) -> decoding.Shared:
  """Encodes a context that all prompts share; None for an empty one.

  Args:
    model: the loaded model.
    context: the documents.
    core: how prompts attend to it: a name in `cores.CORES`, or 'auto'.
  """
  if not context.text:
    return None
  ids = [model.tokenizer.bos_id, *model.tokenizer.encode(context.before)]
  return decoding.encode_context(model, np.array(ids, np.int32), core=core)


def sample(
  model: Model,
  requests: Sequence[Request],
  shared_context: decoding.Shared,
  *,
  seed: str,
  temperature: float,
  max_tokens: int,
  rows_per_batch: int = ROWS_PER_BATCH,
) -> Iterator[list[Completion]]:
  """Yields completions batch by batch, in the order of the requests.

  Args:
    model: the loaded model.
    requests: the prompts.
    shared_context: an encoded context that ends in a line break, or None.
    seed: name of the draw.
    temperature: 0 for greedy sampling.
    max_tokens: maximum number of sampled tokens per request.
    rows_per_batch: requests per batch.

  Raises:
    ValueError: for repeated names, a temperature below 0, max_tokens below 1,
      or an empty prompt after a context: the context is encoded up to its last
      token, so the prompt must predict the first sampled token.
  """
  if len({request.name for request in requests}) != len(requests):
    raise ValueError('two requests have the same name; names must be distinct')
  if temperature < 0 or max_tokens < 1:
    raise ValueError(
      f'temperature {temperature}, max_tokens {max_tokens}; temperature must be'
      ' 0 or more, max_tokens 1 or more'
    )
  if shared_context is not None and not all(r.prompt for r in requests):
    raise ValueError('a prompt is empty; after a context, it must have text')
  for start in range(0, len(requests), rows_per_batch):
    chosen = requests[start : start + rows_per_batch]
    rows = [
      _prompt_ids(model.tokenizer, request.prompt, shared_context)
      for request in chosen
    ]
    tokens_BxL, lengths_B = _padded(rows, rows_per_batch)
    keys_B = np.zeros(rows_per_batch, np.uint32)
    keys_B[: len(chosen)] = [_key(seed, request.name) for request in chosen]
    sampled_BxT, counts_B = _generate(
      model.module,
      model.params,
      shared_context,
      tokens_BxL,
      lengths_B,
      keys_B,
      np.float32(temperature),
      np.int32(len(chosen)),
      model.tokenizer.end_ids,
      max_tokens,
    )
    sampled_BxT = sharding.on_host(sampled_BxT)
    counts_B = sharding.on_host(counts_B)
    yield [
      _completion(model.tokenizer, request, row, sampled_BxT[b, : counts_B[b]])
      for b, (request, row) in enumerate(zip(chosen, rows, strict=True))
    ]


def _prompt_ids(
  tokenizer: tokens.Tokenizer,
  prompt: Text,
  shared_context: decoding.Shared,
) -> list[int]:
  if shared_context is not None:
    return tokenizer.encode_inner(prompt)
  return [tokenizer.bos_id, *tokenizer.encode(prompt)]


def _padded(
  rows: Sequence[Sequence[int]], rows_per_batch: int
) -> tuple[np.ndarray, np.ndarray]:
  """Ids int32[B, L], padded with 0, and lengths int32[B]; missing rows: 1."""
  length = -(-max(map(len, rows)) // PROMPT_BUCKET) * PROMPT_BUCKET
  tokens_BxL = np.zeros((rows_per_batch, length), np.int32)
  lengths_B = np.ones(rows_per_batch, np.int32)
  for b, row in enumerate(rows):
    tokens_BxL[b, : len(row)], lengths_B[b] = row, len(row)
  return tokens_BxL, lengths_B


def _key(seed: str, name: str) -> int:
  digest = hashlib.sha256(f'{seed}/{name}'.encode()).digest()
  return int.from_bytes(digest[:4], 'little')


def _completion(
  tokenizer: tokens.Tokenizer,
  request: Request,
  row: Sequence[int],
  ids: np.ndarray,
) -> Completion:
  ended = int(ids[-1]) in tokenizer.end_ids
  return Completion(
    name=request.name,
    text=tokenizer.decode([*row, *ids] if request.whole else ids),
    tokens_in=len(row),
    tokens_out=len(ids),
    ended=ended,
  )


def lower(
  module: Any,
  params: Any,
  shared_context: decoding.Shared,
  *,
  prompt: int,
  max_tokens: int,
  rows: int = ROWS_PER_BATCH,
) -> tuple[Any, int]:
  """The program of one batch, not compiled.

  Args:
    module: from `registry.make_module`.
    params: shapes of its parameters, with shardings.
    shared_context: shapes of an encoded context, or None.
    prompt: tokens of the longest prompt.
    max_tokens: maximum number of sampled tokens per request.
    rows: requests per batch.

  Returns:
    (what `jax.jit(f).lower` gives, tokens sampled at most).
  """

  def ints(*shape: int) -> Any:
    return jax.ShapeDtypeStruct(shape, np.int32)

  lowered = _generate.lower(
    module,
    params,
    shared_context,
    ints(rows, -(-prompt // PROMPT_BUCKET) * PROMPT_BUCKET),
    ints(rows),
    jax.ShapeDtypeStruct((rows,), np.uint32),
    jax.ShapeDtypeStruct((), np.float32),
    ints(),
    (1,),  # as many ends as a tokenizer without turns has
    max_tokens,
  )
  return lowered, rows * max_tokens


@functools.partial(jax.jit, static_argnums=(0, 8, 9))
@precision.of_module
def _generate(
  module: Any,
  params: Any,
  shared_context: decoding.Shared,
  tokens_BxL: jax.Array,
  lengths_B: jax.Array,
  keys_B: jax.Array,
  temperature: jax.Array,
  requested: jax.Array,
  end_ids: tuple[int, ...],
  max_tokens: int,
) -> tuple[jax.Array, jax.Array]:
  """Samples until all requested rows have ended or have max_tokens.

  Returns:
    sampled ids int32[B, T], and their number int32[B], the end included.
  """
  B = tokens_BxL.shape[0]
  hidden_BxLxD, memory = decoding.read(
    module, params, shared_context, tokens_BxL, lengths_B, room=max_tokens
  )
  last_BxD = jnp.take_along_axis(
    hidden_BxLxD, (lengths_B - 1)[:, None, None], axis=1
  )[:, 0]
  row_keys = jax.vmap(jax.random.key)(keys_B)

  def draw(hidden_BxD, t):
    logits_BxV = head.logits(module, params, hidden_BxD)
    return _draw(logits_BxV, row_keys, t, temperature)

  first = draw(last_BxD, 0)
  out = jnp.zeros((B, max_tokens), jnp.int32).at[:, 0].set(first)
  done = (jnp.arange(B) >= requested) | _is_one_of(first, end_ids)
  counts = jnp.ones(B, jnp.int32)

  def unfinished(carry):
    t, _, done, *_ = carry
    return (t < max_tokens) & ~jnp.all(done)

  def sample_token(carry):
    t, out, done, counts, memory = carry
    token_Bx1 = jax.lax.dynamic_slice_in_dim(out, t - 1, 1, axis=1)
    hidden_Bx1xD, memory = decoding.read_next(
      module, params, shared_context, memory, token_Bx1, lengths_B + t - 1
    )
    token_B = jnp.where(done, 0, draw(hidden_Bx1xD[:, 0], t))
    out = jax.lax.dynamic_update_slice_in_dim(out, token_B[:, None], t, axis=1)
    counts = counts + jnp.where(done, 0, 1)
    done = done | _is_one_of(token_B, end_ids)
    return t + 1, out, done, counts, memory

  carry = jnp.int32(1), out, done, counts, memory
  _, out, _, counts, _ = jax.lax.while_loop(unfinished, sample_token, carry)
  return out, counts


def _is_one_of(token_B: jax.Array, ids: tuple[int, ...]) -> jax.Array:
  return functools.reduce(jnp.logical_or, [token_B == id for id in ids])


def _draw(
  logits_BxV: jax.Array,
  row_keys: jax.Array,
  t: jax.Array | int,
  temperature: jax.Array,
) -> jax.Array:
  """One id per row, int32[B], drawn with the row's key by the Gumbel trick."""
  noise_BxV = jax.vmap(
    lambda key: jax.random.gumbel(
      jax.random.fold_in(key, t), logits_BxV.shape[1:]
    )
  )(row_keys)
  drawn_B = jnp.argmax(logits_BxV + temperature * noise_BxV, axis=-1)
  return drawn_B.astype(jnp.int32)
