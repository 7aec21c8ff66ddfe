"""Results are used and continued under the settings they were created with."""

import json
import pathlib
import re
import shutil
import threading

import pytest

from icl_gen.runs.stage import RESULTS, Stage
from icl_gen.storage import files, recollections

SETTINGS = {
  'seed': 1,
  'rate': 2e-3,
  'facts': (1, 5),
  'train': {'steps': 4, 'optimizer': {'name': 'muon'}},
}
OTHER = SETTINGS | {'seed': 2}


class Alone(Stage):
  """A stage that no other process works on."""

  def begin(self):
    with self.guard():
      super().begin()


@pytest.fixture
def stage(tmp_path):
  """Makes a stage of a door in the same directory."""

  def make(door='train', settings=SETTINGS, **more):
    return Alone(door, tmp_path / 'new' / 'run', settings, **more)

  return make


def complete(stage):
  """Does what a door does between `begin` and `finish`."""
  stage.result.mkdir(parents=True, exist_ok=True)


@pytest.mark.parametrize('door', RESULTS)
def test_a_stage_is_finished_once_its_result_exists(stage, door):
  one = stage(door)
  assert not one.is_finished()
  assert not one.settings_directory.exists()  # asking changes nothing
  one.begin()
  assert not one.is_finished()
  complete(one)
  one.finish()
  assert one.is_finished()
  if door != 'report':
    with pytest.raises(ValueError, match='seed=1, now it is 2'):
      stage(door, OTHER).is_finished()


def test_beginning_again_changes_no_file(stage):
  stage().begin()
  path = stage().directory / 'train.config.json'
  assert files.read_sealed_json(path)['train'] == SETTINGS['train']
  before = path.stat()
  stage().begin()
  stage(settings=SETTINGS | {'facts': [1, 5]}).begin()
  after = path.stat()
  assert (before.st_mtime_ns, before.st_ino) == (
    after.st_mtime_ns,
    after.st_ino,
  )


@pytest.mark.parametrize('left', ['params', 'checkpoints/2'])
@pytest.mark.parametrize('verb', [Alone.begin, Alone.is_finished])
@pytest.mark.parametrize(
  ('other', 'message'),
  [
    (OTHER, 'seed=1, now it is 2'),
    (SETTINGS | {'facts': (1, 6)}, r'facts=\[1, 5\], now it is \[1, 6\]'),
    (SETTINGS | {'new': 0}, "new='absent', now it is 0"),
    (
      SETTINGS | {'train': {'steps': 4, 'optimizer': {'name': 'adamw'}}},
      "train.optimizer.name='muon', now it is 'adamw'",
    ),
    (
      {k: v for k, v in SETTINGS.items() if k != 'rate'},
      "rate=0.002, now it is 'absent'",
    ),
  ],
)
def test_different_settings_are_an_error_that_names_the_first(
  stage, verb, other, message, left
):
  stage().begin()
  (stage().directory / left).mkdir(parents=True)
  with pytest.raises(ValueError, match=message):
    verb(stage(settings=other))
  verb(stage())


@pytest.mark.parametrize('left', ['', 'checkpoints', 'checkpoints/2.tmp-1'])
def test_settings_without_results_may_be_overwritten(stage, left):
  (stage().directory / left).mkdir(parents=True, exist_ok=True)
  stage().begin()
  other = stage(settings=OTHER)
  assert not other.is_finished()
  assert stage().is_begun() and not other.is_begun()
  other.begin()
  assert other.is_begun() and not stage().is_begun()


def test_parts_of_other_settings_are_deleted(stage, tmp_path):
  parts = {'scores': tmp_path / 'part'}
  stage('evaluate', parts=parts).begin()
  parts['scores'].touch()
  stage('evaluate', parts=parts).begin()
  assert parts['scores'].exists()
  stage('evaluate', OTHER, parts=parts).begin()
  assert not parts['scores'].exists()


def test_what_was_recalled_under_other_settings_is_deleted(stage):
  one, other = stage('evaluate'), stage('evaluate', OTHER)
  recalled = one.directory / recollections.NAME
  one.begin()
  recalled.touch()
  one.begin()  # resumed: it is not recalled again
  assert recalled.exists()
  complete(one)
  with pytest.raises(ValueError) as caught:
    other.is_finished()
  named = str(caught.value).partition('or delete ')[2].partition(' and run ')[0]
  assert set(re.findall("'([^']+)'", named)) == set(
    map(str, (one.settings_file, one.result, recalled))
  )
  one.result.rmdir()  # and what is next to it is forgotten
  other.begin()
  assert not recalled.exists()


def test_adapters_of_other_settings_are_deleted(stage):
  """A run without any would keep those of the run before it."""
  one, other = stage('train'), stage('train', OTHER)
  adapters = one.directory / 'adapters'
  one.begin()
  adapters.mkdir()
  (adapters / 'adapter_config.json').touch()
  one.begin()  # resumed: they are replaced when it is complete
  assert adapters.exists()
  complete(one)
  with pytest.raises(ValueError, match=f"or delete .*'{adapters}'"):
    other.is_finished()
  one.result.rmdir()
  other.begin()
  assert not adapters.exists()


def test_a_finished_stage_has_no_parts(stage, tmp_path):
  one = stage('evaluate', parts={'scores': tmp_path / 'part'})
  one.begin()
  one.parts['scores'].touch()
  complete(one)
  one.finish()
  assert one.is_finished() and not one.parts['scores'].exists()


def test_results_without_settings_are_not_used(stage):
  stage('evaluate').directory.mkdir(parents=True)
  stage('evaluate').result.touch()
  with pytest.raises(ValueError, match=r'evaluate.config.json.*created with'):
    stage('evaluate').is_finished()


def test_a_marker_without_scores_is_no_completion(stage):
  one = stage('evaluate')
  one.begin()
  (one.directory / 'DONE').touch()  # of an earlier version
  assert not one.is_finished()
  complete(one)
  assert one.is_finished()


def unsealed(text):
  """Settings as an older version wrote them."""
  found = json.loads(text)
  del found['seal']
  return json.dumps(found)


@pytest.mark.parametrize(
  'damage',
  [
    lambda text: '{"seed": ',
    lambda text: '[1]',
    lambda text: '',
    lambda text: text.replace('"seed": 1', '"seed": 3'),
    lambda text: text.replace('seed', 'seee'),
    unsealed,
  ],
)
@pytest.mark.parametrize('door', ['build', 'train', 'evaluate', 'report'])
def test_what_the_message_says_mends_damaged_settings(stage, door, damage):
  one = stage(door)
  one.begin()
  one.directory.mkdir(parents=True, exist_ok=True)
  (one.directory / 'of another door').touch()
  complete(one)
  one.finish()
  settings = one.settings_file
  settings.write_text(damage(settings.read_text()))
  with pytest.raises(ValueError) as caught:
    one.is_finished()
  message = str(caught.value)
  assert f'{settings}' in message and '\n' not in message
  named = message[message.index(' Delete ') : message.index(' and run ')]
  for path in map(pathlib.Path, re.findall("'([^']+)'", named)):
    shutil.rmtree(path) if path.is_dir() else path.unlink()
  assert not one.is_finished()
  one.begin()
  if door != 'report':  # its settings come last
    assert one.is_begun()
  if door != 'build':
    assert (one.directory / 'of another door').exists()


def test_stages_in_one_directory_are_compared_apart(stage):
  stage('train').begin()
  stage('train').result.mkdir()
  (stage('train').checkpoints / '2').mkdir(parents=True)
  stage('evaluate', OTHER).begin()  # training states are not its own
  stage('evaluate', SETTINGS).begin()
  complete(stage('evaluate'))
  stage('evaluate', SETTINGS).finish()
  named = r"delete '\S+evaluate\.config\.json' and '\S+scores\.parquet' and run"
  with pytest.raises(ValueError, match=f'seed=1.*{named}'):
    stage('evaluate', OTHER).is_finished()


def test_a_directory_written_whole_has_its_settings_next_to_it(stage):
  build = stage('build')
  build.begin()
  assert not build.directory.exists()
  complete(build)
  named = r"delete '\S+build\.config\.json' and '\S+/run' and run .*\.build"
  with pytest.raises(ValueError, match=f'seed=1.*{named}'):
    stage('build', OTHER).is_finished()


def test_a_report_is_replaced_and_its_settings_come_last(stage):
  report, other = stage('report'), stage('report', OTHER)
  report.begin()
  complete(report)
  assert not report.is_finished()
  report.finish()
  assert report.is_finished() and not other.is_finished()
  other.begin()
  assert report.result.exists() and not report.is_finished()
  other.finish()
  assert other.is_finished() and not report.is_finished()


def test_an_input_must_exist_and_agree(stage):
  with pytest.raises(ValueError, match=r'run/manifest.json.*icl_gen\.augment'):
    stage('augment', {}).require()
  stage('augment').begin()
  complete(stage('augment'))
  for settings in ({}, {'rate': 2e-3}, SETTINGS):
    found = stage('augment', settings).require()
    assert found == stage('augment').directory
  with pytest.raises(ValueError, match='rate=0.002, now it is 1'):
    stage('augment', {'rate': 1}).require()
  with pytest.raises(ValueError, match="new='absent', now it is 0"):
    stage('augment', {'new': 0}).require()
  # Without its settings there is nothing to compare.
  (stage('augment').settings_directory / 'augment.config.json').unlink()
  stage('augment', {}).require()
  with pytest.raises(ValueError, match='augment.config.json'):
    stage('augment', {'rate': 1}).require()


def worker(stage, done, *, fail=False, wait=lambda: None):
  """A call of `complete`, whose work notes the door."""

  def work():
    Stage.begin(stage)
    done.append(stage.door)
    wait()
    if fail:
      raise ValueError
    complete(stage)
    stage.finish()

  return lambda: stage.complete(work)


@pytest.mark.parametrize('door', RESULTS)
def test_the_second_of_two_waits_and_finds_the_work_finished(
  stage, capsys, door
):
  begun, done = threading.Event(), []
  # Long enough for the second one to say that it waits.
  first = worker(
    stage(door),
    done,
    wait=lambda: (begun.set(), threading.Event().wait(1)),
  )
  thread = threading.Thread(target=first)
  thread.start()
  begun.wait()
  worker(stage(door), done)()
  thread.join()
  assert done == [door]
  waiting = f'waiting: {stage(door).directory} ({door}) is being written by pid'
  line, completed = capsys.readouterr().out.splitlines()
  assert line.startswith(waiting)
  assert completed == f'completed by another process: {stage(door).result}'
  assert stage(door).is_finished()
  assert not stage(door).lock.exists()


def test_the_second_of_two_works_if_the_first_one_fails(stage):
  begun, fails, done = threading.Event(), threading.Event(), []

  def fail():
    with pytest.raises(ValueError):
      worker(
        stage(), done, fail=True, wait=lambda: (begun.set(), fails.wait())
      )()

  thread = threading.Thread(target=fail)
  thread.start()
  begun.wait()
  fails.set()
  worker(stage(), done)()
  thread.join()
  assert done == ['train', 'train']
  assert stage().is_finished()


def test_doors_of_one_directory_do_not_wait_for_each_other(stage, capsys):
  done = []
  evaluate = worker(stage('evaluate'), done)
  worker(stage('train'), done, wait=evaluate)()
  assert done == ['train', 'evaluate']
  assert capsys.readouterr().out == ''


def test_only_complete_calls_the_work_and_once(stage, capsys):
  with pytest.raises(AssertionError, match='only `complete`'):
    Stage.begin(stage())
  done = []
  for _ in range(2):
    worker(stage(), done)()
  assert done == ['train']
  said = f'nothing to do, complete already: {stage().result}\n'
  assert capsys.readouterr().out == said
  for _ in range(2):
    worker(stage('report'), done)()
  assert done == ['train', 'report', 'report']


def test_a_mistake_in_the_work_leaves_no_file(stage, tmp_path):
  def work():
    raise ValueError

  for door in RESULTS:
    with pytest.raises(ValueError):
      stage(door).complete(work)
  assert list(tmp_path.iterdir()) == []
