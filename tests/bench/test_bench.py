"""Every benchmark runs as a command at its small size.

Set HF_PYTHON to a Python with torch, transformers and lm_eval, and TUNIX_PYTHON
to one with tunix and its JAX, to include those libraries.
"""

import os
import pathlib
import subprocess
import sys

import pytest

from tests import rules

HERE = pathlib.Path(__file__).parent
# Called by a benchmark, in an environment that ours does not have; or it needs
# the TPU compiler.
PEERS = {
  'harness.py',
  'compiled.py',
  'compiled_peers.py',
  'peer_steps.py',
  'training_steps.py',
}
BENCHMARKS = sorted(
  path.stem
  for path in HERE.glob('*.py')
  if "if __name__ == '__main__'" in path.read_text()
  and path.name not in {*PEERS, pathlib.Path(__file__).name}
)
OPTIONS = {
  'scoring': {'--hf-python': 'HF_PYTHON'},
  'training': {'--hf_python': 'HF_PYTHON', '--tunix_python': 'TUNIX_PYTHON'},
}


def test_benchmarks_are_found():
  assert BENCHMARKS == ['memory', 'scoring', 'told', 'training', 'verbatim']


@pytest.mark.slow
@pytest.mark.parametrize('name', BENCHMARKS)
def test_small_size_runs(name):
  env = os.environ | {'JAX_DISABLE_MOST_OPTIMIZATIONS': '1', 'XLA_FLAGS': ''}
  command = [sys.executable, '-m', f'tests.bench.{name}', '--small']
  for flag, variable in OPTIONS.get(name, {}).items():
    if variable in os.environ:
      command += [flag, os.environ[variable]]
  done = subprocess.run(
    command,
    cwd=rules.ROOT,
    env=env,
    capture_output=True,
    text=True,
  )
  assert done.returncode == 0, done.stderr[-2000:]
  assert done.stdout
