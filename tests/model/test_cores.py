"""Every core equals the plain one, and parts merge to the whole."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from icl_gen.model import attention, blockwise, cores, forward, sharding

B, N, K, H = 2, 4, 2, 16
L, S = 21, 40
EARLIER = 37  # keys in use; the rest of the buffer is empty


def layer(window=None, soft_cap=None):
  return attention.Layer(index=0, window=window, soft_cap=soft_cap)


@functools.cache
def drawn(dtype='float32'):
  rng = np.random.default_rng(0)
  return tuple(
    jnp.asarray(rng.standard_normal(shape), dtype)
    for shape in ((B, N, L, H), (B, K, S, H), (B, K, S, H))
  )


def places():
  """Positions of queries, and of the keys before them."""
  q_positions_BxL = EARLIER + np.tile(np.arange(L, dtype=np.int32), (B, 1))
  k_positions_S = np.where(np.arange(S) < EARLIER, np.arange(S), -1)
  return q_positions_BxL, np.tile(k_positions_S.astype(np.int32), (B, 1))


def rows():
  """Positions and segments of rows that hold texts and padding."""
  positions = [[*range(11), *range(7), 0, 1, 2], [*range(20), 0]]
  segments = [[1] * 11 + [2] * 7 + [0] * 3, [1] * 20 + [0]]
  return np.int32(positions), np.int32(segments)


def earlier(core, which, qkv=None):
  # A new function each time: tests change constants that are read in tracing.
  compute = jax.jit(lambda qkv: cores.to_earlier(core, *qkv, *places(), which))
  return compute(drawn() if qkv is None else qkv)


def within(core, which, qkv=None, *, block=64):
  def compute(q, k, v):
    return cores.within_rows(
      core, q, k[:, :, :L], v[:, :, :L], *rows(), which, block=block
    )

  return jax.jit(compute)(*(drawn() if qkv is None else qkv))


def assert_equal_parts(found, wanted, *, atol):
  seen = np.asarray(wanted.lse_BxNxL) > attention.FLOOR / 2
  assert seen.any()
  found_lse, wanted_lse = (
    np.where(seen, np.asarray(part.lse_BxNxL), 0) for part in (found, wanted)
  )
  found_out, wanted_out = (
    np.where(seen[..., None], np.asarray(part.out_BxNxLxH), 0)
    for part in (found, wanted)
  )
  assert found.lse_BxNxL.dtype == found.out_BxNxLxH.dtype == np.float32
  assert np.isfinite(np.asarray(found.out_BxNxLxH)).all()
  np.testing.assert_allclose(found_lse, wanted_lse, atol=atol)
  np.testing.assert_allclose(found_out, wanted_out, atol=atol)
  unseen = np.asarray(found.lse_BxNxL)[~seen]
  assert (unseen < attention.FLOOR / 2).all()


@pytest.mark.parametrize('tile', [None, (8, 16), (8, 7), (2 * L, 1)])
@pytest.mark.parametrize(('window', 'soft_cap'), [(None, None), (9, 1.5)])
def test_blockwise_attention_to_earlier_keys_equals_plain(
  window, soft_cap, tile, monkeypatch
):
  if tile is not None:
    monkeypatch.setattr(blockwise, 'TILE_ON_CPU', tile)
  found, wanted = (
    earlier(core, layer(window, soft_cap)) for core in ('blockwise', 'plain')
  )
  assert_equal_parts(found, wanted, atol=1e-5)


@pytest.mark.parametrize('soft_cap', [None, 1.5])
def test_splash_attention_to_earlier_keys_equals_plain(soft_cap):
  found, wanted = (
    earlier(core, layer(None, soft_cap)) for core in ('splash', 'plain')
  )
  assert_equal_parts(found, wanted, atol=1e-5)


def test_splash_attention_to_earlier_keys_in_a_window_equals_plain():
  found, wanted = (earlier(core, layer(9)) for core in ('splash', 'plain'))
  assert_equal_parts(found, wanted, atol=1e-5)


@pytest.mark.parametrize('core', ['blockwise', 'splash'])
def test_sums_of_bfloat16_inputs_are_float32(core):
  """bfloat16 log-sum-exps would be off by up to 2**-7 of their size."""
  bfloat16 = drawn('bfloat16')
  rounded = [x.astype('float32') for x in bfloat16]
  found = earlier(core, layer(), bfloat16)
  wanted = earlier('plain', layer(), rounded)
  assert found.lse_BxNxL.dtype == np.float32
  assert abs(found.lse_BxNxL - wanted.lse_BxNxL).max() < 1e-4
  assert abs(found.out_BxNxLxH - wanted.out_BxNxLxH).max() < 0.01


def cases():
  for core in ('blockwise', 'splash', 'cudnn'):
    for window in (None, 4):
      for soft_cap in (None,) if core == 'cudnn' else (None, 1.5):
        yield core, window, soft_cap


@pytest.mark.parametrize(('core', 'window', 'soft_cap'), list(cases()))
def test_within_rows_every_core_equals_plain(
  core, window, soft_cap, monkeypatch
):
  # On a CPU this core runs XLA's attention, which supports float32.
  monkeypatch.setattr(cores, 'CUDNN_DTYPES', ('float32',))
  read = np.broadcast_to((rows()[1] > 0)[:, None], (B, N, L))
  found, wanted = (
    np.asarray(within(name, layer(window, soft_cap), block=block))
    for name, block in ((core, 5), ('plain', 64))
  )
  assert np.isfinite(found).all()
  np.testing.assert_allclose(found[read], wanted[read], atol=1e-5)


@pytest.mark.parametrize('core', ['splash', 'blockwise'])
def test_the_gradient_of_every_core_equals_that_of_plain(core):
  read = jnp.asarray(rows()[1] > 0, 'float32')[:, None, :, None]

  def loss(qkv, *, core):
    return jnp.sum(jnp.sin(within(core, layer(4, 1.5), qkv, block=6)) * read)

  found, wanted = (
    jax.grad(functools.partial(loss, core=core))(drawn())
    for core in (core, 'plain')
  )
  for found_leaf, wanted_leaf in zip(found, wanted, strict=True):
    assert abs(wanted_leaf).max() > 0.1
    np.testing.assert_allclose(found_leaf, wanted_leaf, atol=1e-4)


@pytest.mark.parametrize('key_heads', [1, 2, 4])
@pytest.mark.parametrize(('core', 'model'), [('splash', 2), ('blockwise', 4)])
def test_on_a_mesh_every_core_equals_plain(core, model, key_heads):
  """Rows are split over data and fsdp, heads over model."""
  q, k, v = drawn()
  k, v = (jnp.resize(x[:, :, :L], (B, key_heads, L, H)) for x in (k, v))
  q, k, v = (jnp.tile(x, (2, 1, 1, 1)) for x in (q, k, v))
  places = [np.tile(x, (2, 1)) for x in rows()]
  mesh = sharding.make_mesh(data=2, fsdp=4 // model, model=model)
  read = jnp.asarray(places[1] > 0, 'float32')[:, None, :, None]

  def loss(qkv, attend):
    return jnp.sum(jnp.sin(attend(layer(4, 1.5), *qkv)[0]) * read)

  found, wanted = (
    jax.jit(jax.value_and_grad(functools.partial(loss, attend=attend)))(
      (q, k, v)
    )
    for attend in (
      forward.within_batch(*places, core=core, mesh=mesh),
      forward.within_batch(*places, core='plain'),
    )
  )
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), found, wanted
  )


@pytest.mark.parametrize('split', [0, 1, 13, S])
def test_parts_merge_to_the_whole(split):
  q, k, v = drawn()
  rng = np.random.default_rng(1)
  # Some queries see no key on one side.
  mask = rng.random((B, L, S)) < rng.choice([0.05, 0.9], size=(1, L, 1))
  mask[:, :, 20] = True
  parts = [
    attention.plain_part(
      q, k[:, :, keys], v[:, :, keys], mask[:, :, keys], soft_cap=1.5
    )
    for keys in (slice(0, split), slice(split, S))
    if keys.stop > keys.start
  ]
  wanted = attention.plain(q, k, v, mask, soft_cap=1.5)
  np.testing.assert_allclose(attention.merged(parts), wanted, atol=1e-5)


def test_auto_chooses_blockwise_for_prefixes_on_a_cpu():
  choose = functools.partial(
    cores.choose, dtype=jnp.dtype('bfloat16'), width=256, soft_cap=None
  )
  assert choose('auto', part=True) == 'blockwise'
  assert choose('auto', part=False) == 'plain'
  assert choose('cudnn', part=False) == 'cudnn'
  assert choose('splash', part=True) == 'splash'


@pytest.mark.parametrize(
  ('wanted', 'options'),
  [
    ('flash', {}),
    ('cudnn', {'part': True}),
    ('cudnn', {'dtype': jnp.dtype('float32')}),
    ('cudnn', {'soft_cap': 50.0}),
    ('cudnn', {'width': 512}),
  ],
)
def test_a_core_that_does_not_support_the_inputs_is_refused(wanted, options):
  supported = {
    'part': False,
    'dtype': jnp.dtype('bfloat16'),
    'width': 256,
    'soft_cap': None,
  }
  with pytest.raises(ValueError, match=f'attention .?{wanted}.* auto'):
    cores.choose(wanted, **supported | options)
