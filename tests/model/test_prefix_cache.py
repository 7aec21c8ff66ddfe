"""Contexts are encoded once while they fit; the least recently used go."""

import numpy as np
import pytest

from icl_gen.model import prefix, prefix_cache
from tests import packaged, tiny


@pytest.fixture
def encoded(monkeypatch):
  """Last ids of the contexts that were encoded; `encode` is a fake."""
  lasts = []

  def encode(module, params, ids, *, core):
    lasts.append(int(ids[-1]))
    return prefix._empty(
      module, params, prefix.bucket(len(ids), chunk=512), core
    )

  monkeypatch.setattr(prefix, 'encode', encode)
  return lasts


def cache(*, contexts, core='auto'):
  """A cache with room for so many contexts of up to 512 tokens."""
  model = tiny.module('gemma3'), tiny.params('gemma3')
  return prefix_cache.PrefixCache(
    *model,
    budget_bytes=contexts * prefix.nbytes_of_length(*model, 512),
    core=core,
  )


def ids(last, *, length=9):
  return np.int32([*range(length - 1), last])


def test_the_least_recently_used_context_is_dropped(encoded):
  kept = cache(contexts=2)
  for last in (1, 2, 1, 3, 1, 2):
    kept.encode(ids(last))
  assert encoded == [1, 2, 3, 2], '2 was used before 1 when 3 came'


def test_the_cache_stays_within_its_budget(encoded):
  kept = cache(contexts=3)
  one = kept.encode(ids(1))
  assert kept.nbytes == prefix.nbytes(one)
  for last, length in ((2, 500), (3, 513), (4, 9), (5, 600), (6, 9)):
    kept.encode(ids(last, length=length))
    assert kept.nbytes <= 3 * prefix.nbytes(one)
  assert encoded == [1, 2, 3, 4, 5, 6]


def test_contexts_that_differ_only_in_length_are_different(encoded):
  kept = cache(contexts=2)
  kept.encode(np.int32([1, 1]))
  kept.encode(np.int32([1, 1, 1]))
  assert len(encoded) == 2


def test_the_core_is_passed_on(encoded):
  assert cache(contexts=1, core='plain').encode(ids(1)).core == 'plain'


@pytest.mark.parametrize(
  ('core', 'message'),
  [
    ('fast', "attention 'fast'; known are auto, plain, blockwise"),
    ('cudnn', 'cudnn after a prefix .* choose auto'),
  ],
)
def test_an_unsupported_core_is_refused_at_once(core, message):
  with pytest.raises(ValueError, match=message):
    cache(contexts=1, core=core)


def test_other_architectures_support_auto_only():
  module = packaged.module('gemma4_e2b')
  prefix_cache.PrefixCache(module, {}, budget_bytes=1)
  with pytest.raises(ValueError, match="'plain' for Gemma4.* choose auto"):
    prefix_cache.PrefixCache(module, {}, budget_bytes=1, core='plain')


def test_a_context_over_the_budget_is_refused(encoded):
  with pytest.raises(ValueError, match='of 513 tokens takes .* the budget is'):
    cache(contexts=1).encode(ids(1, length=513))
  assert not encoded


def test_predicted_sizes_equal_those_of_encoded_contexts():
  model = tiny.module('gemma3'), tiny.params('gemma3')
  assert prefix.nbytes_of_length(*model, 9) == prefix.nbytes(
    prefix.encode(*model, tiny.ids(9))
  )
