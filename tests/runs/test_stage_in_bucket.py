"""Stages in a bucket: what holds in a directory holds there.

Each working copy stands for a process on a host of its own.
"""

import contextlib
import queue
import shutil
import threading

import pytest

from icl_gen.runs.stage import RESULTS, Stage
from icl_gen.storage import bucket_locks, files, working_copies
from tests.together import acting_as

SETTINGS = {'seed': 1, 'rate': 2e-3}


_FOLDERS = {
  'build': 'study/corpora/one',
  'augment': 'study/corpora/one-augmented-nano',
  'train': 'study/runs/one',
  'pretrain': 'pretrain/one',
  'evaluate': 'study/runs/one',
  'measure': 'measure/one',
  'export': 'exports/one-hf',
  'report': 'study',
}
# What they write besides their result.
_MORE = {
  'train': ('metrics.jsonl', 'adapters/a', 'checkpoints/4/state/a'),
  'pretrain': ('metrics.jsonl', 'tokenizer.model', 'checkpoints/4/a'),
}


def stage_in(root, door='evaluate', settings=SETTINGS):
  directory = root / 'study/runs/reversal-icl-nano-s0'
  parts = {'scores': directory / 'scored.jsonl'} if door == 'evaluate' else {}
  return Stage(door, directory, settings, parts=parts)


@contextlib.contextmanager
def host(url, *args):
  with working_copies.opened(url) as root:
    yield stage_in(root, *args)


def read(directory):
  return {
    path.relative_to(directory): path.read_bytes()
    for path in directory.rglob('*')
    if path.is_file()
  }


def work(stage, *, stop_after=9):
  """Makes a result of three parts; returns the number of each it made."""
  made = []

  def do():
    kept = files.read_sealed_lines(stage.parts['scores'])
    kept = kept if stage.is_begun() else ()
    stage.begin()
    for number in range(len(kept), 3):
      if len(made) == stop_after:
        raise InterruptedError
      part = files.sealed({'number': number})
      files.append_json_line(stage.parts['scores'], part)
      made.append(number)
    stage.result.write_text('whole')
    stage.finish()

  stage.directory.mkdir(parents=True, exist_ok=True)
  stage.parts['scores'].touch()
  stage.complete(do)
  return made


def test_a_stage_resumes_on_another_host(url, capsys):
  with host(url) as first, pytest.raises(InterruptedError):
    work(first, stop_after=2)
  with host(url) as second:
    assert not second.is_finished() and second.is_begun()
    assert work(second) == [2]
  with host(url) as third:
    assert third.is_finished()
    assert third.result.read_text() == 'whole'
    assert not third.parts['scores'].exists()
    capsys.readouterr()
    third.complete(lambda: pytest.fail('it is complete'))
    assert 'nothing to do' in capsys.readouterr().out


@pytest.mark.parametrize('door', RESULTS)
def test_what_any_door_makes_is_there_for_another_host(url, door):
  def stage(root):
    return Stage(door, root / _FOLDERS[door], SETTINGS)

  with working_copies.opened(url) as root:
    one = stage(root)

    def do():
      one.begin()
      made = one.result
      if door in ('train', 'pretrain', 'export'):
        made = one.result / 'weights'
      for path in (
        made,
        *(one.directory / name for name in _MORE.get(door, ())),
      ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
      one.finish()

    one.complete(do)
    expected = read(root)
  with working_copies.opened(url) as root:
    assert stage(root).is_finished()
    for path in (stage(root).result, *stage(root).directory.rglob('*')):
      working_copies.fetch(path)
    assert read(root) == expected != {}


def test_another_process_of_the_run_has_the_parts_and_the_result(url):
  with host(url) as first, acting_as(1), host(url) as other:
    with acting_as(0, count=1), pytest.raises(InterruptedError):
      work(first, stop_after=2)
    seen = []

    def do():
      seen.extend(files.read_sealed_lines(other.parts['scores']))
      assert other.is_begun()
      other.begin()
      with acting_as(0, count=1):
        work(first)
      other.finish()

    other.complete(do)
    assert [part['number'] for part in seen] == [0, 1]
    assert other.result.read_text() == 'whole'
    assert not other.parts['scores'].exists()


def test_other_settings_are_an_error_there_too(url):
  with host(url) as first:
    work(first)
  with (
    host(url, 'evaluate', SETTINGS | {'seed': 2}) as other,
    pytest.raises(ValueError, match='seed=1, now it is 2'),
  ):
    other.is_finished()


def test_of_two_hosts_the_second_waits_and_names_the_first(
  url, monkeypatch, capsys
):
  monkeypatch.setattr(bucket_locks, '_SECONDS_BETWEEN_TRIES', 0.01)
  said = queue.Queue()
  monkeypatch.setattr(
    bucket_locks, 'print', lambda line, **_: said.put(line), raising=False
  )
  holds, goes_on = threading.Event(), threading.Event()

  def slowly(stage):
    def do():
      stage.begin()
      holds.set()
      assert goes_on.wait(60)
      stage.result.write_text('whole')
      stage.finish()

    stage.complete(do)

  with host(url) as first, host(url) as second:
    thread = threading.Thread(target=slowly, args=[first])
    thread.start()
    assert holds.wait(60)
    assert working_copies.holder(second.lock).startswith('pid ')
    waits = threading.Thread(
      target=second.complete, args=[lambda: pytest.fail('done by the first')]
    )
    waits.start()
    assert (
      f'waiting: {second.directory} (evaluate) is being written by pid'
      in said.get(timeout=60)
    )
    goes_on.set()
    thread.join()
    waits.join()
    assert 'completed by another process' in capsys.readouterr().out
    assert second.result.read_text() == 'whole'
    assert working_copies.holder(second.lock) == ''


def test_training_resumes_from_the_states_that_are_complete(url, server):
  with host(url, 'train') as first:

    def do():
      first.begin()
      for step in (2, 4, 10):
        (first.checkpoints / f'{step}').mkdir(parents=True)
        (first.checkpoints / f'{step}/state').write_text(f'{step}')
      (first.checkpoints / '12.orbax-checkpoint-tmp').mkdir()
      raise InterruptedError

    with pytest.raises(InterruptedError):
      first.complete(do)
  place = (
    f'{url.removeprefix("gs://bucket/")}/study/runs/{first.directory.name}'
  )
  server.objects.pop(f'{place}/checkpoints/10.complete.json')
  with host(url, 'train') as second:

    def go_on():
      states = sorted(path.name for path in second.checkpoints.iterdir())
      assert states == ['2', '4']
      assert (second.checkpoints / '4/state').read_text() == '4'
      second.begin()
      bucket = second.checkpoints.parent
      (bucket / 'params').mkdir()
      (bucket / 'params/weights').write_text('w')
      shutil.rmtree(second.checkpoints / '2')
      second.finish()

    assert second._states() != []
    second.complete(go_on)
  with host(url, 'train') as third:
    assert third.is_finished()
    assert [path.name for path in third._states()] == ['4']
    working_copies.fetch(third.result)
    assert (third.result / 'weights').read_text() == 'w'


def test_a_report_that_is_removed_does_not_exist(url):
  def report(root):
    return Stage('report', root / 'study', SETTINGS)

  def write(stage):
    def do():
      stage.begin()
      stage.result.parent.mkdir(exist_ok=True)
      stage.result.write_text('page')
      stage.finish()

    stage.complete(do)

  with working_copies.opened(url) as root:
    write(report(root))
    assert report(root).is_finished()
  with working_copies.opened(url) as root:
    assert report(root).is_finished()

    def stop():
      report(root).begin()
      # From now on, nothing vouches for what is there.
      with working_copies.opened(url) as elsewhere:
        assert report(elsewhere).result.exists()
        assert not report(elsewhere).is_finished()
      raise InterruptedError

    with pytest.raises(InterruptedError):
      report(root).complete(stop)
    write(report(root))
  with working_copies.opened(url) as root:
    assert report(root).is_finished()
    with report(root).guard():
      report(root).result.unlink()
  with working_copies.opened(url) as root:
    assert not report(root).result.exists()
    assert not report(root).is_finished()
    write(report(root))
  with working_copies.opened(url) as root:
    assert report(root).is_finished()
