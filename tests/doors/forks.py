"""Imports the doors once; then forks a process for every command it reads.

For a line of JSON with a command (the door's name, its flags, the files for
stdout and stderr) it writes the process id; for a line with the process id,
once the process has ended, the exit status. Several commands may run at the
same time. In these processes 'nano' has two layers, to compile faster.
"""

import gc
import json
import os
import sys
import tempfile

from icl_gen import augment, build, cli, evaluate, pretrain, study, train
from icl_gen.model import registry

# What the doors import only when there is something to do.
from icl_gen.sampling import answers, resumable  # noqa: F401
from icl_gen.storage import tfds_files  # noqa: F401
from icl_gen.training import (  # noqa: F401
  batches,
  examples,
  fine_tuning,
  loop,
  metrics,
)

DOORS = {
  'augment': augment,
  'build': build,
  'evaluate': evaluate,
  'pretrain': pretrain,
  'study': study,
  'train': train,
}
SHRUNK = registry._nano_config(
  width=32, hidden=32, heads=2, layers=2, window=16
)


def become(door, flags, files, env):
  """Does in the child what `python -m icl_gen.<door> <flags>` does."""
  os.environ.update(env)
  tempfile.tempdir = None  # as TMPDIR may be another one
  for descriptor, path in zip((1, 2), files, strict=True):
    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
  sys.argv = [DOORS[door].__file__, *flags]
  cli.main(DOORS[door].run, prog=f'icl_gen.{door}', together=door != 'build')


def send(number):
  os.write(1, f'{number}\n'.encode())


if __name__ == '__main__':
  registry.NANO['nano'] = SHRUNK
  gc.collect()
  gc.freeze()  # or each command copies every page that was imported
  send(os.getpid())
  while line := sys.stdin.readline():
    told = json.loads(line)
    if isinstance(told, int):
      # Until now the id was not given to another process.
      send(os.waitpid(told, 0)[1])
      continue
    child = os.fork()
    if child == 0:
      become(**told)
    send(child)
