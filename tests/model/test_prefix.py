"""What follows an encoded context is what follows it in one long row."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from icl_gen.model import forward, prefix
from tests import tiny

CHUNK = 8
SUFFIX = 12  # more than two windows


@functools.partial(jax.jit, static_argnums=0)
def _logits_after(module, params, shared, tokens_BxL, segments_BxL):
  positions_BxL = jnp.tile(jnp.arange(SUFFIX, dtype=jnp.int32)[None], (2, 1))
  if shared is not None:
    positions_BxL += shared.length
  hidden_BxLxD, _ = forward.forward(
    module,
    params,
    tokens_BxL,
    positions_BxL,
    prefix.after(shared, None, positions_BxL, segments_BxL),
  )
  return forward.head(module, params, hidden_BxLxD)


def encode(length, dialect='gemma3', **options):
  return prefix.encode(
    tiny.module(dialect),
    tiny.params(dialect),
    tiny.ids(length, seed=1),
    **{'chunk': CHUNK} | options,
  )


def assert_as_in_one_row(dialect, length):
  """Two rows behind one prefix; the second is half padding."""
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
    (tokens_BxL > 0).astype(np.int32),
  )
  for found_LxV, suffix_L in zip(found_BxLxV, suffixes, strict=True):
    whole = tiny.logits(dialect, np.concatenate([before_P, suffix_L]))
    np.testing.assert_allclose(
      found_LxV[: len(suffix_L)], whole[length:], atol=2e-5
    )


# Around the window (5), and around the buckets.
@pytest.mark.parametrize('length', [0, 1, 4, 5, 6, 8, 9, 16])
def test_it_is_as_in_one_row(length):
  assert_as_in_one_row('gemma3', length)


def test_soft_caps_reach_the_prefix():
  assert_as_in_one_row('gemma2', 7)


@pytest.mark.parametrize('length', [2, 4, 5, 8])
def test_local_layers_keep_the_last_positions_only(length):
  shared = encode(length)
  assert shared.length == length
  everything = [*range(length)] + [-1] * (BUCKET - length)
  first = max(0, length - (tiny.WINDOW - 1))
  for layer, window in zip(
    shared.layers, forward.windows(tiny.module('gemma3')), strict=True
  ):
    kept = everything if window is None else everything[first : first + 4]
    assert layer.positions_P.tolist() == kept
    assert layer.k_KxPxH.shape == layer.v_KxPxH.shape == (2, len(kept), 16)


def test_a_window_of_more_than_the_bucket_keeps_everything():
  kept = np.zeros((2, 4, 16), np.float32)
  positions_P = np.int32([0, 1, 2, -1])
  layer = prefix._trim(kept, kept, positions_P, np.int32(3), window=6)
  assert layer.positions_P.tolist() == [0, 1, 2, -1]
