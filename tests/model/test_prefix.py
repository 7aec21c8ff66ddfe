"""Tokens after an encoded context are scored as in one long row."""

import functools
import logging

import jax
import numpy as np
import pytest

from icl_gen.model import forward, head, prefix, prefix_attention
from tests import tiny

CHUNK = 8
SUFFIX = 12  # more than two windows


def _hidden_after(
  module, params, shared, tokens_BxL, index_BxL, segments_BxL, ends_BxL=None
):
  positions_BxL = index_BxL + (0 if shared is None else shared.length)
  hidden_BxLxD, _ = forward.forward(
    module,
    params,
    tokens_BxL,
    positions_BxL,
    prefix_attention.after(shared, None, positions_BxL, segments_BxL, ends_BxL),
  )
  return hidden_BxLxD


@functools.partial(jax.jit, static_argnums=0)
def _logits_after(module, params, *inputs):
  return head.logits(module, params, _hidden_after(module, params, *inputs))


def encode(length, dialect='gemma3', **options):
  return prefix.encode(
    tiny.module(dialect),
    tiny.params(dialect),
    tiny.ids(length, seed=1),
    **{'chunk': CHUNK} | options,
  )


def assert_as_in_one_row(dialect, length):
  """Two rows after one prefix; the second is half padding."""
  shared = encode(length, dialect) if length else None
  before_P = tiny.ids(length, seed=1)
  suffixes = [tiny.ids(SUFFIX, seed=2), tiny.ids(SUFFIX // 2, seed=3)]
  tokens_BxL = np.zeros((2, SUFFIX), np.int32)
  for b, suffix_L in enumerate(suffixes):
    tokens_BxL[b, : len(suffix_L)] = suffix_L
  found_BxLxV = _logits_after(
    tiny.module(dialect),
    tiny.params(dialect),
    shared,
    tokens_BxL,
    np.tile(np.arange(SUFFIX, dtype=np.int32), (2, 1)),
    (tokens_BxL > 0).astype(np.int32),
  )
  for found_LxV, suffix_L in zip(found_BxLxV, suffixes, strict=True):
    whole = tiny.logits(dialect, np.concatenate([before_P, suffix_L]))
    np.testing.assert_allclose(
      found_LxV[: len(suffix_L)], whole[length:], atol=2e-5
    )


# Around the window (5), and around the buckets.
@pytest.mark.parametrize(
  'length',
  [
    *(0, 4, 5, 9),
    *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 6, 8, 16)),
  ],
)
def test_logits_equal_those_in_one_row(length):
  assert_as_in_one_row('gemma3', length)


@pytest.mark.slow
def test_soft_caps_apply_to_the_prefix():
  assert_as_in_one_row('gemma2', 7)


@pytest.mark.parametrize('length', [0, 7])
def test_a_tree_of_tokens_equals_its_branches_in_rows_of_their_own(
  length, monkeypatch
):
  """Two trees in a row; the first has a stem and two branches that fork.

  buffer:  0  1  2  3  4  5  6  7 | 8  9 10
  tree:    a──b──c──d──e──f         x──y
                 └──g──h (6, 7)     └──z (10)
  """
  # Blocks shorter than the distance from a branch back to its stem.
  monkeypatch.setattr(forward, 'QUERY_BLOCK', 3)
  before_P, drawn_L = tiny.ids(length, seed=1), tiny.ids(12, seed=5)[1:]
  parents = [-1, 0, 1, 2, 3, 4, 2, 6, -1, 8, 8]
  branches = []
  for token in range(len(parents)):
    branch = [token]
    while parents[branch[0]] >= 0:
      branch.insert(0, parents[branch[0]])
    branches.append(branch)
  ends = [
    1 + max(n for n, b in enumerate(branches) if t in b) for t in range(11)
  ]
  found_LxV = _logits_after(
    tiny.module('gemma3'),
    tiny.params('gemma3'),
    encode(length) if length else None,
    drawn_L[None],
    np.int32([[len(branch) - 1 for branch in branches]]),
    np.int32([[1] * 8 + [2] * 3]),
    np.int32([ends]),
  )[0]
  for token, branch in enumerate(branches):
    whole = tiny.logits('gemma3', np.concatenate([before_P, drawn_L[branch]]))
    np.testing.assert_allclose(found_LxV[token], whole[-1], atol=2e-5)


@pytest.mark.parametrize('length', [2, 5, 8, 11])
def test_local_layers_keep_the_last_positions_only(length):
  shared = encode(length)
  assert shared.length == length
  capacity = prefix.bucket(length, chunk=CHUNK)
  everything = [*range(length)] + [-1] * (capacity - length)
  last = ([-1] * 4 + [*range(length)])[-(tiny.WINDOW - 1) :]
  for layer, window in zip(
    shared.layers, forward.windows(tiny.module('gemma3')), strict=True
  ):
    kept = everything if window is None else last
    assert layer.positions_P.tolist() == kept
    assert layer.k_KxPxH.shape == layer.v_KxPxH.shape == (2, len(kept), 16)


def test_a_window_larger_than_the_capacity_keeps_everything():
  assert prefix._capacity(9, 8) == prefix._capacity(12, 8) == 8
  kept = prefix.LayerPrefix(
    np.zeros((2, 8, 16), np.float32),
    np.zeros((2, 8, 16), np.float32),
    np.full(8, -1, np.int32),
  )
  chunk = np.ones((2, 8, 16), np.float32)
  positions_C = np.int32([0, 1, 2, -1, -1, -1, -1, -1])
  kept = prefix._with_chunk(kept, chunk, chunk, positions_C, 0, 3, 12)
  assert kept.positions_P.tolist() == [-1, -1, -1, -1, -1, 0, 1, 2]
  np.testing.assert_array_equal(kept.k_KxPxH[0, :, 0], [0] * 5 + [1] * 3)


@pytest.mark.slow
def test_the_chunk_size_does_not_change_the_prefix():
  wanted, found = encode(11), encode(11, chunk=3)
  for wanted_layer, layer in zip(wanted.layers, found.layers, strict=True):
    there = wanted_layer.positions_P >= 0
    also = layer.positions_P >= 0
    np.testing.assert_array_equal(
      wanted_layer.positions_P[there], layer.positions_P[also]
    )
    for name in ('k_KxPxH', 'v_KxPxH'):
      np.testing.assert_allclose(
        getattr(wanted_layer, name)[:, there],
        getattr(layer, name)[:, also],
        atol=1e-5,
      )


def test_capacities_are_few_and_at_most_half_empty():
  capacities = [
    prefix.bucket(n, chunk=512) for n in range(1, prefix.LONGEST + 1, 97)
  ]
  assert sorted(set(capacities)) == [
    *(512 * n for n in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96)),
    *(512 * n for n in (128, 192, 256)),
  ]
  for n in (1, 511, 512, 513, 1024, 1025, 1537, 9_000, 131_072):
    assert n <= prefix.bucket(n, chunk=512) <= max(512, 2 * n)


def test_each_capacity_is_compiled_and_logged_once(caplog):
  with caplog.at_level(logging.INFO, logger='icl_gen.model.prefix'):
    for length in (6, 7, 10):
      encode(length, chunk=5)
  assert [record.getMessage() for record in caplog.records] == [
    'compiling the encoding of contexts of up to 10 tokens'
  ]


def test_too_long_a_context_is_refused():
  with pytest.raises(ValueError, match='has 9 tokens, at most 8 are allowed'):
    encode(9, longest=8)


def test_nothing_as_large_as_rows_times_prefix_exists():
  """Neither attention logits, nor keys and values with a batch axis."""
  module, B, L, P = tiny.module('gemma2'), 64, 32, 16_384
  shared = jax.eval_shape(
    lambda params: prefix._empty(module, params, P, 'auto'),
    tiny.shapes('gemma2'),
  )
  rows = jax.ShapeDtypeStruct((B, L), 'int32')
  hidden = jax.jit(functools.partial(_hidden_after, module))
  memory = (
    hidden.lower(tiny.shapes('gemma2'), shared, rows, rows, rows)
    .compile()
    .memory_analysis()
  )
  keys = prefix.nbytes(shared)
  assert memory.temp_size_in_bytes < B * L * P * 4 / 4, 'of four heads'
  assert memory.temp_size_in_bytes < B * keys / 4


def test_memory_of_encoding_grows_with_the_keys_and_values_only():
  module, shapes = tiny.module('gemma2'), tiny.shapes('gemma2')

  def needed(capacity):
    compiled = prefix._encode.lower(
      module,
      shapes,
      jax.ShapeDtypeStruct((capacity // 512, 512), 'int32'),
      jax.ShapeDtypeStruct((), 'int32'),
      core='auto',
    ).compile()
    return compiled.memory_analysis().temp_size_in_bytes

  kept = prefix.nbytes_of_length(
    module, shapes, 16_384
  ) - prefix.nbytes_of_length(module, shapes, 512)
  assert needed(16_384) - needed(512) < 4 * kept
