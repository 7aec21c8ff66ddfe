"""Where the stages of a study are."""

import datetime
import os

import pytest

from icl_gen import status
from icl_gen.runs import states, studies, units
from icl_gen.runs.stage import Stage
from icl_gen.storage import files
from tests.runs.test_studies import VALUES


@pytest.fixture
def study():
  return studies.read(VALUES | {'conditions': ('icl', 'ft')})


def finish(job, *, seconds):
  """What a stage leaves that took so many seconds."""
  stage = Stage(job.door, job.result.parent, {})
  for path in (stage.settings_file, job.result):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
  os.utime(stage.settings_file, (1000, 1000))
  os.utime(job.result, (1000 + seconds, 1000 + seconds))


def found(study, root):
  return {one.name: one.what for one in states.states(study, root)}


def test_a_study_that_has_not_begun_is_to_do(study, tmp_path):
  assert found(study, tmp_path) == {
    'build reversal-s0': 'to do',
    'evaluate reversal-icl-nano-s0': 'to do',
    'train reversal-ft-nano-s0': 'to do',
    'evaluate reversal-ft-nano-s0': 'to do',
  }
  assert states.time_left(states.states(study, tmp_path)) is None
  assert not list(tmp_path.iterdir())


def test_a_stage_is_running_while_its_lock_is_held(study, tmp_path):
  build, _, train, evaluate = studies.jobs(study, tmp_path)
  finish(build, seconds=5)
  stage = Stage('train', train.result.parent, {})
  with stage.guard():
    assert found(study, tmp_path)['train reversal-ft-nano-s0'] == 'running'
    one = states.states(study, tmp_path)[2]
    assert one.note.startswith(f'pid {os.getpid()} on ')
    log = train.result.parent / 'metrics.jsonl'
    for step in (10, 20):
      files.append_json_line(
        log,
        {'step': step, 'tokens_per_second': 1234.5, 'eta_seconds': 90.0},
      )
    one = states.states(study, tmp_path)[2]
    assert '; step 20, 1,234 tokens/s, 0:01:' in one.note
    assert 80 < one.seconds <= 90
  assert found(study, tmp_path)['train reversal-ft-nano-s0'] == 'to do'
  with Stage('evaluate', evaluate.result.parent, {}).guard():
    (evaluate.result.parent / 'scored.jsonl').write_text('{}\n{}\n')
    assert states.states(study, tmp_path)[3].note.endswith('; 2 kept so far')


def write_log(root, *lines, status):
  log = units.log(root, 'reversal-nano-s0')
  log.parent.mkdir(parents=True, exist_ok=True)
  log.write_text('\n'.join([*lines, units.ENDED.format(status), '']))
  return log


def test_the_last_stage_of_a_failed_unit_is_failed(study, tmp_path):
  finish(studies.jobs(study, tmp_path)[0], seconds=5)
  said = [
    '[1/1] build reversal-s0',
    '[1/3] evaluate reversal-icl-nano-s0',
    '[2/3, about 0:00:10 to go] train reversal-ft-nano-s0',
    *(f'line {n}' for n in range(20)),
    'error: no memory',
  ]
  log = write_log(tmp_path, *said, status=1)
  assert list(found(study, tmp_path).values()) == [
    'done',
    'to do',
    'failed',
    'to do',
  ]
  note = states.states(study, tmp_path)[2].note
  assert note.startswith(f'exit status 1; {log} ends:\n')
  assert note.endswith('    line 19\n    error: no memory')
  assert 'line 9\n' not in note
  # Who was asked to stop has not failed, and who goes on has no last line.
  for status_now in (0, 143, 130, -15):
    write_log(tmp_path, *said, status=status_now)
    assert 'failed' not in found(study, tmp_path).values()
  log.write_text('\n'.join(said))
  assert 'failed' not in found(study, tmp_path).values()


def test_the_time_left_is_that_of_like_stages(study, tmp_path):
  build, evaluate, *_ = studies.jobs(study, tmp_path)
  finish(build, seconds=10)
  now = states.states(study, tmp_path)
  assert states.time_left(now) == datetime.timedelta(seconds=30)
  finish(evaluate, seconds=40)
  now = states.states(study, tmp_path)  # train: of all; evaluate: as before
  assert states.time_left(now) == datetime.timedelta(seconds=25 + 40)


def test_status_says_where_every_stage_is(study, tmp_path, capsys):
  with pytest.raises(ValueError, match='no study in .*: give the --workdir'):
    status.run(None, tmp_path)
  root = tmp_path / 'study'
  units.record(study, root)
  build, _, train, _ = studies.jobs(study, root)
  finish(build, seconds=10)
  with Stage('train', train.result.parent, {}).guard():
    status.run(None, tmp_path)
  printed = capsys.readouterr().out.splitlines()
  assert printed[0] == (
    f'{root}: 4 stages: 1 done, 1 running, 0 failed, 2 to do; about 0:00:30'
    ' to go'
  )
  assert printed[1].startswith('running: train reversal-ft-nano-s0: pid ')
  assert printed[2:] == [
    'done: build: reversal-s0',
    'to do: evaluate: reversal-icl-nano-s0, reversal-ft-nano-s0',
  ]
