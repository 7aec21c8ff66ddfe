"""A study of two tiny worlds as commands, for the slow tests."""

import os
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
  return config
"""
UNITS = ('reversal-nano-s0', 'syllogism-nano-s0')


def config(folder):
  """Writes the config; returns its path."""
  path = folder / 'two.py'
  path.write_text(_CONFIG)
  return path


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
