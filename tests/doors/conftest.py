"""Random weights for the doors, and the doors as commands.

Programs are compiled once for all tests of this folder: the commands share a
compilation cache.
"""

import dataclasses
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys

import jax
import ml_collections
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

from icl_gen.model import checkpoints, initialisation, registry
from tests.doors import forks
from tests.doors import noise as noise_weights
from tests.doors.hosts import apart, hosts  # noqa: F401
from tests.gcs import server, url  # noqa: F401

ROOT = pathlib.Path(__file__).parents[2]
TOKENIZER = ROOT / 'icl_gen/assets/tokenizer.model'


@dataclasses.dataclass(frozen=True)
class Ended:
  """A command's exit status, as shells report it, and its output."""

  code: int
  stdout: str
  stderr: str


class Commands:
  """Runs doors as commands; see forks.py."""

  def __init__(self, folder, *, env):
    # What importing the doors prints to stderr.
    self.greeting = folder / 'greeting'
    self._folder = folder
    self._numbers = itertools.count()
    self._files = {}  # process id -> its stdout and stderr
    self._last = 0
    with open(self.greeting, 'w') as greeting:
      self._server = subprocess.Popen(
        [
          sys.executable,
          '-W',
          'ignore',
          str(pathlib.Path(__file__).with_name('forks.py')),
        ],
        cwd=ROOT,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=greeting,
        text=True,
      )
    self._receive()

  def _receive(self):
    return int(self._server.stdout.readline())

  def _send(self, line):
    self._server.stdin.write(line + '\n')
    self._server.stdin.flush()

  def start(self, door, *flags, env=None):
    """Starts a door; returns its process id."""
    number = next(self._numbers)
    files = [str(self._folder / f'{number}.{n}') for n in ('stdout', 'stderr')]
    told = {'door': door, 'flags': flags, 'files': files, 'env': env or {}}
    self._send(json.dumps(told))
    self._last = self._receive()
    self._files[self._last] = files
    return self._last

  def printed(self, pid=None):
    """What a command, or the last one, has written to stdout and stderr."""
    paths = [pathlib.Path(path) for path in self._files[pid or self._last]]
    return [path.read_text() if path.exists() else '' for path in paths]

  def end(self, pid=None):
    """Waits for a command that `start` started, or for the last one."""
    self._send(json.dumps(pid or self._last))
    code = os.waitstatus_to_exitcode(self._receive())
    return Ended(code, *self.printed(pid))

  def run(self, door, *flags, env=None):
    self.start(door, *flags, env=env)
    return self.end()

  def kill(self, pid, signum=signal.SIGKILL):
    """Signals a command that `start` started; it may have ended already."""
    os.kill(pid, signum)
    return self.end(pid)

  def close(self):
    with self._server:  # closes its pipes and waits for it
      pass


@pytest.fixture(scope='session')
def compiled(tmp_path_factory):
  """The compilation cache."""
  return tmp_path_factory.mktemp('compiled')


@pytest.fixture(scope='package')
def compile_once(compiled):
  """Uses the compilation cache for doors that are called in this process."""
  options = {
    'jax_compilation_cache_dir': str(compiled),
    'jax_persistent_cache_min_compile_time_secs': 0,
    'jax_disable_most_optimizations': True,
  }
  before = {name: jax.config.values[name] for name in options}
  for name, value in options.items():
    jax.config.update(name, value)
  compilation_cache.reset_cache()
  yield
  for name, value in before.items():
    jax.config.update(name, value)
  compilation_cache.reset_cache()


@pytest.fixture(scope='package')
def commands(compiled, tmp_path_factory):
  """The doors as commands."""
  ours = {k: v for k, v in os.environ.items() if not k.startswith('TF_')}
  env = ours | {
    'PYTHONPATH': str(ROOT),
    'JAX_COMPILATION_CACHE_DIR': str(compiled),
    'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0',
    'JAX_DISABLE_MOST_OPTIMIZATIONS': '1',
  }
  made = Commands(tmp_path_factory.mktemp('commands'), env=env)
  yield made
  made.close()


@pytest.fixture(scope='package', autouse=True)
def shrunk():
  """Gives 'nano' two layers, as in the commands."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setitem(registry.NANO, 'nano', forks.SHRUNK)
    yield


@pytest.fixture(scope='package')
def noise(shrunk, tmp_path_factory):
  """Directory of random weights for a nano Gemma.

  The end-of-text token is often likely, so that completions end.
  """
  path = tmp_path_factory.mktemp('noise') / 'params'
  noise_weights.write(path, tokenizer=TOKENIZER)
  return path


@pytest.fixture
def flags(noise, tmp_path):
  """Flags of the smallest experiment, with a temporary workdir."""
  return (
    '--config=configs/reversal.py:tiny',
    f'--config.checkpoint={noise}',
    f'--config.tokenizer={TOKENIZER}',
    '--config.train.batch_size=8',
    f'--workdir={tmp_path}',
  )


@pytest.fixture(scope='package')
def experiment(noise):
  """Makes the frozen config that the flags stand for."""

  def make(**changes):
    config = configs('reversal').get_config('tiny')
    config.update(checkpoint=str(noise), tokenizer=str(TOKENIZER))
    config.update(**changes)
    config.train.batch_size = 8
    return ml_collections.FrozenConfigDict(config)

  return make


def configs(name):
  """A module of configs/, which is not an installed package."""
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(ROOT)
    return __import__(f'configs.{name}').__dict__[name]


@pytest.fixture(scope='session')
def pretraining():
  """The frozen config of the smallest pretraining."""
  config = configs('pretrain').get_config('tiny')
  return ml_collections.FrozenConfigDict(config)


def leaves(path, like='nano'):
  """Every array of a checkpoint of weights, by name."""
  module = registry.make_module(like)
  shapes = jax.eval_shape(lambda: initialisation.make_params(module, seed=0))
  found = checkpoints.load_params(path, shapes)
  return {
    jax.tree_util.keystr(key): np.asarray(leaf)
    for key, leaf in jax.tree_util.tree_leaves_with_path(found)
  }


@pytest.fixture(scope='session')
def same_weights():
  """Whether two checkpoints hold the same numbers, to the bit."""

  def same(one, other):
    one, other = leaves(one), leaves(other)
    assert one.keys() == other.keys()
    return all(np.array_equal(one[name], other[name]) for name in one)

  return same
