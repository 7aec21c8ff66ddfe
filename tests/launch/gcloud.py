"""Stands for gcloud: `gcloud compute tpus ...` on directories of this host.

Arguments are checked against the synopses of `gcloud compute tpus tpu-vm` and
`queued-resources`: an unknown, missing or abbreviated one is an error. A
machine is a directory with one home for each of its workers, in which commands
run; its file `state` may be changed by a test. So may `<machine>.request`, the
state of a queued resource: its machine exists once that is ACTIVE.

GCLOUD_MACHINES is the directory of all machines; every call is appended to the
file `calls` in it, and the process ids of connections to `connections`. While
it has a file `slow`, machines are being made.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

MACHINES = pathlib.Path(os.environ['GCLOUD_MACHINES'])
# Accelerator type -> its hosts.
WORKERS = {'v5litepod-4': 1, 'v5litepod-8': 1, 'v5litepod-16': 2}


def parser():
  wide = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
  wide.add_argument('--zone', required=True)
  wide.add_argument('--project')
  wide.add_argument('--quiet', action='store_true')
  wide.add_argument('--format')
  shape = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
  shape.add_argument('--accelerator-type', choices=WORKERS, required=True)
  for flag in ('--spot', '--reserved', '--internal-ips', '--async'):
    shape.add_argument(flag, action='store_true')
  for flag in ('--network', '--subnetwork', '--service-account', '--labels'):
    shape.add_argument(flag)

  top = argparse.ArgumentParser(allow_abbrev=False)
  groups = top.add_subparsers(dest='group', required=True)
  kinds = {
    kind: groups.add_parser(kind, allow_abbrev=False).add_subparsers(
      dest='verb', required=True
    )
    for kind in ('tpu-vm', 'queued-resources')
  }

  def add(kind, verb, *positionals, parents=()):
    made = kinds[kind].add_parser(
      verb, parents=[wide, *parents], allow_abbrev=False
    )
    for name, options in positionals:
      made.add_argument(name, **options)
    return made

  name = ('name', {})
  made = add('tpu-vm', 'create', name, parents=[shape])
  made.add_argument('--version', required=True)
  made.add_argument('--preemptible', action='store_true')
  add('tpu-vm', 'describe', name)
  add('tpu-vm', 'delete', name).add_argument('--async', action='store_true')
  made = add('tpu-vm', 'ssh', name)
  made.add_argument('--worker', default='0')
  made.add_argument('--command', required=True)
  made = add('tpu-vm', 'scp', ('paths', {'nargs': '+'}))
  made.add_argument('--worker', default='0')
  made.add_argument('--recurse', action='store_true')
  made.add_argument('--compress', action='store_true')
  made = add('queued-resources', 'create', name, parents=[shape])
  made.add_argument('--runtime-version', required=True)
  made.add_argument('--node-id', required=True)
  made.add_argument('--guaranteed', action='store_true')
  add('queued-resources', 'describe', name)
  made = add('queued-resources', 'delete', name)
  made.add_argument('--force', action='store_true')
  made.add_argument('--async', action='store_true')
  return top


def state(name):
  if requested(name) == 'ACTIVE' and not (MACHINES / name).exists():
    make(name, workers=1)
  path = MACHINES / name / 'state'
  return path.read_text() if path.exists() else ''


def request_of(name):
  return MACHINES / f'{name}.request'


def requested(name):
  path = request_of(name)
  return path.read_text() if path.exists() else ''


def fail(text):
  print(f'ERROR: (gcloud.compute.tpus) {text}', file=sys.stderr)
  sys.exit(1)


def make(name, *, workers):
  for worker in range(workers):
    (MACHINES / name / str(worker)).mkdir(parents=True)
  (MACHINES / name / 'state').write_text('READY')


def create(name, given):
  queued = given.group == 'queued-resources'
  if state(name) or queued and requested(name):
    fail(f'{name}: ALREADY_EXISTS')
  while (MACHINES / 'slow').exists():
    time.sleep(0.05)
  if queued:
    request_of(name).write_text('ACTIVE')
  make(name, workers=WORKERS[given.accelerator_type])


def delete(given):
  if given.group == 'queued-resources':
    if not requested(given.name):
      fail(f'{given.name}: not found')
    if not given.force:
      fail(f'{given.name}: its node has to be deleted first, or give --force')
    request_of(given.name).unlink()
  elif not state(given.name):
    fail(f'{given.name}: not found')
  shutil.rmtree(MACHINES / given.name, ignore_errors=True)


def describe(given):
  of, form = {
    'tpu-vm': (state, 'value(state)'),
    'queued-resources': (requested, 'value(state.state)'),
  }[given.group]
  if not of(given.name):
    fail(f'{given.name}: not found')
  assert given.format == form
  print(of(given.name))


def homes(name, worker):
  if state(name) != 'READY':
    print('ssh: connect to host: Connection refused', file=sys.stderr)
    sys.exit(255)
  every = sorted(path for path in (MACHINES / name).iterdir() if path.is_dir())
  return every if worker == 'all' else [every[int(worker)]]


def ssh(given):
  """Commands go on if we are killed, as they do on another machine."""
  started = [
    subprocess.Popen(
      ['bash', '-c', given.command],
      cwd=home,
      env={**os.environ, 'HOME': str(home), 'WORKER': home.name},
      stdin=subprocess.DEVNULL,
      start_new_session=True,
    )
    for home in homes(given.name, given.worker)
  ]
  with open(MACHINES / given.name / 'sessions', 'a') as sessions:
    for process in started:
      print(process.pid, file=sessions)
  with open(MACHINES / 'connections', 'a') as connections:
    print(os.getpid(), file=connections)
  codes = [process.wait() for process in started]
  # A command that is killed takes the connection with it.
  sys.exit(max(255 if code < 0 else code for code in codes))


def scp(given):
  *sources, target = given.paths
  name, _, to = target.partition(':')
  if to or target.endswith(':'):
    for home in homes(name, given.worker):
      for source in sources:
        shutil.copy(source, home / to)
    return
  for source in sources:
    name, _, path = source.partition(':')
    (home,) = homes(name, given.worker)
    shutil.copy(home / path, target)


def main(arguments):
  MACHINES.mkdir(parents=True, exist_ok=True)
  with open(MACHINES / 'calls', 'a') as calls:
    print(json.dumps(arguments), file=calls)
  if arguments[:2] != ['compute', 'tpus']:
    fail(f'invalid choice: {arguments[:2]}')
  given = parser().parse_args(arguments[2:])
  if given.verb == 'create':
    create(getattr(given, 'node_id', given.name), given)
  else:
    does = {'delete': delete, 'describe': describe, 'ssh': ssh, 'scp': scp}
    does[given.verb](given)


if __name__ == '__main__':
  main(sys.argv[1:])
