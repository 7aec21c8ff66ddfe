"""A copy of a bucket has what is complete there; what is made, gets there."""

import pathlib
import shutil

import pytest

from icl_gen.storage import (
  bucket_copies,
  bucket_locks,
  checksums,
  files,
  locks,
  objects,
  working_copies,
)
from icl_gen.storage.bucket_copies import MARKER
from tests.together import acting_as

CELL = pathlib.PurePath('study/runs/reversal-ft-nano-s0')
CONTENT = {'a': b'hello', 'b/c': b'', 'b/d': bytes(range(256))}
NEWER = {'a': b'other', 'b/d': b'', 'e': b'e'}
# A directory that is copied at once, and one that is copied when it is needed.
DIRECTORIES = ('study/corpora/reversal-s0', f'{CELL}/params')


def write(directory, content):
  for name, data in content.items():
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
  return directory


def read(directory):
  return {
    path.relative_to(directory).as_posix(): path.read_bytes()
    for path in directory.rglob('*')
    if path.is_file()
  }


def push(url, directory, content):
  """Writes a directory to a bucket as a stage does; the lock is its own."""
  with working_copies.opened(url) as root:
    made = root / directory
    lock = made.parent / '.train.lock'
    with working_copies.guarded(
      lock,
      what='x',
      contents=lambda: [made] if made.exists() else [],
      needed=lambda: [made] if made.exists() else [],
    ):
      if made.exists():
        shutil.rmtree(made)
      write(made, content)


def pull(url, directory):
  """What a new copy has of a directory; None: it does not exist."""
  with working_copies.opened(url) as root:
    if not (root / directory).exists():
      return None
    working_copies.fetch(root / directory)
    return read(root / directory)


@pytest.mark.parametrize('directory', DIRECTORIES)
def test_a_directory_is_read_as_it_was_written(server, url, directory):
  push(url, directory, CONTENT)
  assert pull(url, directory) == CONTENT
  push(url, directory, NEWER)
  assert pull(url, directory) == NEWER
  # Only what belongs to it is left: no lock, nothing of the older one.
  place = f'{url.removeprefix("gs://bucket/")}/{directory}'
  left = {name for name in server.objects if name.startswith(place)}
  assert left == {place + MARKER} | {f'{place}/{name}' for name in NEWER}


def test_its_marker_is_written_last(server, url):
  push(url, DIRECTORIES[1], CONTENT)
  wrote = [name for method, name in server.asked if method == 'POST']
  *_, last = [name for name in wrote if not name.endswith('.lock')]
  assert last.endswith(f'params{MARKER}')


@pytest.mark.parametrize(
  ('directory', 'older'), [(DIRECTORIES[0], NEWER), (DIRECTORIES[1], None)]
)
def test_a_killed_upload_leaves_nothing_that_counts(
  server, url, directory, older
):
  """Whatever the last request was before the bucket heard no more."""
  seen = []
  for kept in range(100):
    place = f'{url}/{kept}'
    if older:
      push(place, directory, older)
    left = [kept]

    def allows(method, name, left=left):
      is_lock = name.endswith('.lock')
      left[0] -= method in ('POST', 'DELETE') and not is_lock
      return is_lock or left[0] >= 0

    server.allows = allows
    try:
      push(place, directory, CONTENT)
      whole = True
    except OSError:
      whole = False
    server.allows = lambda method, name: True
    seen.append(pull(place, directory))
    assert seen[-1] in (None, older, CONTENT)
    if whole:
      break
  # The next writer need not clean up.
  push(f'{url}/{len(CONTENT)}', directory, CONTENT)
  assert pull(f'{url}/{len(CONTENT)}', directory) == CONTENT
  assert len(seen) > len(CONTENT) and seen[-1] == CONTENT
  assert CONTENT not in seen[:-1]


@pytest.mark.parametrize('directory', DIRECTORIES)
def test_damage_is_named(server, url, directory):
  push(url, directory, CONTENT)
  place = f'{url.removeprefix("gs://bucket/")}/{directory}'
  server.put(f'{place}/b/d', b'x' * 256)
  with pytest.raises(ValueError, match='is damaged: b/d is not what') as told:
    pull(url, directory)
  assert f'{pathlib.PurePath(directory).name}{MARKER}' in str(told.value)
  for name in list(server.objects):
    if name.startswith(f'{place}/'):
      del server.objects[name]
  # By hand, it is deleted as one deletes a directory.
  assert pull(url, directory) is None


def test_a_directory_that_is_replaced_while_it_is_read(server, url):
  push(url, DIRECTORIES[0], CONTENT)
  with working_copies.opened(url) as root:
    copy = working_copies.of(root)
    read_all, newer = copy.objects.read_all, [NEWER]

    def replaced_after(names, **more):
      found = read_all(names, **more)
      if newer:
        push(url, DIRECTORIES[0], newer.pop())
      return found

    copy.objects.read_all = replaced_after
    (root / DIRECTORIES[0] / 'a').unlink()
    copy._seen.clear()
    copy.pull()
    assert read(root / DIRECTORIES[0]) == NEWER


def test_large_directories_are_copied_when_they_are_needed(server, url):
  push(url, f'{CELL}/params', CONTENT)
  push(url, f'{CELL}/checkpoints/4', CONTENT)
  with working_copies.opened(url) as root:
    server.asked.clear()
    params = root / CELL / 'params'
    assert params.exists() and 'a' not in read(params)
    assert not any(name.endswith('/a') for _, name in server.asked)
    known = working_copies.fingerprint(params)
    working_copies.fetch(params)
    assert (
      known
      == checksums.fingerprint(params)
      == working_copies.fingerprint(params)
    )
    copied = len(server.asked)
    working_copies.fetch(params)
    assert len(server.asked) == copied


def test_what_is_made_gets_there_meanwhile_and_what_is_deleted_goes(
  url, monkeypatch
):
  monkeypatch.setattr(bucket_copies, '_COPIED_EVERY', 0.01)
  there = objects.Objects(url)

  def wait_for(name, content):
    for _ in range(1000):
      if there.read(name).content == content:
        return
    raise AssertionError(f'{name} is not {content}')

  with working_copies.opened(url) as root:
    cell = root / CELL
    lock = cell / '.evaluate.lock'

    def contents():
      return sorted(cell.glob('*.jsonl'))

    with working_copies.guarded(
      lock, what='x', contents=contents, needed=list
    ) as at_once:
      assert at_once and lock.exists()
      part = write(cell, {'scored.jsonl': b'1\n'}) / 'scored.jsonl'
      wait_for(f'{CELL}/scored.jsonl', b'1\n')
      with open(part, 'ab') as file:
        file.write(b'2\n')
      wait_for(f'{CELL}/scored.jsonl', b'1\n2\n')
      part.unlink()
      wait_for(f'{CELL}/scored.jsonl', None)
      write(cell, {'last.jsonl': b'3'})
    assert there.names() == [f'{CELL}/last.jsonl']
    assert not lock.exists()


def test_who_lost_the_lock_writes_no_more(url, monkeypatch):
  monkeypatch.setattr(bucket_locks, '_stop', lambda: None)
  monkeypatch.setattr(bucket_locks, 'LOST_AFTER', -1)
  with pytest.raises(OSError, match='lock was lost to another process'):
    push(url, DIRECTORIES[0], CONTENT)
  monkeypatch.undo()
  assert pull(url, DIRECTORIES[0]) is None


def test_what_ends_the_work_is_told_if_the_bucket_is_gone(server, url):
  def stop():
    server.allows = lambda method, name: False
    raise KeyboardInterrupt

  with working_copies.opened(url) as root:
    path = write(root, {'log': b'1'}) / 'log'
    copy = working_copies.of(root)
    with pytest.raises(KeyboardInterrupt), copy.kept_in_step(lambda: [path]):
      stop()
    with (
      pytest.raises(OSError, match='PERMISSION'),
      copy.kept_in_step(lambda: [path]),
    ):
      pass


def test_the_copy_is_removed(url):
  with working_copies.opened(url) as root:
    write(root, CONTENT)
  assert not root.exists()
  assert working_copies.of(root) is None


def test_in_a_local_directory_nothing_is_copied(tmp_path):
  path = tmp_path / 'x'
  assert working_copies.of(path) is None
  working_copies.refresh(path)
  working_copies.fetch(path)
  working_copies.publish(path)
  working_copies.require_local(path, 'x')
  with working_copies.kept(path):
    pass
  lock = path / '.lock'
  with working_copies.guarded(lock, what='x', contents=list, needed=list):
    assert working_copies.holder(lock) == locks.holder(lock) != ''
    assert working_copies.is_held(lock)
  assert not working_copies.is_held(lock)
  assert not path.exists()


def test_what_other_processes_change_is_copied_and_nothing_else(server, url):
  with working_copies.opened(url) as root:
    push(url, DIRECTORIES[0], CONTENT)
    objects.Objects(url).write('study/study.json', b'{}')
    assert read(root) == {}
    working_copies.refresh(root)
    assert read(root / DIRECTORIES[0]) == CONTENT
    assert (root / 'study/study.json').read_bytes() == b'{}'
    (root / 'study/study.json').write_bytes(b'mine')
    working_copies.refresh(root)  # nothing has changed there
    assert (root / 'study/study.json').read_bytes() == b'mine'
    objects.Objects(url).delete(['study/study.json'])
    working_copies.refresh(root)
    assert not (root / 'study/study.json').exists()


def test_states_are_deleted_once_newer_ones_are_there(server, url):
  push(url, f'{CELL}/checkpoints/2', CONTENT)
  with working_copies.opened(url) as root:
    states = root / CELL / 'checkpoints'
    server.asked.clear()
    with working_copies.guarded(
      root / CELL / '.train.lock',
      what='x',
      contents=lambda: sorted(states.iterdir()),
      needed=list,
    ):
      (states / '2').rename(states / '4')
  wrote = server.asked.index(
    ('POST', next(n for _, n in server.asked if n.endswith('/4' + MARKER)))
  )
  deleted = [
    number
    for number, (method, name) in enumerate(server.asked)
    if method == 'DELETE' and name.endswith('/2' + MARKER)
  ]
  assert deleted and min(deleted) > wrote
  assert pull(url, f'{CELL}/checkpoints/2') is None


@pytest.mark.parametrize('name', ['../../out', 'a//b', './a', 'a/'])
def test_nothing_is_written_outside_the_copy(server, url, name):
  server.put(f'{url.removeprefix("gs://bucket/")}/{name}', b'')
  with pytest.raises(ValueError, match='cannot be copied') as told:
    pull(url, '')
  assert repr(name) in str(told.value)


def test_nor_by_a_marker(server, url):
  marker = files.sealed_json({'files': {'../../../out': ['', 0]}})
  there = objects.Objects(url)
  there.write(f'{DIRECTORIES[0]}{MARKER}', marker)
  there.write(f'{DIRECTORIES[0]}/a', b'')
  with pytest.raises(ValueError, match='cannot be copied'):
    pull(url, DIRECTORIES[0])


def test_a_study_that_is_named_like_a_directory_is_refused(url):
  with working_copies.opened(url) as root:
    path = write(root / 'report', {'study.json': b''}) / 'study.json'
    with pytest.raises(ValueError, match='give another --config.name'):
      working_copies.publish(path)


def test_what_works_locally_only_says_so(url):
  with (
    working_copies.opened(url) as root,
    pytest.raises(ValueError, match='--on=slurm works in a local directory'),
  ):
    working_copies.require_local(root / 'study', '--on=slurm')


def test_other_processes_have_what_the_first_one_has_copied(server, url):
  with acting_as(0), working_copies.opened(url) as first:
    log = write(first / CELL, {'metrics.jsonl': b'one'}) / 'metrics.jsonl'
    working_copies.publish(log)
    with acting_as(1), working_copies.opened(url) as other:
      theirs = other / log.relative_to(first)
      assert theirs.read_bytes() == b'one'
      log.write_bytes(b'and two')
      working_copies.publish(log)
      assert theirs.read_bytes() == b'one'
      working_copies.follow(theirs.parent)
      assert theirs.read_bytes() == b'and two'
      log.unlink()
      working_copies.withdraw(log)
      working_copies.follow(theirs.parent)
      assert not theirs.exists()
    log.write_bytes(b'not copied yet')
    server.asked.clear()
    working_copies.follow(log)
    assert server.asked == []
    assert log.read_bytes() == b'not copied yet'


def test_what_the_first_process_shares_is_copied_at_once(url):
  with acting_as(0), working_copies.opened(url) as first:
    made = write(first / CELL, {'tokenizer.model': b'pieces'})
    working_copies.share(made / 'tokenizer.model')
    with acting_as(1), working_copies.opened(url) as other:
      working_copies.share(other / CELL / 'tokenizer.model')
      assert (other / CELL / 'tokenizer.model').read_bytes() == b'pieces'


def test_only_processes_with_copies_of_their_own_are_apart(tmp_path, url):
  with working_copies.opened(url) as root:
    assert not working_copies.is_apart(root / 'study')
    with acting_as(1):
      assert working_copies.is_apart(root / 'study')
      assert not working_copies.is_apart(tmp_path)
      working_copies.follow(tmp_path)
      working_copies.share(tmp_path / 'file')


def test_what_is_kept_in_step_can_be_copied_at_once(server, url):
  with working_copies.opened(url) as root:
    lock, made = root / CELL / '.train.lock', root / CELL / 'metrics.jsonl'
    name = f'{url.removeprefix("gs://bucket/")}/{CELL}/metrics.jsonl'
    with working_copies.guarded(
      lock,
      what='x',
      contents=lambda: [made] if made.exists() else [],
      needed=list,
    ):
      made.write_bytes(b'one')
      working_copies.keep_up(root / CELL)
      assert server.content(name) == b'one'
      made.unlink()
      working_copies.keep_up(root / CELL)
      assert name not in server.objects
    working_copies.keep_up(root / CELL)
