"""Plain attention, and attention by blocks of queries, against loops."""

import functools

import jax
import numpy as np
import pytest

from icl_gen.model import attention

B, N, K, H = 2, 4, 2, 8
LENGTH = 13


@functools.cache
def row():
  """Queries, keys, values; positions and segments of texts with padding."""
  rng = np.random.default_rng(0)
  q, k, v = (
    rng.standard_normal((B, heads, LENGTH, H)).astype(np.float32)
    for heads in (N, K, K)
  )
  positions = [[*range(6), *range(4), *range(3)], [*range(10), 0, 0, 0]]
  segments = [[1] * 6 + [2] * 4 + [3] * 3, [1] * 10 + [0] * 3]
  return q, k, v, np.int32(positions), np.int32(segments)


@functools.cache
def wanted(*, window, soft_cap):
  """Attention by loops: one query, one head, the keys that it may see."""
  q, k, v, positions, segments = row()
  out = np.zeros((B, N, LENGTH, H))
  for b, n, at in np.ndindex(B, N, LENGTH):
    seen = [
      s
      for s in range(LENGTH)
      if segments[b, s] == segments[b, at]
      and positions[b, s] <= positions[b, at]
      and (window is None or positions[b, s] > positions[b, at] - window)
    ]
    logits = k[b, n // (N // K), seen] @ q[b, n, at]
    if soft_cap is not None:
      logits = soft_cap * np.tanh(logits / soft_cap)
    weights = np.exp(logits) / np.exp(logits).sum()
    out[b, n, at] = weights @ v[b, n // (N // K), seen]
  return out


def assert_attention_by_loops(found, *, window, soft_cap):
  """Padding may attend to padding in any way, but must not give NaN."""
  *_, segments = row()
  read = np.broadcast_to((segments > 0)[:, None], (B, N, LENGTH))
  assert np.isfinite(found).all()
  np.testing.assert_allclose(
    np.asarray(found)[read],
    wanted(window=window, soft_cap=soft_cap)[read],
    atol=1e-5,
  )


@pytest.mark.parametrize(
  ('window', 'soft_cap', 'block'),
  [
    (None, 1.5, 3),
    (1, None, 3),
    (4, 1.5, 3),  # a window of more than a block
    (2, None, 5),  # and of less
    (4, None, LENGTH),
    (4, None, LENGTH + 1),
  ],
)
def test_attention_by_blocks_equals_loops(window, soft_cap, block):
  layer = attention.Layer(index=0, window=window, soft_cap=soft_cap)
  compute = jax.jit(attention.causal_blocks, static_argnames=('layer', 'block'))
  found = compute(*row(), layer=layer, block=block)
  assert_attention_by_loops(found, window=window, soft_cap=soft_cap)


def test_plain_attention_equals_loops():
  *qkv, positions, segments = row()
  mask = attention.visible(positions, positions, segments, segments, window=4)
  found = jax.jit(attention.plain, static_argnames='soft_cap')(
    *qkv, mask, soft_cap=1.5
  )
  assert_attention_by_loops(found, window=4, soft_cap=1.5)


def test_logits_of_bfloat16_inputs_are_float32():
  q, k, *_ = row()
  found = attention.logits(
    q.astype('bfloat16'), k.astype('bfloat16'), soft_cap=None
  )
  assert found.dtype == np.float32


def test_a_query_that_sees_no_key_has_finite_output():
  q, k, v, *_ = row()
  mask = np.zeros((B, LENGTH, LENGTH), bool)
  out = attention.plain(q, k, v, mask, soft_cap=None)
  assert np.isfinite(np.asarray(out)).all()


@pytest.mark.parametrize('window', [None, 4])
def test_the_gradient_that_is_written_out_is_that_of_the_plain_core(window):
  q, k, v, positions, segments = row()
  places = positions, positions, segments, segments
  mask = attention.visible(*places, window=window)
  cotangent = np.random.default_rng(1).standard_normal(q.shape, np.float32)

  def gradient(core):
    found, pull = jax.vjp(lambda *qkv: core(*qkv, mask), q, k, v)
    return found, *pull(cotangent)

  plain = functools.partial(attention.plain, soft_cap=None)
  for found, wanted in zip(
    gradient(attention.plain_float32), gradient(plain), strict=True
  ):
    np.testing.assert_allclose(found, wanted, atol=1e-5)
