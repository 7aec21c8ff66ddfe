"""Gemma 3n and 4 sample what a plain loop over whole rows does."""

import dataclasses
import functools

import jax
import numpy as np
import pytest

from icl_gen.model import package_cache
from icl_gen.sampling import likeliest, sampler
from icl_gen.text import context as contexts
from tests import packaged, tiny
from tests.sampling.test_sampler import CONTEXT, EOS

NAMES = ('gemma4_e2b', 'gemma3n_e2b', 'gemma4_26b_a4b')
MAX_TOKENS = 6
PROMPTS = ('The femp is', 'No', 'Yes. The troff is more or less')


@pytest.fixture(autouse=True)
def small_buckets(monkeypatch):
  monkeypatch.setattr(package_cache, 'CHUNK', 8)
  monkeypatch.setattr(sampler, 'PROMPT_BUCKET', 8)
  with jax.numpy_rank_promotion('allow'):  # in the package
    yield


@functools.cache
def model(name):
  """Its end-of-sequence token is likelier than others."""
  params = packaged.params(name)
  embedder = params['embedder']
  table = embedder['input_embedding'].at[EOS].multiply(4.0)
  params = params | {'embedder': embedder | {'input_embedding': table}}
  return dataclasses.replace(
    tiny.model(), module=packaged.module(name), params=params
  )


@functools.cache
def logits_of(name):
  apply = packaged.module(name).apply
  return jax.jit(lambda params, row: apply({'params': params}, row[None]))


def logits(name, ids):
  """Those of the package's own call, of a row that is padded to 64."""
  row = np.pad(np.int32(ids), (0, 64 - len(ids)))
  found = logits_of(name)(model(name).params, row)
  return np.asarray(found.logits[0, : len(ids)])


def greedy_by_hand(name, ids):
  start = len(ids)
  while len(ids) < start + MAX_TOKENS and EOS not in ids[start:]:
    ids = [*ids, int(logits(name, ids)[-1].argmax())]
  return ids[start:]


def sample(name, prompts, shared, *, rows, temperature=0.0):
  batches = sampler.sample(
    model(name),
    [sampler.Request(prompt, prompt) for prompt in prompts],
    shared,
    seed='seed',
    temperature=temperature,
    max_tokens=MAX_TOKENS,
    rows_per_batch=rows,
  )
  return [completion for batch in batches for completion in batch]


@pytest.mark.parametrize(
  'context', [contexts.NONE, CONTEXT], ids=['none', 'some']
)
@pytest.mark.parametrize(
  'name',
  [
    NAMES[0],
    *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:]),
  ],
)
def test_temperature_zero_equals_a_greedy_loop(name, context):
  tokenizer = tiny.model().tokenizer
  shared = sampler.encode_context(model(name), context)
  found = sample(name, PROMPTS, shared, rows=4)
  for prompt, completion in zip(PROMPTS, found, strict=True):
    before = [2, *tokenizer.encode(context.text + prompt)]
    ids = greedy_by_hand(name, before)
    ended = ids[-1] == EOS
    assert completion.text == tokenizer.decode(ids[:-1] if ended else ids)
    assert (completion.tokens_out, completion.ended) == (len(ids), ended)


@pytest.mark.slow
def test_a_sample_does_not_depend_on_its_batch():
  name = NAMES[0]
  shared = sampler.encode_context(model(name), CONTEXT)
  together = sample(name, PROMPTS, shared, rows=4, temperature=1.0)
  alone = [
    sample(name, [prompt], shared, rows=1, temperature=1.0)[0]
    for prompt in PROMPTS
  ]
  assert alone == together


@pytest.mark.slow
def test_likeliest_tokens_are_those_of_whole_rows():
  name = NAMES[1]
  tokenizer = model(name).tokenizer
  before, text = 'The troff is ', 'The femp is more blue.'
  (found,) = likeliest.likeliest(
    model(name), [(before, text)], CONTEXT, count=3, rows_per_batch=2
  )
  ids = [2, *tokenizer.encode(CONTEXT.text + before + text)]
  places = len(found.likeliest_NxK)
  whole = jax.nn.log_softmax(logits(name, ids), axis=-1)[-1 - places : -1]
  np.testing.assert_allclose(
    found.logps_NxK,
    np.take_along_axis(np.asarray(whole), found.likeliest_NxK, axis=1),
    atol=1e-4,
  )
  np.testing.assert_array_equal(found.likeliest_NxK[:, 0], whole.argmax(1))
