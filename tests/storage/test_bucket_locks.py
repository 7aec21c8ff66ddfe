"""One holder at a time, also of those that died; the next one knows it.

Most tests have a clock of their own, which passes while somebody waits.
"""

import json
import threading

import pytest

from icl_gen.storage import bucket_locks
from icl_gen.storage.objects import Objects

NAME = 'study/runs/x/.train.lock'


class Clock:
  """Stands for the module `time`; others act when a second has passed."""

  def __init__(self):
    self.now, self.meanwhile = 1000.0, lambda: None

  def monotonic(self):
    return self.now

  time = monotonic

  def sleep(self, seconds):
    self.now += seconds
    self.meanwhile()


@pytest.fixture
def clock(monkeypatch):
  made = Clock()
  monkeypatch.setattr(bucket_locks, 'time', made)
  return made


def record(clock, holder='pid 7 on elsewhere since yesterday'):
  """What another process writes."""
  values = {'holder': holder, 'renewed': clock.now, 'token': 'other'}
  return json.dumps(values).encode()


def hold(objects, **more):
  return bucket_locks.held(objects, NAME, what='x', **more)


def test_a_free_lock_is_taken_without_a_word(objects, capsys):
  assert bucket_locks.holder(objects, NAME) == ''
  with hold(objects) as held:
    assert held.at_once and not held.is_lost
    assert bucket_locks.holder(objects, NAME).startswith('pid ')
  assert objects.names() == []
  assert capsys.readouterr().out == ''


def test_whoever_waits_is_told_once_who_holds_it(objects, clock, capsys):
  objects.write(NAME, record(clock))
  began = clock.now

  def meanwhile():
    # The holder renews it for three minutes, and then is done.
    if clock.now < began + 180:
      objects.write(NAME, record(clock))
    else:
      objects.delete([NAME])

  clock.meanwhile = meanwhile
  with hold(objects) as held:
    assert clock.now == began + 180
    assert not held.at_once
  said = 'waiting: x is being written by pid 7 on elsewhere since yesterday\n'
  assert capsys.readouterr().out == said


def test_the_place_of_a_dead_holder_is_taken_over(objects, clock):
  objects.write(NAME, record(clock))
  began = clock.now
  with hold(objects) as held:
    waited = clock.now - began
    assert not held.at_once
    assert 'elsewhere' not in bucket_locks.holder(objects, NAME)
  assert 0 < waited - bucket_locks.TAKEN_OVER_AFTER < 3
  assert objects.names() == []


def test_a_holder_loses_its_lock_before_it_is_taken_over():
  slowest = bucket_locks.LOST_AFTER + bucket_locks.RENEWED_EVERY
  assert slowest < bucket_locks.TAKEN_OVER_AFTER


def test_of_two_that_wait_one_takes_over(objects, clock, monkeypatch):
  objects.write(NAME, record(clock))
  began, write_if, others = clock.now, objects.write_if, []

  def outrun(name, content, generation):
    if not others:  # the other one is faster, and is done 30 seconds later
      others.append(clock.now)
      objects.write(NAME, record(clock, 'the other one'))
    return write_if(name, content, generation)

  def meanwhile():
    if others and clock.now > others[0] + 30:
      objects.delete([NAME])

  monkeypatch.setattr(objects, 'write_if', outrun)
  clock.meanwhile = meanwhile
  with hold(objects):
    assert clock.now - began > bucket_locks.TAKEN_OVER_AFTER + 30


def test_a_request_that_was_sent_twice_is_no_other_holder(objects, monkeypatch):
  write_if = objects.write_if

  def answers_are_lost(name, content, generation):
    write_if(name, content, generation)
    return write_if(name, content, generation)  # refused

  monkeypatch.setattr(objects, 'write_if', answers_are_lost)
  with hold(objects) as held:
    assert held.at_once


@pytest.fixture
def often(monkeypatch):
  monkeypatch.setattr(bucket_locks, 'RENEWED_EVERY', 0.01)


def test_a_lock_that_is_held_is_renewed(objects, often):
  with hold(objects) as held:
    first = objects.read(NAME).generation
    for _ in range(2000):
      if objects.read(NAME).generation != first:
        break
    else:
      raise AssertionError('not renewed')
    assert not held.is_lost
  assert objects.names() == []


def lose(objects, do):
  """Holds the lock, does something until it is lost, and leaves."""
  lost = threading.Event()
  with hold(objects, on_lost=lost.set) as held:
    while not lost.wait(0.01):
      do()
    assert held.is_lost


def test_a_lock_that_was_taken_over_is_lost_and_stays(objects, often, capsys):
  other = b'{"token": "other"}'
  with pytest.raises(OSError, match='x was lost to another process'):
    lose(objects, lambda: objects.write(NAME, other))
  assert objects.read(NAME).content == other
  assert 'error: x is no longer held' in capsys.readouterr().err


def test_a_lock_that_cannot_be_renewed_is_lost(
  server, objects, often, monkeypatch
):
  monkeypatch.setattr(bucket_locks, 'LOST_AFTER', 0.3)

  def refuse():
    server.allows = lambda method, name: method != 'POST'

  with pytest.raises(OSError, match='PERMISSION_DENIED'):
    lose(objects, refuse)


def test_of_a_dead_holder_nothing_is_said(objects, clock):
  objects.write(NAME, record(clock))
  assert bucket_locks.holder(objects, NAME).startswith('pid 7 on elsewhere')
  clock.now += bucket_locks.TAKEN_OVER_AFTER + 1
  assert bucket_locks.holder(objects, NAME) == ''
  objects.write(NAME, b'damaged')
  assert bucket_locks.holder(objects, NAME) == ''


def test_a_bucket_that_does_not_exist_is_named(server):
  nowhere = Objects('gs://no-such-bucket/x')
  with pytest.raises(OSError, match='create the bucket, or correct') as told:
    lose(nowhere, lambda: None)
  assert 'gs://no-such-bucket/x' in str(told.value)
