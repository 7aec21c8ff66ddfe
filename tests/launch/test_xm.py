"""Units for XManager: the spec, and the real package where there is one.

To run the slow tests, name a Python that has xmanager:

  XMANAGER_PYTHON=PATH python -m pytest -m slow tests/launch/test_xm.py
"""

import dataclasses
import json
import os
import pathlib
import subprocess

import pytest

from icl_gen.runs import units as names
from launch import xm
from tests.launch import studies as commands


def spec(launched):
  plan = xm.make_plan(launched, machines=2, retries=0)
  return json.loads(next(iter(plan.files.values())))


def test_every_unit_is_a_job_and_the_report_the_last(launched):
  made = launched()
  found = spec(made)
  assert [job['name'] for job in found['jobs']] == [u.name for u in made.units]
  for job, unit in zip(found['jobs'], made.units, strict=True):
    assert job['args'] == [str(unit.log), *unit.command]
  assert not any('--only' in argument for argument in found['last']['args'])
  assert (found['at_once'], found['requirements']) == (2, {})


def test_containers_get_the_chips_and_a_shared_workdir(launched, given):
  given(xmanager_executor='vertex')
  with pytest.raises(ValueError, match='=vertex needs --remote_workdir'):
    spec(launched())
  given(remote_workdir='/shared/out')
  found = spec(launched(topology='v5e:4x4'))
  assert found['requirements'] == {'tpu_v5e': '4x4'}
  for job in (*found['jobs'], found['last']):
    assert job['args'].count('--workdir=/shared/out') == 1
  assert found['jobs'][0]['args'][-1] == '--only=reversal-nano-s0'


def test_containers_and_jobs_of_this_host_write_to_a_bucket(
  launched, given, copy, url
):
  made = launched(copy=copy)
  for job in (*(found := spec(made))['jobs'], found['last']):
    assert pathlib.Path(job['args'][0]).is_relative_to(copy)  # its log
    assert f'--workdir={url}' in job['args']
  given(xmanager_executor='vertex')
  for job in (*(found := spec(made))['jobs'], found['last']):
    assert job['args'].count(f'--workdir={url}') == 1
  given(remote_workdir='/shared/out')
  with pytest.raises(ValueError, match='=/shared/out: give a bucket as --work'):
    spec(made)
  given(remote_workdir=url)
  with pytest.raises(ValueError, match=f'={url}: give a bucket as --workdir'):
    spec(launched())


def test_containers_must_find_config_and_documents(launched, given):
  made = launched()

  def plan(**flags):
    report = {**made.report, **flags}
    spec(dataclasses.replace(made, report=report))

  plan(documents='/home/me/notes')  # on this host, all is there
  given(xmanager_executor='kubernetes', remote_workdir='/shared/out')
  for here in ('notes', 'configs/custom_example', '/shared/out/notes'):
    plan(documents=here)
  for flag in ('documents', 'config'):
    for elsewhere in (
      *('/home/me/notes', '../notes', 'configs/../../x', '/shared/notes'),
      '/shared/out/../notes',
    ):
      with pytest.raises(
        ValueError,
        match=f"^--{flag}='{elsewhere}': containers find only the files in the"
        ' working directory, .* and those in /shared/out; put it there$',
      ):
        plan(**{flag: elsewhere})


def test_the_script_of_a_unit_writes_its_log(launched, tmp_path):
  plan = xm.make_plan(launched(), machines=1, retries=0)
  script = list(plan.files.values())[1]
  log = tmp_path / 'logs/x.log'
  for code in (0, 3):
    done = subprocess.run(
      ['bash', '-c', script, 'run.sh', log, '-c', f'exit({code})'], check=False
    )
    assert done.returncode == code
  assert log.read_text().splitlines() == [
    names.ENDED.format(code) for code in (0, 3)
  ]


# --- the real package -------------------------------------------------------


@pytest.fixture
def python():
  if not (found := os.environ.get('XMANAGER_PYTHON')):
    pytest.skip('name a Python that has xmanager as XMANAGER_PYTHON')
  return found


@pytest.mark.slow
def test_xmanager_runs_a_study_on_this_host(python, two_worlds, tmp_path):
  given = two_worlds.begin(tmp_path / 'out')
  home = tmp_path / 'home'  # where xmanager keeps its database
  home.mkdir()
  done = commands.start(
    'launch',
    *('--on=xmanager', '--machines=2', f'--xmanager_python={python}'),
    *given,
    env=commands.environment() | {'HOME': str(home)},
  )
  assert done.wait() == 0
  assert commands.results(tmp_path / 'out') == two_worlds.expected


@pytest.mark.slow
@pytest.mark.parametrize('executor', ['local', 'vertex', 'kubernetes'])
def test_xmanager_accepts_the_spec(python, launched, given, tmp_path, executor):
  given(xmanager_executor=executor, remote_workdir='/shared/out')
  path = tmp_path / 'spec.json'
  path.write_text(json.dumps(spec(launched(topology='v5e:4x4'))))
  code = f"""
import json, sys
sys.path.insert(0, 'launch')
import xm_script
spec = json.loads(open({str(path)!r}).read())
print(xm_script.packageable(spec))
needs = xm_script.executor(spec).requirements
print(needs.accelerator, needs.topology)
"""
  done = subprocess.run(
    [python, '-c', code], cwd=commands.ROOT, capture_output=True, text=True
  )
  assert done.returncode == 0, done.stderr
  assert ('TPU_V5E' in done.stdout) == (executor != 'local')
