"""Contexts are encoded once while they fit, and the oldest make room."""

import numpy as np
import pytest

from icl_gen.model import prefix, prefix_cache
from tests import packaged, tiny


@pytest.fixture
def encoded(monkeypatch):
  """The contexts that were encoded, by their last id; nothing is computed."""
  lasts = []

  def encode(module, params, ids, *, core):
    lasts.append(int(ids[-1]))
    return prefix._empty(
      module, params, prefix.bucket(len(ids), chunk=512), core
    )

  monkeypatch.setattr(prefix, 'encode', encode)
  return lasts


def store(*, contexts, core='auto'):
  """A store with room for so many contexts of up to 512 tokens."""
  model = tiny.module('gemma3'), tiny.params('gemma3')
  return prefix_cache.Prefixes(
    *model, budget_bytes=contexts * prefix.size(*model, 512), core=core
  )


def ids(last, *, length=9):
  return np.int32([*range(length - 1), last])


def test_the_context_used_longest_ago_makes_room(encoded):
  kept = store(contexts=2)
  for last in (1, 2, 1, 3, 1, 2):
    kept.encode(ids(last))
  assert encoded == [1, 2, 3, 2], '2 was used before 1 when 3 came'


def test_what_is_kept_is_within_the_budget(encoded):
  kept = store(contexts=3)
  one = kept.encode(ids(1))
  assert kept.size == prefix.size_of(one)
  for last, length in ((2, 500), (3, 513), (4, 9), (5, 600), (6, 9)):
    kept.encode(ids(last, length=length))
    assert kept.size <= 3 * prefix.size_of(one)
  assert encoded == [1, 2, 3, 4, 5, 6]


def test_contexts_that_differ_in_length_only_are_different(encoded):
  kept = store(contexts=2)
  kept.encode(np.int32([1, 1]))
  kept.encode(np.int32([1, 1, 1]))
  assert len(encoded) == 2


def test_the_core_is_handed_on(encoded):
  assert store(contexts=1, core='plain').encode(ids(1)).core == 'plain'


@pytest.mark.parametrize(
  ('core', 'message'),
  [
    ('fast', "attention 'fast'; known are auto, plain, blockwise"),
    ('cudnn', 'cudnn behind a prefix .* choose auto'),
  ],
)
def test_a_core_that_cannot_be_used_is_refused_at_once(core, message):
  with pytest.raises(ValueError, match=message):
    store(contexts=1, core=core)


def test_models_of_other_architectures_have_no_core_to_choose():
  module = packaged.module('gemma4_e2b')
  prefix_cache.Prefixes(module, {}, budget_bytes=1)
  with pytest.raises(ValueError, match="'plain' for Gemma4.* choose auto"):
    prefix_cache.Prefixes(module, {}, budget_bytes=1, core='plain')


def test_a_context_over_the_budget_is_refused(encoded):
  with pytest.raises(ValueError, match='of 513 tokens takes .* the budget is'):
    store(contexts=1).encode(ids(1, length=513))
  assert not encoded


def test_sizes_are_those_of_what_is_encoded():
  model = tiny.module('gemma3'), tiny.params('gemma3')
  assert prefix.size(*model, 9) == prefix.size_of(
    prefix.encode(*model, tiny.ids(9))
  )
