"""The forward pass equals the gemma package's, also for packed rows."""

import functools

import jax
import numpy as np
import pytest

from icl_gen.model import forward, head
from tests import tiny

LENGTH = 23  # more than four windows


@functools.partial(jax.jit, static_argnums=0, static_argnames='settled')
def _ours(
  module, params, tokens_BxL, positions_BxL, segments_BxL, settled=False
):
  hidden_BxLxD, _ = forward.forward(
    module,
    params,
    tokens_BxL,
    positions_BxL,
    forward.within_batch(positions_BxL, segments_BxL),
    settled=settled,
  )
  return head.logits(module, params, hidden_BxLxD)


def ours(
  dialect, tokens_BxL, *, dtype='float32', positions=None, segments=None
):
  shape = tokens_BxL.shape
  if positions is None:
    positions = np.broadcast_to(np.arange(shape[1], dtype=np.int32), shape)
  if segments is None:
    segments = np.ones(shape, np.int32)
  module, params = tiny.module(dialect, dtype), tiny.params(dialect, dtype)
  return np.asarray(_ours(module, params, tokens_BxL, positions, segments))


def batch():
  return np.stack([tiny.ids(LENGTH, seed=seed) for seed in (1, 2)])


@pytest.mark.parametrize('dialect', tiny.DIALECTS)
def test_it_equals_the_forward_pass_of_the_package(dialect):
  found_BxLxV = ours(dialect, batch())
  wanted_BxLxV = [tiny.logits(dialect, row) for row in batch()]
  assert np.std(wanted_BxLxV) > 0.5, 'a flat model would agree with anything'
  np.testing.assert_allclose(found_BxLxV, wanted_BxLxV, atol=1e-5)


@pytest.mark.parametrize('dialect', tiny.DIALECTS)
def test_operands_that_are_computed_first_change_nothing(dialect):
  module, params = tiny.module(dialect), tiny.params(dialect)
  places = np.arange(LENGTH)[None], np.ones((1, LENGTH), np.int32)

  def total(params, settled):
    row = batch()[:1], *places
    return (_ours(module, params, *row, settled=settled) ** 2).mean()

  found, wanted = (
    jax.value_and_grad(total)(params, settled) for settled in (True, False)
  )
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
    found,
    wanted,
  )


def test_in_bfloat16_it_is_closer_to_float32_than_the_package_is():
  """The package's softmax and logits are bfloat16, ours float32."""
  rounded = jax.tree.map(
    lambda leaf: leaf.astype('float32'), tiny.params('gemma2', 'bfloat16')
  )
  exact = [tiny.logits('gemma2', row, weights=rounded) for row in batch()]
  package = [tiny.logits('gemma2', row, dtype='bfloat16') for row in batch()]
  found = ours('gemma2', batch(), dtype='bfloat16')
  assert found.dtype == np.float32
  error = np.abs(found - np.asarray(exact))
  package_error = np.abs(np.asarray(package) - np.asarray(exact))
  # The logits have standard deviation 1.1; bfloat16 resolves 1 to 2**-7.
  assert error.mean() < 0.02 and error.max() < 0.2
  assert error.mean() < package_error.mean()


@pytest.mark.parametrize('dialect', ['gemma3', 'gemma2'])
def test_texts_in_a_row_do_not_see_each_other(dialect):
  first, second = tiny.ids(9, seed=3), tiny.ids(11, seed=4)
  packed = np.zeros((2, LENGTH), np.int32)
  positions, segments = np.zeros_like(packed), np.zeros_like(packed)
  packed[0, :20] = np.concatenate([first, second])
  positions[0, :20] = [*range(9), *range(11)]
  segments[0, :20] = [1] * 9 + [2] * 11
  found = ours(dialect, packed, positions=positions, segments=segments)
  np.testing.assert_allclose(
    found[0, :9], tiny.logits(dialect, first), atol=1e-5
  )
  np.testing.assert_allclose(
    found[0, 9:20], tiny.logits(dialect, second), atol=1e-5
  )
  assert np.isfinite(found).all(), 'padding is finite too'


def test_only_differences_between_positions_matter():
  positions = np.broadcast_to(np.arange(LENGTH, dtype=np.int32), (2, LENGTH))
  moved = ours('gemma3', batch(), positions=positions + 7)
  np.testing.assert_allclose(moved, ours('gemma3', batch()), atol=1e-4)


@pytest.mark.slow
def test_the_block_size_does_not_change_the_logits(monkeypatch):
  whole = ours('gemma3', batch())
  monkeypatch.setattr(forward, 'QUERY_BLOCK', 8)
  _ours.clear_cache()  # the block size is read in tracing
  in_blocks = ours('gemma3', batch())
  _ours.clear_cache()
  np.testing.assert_allclose(in_blocks, whole, atol=1e-5)


def test_windows_follow_the_attention_types():
  assert forward.windows(tiny.module('gemma3')) == (5, None, 5, None)
