"""What processes tell each other, and the flags that make them several."""

import json
import threading

import pytest

from icl_gen import joining, processes, workdirs


class Store:
  """What JAX's coordination service does, in this process."""

  def __init__(self):
    self.values = {}

  def key_value_set(self, key, value):
    assert key not in self.values
    self.values[key] = value

  def key_value_delete(self, key):
    del self.values[key]

  def blocking_key_value_get(self, key, timeout_in_ms):
    del timeout_in_ms
    if key not in self.values:
      raise RuntimeError('DEADLINE_EXCEEDED: GetKeyValue() timed out')
    return self.values[key]


@pytest.fixture
def store(monkeypatch):
  """Makes this process the second of two."""
  for name in ('index', 'count', 'said'):
    monkeypatch.setattr(processes._run, name, getattr(processes._run, name))
  monkeypatch.setattr(processes._run, 'store', None, raising=False)
  found = Store()
  processes.begin(found, index=1, count=2)
  return found


def others_say(store, number, value):
  store.values[f'icl_gen/{number}/0'] = json.dumps(value)


def test_one_process_decides_and_says_for_itself():
  assert processes.is_first()
  assert processes.count() == 1
  assert processes.agreed(lambda: 'mine') == 'mine'
  assert processes.gathered('mine') == ['mine']
  with processes.alone() as is_ours:
    assert is_ours


def test_the_first_process_decides(store):
  others_say(store, 1, {'step': 3})
  assert processes.agreed(lambda: pytest.fail('ours')) == {'step': 3}
  assert not processes.is_first()


def test_what_all_say_is_in_the_order_of_their_numbers(store):
  others_say(store, 1, 'theirs')
  assert processes.gathered('mine') == ['theirs', 'mine']
  # What everybody has read is removed, once everybody has said more.
  assert 'icl_gen/1/1' in store.values
  others_say(store, 2, None)
  processes.barrier()
  assert 'icl_gen/1/1' not in store.values


def test_a_barrier_waits_for_the_others(store):
  late = threading.Timer(0.2, others_say, (store, 1, None))
  late.start()
  processes.barrier()
  assert 'icl_gen/1/0' in store.values
  late.join()


def test_the_others_do_nothing_and_wait_where_the_first_is_alone(store):
  others_say(store, 1, None)
  with processes.alone() as is_ours:
    assert not is_ours
    assert 'icl_gen/1/1' not in store.values
  assert 'icl_gen/1/1' in store.values


def test_where_the_first_is_alone_it_agrees_with_itself(store):
  processes.begin(store, index=0, count=2)
  store.values['icl_gen/1/1'] = 'null'
  with processes.alone() as is_ours:
    assert is_ours
    assert processes.count() == 1
    assert processes.agreed(lambda: 'mine') == 'mine'
    assert set(store.values) == {'icl_gen/1/1'}
  assert processes.count() == 2


def test_a_directory_that_is_not_shared_is_refused(store, tmp_path):
  for number, value in enumerate(['.processes-1', None, None], start=1):
    others_say(store, number, value)
  (tmp_path / '.processes-1').touch()
  processes.require_shared(tmp_path)
  for number, value in enumerate(['.processes-2', None, None], start=4):
    others_say(store, number, value)
  with pytest.raises(ValueError, match='of process 1 is not .* of process 0'):
    processes.require_shared(tmp_path)


def test_in_a_bucket_all_must_be_given_the_same_workdir(store):
  others_say(store, 1, 'gs://bucket/one')
  workdirs.require_shared('gs://bucket/one')
  others_say(store, 2, 'gs://bucket/one')
  told = (
    'gs://bucket/two of process 1 is not that of process 0, gs://bucket/one'
  )
  with pytest.raises(ValueError, match=told):
    workdirs.require_shared('gs://bucket/two')


def given(**changes):
  defaults = {name: default for name, (default, _) in joining.FLAGS.items()}
  return defaults | changes


def test_without_flags_there_is_one_process():
  joining.join(given(), together=True, debug=False)
  assert processes.count() == 1


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'processes': 2}, 'give all three'),
    ({'coordinator': 'localhost:1'}, 'processes=1'),
    ({'coordinator': 'localhost', 'processes': 2}, 'host:port'),
    ({'coordinator': 'a:1', 'processes': 2, 'process': 2}, '--process=2'),
    ({'process': 1}, '--process=1'),
    ({'distributed': 'mpi'}, 'auto, tpu, slurm'),
    ({'distributed': 'auto', 'processes': 2}, 'without --coordinator'),
    ({'heartbeat': 0}, 'heartbeat=0'),
  ],
)
def test_flags_that_do_not_fit_together_are_refused(changes, message):
  with pytest.raises(ValueError, match=message):
    joining.join(given(**changes), together=True, debug=False)
