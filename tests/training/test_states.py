"""Training states are read back exactly, or an error says why not."""

import contextlib
import json
import os
import resource
import shutil
import signal
import time

import jax
import jax.numpy as jnp
import optax
import pytest

from icl_gen.training import states
from tests.saved import (
  HARM,
  assert_equal,
  every_moment,
  flip,
  large,
  largest,
  params,
  without,
)


def state(seed=0, dtype='float32', weights=None):
  """A tree like that of training: a count, weights, optimizer states."""
  adam = optax.chain(optax.clip(1.0), optax.adamw(0.1))
  weights = weights or params(seed, dtype)
  return {
    'step': jnp.int32(seed),
    'params': weights,
    'opt_state': adam.init(weights),
  }


def test_states_are_read_back_with_the_position(tmp_path):
  saved = states.Checkpoints(tmp_path)
  assert saved.latest() is None
  for step in (5, 7, 11):
    saved.save(step, state(step), {'step': step, 'name': 'glon'})
  saved.close()
  again = states.Checkpoints(tmp_path)
  assert again.latest() == 11
  found, position = again.restore(state())
  assert_equal(found, state(11))
  assert position == {'step': 11, 'name': 'glon'}
  assert {p.name for p in tmp_path.iterdir()} == {'7', '11'}, 'two are kept'


def test_a_state_may_be_donated_while_it_is_written(tmp_path):
  saved = states.Checkpoints(tmp_path)
  trained = jax.tree.map(jnp.copy, state(weights=large(3)))
  saved.save(3, trained, {'step': 3})
  step = jax.jit(lambda t: jax.tree.map(jnp.zeros_like, t), donate_argnums=0)
  for _ in range(3):
    trained = step(trained)
  jax.block_until_ready(trained)
  found, _ = saved.restore(state(weights=large()))
  assert_equal(found, state(weights=large(3)))


def test_what_cannot_be_written_is_an_error_of_the_next_call(tmp_path, capfd):
  saved = states.Checkpoints(tmp_path)
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
  again = states.Checkpoints(tmp_path)
  assert again.latest() == 3
  assert capfd.readouterr().err == '', 'the error says it all'


def test_an_empty_directory_is_not_a_state(tmp_path):
  before = states.Checkpoints(tmp_path)
  before.save(3, state(3), {})
  before.close()
  (tmp_path / '7').mkdir()
  (tmp_path / 'notes').mkdir()
  saved = states.Checkpoints(tmp_path)
  assert saved.latest() == 3
  saved.save(7, state(7), {})
  assert_equal(saved.restore(state())[0], state(7))
  assert (tmp_path / 'notes').exists()


def test_a_state_of_other_settings_is_refused(tmp_path):
  """The user decides what to do, so older states are not tried."""
  saved = states.Checkpoints(tmp_path)
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
  saved = states.Checkpoints(tmp_path)
  for step in (3, 4):
    saved.save(step, state(step), {'step': step})
  saved.wait()
  damage(tmp_path / '4', how)
  again = states.Checkpoints(tmp_path)
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
  found, _ = states.Checkpoints(tmp_path).restore(state())
  assert_equal(found, state(44))
  assert (tmp_path / 'damaged-4').is_dir(), 'nothing is deleted'


@pytest.mark.parametrize('harm', HARM)
def test_a_state_whose_largest_file_is_damaged_gives_way(
  tmp_path, capsys, harm
):
  saved = states.Checkpoints(tmp_path)
  for step in (3, 4):
    saved.save(step, state(weights=large(step)), {'step': step})
  saved.wait()
  HARM[harm](largest(tmp_path / '4' / 'state' / 'ocdbt.process_0' / 'd'))
  like = state(weights=large())
  found, position = states.Checkpoints(tmp_path).restore(like)
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
    saved = states.Checkpoints(folder)
    for step in (3, 4):
      saved.save(step, state(weights=large(step)), {'step': step})
    saved.wait()
    for path in (folder / '4' / 'state' / 'd').iterdir():
      os.truncate(path, 0)
    states.Checkpoints(folder).restore(state(weights=large()))
  time.sleep(0.2)
  printed = capfd.readouterr()
  assert printed.out.count('\n') == 3
  assert printed.err == ''


def test_what_is_damaged_is_said_when_it_is_read(tmp_path, caplog):
  with contextlib.closing(states.Checkpoints(tmp_path)) as saved:
    for step in (3, 4):
      saved.save(step, state(step), {'step': step})
  os.truncate(tmp_path / '3' / '_CHECKPOINT_METADATA', 0)
  saved = states.Checkpoints(tmp_path)
  with pytest.raises(ValueError, match='the best state, of step 3 .*delete'):
    saved.restore_at(3, state())
  saved.close()
  assert not caplog.records


def test_a_state_with_an_unknown_sharding_gives_way(tmp_path):
  """A flipped bit in a name, which orbax calls not implemented."""
  saved = states.Checkpoints(tmp_path)
  for step in (3, 4):
    saved.save(step, state(step), {'step': step})
  saved.wait()
  names = tmp_path / '4' / 'state' / '_sharding'
  names.write_text(names.read_text().replace('Sharding', 'Sherding'))
  _, position = states.Checkpoints(tmp_path).restore(state())
  assert position == {'step': 3}


def test_a_changed_position_is_noticed(tmp_path, capsys):
  saved = states.Checkpoints(tmp_path)
  for step in (3, 4):
    saved.save(step, state(step), {'step': step, 'place': (1, 2)})
  saved.wait()
  written = tmp_path / '4' / 'position' / 'metadata'
  written.write_text(written.read_text().replace('4', '5'))
  _, position = states.Checkpoints(tmp_path).restore(state())
  assert position == {'step': 3, 'place': [1, 2]}
  assert 'the position of the input' in capsys.readouterr().out


def test_no_flipped_bit_changes_a_state_unnoticed(tmp_path):
  for step in (3, 4):
    saved = states.Checkpoints(tmp_path / 'whole')
    saved.save(step, state(weights=large(step)), {'step': step})
    saved.close()
  like = state(weights=large())
  target = largest(tmp_path / 'whole' / '4').relative_to(tmp_path / 'whole')
  for share in (0, 0.01, 0.5, 0.99):
    shutil.copytree(tmp_path / 'whole', tmp_path / 'flipped')
    flip(tmp_path / 'flipped' / target, share)
    found, position = states.Checkpoints(tmp_path / 'flipped').restore(like)
    assert_equal(found, state(weights=large(position['step'])))
    shutil.rmtree(tmp_path / 'flipped')


def test_damaged_states_are_found_and_nothing_changes(tmp_path):
  directory = tmp_path / 'states'
  saved = states.Checkpoints(directory)
  for step in (3, 4):
    saved.save(step, state(weights=large(step)), {'step': step})
  saved.close()
  (directory / '9.orbax-checkpoint-tmp').mkdir()  # as a kill leaves it
  before = sorted(directory.rglob('*'))
  assert states.damaged(directory) == {}
  flip(largest(directory / '4'), 0.3)
  assert list(states.damaged(directory)) == [4]
  flip(directory / '3' / 'position' / 'metadata', 0.7)
  assert list(states.damaged(directory)) == [3, 4]
  assert sorted(directory.rglob('*')) == before


def test_looking_for_damaged_states_prints_nothing(tmp_path, capfd):
  """Not even where the list of a state's arrays cannot be read."""
  saved = states.Checkpoints(tmp_path)
  many = {f'layer_{i}': params(i)['layer_0'] for i in range(30)}
  saved.save(3, state(weights=many), {'step': 3})
  saved.close()
  os.truncate(tmp_path / '3' / 'state' / 'manifest.ocdbt', 22)
  for _ in range(10):
    assert list(states.damaged(tmp_path)) == [3]
  time.sleep(0.2)
  assert capfd.readouterr().err == ''


def test_states_without_digests_are_read(tmp_path):
  """Those of older versions."""
  saved = states.Checkpoints(tmp_path)
  saved.save(3, state(3), {'step': 3})
  saved.wait()
  metadata = tmp_path / '3' / '_CHECKPOINT_METADATA'
  written = json.loads(metadata.read_text())
  assert written['custom_metadata']
  metadata.write_text(json.dumps(written | {'custom_metadata': {}}))
  found, position = states.Checkpoints(tmp_path).restore(state())
  assert_equal(found, state(3))
  assert position == {'step': 3}


def test_if_no_state_can_be_read_nothing_is_moved(tmp_path):
  """Otherwise the next run would silently start from the beginning."""
  saved = states.Checkpoints(tmp_path)
  for step in (3, 4):
    saved.save(step, state(step), {'step': step})
  saved.wait()
  for step in (3, 4):
    damage(tmp_path / str(step), 'state')
  for _ in range(2):
    with pytest.raises(ValueError, match=r'can be read \(4: .*; 3: .*delete'):
      states.Checkpoints(tmp_path).restore(state())
  with pytest.raises(ValueError, match='there is none'):
    states.Checkpoints(tmp_path / 'new').restore(state())


def test_a_step_is_never_skipped_silently(tmp_path):
  saved = states.Checkpoints(tmp_path)
  saved.save(4, state(4), {})
  with pytest.raises(AssertionError, match='step 3 was not saved'):
    saved.save(3, state(3), {})


def test_a_kill_at_any_moment_leaves_a_complete_state(tmp_path):
  root = tmp_path / 'run'
  saved = states.Checkpoints(root)
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
    again = states.Checkpoints(moment)
    found, position = again.restore(state())
    steps.append(position['step'])
    assert again.latest() == steps[-1]
    assert_equal(found, state(steps[-1]))
  assert steps[0] == 2 and steps[-1] == 3 and steps == sorted(steps)
  # The next save removes what was half written.
  begun = half_written[-1]
  again = states.Checkpoints(begun)
  again.save(4, state(4), {'step': 4})
  again.wait()
  found, _ = states.Checkpoints(begun).restore(state())
  assert_equal(found, state(4))
  assert {p.name for p in begun.iterdir()} == {'2', '4'}
