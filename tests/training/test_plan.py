"""However a step is computed, it computes the same."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from icl_gen.model import forward, head, parameters, sharding
from icl_gen.model.lora import Lora
from icl_gen.runs.experiments import Training
from icl_gen.training import (
  chunked_loss,
  fine_tuning,
  hidden,
  plan,
  step,
)
from icl_gen.training.plan import Plan
from icl_gen.types import Batch, Targets
from tests import plain_loss, tiny

ROWS, LENGTH = 16, 12
MESHES = {
  'one': (1, 1, 1),
  'data': (8, 1, 1),
  'fsdp': (1, 8, 1),
  'both': (2, 4, 1),
  'all': (2, 2, 2),
}


def mesh(name):
  data, fsdp, model = MESHES[name]
  return sharding.make_mesh(data=data, fsdp=fsdp, model=model)


@functools.cache
def batch():
  """Rows of two texts and padding, with fewer and fewer weights."""
  rng = np.random.default_rng(0)
  segments_L = np.repeat([1, 2, 0], [5, 6, 1]).astype(np.int32)
  positions_L = np.concatenate([np.arange(5), np.arange(6), [0]])
  weights_BxL = rng.random((ROWS, LENGTH)) * (segments_L > 0)
  weights_BxL *= rng.random((ROWS, LENGTH)) > np.linspace(0, 1, ROWS)[:, None]
  return Batch(
    tokens_BxL=np.stack([tiny.ids(LENGTH, seed=seed) for seed in range(ROWS)]),
    weights_BxL=weights_BxL.astype(np.float32),
    positions_BxL=np.tile(positions_L.astype(np.int32), (ROWS, 1)),
    segments_BxL=np.tile(segments_L, (ROWS, 1)),
  )


def one_hot(tokens_BxL, *, more=0):
  """All on each token; `more` other ids have no share."""
  others_BxLxK = (
    np.arange(more, dtype=np.int32) + np.zeros_like(tokens_BxL)[..., None]
  )
  ids_BxLxK = np.concatenate([tokens_BxL[..., None], others_BxLxK], axis=-1)
  shares_BxLxK = np.zeros(ids_BxLxK.shape, np.float32)
  shares_BxLxK[..., 0] = 1
  return Targets(ids_BxLxK, shares_BxLxK)


@functools.cache
def spread():
  """Distributions over three ids, all over the vocabulary."""
  rng = np.random.default_rng(2)
  shape = (ROWS, LENGTH, 3)
  ids_BxLxK = rng.integers(0, tiny.VOCABULARY // 3, shape) * 3 + np.arange(3)
  shares_BxLxK = rng.dirichlet(np.ones(3), (ROWS, LENGTH))
  return Targets(ids_BxLxK.astype(np.int32), shares_BxLxK.astype(np.float32))


def taken(how, *, dialect='gemma3', updates=None, targets=None):
  """(metrics, parameters after one step); plain descent shows the gradients."""
  updates = updates or optax.sgd(1.0)
  module = tiny.module(dialect)
  params = jax.tree.map(jnp.copy, tiny.params(dialect))
  if how.mesh.size > 1:
    params = tiny.placed(how.mesh, module, params)
  state = fine_tuning.make_state(module, params, updates, how.mesh)
  train_step = step.make_step(module, updates, how)
  rows = dataclasses.replace(batch(), targets=targets)
  state, metrics = train_step(state, sharding.split_rows(how.mesh, rows))
  return metrics, state


@functools.cache
def plainly(dialect='gemma3', *, is_spread=False):
  targets = spread() if is_spread else None
  metrics, state = taken(Plan(mesh('one')), dialect=dialect, targets=targets)
  return metrics, jax.device_get(state.params)


def assert_same(found, wanted, *, atol=2e-6):
  (metrics, state), (wanted_metrics, params) = found, wanted
  for name in ('loss', 'weight', 'grad_norm'):
    np.testing.assert_allclose(metrics[name], wanted_metrics[name], rtol=2e-5)
  for one, two in zip(
    jax.tree.leaves(state.params), jax.tree.leaves(params), strict=True
  ):
    np.testing.assert_allclose(one, two, atol=atol)


@pytest.mark.parametrize(
  ('dialect', 'where'),
  [
    pytest.param('gemma3', 'data', marks=pytest.mark.slow),
    pytest.param('gemma3', 'fsdp', marks=pytest.mark.slow),
    ('gemma3', 'all'),
    pytest.param('gemma2', 'both', marks=pytest.mark.slow),
    pytest.param('one_key_head', 'all', marks=pytest.mark.slow),
  ],
)
def test_on_every_mesh(dialect, where):
  found = taken(Plan(mesh(where)), dialect=dialect)
  assert_same(found, plainly(dialect))


@pytest.mark.parametrize(
  'remat',
  [
    pytest.param(how, marks=[pytest.mark.slow] * (how != 'full'))
    for how in plan.REMAT
  ],
)
def test_what_is_computed_again_is_the_same(remat):
  assert_same(taken(Plan(mesh('one'), remat=remat)), plainly())


@pytest.mark.parametrize(
  ('where', 'dialect'),
  [('one', 'gemma3'), pytest.param('fsdp', 'runs', marks=pytest.mark.slow)],
)
def test_layers_that_repeat_may_be_compiled_once(where, dialect):
  found = taken(Plan(mesh(where), scan=True, remat='full'), dialect=dialect)
  assert_same(found, plainly(dialect))


@pytest.mark.parametrize(
  ('where', 'count'),
  [
    pytest.param('one', 16, marks=pytest.mark.slow),
    pytest.param('one', 2, marks=pytest.mark.slow),
    ('both', 2),
  ],
)
def test_parts_of_a_batch_count_by_their_weights(where, count):
  assert_same(taken(Plan(mesh(where), microbatches=count)), plainly())


# --- distributions ------------------------------------------------------------


@pytest.mark.parametrize('more', [pytest.param(0, marks=pytest.mark.slow), 3])
def test_a_distribution_that_is_all_on_the_token_is_the_token(more):
  targets = one_hot(batch().tokens_BxL, more=more)
  metrics, state = taken(Plan(mesh('one')), targets=targets)
  wanted, params = plainly()
  for name in ('loss', 'weight', 'grad_norm'):
    assert float(metrics[name]) == float(wanted[name])
  jax.tree.map(np.testing.assert_array_equal, state.params, params)


@pytest.mark.parametrize(
  ('where', 'options'),
  [
    ('one', {'remat': 'full'}),
    ('all', {'microbatches': 2}),
    ('both', {'scan': True}),
  ],
)
@pytest.mark.slow
def test_distributions_are_the_same_however_a_step_is_computed(where, options):
  found = taken(Plan(mesh(where), **options), targets=spread())
  assert_same(found, plainly(is_spread=True))


# --- LoRA ---------------------------------------------------------------------


def with_adapters(how, frozen, lora):
  """(metrics, adapters after two steps, so that both halves have moved)."""
  module, updates = tiny.module('gemma3'), optax.sgd(0.5)
  adapters = lora.make(frozen, seed=0)
  if how.mesh.size > 1:
    frozen = tiny.placed(how.mesh, module, frozen)
  state = fine_tuning.make_state(module, adapters, updates, how.mesh)
  train_step = step.make_step(module, updates, how, lora=lora)
  for _ in range(2):
    rows = sharding.split_rows(how.mesh, batch())
    state, metrics = train_step(state, rows, frozen)
  return metrics, state


@pytest.mark.parametrize(
  ('where', 'options'),
  [
    ('one', {}),
    pytest.param('all', {'remat': 'full'}, marks=pytest.mark.slow),
    pytest.param('both', {'scan': True}, marks=pytest.mark.slow),
  ],
)
def test_adapters_applied_are_adapters_merged(where, options):
  """What the step computes with adapters, it computes with merged weights."""
  lora, params = Lora(3, 6.0, 'all'), tiny.params('gemma3')
  start = lora.make(params, seed=0)
  metrics, state = with_adapters(Plan(mesh(where), **options), params, lora)
  assert float(metrics['loss']) < float(plainly()[0]['loss']) - 0.01
  moved = jax.tree.map(lambda a, b: abs(a - b).max(), state.params, start)
  assert min(map(float, jax.tree.leaves(moved))) > 0
  adapters = jax.device_get(state.params)
  axes = parameters.axes(params)
  applied = hidden.hidden_states(
    tiny.module('gemma3'),
    params,
    batch(),
    Plan(mesh('one')),
    adapters=adapters,
    lora=lora,
  )
  merged = hidden.hidden_states(
    tiny.module('gemma3'),
    lora.merged(params, adapters, axes),
    batch(),
    Plan(mesh('one')),
  )
  np.testing.assert_allclose(applied, merged, atol=1e-5)
  _, alone = with_adapters(Plan(mesh('one')), params, lora)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5),
    adapters,
    jax.device_get(alone.params),
  )


@pytest.mark.parametrize(
  'where', ['one', pytest.param('both', marks=pytest.mark.slow)]
)
def test_a_run_with_adapters_saves_merged_weights(where):
  settings = Training(steps=2, length=LENGTH, lora_rank=2, warmup_steps=0)
  how, module = Plan(mesh(where)), tiny.module('gemma3')
  params = tiny.params('gemma3')
  if where != 'one':
    params = tiny.placed(how.mesh, module, params)
  run = fine_tuning.start(module, params, settings, how, seed=0)
  before = run.weights(run.state)
  jax.tree.map(np.testing.assert_array_equal, before, params)
  state = run.state
  for _ in range(2):
    state, _ = run.step(state, sharding.split_rows(how.mesh, batch()))
  after = run.weights(state)
  assert jax.tree.structure(after) == jax.tree.structure(params)
  for axes, one, two in zip(
    jax.tree.leaves(parameters.axes(params)),
    jax.tree.leaves(params),
    jax.tree.leaves(after),
    strict=True,
  ):
    assert bool((one != two).any()) == bool(axes.inputs)


def test_the_state_lives_where_its_parameters_do():
  how = Plan(mesh('all'))
  updates = optax.adam(1e-3)
  _, state = taken(how, updates=updates)
  wanted = sharding.shardings(how.mesh, tiny.module('gemma3'), state.params)
  for tree in (
    state.params,
    optax.tree.get(state.opt_state, 'mu'),
    optax.tree.get(state.opt_state, 'nu'),
  ):
    for leaf, place in zip(
      jax.tree.leaves(tree), jax.tree.leaves(wanted), strict=True
    ):
      assert leaf.sharding.is_equivalent_to(place, leaf.ndim)
  table = state.params['embedder']['input_embedding']
  assert table.addressable_shards[0].data.shape == (tiny.VOCABULARY // 4, 32)


# --- the loss in chunks -------------------------------------------------------


@pytest.mark.parametrize('dialect', ['gemma3', 'gemma2'])
@pytest.mark.parametrize(
  'chunk', [pytest.param(1, marks=pytest.mark.slow), 5, LENGTH, None]
)
@pytest.mark.parametrize('where', ['one', 'all'])
def test_the_loss_in_chunks_is_the_plain_one(dialect, chunk, where):
  assert_chunks_are_plain(dialect, chunk, where, (None, None))


@pytest.mark.parametrize(
  ('where', 'kind'),
  [
    ('one', 'one-hot'),
    ('all', 'spread'),
    pytest.param('one', 'spread', marks=pytest.mark.slow),
    pytest.param('all', 'one-hot', marks=pytest.mark.slow),
  ],
)
def test_distributions_in_chunks_are_the_plain_ones(where, kind):
  # Of one that is all on the token, the plain one is the token's own.
  targets = {
    'one-hot': (one_hot(batch().tokens_BxL, more=2), None),
    'spread': (spread(), spread()),
  }
  assert_chunks_are_plain('gemma2', 5, where, targets[kind])


def assert_chunks_are_plain(dialect, chunk, where, targets):
  module, params = tiny.module(dialect), tiny.params(dialect)
  rng = np.random.default_rng(1)
  hidden_BxLxD = rng.standard_normal((ROWS, LENGTH, 32)).astype(np.float32)
  given = batch().tokens_BxL, batch().weights_BxL
  table = params['embedder']['input_embedding']

  def plain(table, hidden_BxLxD):
    logits = head.logits(
      module, {'embedder': {'input_embedding': table}}, hidden_BxLxD
    )
    # Twice, as the gradient that arrives may be any number.
    return 2 * plain_loss.next_token_loss(logits, *given, targets[1])[0]

  def in_chunks(table, hidden_BxLxD):
    found, _ = chunked_loss.next_token_loss(
      module,
      table,
      hidden_BxLxD,
      *given,
      targets[0],
      mesh=mesh(where),
      chunk=chunk,
    )
    return 2 * found

  wanted = jax.value_and_grad(plain, argnums=(0, 1))(table, hidden_BxLxD)
  found = jax.jit(jax.value_and_grad(in_chunks, argnums=(0, 1)))(
    table, hidden_BxLxD
  )
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), found, wanted
  )


@pytest.mark.parametrize('K', [0, pytest.param(4, marks=pytest.mark.slow)])
def test_logits_of_a_large_batch_never_exist(K):
  """The longest array is a chunk's."""
  module, params = tiny.module('gemma3'), tiny.shapes('gemma3')
  long = 4096
  like = jax.eval_shape(lambda: jnp.zeros((ROWS, long), jnp.int32))
  fields = [like, like.update(dtype=jnp.float32), like, like]
  if K:
    ids = like.update(shape=(ROWS, long, K))
    fields.append(Targets(ids, ids.update(dtype=jnp.float32)))
  how = Plan(mesh('one'))
  assert not how.is_plain(rows=ROWS, length=long, vocabulary=tiny.VOCABULARY)
  updates = optax.sgd(1.0)
  state = fine_tuning.state_shapes(module, params, updates, how.mesh)
  traced = step.make_step(module, updates, how).trace(state, Batch(*fields))
  logits = ROWS * long * tiny.VOCABULARY
  assert str(traced.jaxpr).count(f'{ROWS},{long},{tiny.VOCABULARY}') == 0
  sizes = [
    v.aval.size
    for equation in traced.jaxpr.jaxpr.eqns
    for v in equation.outvars
    if hasattr(v.aval, 'size')
  ]
  assert max(sizes) < logits


@pytest.mark.parametrize(
  ('rows', 'length', 'size'), [(8, 1024, 128), (1, 1000, 1000), (8, 1000, 125)]
)
def test_chunks_divide_a_row_evenly(rows, length, size):
  assert plan.chunk(rows=rows, length=length, vocabulary=2**18) == size


# --- layers -------------------------------------------------------------------


def test_layers_repeat_as_their_kinds_do():
  assert hidden.repeats(tiny.module('gemma3')) == 2


def test_layer_by_layer_is_the_forward_pass():
  module, params = tiny.module('gemma2'), tiny.params('gemma2')
  rows = batch()
  wanted, _ = forward.forward(
    module,
    params,
    rows.tokens_BxL,
    rows.positions_BxL,
    forward.within_batch(rows.positions_BxL, rows.segments_BxL),
  )
  found = hidden.hidden_states(module, params, rows, Plan(mesh('one')))
  np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_a_batch_that_does_not_split_into_parts_is_refused():
  with pytest.raises(ValueError, match="remat 'some'; known are none, dots"):
    Plan(mesh('one'), remat='some')
