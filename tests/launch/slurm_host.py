"""A Slurm of one host: munged, slurmctld and slurmd, in a directory of its own.

On Debian and Ubuntu: apt-get install slurm-wlm munge
"""

import contextlib
import getpass
import os
import pathlib
import shutil
import socket
import subprocess
import time

PROGRAMS = ('munged', 'slurmctld', 'slurmd', 'sbatch', 'srun', 'scontrol')
_SECONDS = 60  # for the node to be idle
_PATH = os.pathsep.join([os.environ['PATH'], '/usr/sbin', '/usr/local/sbin'])

# Credentials are short-lived because a job that is queued again waits until
# those of its last attempt have expired.
_CONFIGURATION = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock,cred_expire=5
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_interval=2
MpiDefault=none
ReturnToService=2
KillWait=20
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing():
  """The programs that are not installed."""
  return [name for name in PROGRAMS if not shutil.which(name, path=_PATH)]


@contextlib.contextmanager
def running(folder, env):
  """Starts everything.

  Args:
    folder: for all of its files; it must not exist.
    env: variables of what it runs.

  Yields:
    these, with those by which commands find it.
  """
  folder = pathlib.Path(folder)
  for name in ('state', 'spool'):
    (folder / name).mkdir(parents=True)
  folder.chmod(0o755)
  host = socket.gethostname().split('.')[0]
  configuration = folder / 'slurm.conf'
  configuration.write_text(
    _CONFIGURATION.format(
      host=host, folder=folder, user=getpass.getuser(), ports=_free_ports()
    )
  )
  key = folder / 'munge.key'
  key.write_bytes(os.urandom(128))
  key.chmod(0o600)
  env = {**env, 'SLURM_CONF': str(configuration), 'PATH': _PATH}
  commands = [
    [
      *('munged', '--foreground', '--force', f'--key-file={key}'),
      f'--socket={folder}/munge.sock',
      f'--pid-file={folder}/munged.pid',
      f'--log-file={folder}/munged.log',
      f'--seed-file={folder}/munged.seed',
    ],
    ['slurmctld', '-D', '-L', f'{folder}/slurmctld.log'],
    ['slurmd', '-D', '-N', host, '-L', f'{folder}/slurmd.log'],
  ]
  started = []
  try:
    for command in commands:
      with open(folder / f'{command[0]}.out', 'wb') as output:
        started.append(
          subprocess.Popen(
            command, env=env, stdout=output, stderr=subprocess.STDOUT
          )
        )
      time.sleep(1)
    _wait_until_idle(env, folder)
    yield env
  finally:
    subprocess.run(['scancel', '--full', '-u', getpass.getuser()], env=env)
    for process in reversed(started):
      process.terminate()
      try:
        process.wait(20)
      except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_idle(env, folder):
  until = time.monotonic() + _SECONDS
  while True:
    done = subprocess.run(
      ['sinfo', '--noheader', '--format=%T'],
      env=env,
      capture_output=True,
      text=True,
    )
    if done.stdout.strip() == 'idle':
      return
    if time.monotonic() > until:
      said = [
        path.read_text(errors='replace')[-2000:]
        for path in [*folder.glob('*.out'), *folder.glob('*.log')]
      ]
      raise AssertionError('\n'.join([done.stdout, done.stderr, *said]))
    time.sleep(0.5)


def _free_ports():
  with socket.socket() as one, socket.socket() as two:
    for bound in (one, two):
      bound.bind(('127.0.0.1', 0))
    return one.getsockname()[1], two.getsockname()[1]
