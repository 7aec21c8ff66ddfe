"""Tokens enter the first block with unit RMS; other weights are unchanged."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from icl_gen.model import initialisation, registry
from tests import tiny


@pytest.mark.parametrize('dialect', ['gemma2', 'gemma3'])
def test_tokens_enter_with_unit_rms(dialect):
  params = initialisation.scaled_to_unit(tiny.params(dialect))
  module = tiny.module(dialect)
  tokens_V = jnp.arange(module.config.num_embed)[None]
  entered = module.apply(
    {'params': params}, tokens_V, method=lambda m, ids: m.embedder.encode(ids)
  )
  assert float(jnp.sqrt(jnp.mean(entered**2))) == pytest.approx(1, rel=1e-5)


def test_directions_and_all_other_weights_are_unchanged():
  before = tiny.params('gemma3')
  after = initialisation.scaled_to_unit(before)
  one = before['embedder']['input_embedding']
  two = after['embedder']['input_embedding']
  np.testing.assert_allclose(
    one / jnp.linalg.norm(one), two / jnp.linalg.norm(two), atol=1e-6
  )
  assert jax.tree.structure(before) == jax.tree.structure(after)
  same = jax.tree.map(lambda a, b: bool((a == b).all()), before, after)
  assert not same.pop('embedder')['input_embedding']
  assert all(jax.tree.leaves(same))


@pytest.mark.slow
def test_the_packages_own_draw_is_much_smaller():
  """The reason for the scaling, which can go if the package changes this."""
  module = registry.make_module('nano_small')
  table = initialisation.make_params(module, seed=0)['embedder'][
    'input_embedding'
  ]
  assert float(table.std() * table.shape[1] ** 0.5) < 0.2
