"""`make hf` and the like install what they are named for, beside the pins."""

import importlib.metadata
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[1]
READY = ROOT / '.venv' / '.ready'
# Extra -> what it is for.
LIBRARIES = {
  'cuda': {'jax-cuda12-plugin'},
  'hf': {'torch', 'transformers'},
  'lm-eval': {'lm-eval', 'datasets'},
  'tpu': {'libtpu'},
}
# How uv says that it could not ask the registry.
_UNREACHABLE = ('Failed to fetch', 'error sending request')


def test_every_extra_is_for_something():
  makefile = (ROOT / 'Makefile').read_text('utf-8')
  (extras,) = re.findall(r'^EXTRAS := (.*)$', makefile, re.MULTILINE)
  assert set(extras.split()) == set(LIBRARIES)


@pytest.mark.slow
@pytest.mark.skipif(not READY.exists(), reason='needs .venv, as make does')
@pytest.mark.parametrize('extra', LIBRARIES)
def test_the_command_adds_its_libraries_and_keeps_the_pins(extra):
  """Without installing them: they have gigabytes."""
  done = subprocess.run(
    ['make', '-s', extra, 'ARGS=--dry-run'],
    cwd=ROOT,
    capture_output=True,
    text=True,
    timeout=300,
    check=False,
  )
  if any(words in done.stderr for words in _UNREACHABLE):
    pytest.skip('the package registry cannot be reached')
  assert done.returncode == 0, done.stderr
  changes = re.findall(r'^ ([+-]) ([\w.-]+)', done.stderr, re.MULTILINE)
  added = {name for sign, name in changes if sign == '+'}
  removed = {name for sign, name in changes if sign == '-'}
  there = {d.metadata['Name'] for d in importlib.metadata.distributions()}
  assert added | there >= LIBRARIES[extra]
  assert removed <= {'icl-gen'}
  # 48 packages more, for nothing that these are for.
  assert 'xmanager' not in added
