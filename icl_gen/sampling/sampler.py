"""Samples completions of many prompts, behind a context encoded once.

Every prompt has its own random key, derived from its name: what is sampled
does not depend on the batch it was in, or on its place there.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.model import forward, prefix
from icl_gen.model.loading import Model
from icl_gen.text.context import Context

PROMPT_BUCKET = 32


@dataclasses.dataclass(frozen=True)
class Request:
  """One completion that is wanted.

  Attributes:
    name: distinct among requests; the random key is derived from it.
    prompt: text; behind a shared context, it follows the context's line break.
  """

  name: str
  prompt: str


@dataclasses.dataclass(frozen=True)
class Completion:
  """What was sampled.

  Attributes:
    name: the request's name.
    text: the completion, without the end-of-sequence token.
    tokens_in: tokens of the prompt (a shared context is not counted).
    tokens_out: tokens sampled.
    ended: whether the model ended the text by itself.
  """

  name: str
  text: str
  tokens_in: int
  tokens_out: int
  ended: bool


def encode_context(
  model: Model, context: Context, *, core: str = 'auto'
) -> prefix.Prefix | None:
  """Encodes a context that all prompts follow; None for an empty one.

  Args:
    model: the loaded model.
    context: the documents.
    core: attention to it, a name of `cores.CORES`, or 'auto'.
  """
  if not context.text:
    return None
  ids = [model.tokenizer.bos_id, *model.tokenizer.encode(context.text)]
  return prefix.encode(model.module, model.params, np.int32(ids), core=core)


def sample(
  model: Model,
  requests: Sequence[Request],
  shared: prefix.Prefix | None,
  *,
  seed: str,
  temperature: float,
  max_tokens: int,
  rows_per_batch: int = 64,
) -> Iterator[list[Completion]]:
  """Yields completions batch by batch, in the order of the requests.

  Args:
    model: the loaded model.
    requests: the prompts.
    shared: an encoded context (ending in a line break), or None.
    seed: name of the draw.
    temperature: 0 for greedy.
    max_tokens: greatest number of tokens sampled for a request.
    rows_per_batch: requests per batch.

  Raises:
    ValueError: for names that repeat, a temperature below 0, no tokens to
      sample, or an empty prompt behind a context (which has been encoded to its
      end, so nothing is left to predict the first token from).
  """
  if len({request.name for request in requests}) != len(requests):
    raise ValueError('two requests have the same name; names must be distinct')
  if temperature < 0 or max_tokens < 1:
    raise ValueError(
      f'temperature {temperature}, max_tokens {max_tokens}; allowed are 0 and'
      ' more, and 1 and more'
    )
  if shared is not None and not all(request.prompt for request in requests):
    raise ValueError('a prompt is empty; behind a context, give it some text')
  tokenizer = model.tokenizer
  for start in range(0, len(requests), rows_per_batch):
    chosen = requests[start : start + rows_per_batch]
    rows = [
      tokenizer.encode_inner(request.prompt)
      if shared is not None
      else [tokenizer.bos_id, *tokenizer.encode(request.prompt)]
      for request in chosen
    ]
    longest = -(-max(map(len, rows)) // PROMPT_BUCKET) * PROMPT_BUCKET
    tokens_BxL = np.zeros((rows_per_batch, longest), np.int32)
    lengths_B = np.ones(rows_per_batch, np.int32)
    for b, row in enumerate(rows):
      tokens_BxL[b, : len(row)], lengths_B[b] = row, len(row)
    keys_B = np.zeros(rows_per_batch, np.uint32)
    keys_B[: len(chosen)] = [_key(seed, request.name) for request in chosen]
    sampled_BxT, counts_B = _generate(
      model.module,
      model.params,
      shared,
      tokens_BxL,
      lengths_B,
      keys_B,
      np.float32(temperature),
      np.int32(len(chosen)),
      tokenizer.eos_id,
      max_tokens,
    )
    sampled_BxT, counts_B = np.asarray(sampled_BxT), np.asarray(counts_B)
    yield [
      _completion(tokenizer, request, row, sampled, int(count))
      for request, row, sampled, count in zip(
        chosen, rows, sampled_BxT, counts_B, strict=False
      )
    ]


def _key(seed: str, name: str) -> int:
  digest = hashlib.sha256(f'{seed}/{name}'.encode()).digest()
  return int.from_bytes(digest[:4], 'little')


def _completion(tokenizer, request, row, sampled, count) -> Completion:
  ids = sampled[:count]
  ended = count > 0 and ids[-1] == tokenizer.eos_id
  return Completion(
    name=request.name,
    text=tokenizer.decode(ids[:-1] if ended else ids),
    tokens_in=len(row),
    tokens_out=count,
    ended=bool(ended),
  )


@functools.partial(jax.jit, static_argnums=(0, 8, 9))
def _generate(
  module,
  params,
  shared,
  tokens_BxL,
  lengths_B,
  keys_B,
  temperature,
  wanted,
  eos_id,
  max_tokens,
):
  """Sampled ids int32[B, T] and their number int32[B]; eos is counted."""
  B, L = tokens_BxL.shape
  offset = 0 if shared is None else shared.length
  index_BxL = jnp.tile(jnp.arange(L, dtype=jnp.int32)[None], (B, 1))
  segments_BxL = (index_BxL < lengths_B[:, None]).astype(jnp.int32)
  hidden_BxLxD, kept = forward.forward(
    module,
    params,
    tokens_BxL,
    index_BxL + offset,
    prefix.after(shared, None, index_BxL + offset, segments_BxL),
  )
  last_BxD = jnp.take_along_axis(
    hidden_BxLxD, (lengths_B - 1)[:, None, None], axis=1
  )[:, 0]
  row_keys = jax.vmap(jax.random.key)(keys_B)

  def draw(hidden_BxD, t):
    logits_BxV = forward.head(module, params, hidden_BxD)
    return _draw(logits_BxV, row_keys, t, temperature)

  # Room for the sampled tokens, empty (segment 0) until they are there.
  room = ((0, 0), (0, 0), (0, max_tokens), (0, 0))
  cache = tuple((jnp.pad(k, room), jnp.pad(v, room)) for k, v in kept)
  positions = jnp.pad(index_BxL + offset, ((0, 0), (0, max_tokens)))
  segments = jnp.pad(segments_BxL, ((0, 0), (0, max_tokens)))
  first = draw(last_BxD, 0)
  out = jnp.zeros((B, max_tokens), jnp.int32).at[:, 0].set(first)
  done = (jnp.arange(B) >= wanted) | (first == eos_id)
  counts = jnp.ones(B, jnp.int32)

  def more(carry):
    t, _, done, *_ = carry
    return (t < max_tokens) & ~jnp.all(done)

  def one(carry):
    t, out, done, counts, cache, positions, segments = carry
    token_Bx1 = jax.lax.dynamic_slice_in_dim(out, t - 1, 1, axis=1)
    position_Bx1 = (lengths_B + offset + t - 1)[:, None]
    segment_Bx1 = jnp.ones_like(position_Bx1)
    layers = [(k, v, positions, segments) for k, v in cache]
    hidden_Bx1xD, new = forward.forward(
      module,
      params,
      token_Bx1,
      position_Bx1,
      prefix.after(shared, layers, position_Bx1, segment_Bx1),
    )
    slot = L + t - 1
    put = functools.partial(
      jax.lax.dynamic_update_slice_in_dim, start_index=slot
    )
    cache = tuple(
      (put(k, new_k, axis=2), put(v, new_v, axis=2))
      for (k, v), (new_k, new_v) in zip(cache, new, strict=True)
    )
    positions = put(positions, position_Bx1, axis=1)
    segments = put(segments, segment_Bx1, axis=1)
    token_B = jnp.where(done, 0, draw(hidden_Bx1xD[:, 0], t))
    out = jax.lax.dynamic_update_slice_in_dim(out, token_B[:, None], t, axis=1)
    counts = counts + jnp.where(done, 0, 1)
    done = done | (token_B == eos_id)
    return t + 1, out, done, counts, cache, positions, segments

  carry = (jnp.int32(1), out, done, counts, cache, positions, segments)
  _, out, _, counts, *_ = jax.lax.while_loop(more, one, carry)
  return out, counts


def _draw(logits_BxV, row_keys, t, temperature):
  """One id per row, int32[B], by its own key (the Gumbel-max trick)."""
  noise_BxV = jax.vmap(
    lambda key: jax.random.gumbel(
      jax.random.fold_in(key, t), logits_BxV.shape[1:]
    )
  )(row_keys)
  drawn_B = jnp.argmax(logits_BxV + temperature * noise_BxV, axis=-1)
  return drawn_B.astype(jnp.int32)
