"""One holder at a time; the next one knows who it is, and need not clean up."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from icl_gen.storage import locks

HOLDER = """
import pathlib, sys
from icl_gen.storage import locks
with locks.held(pathlib.Path(sys.argv[1]), what='x'):
  print('held', flush=True)
  sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path):
  return tmp_path / 'new' / 'run' / '.train.lock'


@pytest.fixture
def holder(lock):
  """A process that holds the lock until its stdin is closed."""
  with subprocess.Popen(
    [sys.executable, '-c', HOLDER, lock],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
  ) as process:
    assert process.stdout.readline() == b'held\n'
    yield process
    process.kill()


@pytest.fixture
def at_most_10_s():
  """Fails a test that waits for a lock that should be free."""

  def fail(*_):
    raise AssertionError('still waiting')

  before = signal.signal(signal.SIGALRM, fail)
  signal.alarm(10)
  yield
  signal.alarm(0)
  signal.signal(signal.SIGALRM, before)


def test_a_free_lock_is_taken_without_a_word(lock, capsys):
  with locks.held(lock, what='x') as at_once:
    assert at_once
    assert locks.is_held(lock)
  assert not locks.is_held(lock)
  assert capsys.readouterr().out == ''


def test_the_second_names_the_first_and_waits(lock, holder, capsys):
  assert locks.is_held(lock)
  timer = threading.Timer(1, holder.stdin.close)
  timer.start()
  with locks.held(lock, what='x (train)') as at_once:
    assert not at_once
    assert holder.wait() == 0
  (line,) = capsys.readouterr().out.splitlines()
  host = os.uname().nodename
  begins = f'waiting: x (train) is being written by pid {holder.pid} on {host}'
  assert line.startswith(f'{begins} since 20')


def test_a_killed_holders_lock_is_free_at_once(
  lock, holder, capsys, at_most_10_s
):
  holder.kill()
  holder.wait()
  assert lock.exists()
  with locks.held(lock, what='x') as at_once:
    assert at_once
  assert capsys.readouterr().out == ''


def test_a_killed_holders_file_is_not_a_lock(lock, holder):
  holder.kill()
  holder.wait()
  assert lock.exists()
  assert not locks.is_held(lock)
  assert not lock.exists()


def test_waiting_can_be_interrupted(lock, holder, monkeypatch):
  def interrupt(seconds):
    raise KeyboardInterrupt

  monkeypatch.setattr(locks.time, 'sleep', interrupt)
  with pytest.raises(KeyboardInterrupt), locks.held(lock, what='x'):
    pass
  assert locks.is_held(lock)
  assert lock.exists()


def test_nothing_is_left_but_what_was_there_or_written(tmp_path, lock):
  with pytest.raises(ZeroDivisionError), locks.held(lock, what='x'):
    1 / 0  # noqa: B018
  assert list(tmp_path.iterdir()) == []
  lock.parent.mkdir(parents=True)
  with locks.held(lock, what='x'):
    pass
  assert list(lock.parent.iterdir()) == []
  other = lock.parent / 'deeper' / '.train.lock'
  with locks.held(other, what='x'):
    (other.parent / 'result').touch()
  assert [path.name for path in other.parent.iterdir()] == ['result']


def test_many_hold_it_one_after_another(lock):
  """Also while each removes the file, and the directory, after its turn."""
  barrier, held, most = threading.Barrier(8), [], []

  def take(number):
    barrier.wait()
    for _ in range(5):
      with locks.held(lock, what='x'):
        held.append(number)
        most.append(len(held))
        held.remove(number)

  threads = [threading.Thread(target=take, args=(i,)) for i in range(8)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert most == [1] * 40
  assert list(lock.parent.glob('*')) == []


def test_the_holder_is_named_while_there_is_one(tmp_path):
  path = tmp_path / 'deep/.lock'
  assert locks.holder(path) == ''
  with locks.held(path, what='x'):
    assert locks.holder(path).startswith(f'pid {os.getpid()} on ')
    path.write_text('')  # as in the moment before the name is written
    assert locks.holder(path) == 'a process that has just begun'
  assert locks.holder(path) == ''
  assert not list(tmp_path.iterdir())
  path.parent.mkdir()
  path.write_text('pid 1 on here, which was killed')
  assert locks.holder(path) == ''


def test_a_directory_in_the_place_of_a_lock_is_named(lock):
  lock.mkdir(parents=True)
  with pytest.raises(IsADirectoryError) as error, locks.held(lock, what='x'):
    pass
  assert error.value.filename == str(lock)  # which cli.py tells to delete
