"""A path either does not exist or is complete, whatever interrupts a write."""

import errno
import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest

from icl_gen.storage import files


def names(directory):
  return sorted(path.name for path in directory.iterdir())


def refuse(*_):
  raise OSError(errno.ENOSPC, 'No space left on device')


def write_and_fail(path, error):
  """Writes a complete new directory for `path`, then fails."""
  with files.atomic_write(path) as partial:
    assert not partial.exists()
    partial.mkdir()
    (partial / 'inner').write_text('new')
    raise error


def run_python(code, *arguments):
  """Runs code in a fresh interpreter that does not import jax."""
  return subprocess.run(
    [sys.executable, '-c', code, *map(str, arguments)], check=False
  ).returncode


def test_block_writes_a_file_or_a_directory(tmp_path):
  with files.atomic_write(tmp_path / 'new' / 'a.txt') as partial:
    assert partial.suffix == '.txt'
    partial.write_text('a')
    assert not (tmp_path / 'new' / 'a.txt').exists()
  with files.atomic_write(tmp_path / 'new' / 'b') as partial:
    partial.mkdir()
    (partial / 'inner').write_text('b')
  assert (tmp_path / 'new' / 'a.txt').read_text() == 'a'
  assert (tmp_path / 'new' / 'b' / 'inner').read_text() == 'b'
  assert names(tmp_path / 'new') == ['a.txt', 'b']


@pytest.mark.parametrize('make_directory', [False, True])
def test_replacing_removes_the_old_content(tmp_path, make_directory):
  path = tmp_path / 'x'
  for name in ('old', 'new'):
    with files.atomic_write(path) as partial:
      if make_directory:
        partial.mkdir()
        (partial / name).touch()
      else:
        partial.write_text(name)
  assert names(path) == ['new'] if make_directory else path.read_text() == 'new'
  assert names(tmp_path) == ['x']


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize('old', [None, 'file', 'directory'])
def test_an_error_in_the_block_leaves_the_old_content(tmp_path, error, old):
  path = tmp_path / 'x'
  if old == 'file':
    path.write_text('old')
  if old == 'directory':
    path.mkdir()
    (path / 'inner').write_text('old')
  with pytest.raises(error):
    write_and_fail(path, error)
  assert names(tmp_path) == (['x'] if old else [])
  if old:
    kept = path if old == 'file' else path / 'inner'
    assert kept.read_text() == 'old'


@pytest.mark.parametrize('call', ['fsync', 'replace'])
def test_a_full_disk_leaves_the_old_content(tmp_path, monkeypatch, call):
  files.write_json(tmp_path / 'x.json', 'old')
  (tmp_path / 'd').mkdir()
  (tmp_path / 'd' / 'inner').write_text('old')
  monkeypatch.setattr(os, call, refuse)
  with pytest.raises(OSError, match='No space'):
    files.write_json(tmp_path / 'x.json', 'new')
  with (
    pytest.raises(OSError, match='No space'),
    files.atomic_write(tmp_path / 'd') as partial,
  ):
    partial.mkdir()
  assert names(tmp_path) == ['d', 'x.json']
  assert files.read_json(tmp_path / 'x.json') == 'old'
  assert (tmp_path / 'd' / 'inner').read_text() == 'old'


KILLED = """
import os, pathlib, signal, sys
from icl_gen.storage import files
path, call = pathlib.Path(sys.argv[1]), sys.argv[2]
def killed(*_):
  os.kill(os.getpid(), signal.SIGKILL)
with files.atomic_write(path) as partial:
  partial.mkdir()
  (partial / 'new').touch()
  (partial / 'late').touch()
  if call == 'block':
    killed()
  setattr(os, call, killed)
"""


@pytest.mark.parametrize('call', ['block', 'fsync', 'rename', 'replace'])
def test_a_kill_leaves_old_or_nothing_and_the_next_run_cleans_up(
  tmp_path, call
):
  path = tmp_path / 'x'
  path.mkdir()
  (path / 'old').touch()
  assert run_python(KILLED, path, call) == -signal.SIGKILL
  assert [name for name in names(tmp_path) if name.startswith('.partial-')]
  assert not path.exists() or names(path) == ['old']
  # A later run that fails finds the old content again, and only that.
  with pytest.raises(ValueError):
    write_and_fail(path, ValueError)
  assert names(tmp_path) == ['x']
  assert names(path) == ['old']


def at_once(*writers):
  """Calls functions in threads that start together; returns their errors."""
  barrier, errors = threading.Barrier(len(writers)), []

  def start(write):
    barrier.wait()
    try:
      write()
    except OSError as error:
      errors.append(error)

  threads = [threading.Thread(target=start, args=(one,)) for one in writers]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  return errors


@pytest.mark.parametrize('old', [False, True])
def test_of_two_writers_of_a_directory_one_wins_completely(tmp_path, old):
  def writer(path, name):
    def write():
      with files.atomic_write(path) as partial:
        partial.mkdir()
        for number in range(3):
          (partial / f'{name}{number}').write_text(name)

    return write

  for number in range(30):
    path = tmp_path / f'{number}'
    if old:
      writer(path, 'old')()
    assert at_once(writer(path, 'a'), writer(path, 'b')) == []
    (found,) = {inner.read_text() for inner in path.iterdir()}
    assert found in ('a', 'b')
    assert names(path) == [f'{found}{number}' for number in range(3)]
  assert names(tmp_path) == sorted(f'{number}' for number in range(30))


def test_of_two_writers_of_a_file_one_wins_completely(tmp_path):
  path, values = tmp_path / 'x.json', [['a'] * 1000, ['b'] * 10]
  for _ in range(30):
    errors = at_once(
      *(lambda value=value: files.write_json(path, value) for value in values)
    )
    assert errors == []
    assert files.read_json(path) in values
  assert names(tmp_path) == ['x.json']


SLOW = """
import sys
from icl_gen.storage import files
with files.atomic_write(sys.argv[1]) as partial:
  partial.mkdir()
  (partial / 'slow').touch()
  print(partial, flush=True)
  sys.stdin.read()
"""


def test_what_a_living_writer_has_written_is_left_alone(tmp_path):
  path = tmp_path / 'x'
  with subprocess.Popen(
    [sys.executable, '-c', SLOW, path],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
  ) as slow:
    partial = pathlib.Path(slow.stdout.readline().strip())
    for other in (path, tmp_path / 'y'):
      with files.atomic_write(other) as quick:
        quick.mkdir()
        (quick / 'quick').touch()
    assert names(partial) == ['slow']
    slow.stdin.close()
    assert slow.wait() == 0
  assert names(path) == ['slow']
  assert names(tmp_path / 'y') == ['quick']
  assert names(tmp_path) == ['x', 'y']


def test_json_is_read_back_and_does_not_depend_on_the_order_of_keys(tmp_path):
  value = {'b': [1, 2.5, None, 'é\u2028'], 'a': {}}
  files.write_json(tmp_path / '1', value)
  files.write_json(tmp_path / '2', {'a': {}, 'b': value['b']})
  assert files.read_json(tmp_path / '1') == value
  assert (tmp_path / '1').read_bytes() == (tmp_path / '2').read_bytes()


def test_nan_is_an_error_and_nothing_is_written(tmp_path):
  with pytest.raises(ValueError):
    files.write_json(tmp_path / 'x', {'loss': float('nan')})
  with pytest.raises(ValueError):
    files.append_json_line(tmp_path / 'y', {'loss': float('inf')})
  assert names(tmp_path) == []


def test_an_error_names_the_file_that_is_not_json(tmp_path):
  (tmp_path / 'x.json').write_bytes(b'{"a": \xff')
  with pytest.raises(ValueError, match=r'x\.json is not a JSON file'):
    files.read_json(tmp_path / 'x.json')


def test_lines_are_read_back_in_order(tmp_path):
  path = tmp_path / 'new' / 'metrics.jsonl'
  written = [{'step': i, 'note': 'two\nlines é\u2028'} for i in range(5)]
  for record in written:
    files.append_json_line(path, record)
  assert files.read_json_lines(path) == tuple(written)
  assert files.drop_torn_line(path) == 0


@pytest.mark.parametrize('kept', range(12))
def test_a_torn_last_line_is_skipped_and_replaced(tmp_path, kept):
  path = tmp_path / 'm.jsonl'
  files.append_json_line(path, {'step': 1})
  whole = path.read_bytes()
  files.append_json_line(path, {'step': 22})
  torn = path.read_bytes()[: len(whole) + kept]
  assert len(torn) < len(path.read_bytes())
  path.write_bytes(torn)
  assert files.read_json_lines(path) == ({'step': 1},)
  assert path.read_bytes() == torn  # reading changes nothing
  files.append_json_line(path, {'step': 3})
  assert files.read_json_lines(path) == ({'step': 1}, {'step': 3})


def test_drop_torn_line_returns_the_number_of_bytes(tmp_path):
  path = tmp_path / 'm.jsonl'
  assert files.drop_torn_line(path) == 0
  path.write_bytes(b'{"a": 1}\n{"b')
  assert files.drop_torn_line(path) == 3
  assert path.read_bytes() == b'{"a": 1}\n'
  path.write_bytes(b'{"b')
  assert files.drop_torn_line(path) == 3
  assert path.read_bytes() == b''


@pytest.mark.parametrize('line', [b'{"a": ', b'', b'[1]', b'\xff'])
def test_an_error_names_the_line_that_is_not_an_object(tmp_path, line):
  path = tmp_path / 'm.jsonl'
  path.write_bytes(b'{"a": 1}\n' + line + b'\n{"a": 2}\n')
  with pytest.raises(ValueError, match=r'm\.jsonl, line 2: expected'):
    files.read_json_lines(path)


LIMITED = """
import pathlib, resource, sys
from icl_gen.storage import files
path = pathlib.Path(sys.argv[1])
size = path.stat().st_size + 20
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
  files.append_json_line(path, {'step': 2, 'note': 'longer than the limit'})
except OSError:
  sys.exit(7)
"""


def test_a_partly_written_line_is_removed(tmp_path):
  path = tmp_path / 'm.jsonl'
  files.append_json_line(path, {'step': 1})
  whole = path.read_bytes()
  assert run_python(LIMITED, path) == 7
  assert path.read_bytes() == whole


SEALED = {'a': [1, 1e-7, None, 'é\u2028'], 'sha256': 'x', 'b': {'c': (True,)}}


def test_sealed_json_is_read_back_without_its_seal(tmp_path):
  path = tmp_path / 'x.json'
  files.write_sealed_json(path, SEALED)
  assert files.read_sealed_json(path) == SEALED | {'b': {'c': [True]}}
  assert files.read_json(path)['a'] == SEALED['a']  # plain JSON for others
  with pytest.raises(ValueError, match="'seal'"):
    files.write_sealed_json(tmp_path / 'y.json', {'seal': 1})
  with pytest.raises(FileNotFoundError):
    files.read_sealed_json(tmp_path / 'y.json')


def test_every_changed_byte_of_sealed_json_is_an_error(tmp_path):
  path = tmp_path / 'x.json'
  files.write_sealed_json(path, SEALED)
  whole = path.read_bytes()
  damages = [whole[:n] for n in range(len(whole))]
  damages += [
    whole[:n] + bytes([whole[n] ^ 1 << bit]) + whole[n + 1 :]
    for n in range(len(whole))
    for bit in range(8)  # bit 5 turns 1e-07 into 1E-07, which is equal
  ]
  damages += [whole + b'\n', b'[]', b'{}', b'null', b'{"seal": "0"}']
  for damaged in damages:
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r'x\.json is damaged') as caught:
      files.read_sealed_json(path)
    assert '\n' not in str(caught.value)


def test_json_without_a_seal_is_an_error(tmp_path):
  path = tmp_path / 'x.json'
  files.write_json(path, SEALED)
  with pytest.raises(ValueError, match='older version'):
    files.read_sealed_json(path)


def test_only_sealed_lines_are_read(tmp_path, caplog):
  path = tmp_path / 'parts.jsonl'
  first, second = {'a': [1, 2.5], 'é': None}, {'b': (True,)}
  for record in (first, second):
    files.append_json_line(path, files.sealed(record))
  read_back = (first, {'b': [True]})
  assert files.read_sealed_lines(path) == read_back
  assert not caplog.records
  whole = path.read_bytes()
  assert b'2.5' in whole
  path.write_bytes(whole.replace(b'2.5', b'3.5'))
  assert files.read_sealed_lines(path) == read_back[1:]
  for line in (b'{}', b'[]', b'{"sha256": "0"}', b'{', b'\xff', b'', b'NaN'):
    caplog.clear()
    path.write_bytes(line + b'\n' + whole + b'{"torn": ')
    assert files.read_sealed_lines(path) == read_back
    (message,) = caplog.messages
    assert f'{path}: 1 of 3 lines are damaged' in message
