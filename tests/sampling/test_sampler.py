"""Samples equal those of a plain loop over whole rows, in any batch."""

import collections
import dataclasses
import functools

import numpy as np
import pytest

from icl_gen.model import prefix
from icl_gen.sampling import sampler
from icl_gen.text import context as contexts
from icl_gen.text import tokens
from icl_gen.types import Document
from tests import tiny

EOS = 1
MAX_TOKENS = 12
PROMPTS = (
  'The femp is',
  'All glon are',
  'No',
  'Yes. The troff is more or less',
)
CONTEXT = contexts.build(
  [
    Document('a', 'The glon is blue.'),
    Document('b', 'All femp are dangerous.'),
  ],
  seed='context',
)


@pytest.fixture(autouse=True)
def small_buckets(monkeypatch):
  monkeypatch.setattr(prefix, 'CHUNK', 32)
  monkeypatch.setattr(sampler, 'PROMPT_BUCKET', 8)


@functools.cache
def model():
  """The tiny model with a likelier end-of-sequence token."""
  params = tiny.params('gemma3')
  table = params['embedder']['input_embedding']
  table = table.at[EOS].multiply(4.0)
  params = params | {'embedder': {'input_embedding': table}}
  return dataclasses.replace(tiny.model(), params=params)


def requests(*prompts):
  return [sampler.Request(f'name of {p}', p) for p in prompts or PROMPTS]


def sample(asked=None, shared=None, *, seed='seed', temperature=1.0, rows=4):
  batches = sampler.sample(
    model(),
    asked or requests(),
    shared,
    seed=seed,
    temperature=temperature,
    max_tokens=MAX_TOKENS,
    rows_per_batch=rows,
  )
  return [completion for batch in batches for completion in batch]


def greedy_by_hand(ids):
  """Appends the likeliest id in a loop, each time from the whole row."""
  start = len(ids)
  while len(ids) < start + MAX_TOKENS and EOS not in ids[start:]:
    row = tiny.logits('gemma3', np.int32(ids), weights=model().params)
    ids = [*ids, int(row[-1].argmax())]
  return ids[start:]


@pytest.mark.parametrize(
  'context', [contexts.NONE, CONTEXT], ids=['none', 'some']
)
def test_temperature_zero_equals_a_greedy_loop(context):
  shared = sampler.encode_context(model(), context)
  tokenizer = model().tokenizer
  found = sample(shared=shared, temperature=0.0)
  ends = set()
  for prompt, completion in zip(PROMPTS, found, strict=True):
    before = [2, *tokenizer.encode(context.text + prompt)]
    ids = greedy_by_hand(before)
    ended = ids[-1] == EOS
    assert completion == sampler.Completion(
      name=f'name of {prompt}',
      text=tokenizer.decode(ids[:-1] if ended else ids),
      tokens_in=len(tokenizer.encode_inner(prompt) if shared else before),
      tokens_out=len(ids),
      ended=ended,
    )
    ends.add(ended)
  if shared is None:
    assert ends == {True, False}, (
      'some completions should end, others be cut off'
    )


@pytest.mark.slow
def test_the_end_of_a_turn_ends_a_completion_too():
  """Some ordinary id stands for it, as the tiny model samples those."""
  tokenizer = tokens.Tokenizer(tiny.tokenizer_bytes())
  in_full = [
    greedy_by_hand([2, *tokenizer.encode(prompt)]) for prompt in PROMPTS
  ]
  turn_end = max(in_full, key=len)[2]
  tokenizer.end_ids = (EOS, turn_end)
  tokenizer.control_ids |= {turn_end}
  (found,) = sampler.sample(
    dataclasses.replace(model(), tokenizer=tokenizer),
    requests(),
    None,
    seed='seed',
    temperature=0.0,
    max_tokens=MAX_TOKENS,
    rows_per_batch=4,
  )
  for ids, completion in zip(in_full, found, strict=True):
    ends = [i for i, id in enumerate(ids) if id in tokenizer.end_ids]
    count = ends[0] + 1 if ends else len(ids)
    assert (completion.tokens_out, completion.ended) == (count, bool(ends))
    assert completion.text == tokenizer.decode(ids[:count])
  lasts = [
    ids[completion.tokens_out - 1]
    for ids, completion in zip(in_full, found, strict=True)
  ]
  assert turn_end in lasts


def test_a_sample_does_not_depend_on_its_batch():
  together = sample()
  assert len({completion.text for completion in together}) == len(PROMPTS)
  # In another order, and in other batches.
  turned = sample(requests(*PROMPTS[::-1], 'Some', 'More'))
  assert turned[: len(PROMPTS)] == together[::-1]
  # Alone: without the long prompt in its batch, arrays are shorter too.
  assert sample(requests(PROMPTS[0]), rows=1) == together[:1]


def test_seed_and_name_determine_the_draw():
  first = sample()
  assert sample() == first
  others = sample(seed='another')
  assert sum(a.text != b.text for a, b in zip(first, others, strict=True)) > 2
  same_prompt = [sampler.Request(str(i), PROMPTS[0]) for i in range(4)]
  assert len({completion.text for completion in sample(same_prompt)}) > 1


def test_temperature_zero_ignores_the_seed():
  assert sample(temperature=0.0) == sample(temperature=0.0, seed='another')


def test_every_token_has_its_own_noise():
  """At so high a temperature, only the noise decides."""
  for completion in sample(temperature=1e6):
    if completion.tokens_out > 4:
      assert len(set(model().tokenizer.encode(completion.text))) > 2


def test_counts_and_ends():
  tokenizer = model().tokenizer
  many = [sampler.Request(str(i), PROMPTS[i % 4]) for i in range(40)]
  found = sample(many)
  assert [c.name for c in found] == [r.name for r in many]
  for asked, completion in zip(many, found, strict=True):
    assert completion.tokens_in == 1 + len(tokenizer.encode(asked.prompt))
    if not completion.ended:
      assert completion.tokens_out == MAX_TOKENS
    assert 1 <= completion.tokens_out <= MAX_TOKENS
  lengths = {c.tokens_out for c in found if c.ended}
  assert len(lengths) > 3 and not all(c.ended for c in found)


@pytest.mark.parametrize(
  'temperature', [pytest.param(1.0, marks=pytest.mark.slow), 0.5]
)
def test_frequencies_are_the_probabilities(temperature):
  """4,096 first tokens; texts are grouped into about equal probabilities."""
  count = 4096
  found = sampler.sample(
    model(),
    [sampler.Request(str(i), 'The femp is') for i in range(count)],
    None,
    seed='seed',
    temperature=temperature,
    max_tokens=1,
    rows_per_batch=count,
  )
  completions = next(found)
  assert {completion.tokens_out for completion in completions} == {1}
  before = np.int32([2, *model().tokenizer.encode('The femp is')])
  row = tiny.logits('gemma3', before, weights=model().params)[-1]
  probabilities = np.exp((row - row.max()) / temperature)
  probabilities /= probabilities.sum()
  # Several tokens may decode to the same text, e.g. parts of a character.
  by_text = collections.Counter()
  for token, probability in enumerate(probabilities):
    by_text[model().tokenizer.decode([token])] += probability
  likely = [text for text, _ in by_text.most_common()]
  total = np.cumsum([by_text[text] for text in likely])
  group_of = dict(zip(likely, (total * 8).astype(int).clip(0, 7), strict=True))
  expected_8, seen_8 = np.zeros(8), np.zeros(8)
  for text, probability in by_text.items():
    expected_8[group_of[text]] += probability
  for completion in completions:
    seen_8[group_of[completion.text]] += 1 / count
  assert np.count_nonzero(expected_8 > 0.02) > 4
  sigma_8 = np.sqrt(expected_8 * (1 - expected_8) / count)
  assert (np.abs(seen_8 - expected_8) < 4 * sigma_8 + 1e-3).all()
  # EOS is sampled like any other token, also at max_tokens.
  ended = np.mean([completion.ended for completion in completions])
  assert ended == pytest.approx(probabilities[EOS], rel=0.4)


@pytest.mark.parametrize(
  ('asked', 'changed', 'message'),
  [
    (['same', 'same'], {}, 'same name'),
    (['a'], {'temperature': -1.0}, 'temperature'),
    (['a'], {'max_tokens': 0}, 'max_tokens'),
  ],
)
def test_bad_arguments_are_refused(asked, changed, message):
  settings = {'seed': '', 'temperature': 1.0, 'max_tokens': 4} | changed
  asked = [sampler.Request(name, 'The') for name in asked]
  with pytest.raises(ValueError, match=message):
    next(sampler.sample(model(), asked, None, **settings))


def test_an_empty_prompt_after_a_context_is_refused():
  shared = sampler.encode_context(model(), CONTEXT)
  with pytest.raises(ValueError, match='prompt is empty'):
    sample(requests('The', ''), shared)


def test_no_requests_give_nothing():
  settings = {'seed': '', 'temperature': 1.0, 'max_tokens': 4}
  assert list(sampler.sample(model(), [], None, **settings)) == []
