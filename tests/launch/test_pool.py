"""Units in processes: retries, and a clean stop."""

import os
import subprocess
import sys
import time

import pytest

from icl_gen.runs import units as names
from launch import finish, pool, table


@pytest.fixture(autouse=True)
def quick(monkeypatch):
  monkeypatch.setattr(pool, '_SECONDS_BETWEEN_LOOKS', 0.01)


@pytest.fixture
def run(launched):
  """Runs units whose commands are scripts of the shell, by seed."""

  def run(*scripts, retries=2, workers=2, look=lambda units: None):
    units = launched().units
    by_name = dict(zip((unit.name for unit in units), scripts, strict=False))
    return pool.run(
      units[: len(scripts)],
      lambda unit, worker: (
        ['/bin/sh', '-c', by_name[unit.name]],
        {'WORKER': str(worker)},
      ),
      workers=workers,
      retries=retries,
      look=look,
    )

  return run


def lines(ended):
  return ended.unit.log.read_text().splitlines()


def test_units_run_at_once_each_with_its_log(run, tmp_path):
  """Each waits for the file of the other one."""
  script = (
    'touch {0}/{1}; while [ ! -e {0}/{2} ]; do sleep 0.01; done;'
    ' echo on $WORKER'
  )
  ended = run(
    script.format(tmp_path, 'a', 'b'), script.format(tmp_path, 'b', 'a')
  )
  assert [one.state for one in ended] == ['done', 'done']
  assert [lines(one)[0] for one in ended] == ['on 0', 'on 1']
  assert lines(ended[0])[-1] == names.ENDED.format(0)
  finish.require_done(ended)


def test_a_unit_that_fails_is_started_again(run, tmp_path):
  ended = run(f'echo x >>{tmp_path}/x; [ $(wc -l <{tmp_path}/x) = 3 ]')
  assert (ended[0].state, ended[0].attempts) == ('done', 3)
  assert lines(ended[0]) == [names.ENDED.format(code) for code in (1, 1, 0)]


def test_a_unit_that_keeps_failing_is_given_up_and_reported(run, capsys):
  ended = run('echo the reason; exit 7', 'true', retries=1, workers=1)
  assert [(one.state, one.attempts) for one in ended] == [
    ('failed', 2),
    ('done', 1),
  ]
  with pytest.raises(ValueError, match='1 of 2 units failed: reversal-nano-s0'):
    finish.require_done(ended)
  printed = capsys.readouterr().out
  assert 'reversal-nano-s0 failed after 2 attempts' in printed
  assert '  the reason' in printed.splitlines()


def test_a_mistake_is_not_tried_again(run):
  assert run('exit 2')[0].attempts == 1


def test_attempts_that_complete_a_stage_do_not_count(run, launched):
  """Four stages, each completed by an attempt that then fails."""
  results = launched().units[0].results
  assert len(results) == 4
  script = ''.join(
    f'[ -e {path} ] || {{ mkdir -p {path.parent}; touch {path}; exit 1; }};'
    for path in results
  )
  ended = run(script, retries=0)
  assert (ended[0].state, ended[0].attempts) == ('done', len(results) + 1)


def test_a_stop_reaches_every_process_and_waits_for_it(run, tmp_path):
  script = (
    "trap 'sleep 0.2; echo saved; exit 143' TERM; touch {}/{};"
    ' while true; do sleep 0.01; done'
  )
  seen = []

  def look(units):
    seen[:] = units
    if (tmp_path / 'a').exists() and (tmp_path / 'b').exists():
      raise KeyboardInterrupt

  with pytest.raises(KeyboardInterrupt):
    run(script.format(tmp_path, 'a'), script.format(tmp_path, 'b'), look=look)
  for one in seen:
    assert (one.state, one.status) == ('stopped', 143)
    assert lines(one)[-2:] == ['saved', names.ENDED.format(143)]


@pytest.mark.skipif(sys.platform != 'linux', reason='asks Linux for a signal')
def test_workers_end_with_a_launcher_that_is_killed(tmp_path):
  """Otherwise they would hold the devices that the next launch gives away."""
  pid = tmp_path / 'pid'
  code = f"""
import pathlib
from launch import pool
from launch.experiment import Unit
unit = Unit('x', {{}}, [], pathlib.Path({str(tmp_path / 'log')!r}))
script = 'echo $$ >{pid}.new; mv {pid}.new {pid}; exec sleep 100'
pool.run([unit], lambda *_: (['/bin/sh', '-c', script], {{}}), workers=1,
         retries=0, look=lambda units: None)
"""
  launcher = subprocess.Popen([sys.executable, '-c', code])
  _wait(pid.exists)
  launcher.kill()
  launcher.wait()
  worker = int(pid.read_text())
  _wait(lambda: not _is_alive(worker))


def _wait(condition):
  until = time.monotonic() + 30
  while not condition():
    assert time.monotonic() < until
    time.sleep(0.01)


def _is_alive(pid):
  try:
    os.kill(pid, 0)
  except ProcessLookupError:
    return False
  # Nobody may wait for it here.
  with open(f'/proc/{pid}/stat') as stat:
    return stat.read().rsplit(') ', 1)[1][0] != 'Z'


def test_the_table_shows_the_stage_of_the_log(run, capsys):
  rows = []

  def look(units):
    rows.append([(one.state, table.stage(one)) for one in units])

  run(
    "echo '[1/2] build x'; echo '[2/2, about 0:01 to go] train y';"
    ' sleep 0.3; exit 1',
    retries=0,
    look=look,
  )
  assert [('running', 'train y')] in rows
  assert rows[-1] == [('failed', '')]


def test_without_a_terminal_every_change_is_one_line(run, capsys):
  with table.shown() as look:
    run('exit 1', 'true', retries=1, workers=1, look=look)
  assert capsys.readouterr().out.splitlines() == [
    'reversal-nano-s0: running on worker 0, attempt 1',
    'reversal-nano-s0: ended with exit status 1; will be started again',
    'reversal-nano-s1: running on worker 0, attempt 1',
    'reversal-nano-s1: done',
    'reversal-nano-s0: running on worker 0, attempt 2',
    'reversal-nano-s0: failed with exit status 1',
  ]


def test_every_unit_has_a_row(launched):
  units = [pool.Progress(unit) for unit in launched().units]
  units[0].enter('done')
  made = table.table(units)
  assert made.row_count == 2
  assert list(made.columns[1].cells) == ['done', 'waiting']
  assert [c.header for c in made.columns][:3] == ['unit', 'state', 'stage']
