"""A study of two tiny worlds as commands, for the slow tests."""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import time

from tests.rules import ROOT

_CONFIG = """\
from configs import study

def get_config(arg=''):
  config = study.get_config('tiny')
  for name in ('celebrity', 'semantic', 'process'):
    del config.experiments[name]
  config.seeds = (0,)
  config.conditions = ('icl', 'ft_aug')  # every door is called
  return config
"""
UNITS = ('reversal-nano-s0', 'syllogism-nano-s0')


@dataclasses.dataclass(frozen=True)
class Alone:
  """The study when one process runs it.

  Attributes:
    config: the flag.
    expected: its results.
    compiled: its compiled programs.
  """

  config: str
  expected: bytes
  compiled: pathlib.Path

  def begin(self, workdir):
    """Returns flags for another workdir, which has the compiled programs."""
    shutil.copytree(self.compiled, workdir / 'study/compiled')
    return self.config, f'--workdir={workdir}'


def alone(folder):
  """Runs the study."""
  path, workdir = folder / 'two.py', folder / 'alone'
  path.write_text(_CONFIG)
  given = f'--config={path}'
  assert start('icl_gen.study', given, f'--workdir={workdir}').wait() == 0
  return Alone(given, results(workdir), workdir / 'study/compiled')


def environment():
  """Of commands: one device, as users have, and quick compilation."""
  return {
    **{key: os.environ[key] for key in os.environ if key != 'XLA_FLAGS'},
    'JAX_DISABLE_MOST_OPTIMIZATIONS': '1',
  }


def start(module, *flags, **more):
  """Starts a command of ours."""
  return subprocess.Popen(
    [sys.executable, '-m', module, *flags],
    cwd=ROOT,
    **({'env': environment()} | more),
  )


def results(workdir):
  return (workdir / 'study/report/results.csv').read_bytes()


def log(workdir, unit):
  path = workdir / 'study/launch' / f'{unit}.log'
  return path.read_text() if path.exists() else ''


def wait(condition, *, seconds=600, what=''):
  until = time.monotonic() + seconds
  while not condition():
    assert time.monotonic() < until, what() if callable(what) else what
    time.sleep(0.1)
