"""Gemma 3n and 4: log-probabilities equal those of the package."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gemma import gm

from icl_gen.model import package_forward
from tests import packaged, tiny

LENGTH = 16


@pytest.mark.parametrize(
  'name',
  [
    pytest.param('gemma3n_e2b', marks=pytest.mark.slow),
    'gemma4_e2b',
    pytest.param('gemma4_26b_a4b', marks=pytest.mark.slow),
  ],
)
def test_packed_rows_equal_texts_alone(name):
  """Row 0 holds two texts and padding, row 1 one text."""
  rng = np.random.default_rng(1)
  texts = [rng.integers(5, 250, n).astype(np.int32) for n in (8, 6, LENGTH)]
  tokens_BxL = np.zeros((2, LENGTH), np.int32)
  tokens_BxL[0, :14] = np.concatenate(texts[:2])
  tokens_BxL[1] = texts[2]
  positions = [[*range(8), *range(6), 0, 0], [*range(LENGTH)]]
  segments = [[1] * 8 + [2] * 6 + [0] * 2, [1] * LENGTH]
  with jax.numpy_rank_promotion('allow'):  # the package needs it
    found = package_forward.row_logps(
      packaged.module(name),
      packaged.params(name),
      tokens_BxL,
      np.int32(positions),
      np.int32(segments),
    )
    alone = np.zeros((3, LENGTH), np.int32)
    for row, text in zip(alone, texts, strict=True):
      row[: len(text)] = text
    output = packaged.module(name).apply(
      {'params': packaged.params(name)}, alone
    )
  wanted = jnp.take_along_axis(
    jax.nn.log_softmax(output.logits[:, :-1]), alone[:, 1:, None], axis=2
  )[..., 0]
  assert isinstance(output.logits, jax.Array) and wanted.std() > 0.1
  np.testing.assert_allclose(found[0, :7], wanted[0, :7], atol=1e-5)
  np.testing.assert_allclose(found[0, 8:13], wanted[1, :5], atol=1e-5)
  np.testing.assert_allclose(found[1, :15], wanted[2], atol=1e-5)


def test_plain_architectures_give_the_same_through_the_package():
  ids = np.stack([tiny.ids(12, seed=1)])
  found = package_forward.row_logps(
    tiny.module('gemma2'),
    tiny.params('gemma2'),
    ids,
    np.arange(12, dtype=np.int32)[None],
    np.ones_like(ids),
  )
  wanted = tiny.logps('gemma2', ids[0])
  np.testing.assert_allclose(found[0, :-1], wanted, atol=1e-5)
  assert isinstance(tiny.module('gemma2'), gm.nn.Transformer)
