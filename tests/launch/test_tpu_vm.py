"""Units on TPU VMs, with gcloud.py in place of gcloud."""

import contextlib
import dataclasses
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys

import pytest
from absl import flags

from icl_gen.runs import units as names
from icl_gen.storage import working_copies
from launch import plan as plans
from launch import pool, tpu_vm
from tests.launch import studies as commands

# What a unit does here: tells where it runs, notes the attempt in the settings
# of its corpus, and writes the corpus. Next to gcloud's machines, a file `fail`
# lets it fail, `fail_once` the first attempt, and `block` keeps it waiting. It
# makes a file `twice` there if it runs twice at a time.
_FAKE = """\
#!/bin/bash
mkdir ~/busy 2>/dev/null || touch {machines}/twice
trap 'rmdir ~/busy' EXIT
echo "worker $WORKER ran $*"
trap 'echo saved; exit 143' TERM
for flag; do case $flag in --only=*) unit=${{flag#--only=}} ;; esac; done
corpus=out/study/corpora/${{unit/-nano/}}
mkdir -p $corpus.settings
echo attempt >>$corpus.settings/x
while [ -e {machines}/block ]; do sleep 0.05; done
[ -e {machines}/fail ] && exit 1
rm {machines}/fail_once 2>/dev/null && exit 1
mkdir -p $corpus
echo $WORKER >>$corpus/by
"""


@pytest.fixture
def machines(tmp_path, monkeypatch):
  """The directory of the machines; gcloud is on the PATH."""
  bin, machines = tmp_path / 'bin', tmp_path / 'machines'
  bin.mkdir()
  machines.mkdir()
  script = pathlib.Path(__file__).with_name('gcloud.py')
  (bin / 'gcloud').write_text(
    f'#!/bin/sh\nexec {sys.executable} {script} "$@"\n'
  )
  (bin / 'fake').write_text(_FAKE.format(machines=machines))
  for program in bin.iterdir():
    program.chmod(0o755)
  monkeypatch.setenv('PATH', f'{bin}:{os.environ["PATH"]}')
  monkeypatch.setenv('GCLOUD_MACHINES', str(machines))
  monkeypatch.setattr(tpu_vm, '_CODE', ('setup.py',))
  monkeypatch.setattr(tpu_vm, '_SECONDS_BETWEEN_LOOKS', 0.1)
  monkeypatch.setattr(pool, '_SECONDS_BETWEEN_LOOKS', 0.05)
  monkeypatch.chdir(commands.ROOT)
  return machines


@pytest.fixture
def asked(given, machines):
  """Flags for the machines; their Python is the fake one."""
  fake = f'mkdir -p .venv/bin && cp {machines.parent}/bin/fake .venv/bin/python'

  def ask(**more):
    given(**{'zone': 'us-west4-a', 'set_up': fake} | more)

  ask()
  return ask


def every_call(machines):
  """The arguments of all calls of gcloud compute tpus."""
  lines = (machines / 'calls').read_text().splitlines()
  return [json.loads(line)[2:] for line in lines]


def calls(machines):
  """The verbs and machines of all calls of gcloud but questions."""
  return [
    call[:3] for call in every_call(machines) if call[1] in ('create', 'delete')
  ]


def run(made, monkeypatch, machines=1, retries=0):
  monkeypatch.setattr(tpu_vm.finish, 'write_report', lambda experiment: None)
  tpu_vm.run(made, machines=machines, retries=retries)


def fetched(made, unit):
  return made.root / 'corpora' / unit.name.replace('-nano', '') / 'by'


def settings(made, unit):
  """What the attempts at a unit noted."""
  corpus = fetched(made, unit).parent
  return corpus.with_name(f'{corpus.name}.settings') / 'x'


@pytest.mark.parametrize(
  'queued', [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_machines_are_made_used_and_deleted(
  launched, asked, machines, monkeypatch, queued
):
  asked(queued=queued, spot=True)
  made = launched()
  run(made, monkeypatch, machines=2)
  kind = 'queued-resources' if queued else 'tpu-vm'
  found = calls(machines)
  for name in ('icl-gen-study-0', 'icl-gen-study-1'):
    assert [c for c in found if c[2] == name] == [
      [kind, 'create', name],
      [kind, 'delete', name],
    ]
  for unit in made.units:
    assert fetched(made, unit).read_text() == '0\n'
    assert f'--only={unit.name}' in unit.log.read_text()
    assert '--workdir=out' in unit.log.read_text()
  assert not [path for path in machines.iterdir() if path.is_dir()]


@pytest.mark.slow
def test_machines_are_kept_if_asked(
  launched, asked, machines, monkeypatch, tmp_path
):
  """And set up again if the code or the set-up is another one."""
  code = tmp_path / 'code'
  code.mkdir()
  (code / 'a.py').touch()
  monkeypatch.chdir(tmp_path)
  monkeypatch.setattr(tpu_vm, '_CODE', ('code',))
  there = machines / 'icl-gen-study-0/0/icl_gen'
  asked(keep=True)
  counted = f'{flags.FLAGS.set_up} && echo done >>set-ups'

  def set_ups(**more):
    """How many there were, after another launch of the same units."""
    asked(keep=True, **{'set_up': counted} | more)
    run(launched(), monkeypatch)
    return (there / 'set-ups').read_text().count('done')

  assert set_ups() == 1
  assert (machines / 'icl-gen-study-0/state').read_text() == 'READY'
  os.utime(code / 'a.py', (0, 0))
  assert set_ups() == 1  # and used again
  (code / 'a.py').rename(code / 'b.py')
  assert set_ups() == 2
  assert [path.name for path in (there / 'code').iterdir()] == ['b.py']
  (code / 'b.py').write_text('new')
  assert set_ups() == 3
  assert (there / 'code/b.py').read_text() == 'new'
  assert set_ups(set_up=f'{counted} && true') == 4
  assert calls(machines) == [['tpu-vm', 'create', 'icl-gen-study-0']]


def test_what_was_deleted_here_does_not_come_back(
  launched, asked, machines, monkeypatch
):
  """From a machine that was kept, which had a copy of it."""
  asked(keep=True)
  made = launched()
  made = dataclasses.replace(made, units=made.units[:1])
  run(made, monkeypatch)
  shutil.rmtree(made.root / 'corpora')
  run(made, monkeypatch)
  assert fetched(made, made.units[0]).read_text() == '0\n'
  assert settings(made, made.units[0]).read_text() == 'attempt\n'


@pytest.mark.parametrize(
  ('there', 'done'),
  [
    ('', ['mount']),
    ('10.0.0.2:/share', []),
    ('10.0.0.2:/other', ['umount', 'mount']),
  ],
)
def test_another_share_takes_the_place_of_the_first(
  launched, asked, there, done
):
  asked(mount='10.0.0.2:/share')
  script = f"""
    sudo() {{ echo "$1"; }}
    mountpoint() {{ [ '{there}' ]; }}
    findmnt() {{ echo '{there}'; }}
    true {tpu_vm._mounting(launched())}
  """
  said = subprocess.run(
    ['bash', '-c', script], capture_output=True, text=True, check=True
  ).stdout
  assert said.split() == ['mkdir', *done]


def test_all_workers_run_a_unit_together(
  launched, asked, machines, monkeypatch
):
  asked(accelerator_type='v5litepod-16')
  made = launched(processes=2, on='tpu_vm')
  run(made, monkeypatch)
  said = made.units[0].log.read_text()
  for worker in (0, 1):
    assert f'worker {worker} ran -m icl_gen.study' in said
  assert said.count('--distributed=tpu') == 2


def preempt(machines, name):
  """Takes a machine away from under its commands."""
  (machines / name / 'state').write_text('PREEMPTED')
  for line in (machines / name / 'sessions').read_text().splitlines():
    with contextlib.suppress(ProcessLookupError):
      os.killpg(int(line), signal.SIGKILL)


def begin(made, *, machine='icl-gen-study-0'):
  """Starts the first unit as the pool does."""
  plan = tpu_vm.make_plan(made, machines=1, retries=0)
  plans.write(plan)
  subprocess.run(plan.commands[0], shell=True, check=True)
  unit = made.units[0]
  with open(unit.log, 'ab') as log:
    started = subprocess.Popen(
      ['bash', str(next(iter(plan.files))), 'run', machine, unit.name],
      stdout=log,
      stderr=log,
    )
  return started, unit


def start(made):
  """Starts the first unit as the pool does; waits until it runs."""
  started, unit = begin(made)
  said(unit, ' ran ')
  return started, unit


def said(unit, text):
  """Waits until a unit's log has a text."""
  commands.wait(lambda: text in unit.log.read_text(), seconds=60)


def called(machines, *verbs):
  """Waits until calls of gcloud had these verbs."""
  commands.wait(
    lambda: (
      (machines / 'calls').exists()
      and list(verbs) in [call[: len(verbs)] for call in every_call(machines)]
    ),
    seconds=60,
  )


def disconnect(machines):
  """Ends the last connection, and nothing that it started."""
  last = (machines / 'connections').read_text().split()[-1]
  os.kill(int(last), signal.SIGKILL)


def test_a_lost_connection_starts_nothing_twice(launched, asked, machines):
  (machines / 'block').touch()
  made = launched()
  started, unit = start(made)
  disconnect(machines)
  said(unit, 'is still at work')
  (machines / 'block').unlink()
  assert started.wait(60)  # how the unit ended is not known
  assert fetched(made, unit).read_text() == '0\n'
  assert settings(made, unit).read_text() == 'attempt\n'
  assert start(made)[0].wait(60) == 0
  assert not (machines / 'twice').exists()


def test_what_a_killed_launcher_left_at_work_is_waited_for(
  launched, asked, machines
):
  for file in ('block', 'fail_once'):
    (machines / file).touch()
  made = launched()
  noted = settings(made, made.units[0])
  noted.parent.mkdir(parents=True)
  noted.write_text('earlier\n')
  started, unit = start(made)
  started.kill()
  started.wait()
  disconnect(machines)
  started, _ = begin(made)
  said(unit, 'is still at work')
  (machines / 'block').unlink()
  assert started.wait(60) == 0
  assert noted.read_text() == 'earlier\nattempt\nattempt\n'
  assert not (machines / 'twice').exists()


def test_a_stop_reaches_what_a_killed_launcher_left(launched, asked, machines):
  (machines / 'block').touch()
  made = launched()
  started, unit = start(made)
  started.kill()
  started.wait()
  disconnect(machines)
  started, _ = begin(made)
  said(unit, 'is still at work')
  started.terminate()
  assert started.wait(60) == 143
  assert 'saved' in unit.log.read_text().splitlines()
  assert settings(made, unit).read_text() == 'attempt\n'


@pytest.mark.parametrize('queued', [False, True])
def test_a_stop_while_a_machine_is_made_starts_nothing(
  launched, asked, machines, queued
):
  asked(queued=queued)
  if queued:
    waits = machines / 'icl-gen-study-0.request'
    waits.write_text('WAITING_FOR_RESOURCES')
  else:
    (machines / 'slow').touch()
  started, unit = begin(launched())
  called(
    machines,
    *(['queued-resources', 'describe'] if queued else ['tpu-vm', 'create']),
  )
  started.terminate()
  if not queued:
    (machines / 'slow').unlink()
  assert started.wait(60) == 143
  assert ' ran ' not in unit.log.read_text()
  assert 'ssh' not in {call[1] for call in every_call(machines)}


@pytest.mark.parametrize('of', ['FAILED', 'SUSPENDED', 'SUSPENDING'])
def test_a_request_that_gets_no_machine_is_made_again(
  launched, asked, machines, of
):
  asked(queued=True)
  request = machines / 'icl-gen-study-0.request'
  request.write_text(of)
  assert start(launched())[0].wait(60) == 0
  assert [verb for _, verb, _ in calls(machines)] == ['delete', 'create']


def waiting(launched, asked, machines, of):
  """Starts the first unit where a request is in a state; waits until it looks.

  Returns:
    the file of the request, the process, and the unit.
  """
  asked(queued=True)
  request = machines / 'icl-gen-study-0.request'
  request.write_text(of)
  started, unit = begin(launched())
  called(machines, 'queued-resources', 'describe')
  return request, started, unit


def test_a_request_that_waits_is_waited_for(launched, asked, machines):
  request, started, _ = waiting(
    launched, asked, machines, 'WAITING_FOR_RESOURCES'
  )
  request.write_text('ACTIVE')
  assert started.wait(60) == 0
  assert not calls(machines)


def test_a_request_that_is_being_deleted_is_made_again(
  launched, asked, machines
):
  request, started, _ = waiting(launched, asked, machines, 'DELETING')
  request.unlink()
  assert started.wait(60) == 0
  assert [verb for _, verb, _ in calls(machines)] == ['create']


def test_a_request_that_fails_is_named(launched, asked, machines):
  request, started, unit = waiting(
    launched, asked, machines, 'WAITING_FOR_RESOURCES'
  )
  request.write_text('FAILED')
  assert started.wait(60) == 1
  assert 'no machine icl-gen-study-0 was given' in unit.log.read_text()


def test_a_machine_that_is_taken_away_is_made_again(launched, asked, machines):
  (machines / 'block').touch()
  made = launched()
  started, unit = start(made)
  preempt(machines, 'icl-gen-study-0')
  commands.wait(lambda: unit.log.read_text().count(' ran ') == 2, seconds=60)
  (machines / 'block').unlink()
  assert started.wait(60) == 0
  assert 'icl-gen-study-0 was taken away' in unit.log.read_text()
  assert fetched(made, unit).read_text() == '0\n'
  assert [verb for _, verb, _ in calls(machines)] == [
    'create',
    'delete',
    'create',
  ]


def test_a_unit_continues_from_what_is_here(launched, asked, machines):
  made = launched()
  by, noted = (of(made, made.units[0]) for of in (fetched, settings))
  for here in (by, noted):
    here.parent.mkdir(parents=True)
    here.write_text('earlier\n')
  started, unit = start(made)
  assert started.wait(60) == 0
  there = machines / 'icl-gen-study-0/0/icl_gen/out'
  for here, line in ((by, '0'), (noted, 'attempt')):
    on_machine = there / here.relative_to(made.root.parent)
    assert on_machine.read_text() == f'earlier\n{line}\n'
    # A corpus is complete if it exists; its settings are those it has.
    assert here.read_text() == 'earlier\n'


def test_settings_are_those_of_the_last_attempt(
  launched, asked, machines, monkeypatch
):
  (machines / 'fail_once').touch()
  made = launched()
  run(made, monkeypatch, machines=2, retries=1)
  noted = [settings(made, unit).read_text() for unit in made.units]
  assert sorted(noted) == ['attempt\n', 'attempt\nattempt\n']
  assert all(fetched(made, unit).exists() for unit in made.units)
  left = {path.suffix for path in (made.files / 'tpu_vm').iterdir()}
  assert not left & {'.new', '.old'}


def test_a_folder_that_was_moved_aside_comes_back(launched, asked, machines):
  made = launched()
  unit = made.units[0]
  noted = settings(made, unit)
  noted.parent.parent.mkdir(parents=True)
  aside = made.files / f'tpu_vm/{unit.name}.old' / noted.relative_to(made.root)
  aside.parent.mkdir(parents=True)
  aside.write_text('earlier\n')
  started, _ = start(made)
  assert started.wait(60) == 0
  assert noted.read_text() == 'earlier\nattempt\n'


def test_a_stop_waits_for_the_machine(launched, asked, machines):
  (machines / 'block').touch()
  started, unit = start(launched())
  started.terminate()
  assert started.wait(60) == 143
  assert 'saved' in unit.log.read_text().splitlines()


def test_failures_are_reported_and_machines_deleted(
  launched, asked, machines, monkeypatch
):
  (machines / 'fail').touch()
  made = launched()
  with pytest.raises(ValueError, match='2 of 2 units failed'):
    run(made, monkeypatch, retries=1)
  log = made.units[0].log.read_text()
  assert log.count(names.ENDED.format(1)) == 2
  assert [verb for _, verb, _ in calls(machines)] == ['create', 'delete']


def test_a_request_to_stop_ends_no_deletion(tmp_path):
  """Nor one that comes, in a terminal, to all that we started."""
  script = tmp_path / 'delete.sh'
  script.write_text(
    f'touch {tmp_path}/begun-$2\n'
    f'until [ -e {tmp_path}/go ]; do sleep 0.05; done\n'
    f'touch {tmp_path}/deleted-$2; [ $2 != b ]\n'
  )
  code = f"""
import pathlib
from absl import flags
from icl_gen import signals
from launch import tpu_vm
flags.FLAGS.mark_as_parsed()
signals.catch()
tpu_vm._delete(pathlib.Path({str(script)!r}), ['a', 'b', 'c'])
"""
  deleting = subprocess.Popen(
    [sys.executable, '-c', code],
    cwd=commands.ROOT,
    start_new_session=True,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )
  commands.wait(lambda: len(list(tmp_path.glob('begun-*'))) == 3, seconds=60)
  os.killpg(deleting.pid, signal.SIGINT)
  (tmp_path / 'go').touch()
  said, error = deleting.communicate(timeout=60)
  assert 'Interrupted' in error
  assert len(list(tmp_path.glob('deleted-*'))) == 3
  first, second = said.splitlines()
  assert first == 'deleting a, b, c'
  assert second.startswith('b could not be deleted, and may go on')


def test_machines_have_names_that_are_allowed(launched, asked):
  made = dataclasses.replace(launched(), name='My study_2')
  plan = tpu_vm.make_plan(made, machines=2, retries=0)
  assert 'icl-gen-my-study-2-0, icl-gen-my-study-2-1' in plan.resources[0]
  remote = shlex.quote(shlex.quote('icl_gen/out/My study_2'))
  assert f'export REMOTE={remote}\n' in list(plan.files.values())[1]


def test_mounted_results_are_not_copied(launched, asked):
  asked(mount='10.0.0.2:/share')
  made = launched()
  plan = tpu_vm.make_plan(made, machines=1, retries=0)
  environment = list(plan.files.values())[1]
  workdir = made.root.parent
  assert f'sudo mount -t nfs 10.0.0.2:/share {workdir}' in environment
  assert "export REMOTE=''" in environment
  assert f'--workdir={workdir}' in environment
  assert any(
    command.endswith('run icl-gen-study-0 report') for command in plan.commands
  )


@pytest.mark.parametrize('called', ['out', '~/out'])
def test_machines_write_to_the_share_whatever_the_workdir_is_called(
  launched, asked, tmp_path, monkeypatch, called
):
  asked(mount='10.0.0.2:/share')
  made = launched()
  monkeypatch.chdir(tmp_path)
  made = dataclasses.replace(
    made,
    root=pathlib.Path('out/study'),
    units=[],
    report={**made.report, 'workdir': called},
  )
  environment = tpu_vm._environment(made)
  assert f'sudo mount -t nfs 10.0.0.2:/share {tmp_path}/out;' in environment
  assert f' --workdir={tmp_path}/out' in environment


def test_machines_write_to_a_bucket_and_nothing_is_copied(
  launched, asked, machines, monkeypatch, copy, url
):
  made = launched(copy=copy)
  asked(mount='10.0.0.2:/share')
  with pytest.raises(ValueError, match='^--mount=.*write to the bucket'):
    tpu_vm.make_plan(made, machines=1, retries=0)
  asked(mount='')
  plan = tpu_vm.make_plan(made, machines=1, retries=0)
  assert 'icl_gen.study' in plan.commands[-2]  # here, with our log-in
  run(made, monkeypatch)
  for unit in made.units:
    said = unit.log.read_text()
    assert f' --workdir={url} ' in said and f'--only={unit.name}' in said
  copied = [call for call in every_call(machines) if call[1] == 'scp']
  assert [call[2] for call in copied] == [str(tpu_vm._archive(made))]


def test_mistakes_are_found_before_a_machine_is_made(launched, asked):
  asked(zone='')
  with pytest.raises(ValueError, match='no --zone given'):
    tpu_vm.make_plan(launched(), machines=1, retries=0)


def test_own_documents_must_be_where_machines_see_them(launched, asked):
  asked()

  def plan(documents):
    made = launched()
    report = {**made.report, 'documents': str(documents)}
    tpu_vm.make_plan(
      dataclasses.replace(made, report=report), machines=1, retries=0
    )

  plan('configs/custom_example')
  shared = launched().root.parent / 'notes'
  for elsewhere in ('notes', '/notes', 'configs/../notes', shared):
    with pytest.raises(
      ValueError, match='--documents=.*notes.*only the files in configs/; p'
    ):
      plan(elsewhere)
  asked(mount='10.0.0.2:/share')
  plan(shared)


def launch(two_worlds, folder, workdir):
  """Launches the study from a folder of its own; its machines are spot."""
  for name in ('icl_gen', 'configs', 'launch'):
    shutil.copytree(commands.ROOT / name, folder / name)
  for file in ('setup.py', 'pyproject.toml', 'requirements.txt'):
    shutil.copy(commands.ROOT / file, folder)
  config = pathlib.Path(two_worlds.config.removeprefix('--config='))
  shutil.copy(config, folder / 'configs')
  return subprocess.Popen(
    [
      *(sys.executable, '-m', 'launch', '--on=tpu_vm', '--machines=2'),
      *(f'--config=configs/{config.name}', workdir),
      *('--zone=us-west4-a', '--spot', '--queued'),
      f'--set_up=ln -sfn {sys.prefix} .venv',
    ],
    cwd=folder,
    env=commands.environment() | {'PYTHONPATH': '.'},
  )


def machines_made(machines):
  """The names of the machines that were made, sorted."""
  return sorted(name for _, verb, name in calls(machines) if verb == 'create')


@pytest.mark.slow
def test_a_study_on_machines_that_are_taken_away_gives_the_same_results(
  two_worlds, machines, tmp_path
):
  _, workdir = two_worlds.begin(tmp_path / 'out')
  launcher = launch(two_worlds, tmp_path / 'project', workdir)
  first = commands.UNITS[0]
  commands.wait(
    lambda: 'train reversal' in commands.log(tmp_path / 'out', first),
    what=lambda: commands.log(tmp_path / 'out', first),
  )
  preempt(machines, 'icl-gen-study-0')
  assert launcher.wait() == 0
  assert 'was taken away' in commands.log(tmp_path / 'out', first)
  assert commands.results(tmp_path / 'out') == two_worlds.expected
  assert machines_made(machines) == [
    *('icl-gen-study-0', 'icl-gen-study-0', 'icl-gen-study-1')
  ]


@pytest.mark.slow
def test_machines_that_are_taken_away_go_on_from_what_is_in_a_bucket(
  two_worlds, machines, tmp_path, server, url
):
  first = commands.UNITS[0]

  def log():
    place = url.removeprefix('gs://bucket/')
    name = f'{place}/study/launch/{first}.log'
    return server.content(name).decode() if name in server.objects else ''

  launcher = launch(two_worlds, tmp_path / 'project', f'--workdir={url}')
  commands.wait(lambda: 'train reversal' in log(), what=log)
  preempt(machines, 'icl-gen-study-0')
  assert launcher.wait() == 0
  assert 'was taken away' in log()
  with working_copies.opened(url) as root:
    assert commands.results(root) == two_worlds.expected
  assert machines_made(machines) == [
    *('icl-gen-study-0', 'icl-gen-study-0', 'icl-gen-study-1')
  ]
  assert 'scp' not in {
    call[1] for call in every_call(machines) if 'unit.tar.gz' in str(call)
  }


def test_the_stand_in_refuses_what_gcloud_would(machines):
  for wrong in (
    'tpu-vm create a --version=x',  # no zone, no type
    'tpu-vm create a --zone=z --accelerator-type=v5litepod-4'
    ' --runtime-version=x',
    'queued-resources create a --zone=z --accelerator-type=v5litepod-4'
    ' --version=x --node-id=a',
    'queued-resources delete a --zone=z',
    'tpu-vm describe a --zone=z --format=value(state)',  # not there
    'tpu-vm ssh a --zone=z --worker=all --comm=true',
  ):
    command = ['gcloud', 'compute', 'tpus', *wrong.split()]
    assert subprocess.run(command, capture_output=True).returncode
