"""Weights and states are read back exactly, or an error says why not."""

import contextlib
import functools
import json
import os
import resource
import shutil
import signal
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from gemma import gm
from orbax import checkpoint as ocp

from icl_gen.model import checkpoints, sharding

LAYER = 'layer_0/mlp/linear'


def params(seed=0, dtype='float32'):
  rng = np.random.default_rng(seed)

  def draw(*shape):
    return jnp.asarray(rng.standard_normal(shape), dtype)

  return {
    'embedder': {'input_embedding': draw(7, 4)},
    'layer_0': {'mlp': {'linear': draw(4, 4)}, 'norm': {'scale': draw(4)}},
  }


def large(seed=0):
  """Weights too large for an index, so that files of their own hold them."""
  rng = np.random.default_rng(seed)
  draw = rng.standard_normal((64, 64)).astype('float32')
  return params(seed) | {'embedder': {'input_embedding': jnp.asarray(draw)}}


def state(seed=0, dtype='float32', weights=None):
  """A tree like that of training: a count, weights, optimizer states."""
  adam = optax.chain(optax.clip(1.0), optax.adamw(0.1))
  weights = weights or params(seed, dtype)
  return {
    'step': jnp.int32(seed),
    'params': weights,
    'opt_state': adam.init(weights),
  }


def assert_equal(tree, other):
  assert jax.tree.structure(tree) == jax.tree.structure(other)
  for one, two in zip(
    jax.tree.leaves(tree), jax.tree.leaves(other), strict=True
  ):
    assert one.dtype == two.dtype
    np.testing.assert_array_equal(one, two)


def files_under(directory):
  return [path for path in sorted(directory.rglob('*')) if path.is_file()]


def largest(directory):
  return max(files_under(directory), key=lambda path: path.stat().st_size)


def flip(path, share):
  """Flips the bit at a share of the length of a file."""
  content = bytearray(path.read_bytes())
  content[int(share * len(content))] ^= 4
  path.write_bytes(content)


HARM = {
  'halved': lambda path: os.truncate(path, path.stat().st_size // 2),
  'emptied': lambda path: os.truncate(path, 0),
  'deleted': lambda path: path.unlink(),
  'flipped': lambda path: flip(path, 0.3),
}


# --- what a kill leaves behind ------------------------------------------------

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = {'os.rename', 'os.remove', 'os.mkdir', 'os.rmdir', 'shutil.rmtree'}
_watched = []


def _look(event, args):
  """Calls the watcher before each change to the file system."""
  if not _watched:
    return
  if event in _CHANGES or (event == 'open' and args[2] & _WRITES):
    root, take = _watched[0]
    if isinstance(args[0], str) and args[0].startswith(str(root)):
      take()


@functools.cache
def _install():
  sys.addaudithook(_look)  # can never be removed


def _copy(source, target):
  """Like shutil.copytree, but files may vanish meanwhile."""
  target.mkdir(parents=True)
  for path in sorted(source.rglob('*')):
    with contextlib.suppress(FileNotFoundError):
      copy = target / path.relative_to(source)
      if path.is_dir():
        copy.mkdir(exist_ok=True)
      else:
        copy.write_bytes(path.read_bytes())


@contextlib.contextmanager
def every_moment(root, copies):
  """Copies a directory before every change in it.

  Each copy is what a kill at that moment would leave behind.
  """
  _install()
  taken = []

  def take():
    taken.append(copies / str(len(taken)))
    _copy(root, taken[-1])

  _watched.append((root, take))
  try:
    yield taken
  finally:
    _watched.clear()


# --- weights ------------------------------------------------------------------


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_weights_are_read_back_and_the_package_reads_them(tmp_path, dtype):
  weights = params(dtype=dtype)
  checkpoints.save_params(tmp_path / 'params', weights)
  like = jax.eval_shape(lambda: weights)
  assert_equal(checkpoints.load_params(tmp_path / 'params', like), weights)
  assert_equal(gm.ckpts.load_params(tmp_path / 'params'), weights)


def without(tree, name):
  return {key: value for key, value in tree.items() if key != name}


@pytest.mark.parametrize(
  ('saved', 'wanted', 'message'),
  [
    (
      without(params(), 'layer_0'),
      params(),
      rf'{LAYER} is missing, expected \[4, 4\]',
    ),
    (
      params(),
      without(params(), 'layer_0'),
      rf'{LAYER} is \[4, 4\], expected no such name',
    ),
    (
      params() | {'embedder': {'input_embedding': jnp.zeros((5, 4))}},
      params(),
      r'embedder/input_embedding is \[5, 4\], expected \[7, 4\]',
    ),
  ],
  ids=['missing', 'extra', 'shape'],
)
def test_weights_of_another_model_are_refused(tmp_path, saved, wanted, message):
  checkpoints.save_params(tmp_path / 'params', saved)
  with pytest.raises(ValueError, match=message):
    checkpoints.load_params(tmp_path / 'params', wanted)


def test_only_the_first_differences_are_listed(tmp_path):
  checkpoints.save_params(tmp_path / 'params', {'other': jnp.zeros(2)})
  with pytest.raises(ValueError, match=r'and 1 more\. Choose the model'):
    checkpoints.load_params(tmp_path / 'params', params())


def test_a_missing_or_empty_checkpoint_is_refused(tmp_path):
  with pytest.raises(ValueError, match=r"no checkpoint at '.*/nowhere'"):
    checkpoints.load_params(tmp_path / 'nowhere', params())
  (tmp_path / 'empty').mkdir()
  with pytest.raises(ValueError, match='is not a complete checkpoint'):
    checkpoints.load_params(tmp_path / 'empty', params())


@pytest.mark.parametrize('name', ['_METADATA', 'manifest.ocdbt'])
def test_damaged_weights_are_refused(tmp_path, name):
  checkpoints.save_params(tmp_path / 'params', params())
  os.truncate(tmp_path / 'params' / name, 20)
  with pytest.raises(ValueError, match='is not a complete checkpoint'):
    checkpoints.load_params(tmp_path / 'params', params())


@pytest.mark.parametrize('harm', HARM)
def test_weights_whose_largest_file_is_damaged_are_refused(tmp_path, harm):
  """Its index is whole, so that only reading the arrays finds it."""
  checkpoints.save_params(tmp_path / 'params', large())
  HARM[harm](largest(tmp_path / 'params'))
  with pytest.raises(ValueError, match=r"params' is .*; restore it") as error:
    checkpoints.load_params(tmp_path / 'params', large())
  assert '\n' not in str(error.value)


def test_no_flipped_bit_changes_weights_unnoticed(tmp_path):
  path = tmp_path / 'params'
  checkpoints.save_params(path, large())
  for share in np.linspace(0, 0.999, 20):
    for file in (largest(path), path / '_CHECKPOINT_METADATA'):
      flip(file, share)
      with contextlib.suppress(ValueError):
        assert_equal(checkpoints.load_params(path, large()), large())
      flip(file, share)
  assert_equal(checkpoints.load_params(path, large()), large())


def test_a_damaged_key_in_files_of_orbax_is_one_line(tmp_path):
  path = tmp_path / 'params'
  checkpoints.save_params(path, large())
  (keys,) = (path / 'array_metadatas').iterdir()
  keys.write_text(keys.read_text().replace('param_name', 'paral_name'))
  with pytest.raises(ValueError, match='not a complete checkpoint') as caught:
    checkpoints.load_params(path, large())
  assert '\n' not in str(caught.value)
  assert checkpoints.damage(path)


def test_damaged_weights_are_found_without_knowing_the_model(tmp_path):
  path = tmp_path / 'params'
  checkpoints.save_params(path, large())
  assert checkpoints.damage(path) == ''
  flip(largest(path), 0.3)
  assert 'embedder/input_embedding' in checkpoints.damage(path)
  for name, harm in HARM.items():
    shutil.rmtree(path)
    checkpoints.save_params(path, large())
    harm(largest(path))
    assert checkpoints.damage(path), name
  shutil.rmtree(path)
  gm.ckpts.save_params(large(), path, wait_until_finished=True)
  assert 'no digests' in checkpoints.damage(path)


def test_weights_without_digests_are_read(tmp_path):
  """Released ones, and those of older versions."""
  gm.ckpts.save_params(large(), tmp_path / 'params', wait_until_finished=True)
  found = checkpoints.load_params(tmp_path / 'params', large())
  assert_equal(found, large())


def test_a_digest_depends_on_contents_only(tmp_path):
  """Not on the number of devices, nor on the layout of the files."""
  mesh = sharding.make_mesh(data=4, model=2)
  place = jax.NamedSharding(mesh, jax.P('data', 'model'))
  table = large()['embedder']['input_embedding']
  split = {'embedder': {'input_embedding': jax.device_put(table, place)}}
  checkpoints.save_params(tmp_path / 'split', split)
  like = {'embedder': {'input_embedding': table}}
  found = checkpoints.load_params(tmp_path / 'split', like)
  np.testing.assert_array_equal(found['embedder']['input_embedding'], table)
  checkpoints.save_params(tmp_path / 'whole', like)
  found = checkpoints.load_params(
    tmp_path / 'whole', jax.tree.map(ocp.utils.to_shape_dtype_struct, split)
  )
  np.testing.assert_array_equal(found['embedder']['input_embedding'], table)


def test_weights_are_complete_as_soon_as_they_exist(tmp_path):
  """The doors take the existence of this directory as a finished stage."""
  root = tmp_path / 'run'
  root.mkdir()
  with every_moment(root, tmp_path / 'copies') as moments:
    checkpoints.save_params(root / 'params', params())
  moments.append(root)
  there = [moment for moment in moments if (moment / 'params').exists()]
  for moment in there:
    found = checkpoints.load_params(moment / 'params', params())
    assert_equal(found, params())
  # Before that there are files under a temporary name, which are overwritten.
  begun = [m for m in moments if m not in there and any(m.iterdir())]
  assert len(begun) > 1
  checkpoints.save_params(begun[-1] / 'params', params(1))
  found = checkpoints.load_params(begun[-1] / 'params', params())
  assert_equal(found, params(1))


# --- training states ----------------------------------------------------------


def test_states_are_read_back_with_the_position(tmp_path):
  saved = checkpoints.Checkpoints(tmp_path)
  assert saved.latest() is None
  for step in (5, 7, 11):
    saved.save(step, state(step), {'step': step, 'name': 'glon'})
  saved.close()
  again = checkpoints.Checkpoints(tmp_path)
  assert again.latest() == 11
  found, position = again.restore(state())
  assert_equal(found, state(11))
  assert position == {'step': 11, 'name': 'glon'}
  assert {p.name for p in tmp_path.iterdir()} == {'7', '11'}, 'two are kept'


def test_a_state_may_be_donated_while_it_is_written(tmp_path):
  saved = checkpoints.Checkpoints(tmp_path)
  trained = jax.tree.map(jnp.copy, state(weights=large(3)))
  saved.save(3, trained, {'step': 3})
  step = jax.jit(lambda t: jax.tree.map(jnp.zeros_like, t), donate_argnums=0)
  for _ in range(3):
    trained = step(trained)
  jax.block_until_ready(trained)
  found, _ = saved.restore(state(weights=large()))
  assert_equal(found, state(weights=large(3)))


def test_what_cannot_be_written_is_an_error_of_the_next_call(tmp_path, capfd):
  saved = checkpoints.Checkpoints(tmp_path)
  saved.save(3, state(3), {})
  saved.wait()
  before = resource.getrlimit(resource.RLIMIT_FSIZE)
  handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
  resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, before[1]))
  try:
    saved.save(4, state(weights=large(4)), {})
    with pytest.raises(ValueError, match='Failed writing.*File too large'):
      saved.wait()
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)
  again = checkpoints.Checkpoints(tmp_path)
  assert again.latest() == 3
  assert capfd.readouterr().err == '', 'the error says it all'


def test_an_empty_directory_is_not_a_state(tmp_path):
  before = checkpoints.Checkpoints(tmp_path)
  before.save(3, state(3), {})
  before.close()
  (tmp_path / '7').mkdir()
  (tmp_path / 'notes').mkdir()
  saved = checkpoints.Checkpoints(tmp_path)
  assert saved.latest() == 3
  saved.save(7, state(7), {})
  assert_equal(saved.restore(state())[0], state(7))
  assert (tmp_path / 'notes').exists()


def test_a_state_of_other_settings_is_refused(tmp_path):
  """The user decides what to do, so older states are not tried."""
  saved = checkpoints.Checkpoints(tmp_path)
  saved.save(3, state(3, dtype='bfloat16'), {})
  saved.save(4, state(4), {})
  saved.wait()
  name = r'/embedder/input_embedding is float32\[7, 4\], expected'
  with pytest.raises(ValueError, match=rf'state 4 .*{name} bfloat16'):
    saved.restore(state(dtype='bfloat16'))
  wider = state()
  wider['params']['embedder'] = {'input_embedding': jnp.zeros((7, 5))}
  with pytest.raises(ValueError, match=rf'{name} float32\[7, 5\]'):
    saved.restore(wider)
  with pytest.raises(ValueError, match='opt_state.* expected no such'):
    saved.restore(without(state(), 'opt_state'))
  assert {p.name for p in tmp_path.iterdir()} == {'3', '4'}


def damage(directory, how):
  if how == 'data':
    for path in sorted((directory / 'state').rglob('d/*')):
      os.truncate(path, 0)
  elif how == 'all':
    for path in directory.rglob('*'):
      if path.is_file():
        os.truncate(path, path.stat().st_size // 2)
  elif (directory / how).is_dir():
    shutil.rmtree(directory / how)
  else:
    os.truncate(directory / how, 5)


@pytest.mark.parametrize(
  'how',
  [
    'data',
    'all',
    'state',
    'position',
    'position/metadata',
    'state/_METADATA',
    'state/manifest.ocdbt',
  ],
)
def test_the_state_before_a_damaged_one_is_used(tmp_path, capsys, how):
  saved = checkpoints.Checkpoints(tmp_path)
  for step in (3, 4):
    saved.save(step, state(step), {'step': step})
  saved.wait()
  damage(tmp_path / '4', how)
  again = checkpoints.Checkpoints(tmp_path)
  found, position = again.restore(state())
  assert_equal(found, state(3))
  assert position == {'step': 3}
  warning = capsys.readouterr().out
  assert 'warning: the training state 4 cannot be read' in warning
  assert 'resumes from 3' in warning
  # Training reaches step 4 again, and saves it.
  assert again.latest() == 3
  again.save(4, state(44), {'step': 4})
  again.wait()
  found, _ = checkpoints.Checkpoints(tmp_path).restore(state())
  assert_equal(found, state(44))
  assert (tmp_path / 'damaged-4').is_dir(), 'nothing is deleted'


@pytest.mark.parametrize('harm', HARM)
def test_a_state_whose_largest_file_is_damaged_gives_way(
  tmp_path, capsys, harm
):
  saved = checkpoints.Checkpoints(tmp_path)
  for step in (3, 4):
    saved.save(step, state(weights=large(step)), {'step': step})
  saved.wait()
  HARM[harm](largest(tmp_path / '4' / 'state' / 'ocdbt.process_0' / 'd'))
  like = state(weights=large())
  found, position = checkpoints.Checkpoints(tmp_path).restore(like)
  assert_equal(found, state(weights=large(3)))
  assert position == {'step': 3}
  warning = capsys.readouterr().out
  assert warning.startswith('warning: the training state 4 cannot be read')
  assert warning.count('\n') == 1


def test_a_state_whose_index_is_damaged_prints_only_the_warning(
  tmp_path, capfd
):
  """Reads of other arrays are under way then, and end in other threads."""
  for attempt in range(3):
    folder = tmp_path / str(attempt)
    saved = checkpoints.Checkpoints(folder)
    for step in (3, 4):
      saved.save(step, state(weights=large(step)), {'step': step})
    saved.wait()
    for path in (folder / '4' / 'state' / 'd').iterdir():
      os.truncate(path, 0)
    checkpoints.Checkpoints(folder).restore(state(weights=large()))
  time.sleep(0.2)
  printed = capfd.readouterr()
  assert printed.out.count('\n') == 3
  assert printed.err == ''


def test_what_is_damaged_is_said_when_it_is_read(tmp_path, caplog):
  with contextlib.closing(checkpoints.Checkpoints(tmp_path)) as saved:
    for step in (3, 4):
      saved.save(step, state(step), {'step': step})
  os.truncate(tmp_path / '3' / '_CHECKPOINT_METADATA', 0)
  saved = checkpoints.Checkpoints(tmp_path)
  with pytest.raises(ValueError, match='the best state, of step 3 .*delete'):
    saved.restore_at(3, state())
  saved.close()
  assert not caplog.records


def test_a_state_with_an_unknown_sharding_gives_way(tmp_path):
  """A flipped bit in a name, which orbax calls not implemented."""
  saved = checkpoints.Checkpoints(tmp_path)
  for step in (3, 4):
    saved.save(step, state(step), {'step': step})
  saved.wait()
  names = tmp_path / '4' / 'state' / '_sharding'
  names.write_text(names.read_text().replace('Sharding', 'Sherding'))
  _, position = checkpoints.Checkpoints(tmp_path).restore(state())
  assert position == {'step': 3}


def test_a_changed_position_is_noticed(tmp_path, capsys):
  saved = checkpoints.Checkpoints(tmp_path)
  for step in (3, 4):
    saved.save(step, state(step), {'step': step, 'place': (1, 2)})
  saved.wait()
  written = tmp_path / '4' / 'position' / 'metadata'
  written.write_text(written.read_text().replace('4', '5'))
  _, position = checkpoints.Checkpoints(tmp_path).restore(state())
  assert position == {'step': 3, 'place': [1, 2]}
  assert 'the position of the input' in capsys.readouterr().out


def test_no_flipped_bit_changes_a_state_unnoticed(tmp_path):
  for step in (3, 4):
    saved = checkpoints.Checkpoints(tmp_path / 'whole')
    saved.save(step, state(weights=large(step)), {'step': step})
    saved.close()
  like = state(weights=large())
  target = largest(tmp_path / 'whole' / '4').relative_to(tmp_path / 'whole')
  for share in (0, 0.01, 0.5, 0.99):
    shutil.copytree(tmp_path / 'whole', tmp_path / 'flipped')
    flip(tmp_path / 'flipped' / target, share)
    found, position = checkpoints.Checkpoints(tmp_path / 'flipped').restore(
      like
    )
    assert_equal(found, state(weights=large(position['step'])))
    shutil.rmtree(tmp_path / 'flipped')


def test_damaged_states_are_found_and_nothing_changes(tmp_path):
  states = tmp_path / 'states'
  saved = checkpoints.Checkpoints(states)
  for step in (3, 4):
    saved.save(step, state(weights=large(step)), {'step': step})
  saved.close()
  (states / '9.orbax-checkpoint-tmp').mkdir()  # as a kill leaves it
  before = sorted(states.rglob('*'))
  assert checkpoints.damaged_states(states) == {}
  flip(largest(states / '4'), 0.3)
  assert list(checkpoints.damaged_states(states)) == [4]
  flip(states / '3' / 'position' / 'metadata', 0.7)
  assert list(checkpoints.damaged_states(states)) == [3, 4]
  assert sorted(states.rglob('*')) == before


def test_looking_for_damaged_states_prints_nothing(tmp_path, capfd):
  """Not even where the list of a state's arrays cannot be read."""
  saved = checkpoints.Checkpoints(tmp_path)
  many = {f'layer_{i}': params(i)['layer_0'] for i in range(30)}
  saved.save(3, state(weights=many), {'step': 3})
  saved.close()
  os.truncate(tmp_path / '3' / 'state' / 'manifest.ocdbt', 22)
  for _ in range(10):
    assert list(checkpoints.damaged_states(tmp_path)) == [3]
  time.sleep(0.2)
  assert capfd.readouterr().err == ''


def test_states_without_digests_are_read(tmp_path):
  """Those of older versions."""
  saved = checkpoints.Checkpoints(tmp_path)
  saved.save(3, state(3), {'step': 3})
  saved.wait()
  metadata = tmp_path / '3' / '_CHECKPOINT_METADATA'
  written = json.loads(metadata.read_text())
  assert written['custom_metadata']
  metadata.write_text(json.dumps(written | {'custom_metadata': {}}))
  found, position = checkpoints.Checkpoints(tmp_path).restore(state())
  assert_equal(found, state(3))
  assert position == {'step': 3}


def test_if_no_state_can_be_read_nothing_is_moved(tmp_path):
  """Otherwise the next run would silently start from the beginning."""
  saved = checkpoints.Checkpoints(tmp_path)
  for step in (3, 4):
    saved.save(step, state(step), {'step': step})
  saved.wait()
  for step in (3, 4):
    damage(tmp_path / str(step), 'state')
  for _ in range(2):
    with pytest.raises(ValueError, match=r'can be read \(4: .*; 3: .*delete'):
      checkpoints.Checkpoints(tmp_path).restore(state())
  with pytest.raises(ValueError, match='there is none'):
    checkpoints.Checkpoints(tmp_path / 'new').restore(state())


def test_a_step_is_never_skipped_silently(tmp_path):
  saved = checkpoints.Checkpoints(tmp_path)
  saved.save(4, state(4), {})
  with pytest.raises(AssertionError, match='step 3 was not saved'):
    saved.save(3, state(3), {})


def test_a_kill_at_any_moment_leaves_a_complete_state(tmp_path):
  root = tmp_path / 'run'
  saved = checkpoints.Checkpoints(root)
  for step in (1, 2):
    saved.save(step, state(step), {'step': step})
  saved.wait()
  with every_moment(root, tmp_path / 'copies') as moments:
    saved.save(3, state(3), {'step': 3})  # and 1 is removed
    saved.wait()
  half_written = [
    moment
    for moment in moments
    if any('tmp' in p.name for p in moment.iterdir())
  ]
  assert len(half_written) > 3
  steps = []
  for moment in moments:
    again = checkpoints.Checkpoints(moment)
    found, position = again.restore(state())
    steps.append(position['step'])
    assert again.latest() == steps[-1]
    assert_equal(found, state(steps[-1]))
  assert steps[0] == 2 and steps[-1] == 3 and steps == sorted(steps)
  # The next save removes what was half written.
  begun = half_written[-1]
  again = checkpoints.Checkpoints(begun)
  again.save(4, state(4), {'step': 4})
  again.wait()
  found, _ = checkpoints.Checkpoints(begun).restore(state())
  assert_equal(found, state(4))
  assert {p.name for p in begun.iterdir()} == {'2', '4'}
