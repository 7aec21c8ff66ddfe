"""A harsher world than production: see each part of it below."""

import os
import socket
import sys

import hypothesis
import pytest

assert 'jax' not in sys.modules, 'jax reads these settings when it is imported'

# Eight devices on one CPU, so that what is wrong with sharding shows here.
os.environ['XLA_FLAGS'] = (
  os.environ.get('XLA_FLAGS', '') + ' --xla_force_host_platform_device_count=8'
).strip()
os.environ['JAX_PLATFORMS'] = 'cpu'
os.environ['MPLBACKEND'] = 'agg'
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '2'
# Libraries that look for a cloud or a hub when imported wait for it for long.
os.environ['NO_GCE_CHECK'] = 'true'
os.environ['HF_HUB_OFFLINE'] = '1'

# Drawn examples are the same in every run: what is green stays green. New ones:
# pytest --hypothesis-profile=explore
hypothesis.settings.register_profile('same', derandomize=True)
hypothesis.settings.register_profile('explore', derandomize=False)
hypothesis.settings.load_profile('same')

_LOCAL = ('localhost', '127.0.0.1', '::1')


@pytest.fixture(autouse=True)
def ranks_must_match():
  """Arrays of different rank do not broadcast, in tests that import jax.

  Where a library needs it: `with jax.numpy_rank_promotion('allow'):`.
  """
  jax = sys.modules.get('jax')
  if jax is None:
    yield
    return
  with jax.numpy_rank_promotion('raise'):
    yield


@pytest.fixture(autouse=True, scope='session')
def no_network():
  """Connecting to another machine is an error, not a slow test."""
  connect = socket.socket.connect

  def connect_here(self, address):
    if isinstance(address, tuple) and address[0] not in _LOCAL:
      raise RuntimeError(f'a test wants to connect to {address}')
    return connect(self, address)

  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(socket.socket, 'connect', connect_here)
    yield
