"""Makes tests stricter than production; each part says how."""

import os
import signal
import socket
import sys

import hypothesis
import pytest

assert 'jax' not in sys.modules, (
  'jax reads the settings below when it is imported'
)

# Eight devices on one CPU, so that sharding bugs show up.
os.environ['XLA_FLAGS'] = (
  os.environ.get('XLA_FLAGS', '') + ' --xla_force_host_platform_device_count=8'
).strip()
os.environ['JAX_PLATFORMS'] = 'cpu'
os.environ['MPLBACKEND'] = 'agg'
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '2'
# Keeps libraries from looking for a cloud or a hub when they are imported.
os.environ['NO_GCE_CHECK'] = 'true'
os.environ['HF_HUB_OFFLINE'] = '1'

# What a shell starts in the background ignores Ctrl-C, and so do its children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
  signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run, so that results are reproducible. For new
# ones: pytest --hypothesis-profile=explore
# No deadline per example: on a busy machine, a slow example is no failure.
hypothesis.settings.register_profile('same', derandomize=True, deadline=None)
hypothesis.settings.register_profile(
  'explore', derandomize=False, deadline=None
)
hypothesis.settings.load_profile('same')

_LOCAL = ('localhost', '127.0.0.1', '::1')


@pytest.fixture(autouse=True)
def ranks_must_match():
  """Forbids implicit rank promotion in tests that import jax.

  Where a library needs it, use `with jax.numpy_rank_promotion('allow'):`.
  """
  jax = sys.modules.get('jax')
  if jax is None:
    yield
    return
  with jax.numpy_rank_promotion('raise'):
    yield


@pytest.fixture(autouse=True, scope='session')
def no_network():
  """Makes connections to other machines fail at once."""
  connect = socket.socket.connect

  def connect_here(self, address):
    if isinstance(address, tuple) and address[0] not in _LOCAL:
      raise RuntimeError(f'a test tried to connect to {address}')
    return connect(self, address)

  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(socket.socket, 'connect', connect_here)
    yield
