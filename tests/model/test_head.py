"""Log-probabilities equal those of all logits, which never exist at once."""

import functools
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from icl_gen.model import head
from tests import tiny


def hidden(shape, dtype='float32'):
  drawn = np.random.default_rng(0).standard_normal((*shape, 32))
  return jnp.asarray(drawn, dtype)


def targets(shape):
  drawn = np.random.default_rng(1).integers(0, tiny.VOCABULARY, size=shape)
  # Include the ends of the vocabulary, and of a block of pieces.
  drawn.flat[:3] = 0, tiny.VOCABULARY - 1, 499
  return drawn.astype(np.int32)


@functools.partial(jax.jit, static_argnames=('module', 'pieces'))
def found(params, hidden, targets, *, module, pieces):
  return head.target_logps(module, params, hidden, targets, pieces=pieces)


# Less and more than a block of tokens; blocks of pieces that do and do not
# divide the vocabulary.
@pytest.mark.parametrize('shape', [(5,), (2, 300)])
@pytest.mark.parametrize('pieces', [None, 256, 500])
@pytest.mark.parametrize('dialect', ['gemma3', 'gemma2'])
def test_log_probabilities_equal_those_of_all_logits(shape, pieces, dialect):
  module, params = tiny.module(dialect), tiny.params(dialect)
  logits = head.logits(module, params, hidden(shape))
  wanted = jnp.take_along_axis(
    jax.nn.log_softmax(logits), targets(shape)[..., None], axis=-1
  )[..., 0]
  np.testing.assert_allclose(
    found(params, hidden(shape), targets(shape), module=module, pieces=pieces),
    wanted,
    atol=1e-5,
  )


def test_only_the_first_count_normalisers_are_computed():
  """And a new count does not recompile."""
  module, params = tiny.module('gemma3'), tiny.params('gemma3')
  compute = jax.jit(
    lambda hidden, count: head.normalisers(module, params, hidden, count=count)
  )
  everything = np.asarray(head.normalisers(module, params, hidden((600,))))
  for count in (1, 256, 257, 600):
    found = np.asarray(compute(hidden((600,)), np.int32(count)))
    np.testing.assert_allclose(found[:count], everything[:count], atol=1e-5)
    computed = -(-count // head.TOKENS) * head.TOKENS
    assert (found[computed:] == 0).all()
  assert compute._cache_size() == 1


def test_log_probabilities_of_bfloat16_weights_are_float32():
  module, params = tiny.module('gemma3'), tiny.params('gemma3', 'bfloat16')
  exact = jax.tree.map(lambda leaf: leaf.astype('float32'), params)
  inputs = hidden((40,), 'bfloat16')
  logps = found(params, inputs, targets((40,)), module=module, pieces=500)
  assert logps.dtype == np.float32
  np.testing.assert_allclose(
    logps,
    found(
      exact,
      inputs.astype('float32'),
      targets((40,)),
      module=module,
      pieces=None,
    ),
    atol=1e-4,
  )


def test_neither_all_logits_nor_a_copy_of_the_table_exist():
  T, V, D = 4096, 65_536, 64
  module = types.SimpleNamespace(
    config=types.SimpleNamespace(final_logit_softcap=None)
  )
  shapes = (
    {'embedder': {'input_embedding': jax.ShapeDtypeStruct((V, D), 'bfloat16')}},
    jax.ShapeDtypeStruct((T, D), 'bfloat16'),
    jax.ShapeDtypeStruct((T,), 'int32'),
  )
  compute = functools.partial(head.target_logps, module)
  memory = jax.jit(compute).lower(*shapes).compile().memory_analysis()
  some = head.TOKENS * head.PIECES_ON_CPU * 4  # float32 logits at a time
  assert some < memory.temp_size_in_bytes + 1 < 3 * some, (
    'the bound tests nothing'
  )
  assert memory.temp_size_in_bytes < T * V * 4 / 10
