"""Imports the doors once; then forks a process for every command it reads.

One line of JSON in: the door's name, its flags, and the files for stdout and
stderr; the process id out. An empty line in; when the process has ended, its
exit status out.
In these processes 'nano' is a model of two layers, which compiles sooner.
"""

import json
import os
import sys

from icl_gen import augment, build, cli, evaluate, pretrain, train
from icl_gen.model import registry

DOORS = {
  'augment': augment,
  'build': build,
  'evaluate': evaluate,
  'pretrain': pretrain,
  'train': train,
}
SHRUNK = registry._nano_config(
  width=32, hidden=32, heads=2, layers=2, window=16
)


def become(door, flags, files):
  """In the child: what `python -m icl_gen.<door> <flags>` would be."""
  for descriptor, path in zip((1, 2), files, strict=True):
    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
  sys.argv = [DOORS[door].__file__, *flags]
  cli.main(DOORS[door].run, prog=f'icl_gen.{door}')


def tell(number):
  os.write(1, f'{number}\n'.encode())


if __name__ == '__main__':
  registry.NANO['nano'] = SHRUNK
  tell(os.getpid())
  while line := sys.stdin.readline():
    command = json.loads(line)
    child = os.fork()
    if child == 0:
      become(**command)
    tell(child)
    sys.stdin.readline()  # until then the id is not given to another process
    tell(os.waitpid(child, 0)[1])
