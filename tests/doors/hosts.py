"""Two processes of one run, which may share nothing but a bucket."""

import contextlib
import socket

import pytest

from icl_gen.model import checkpoints, digests
from icl_gen.storage import working_copies
from icl_gen.training import states
from tests.gcs import environment

COUNT = 2


def free_port():
  with contextlib.closing(socket.socket()) as found:
    found.bind(('localhost', 0))
    return found.getsockname()[1]


def by_flags(index, port):
  """Flags and environment of one of the processes."""
  return (
    f'--coordinator=localhost:{port}',
    f'--processes={COUNT}',
    f'--process={index}',
  ), {}


@pytest.fixture
def hosts(tmp_path):
  """Directories for temporary files: each process has one of its own."""
  found = [tmp_path / f'host {index}' for index in range(COUNT)]
  for folder in found:
    folder.mkdir()
  return found


@pytest.fixture
def apart(server, hosts):
  """Tells processes of each other, and of the bucket."""

  def told(index, port):
    given, _ = by_flags(index, port)
    return given, {**environment(server), 'TMPDIR': str(hosts[index])}

  return told


@contextlib.contextmanager
def copied(url):
  """A copy of the bucket with all that is in it, weights and states too."""
  with working_copies.opened(url) as root:
    for folder in [*root.rglob('*')]:
      working_copies.fetch(folder)
    yield root


def saved(directory):
  """The digests of a cell's weights and training states, by directory."""
  assert states.damaged(directory / 'checkpoints') == {}
  assert checkpoints.damage(directory / 'params') == ''
  trees = [directory / 'params', *(directory / 'checkpoints').iterdir()]
  found = {path.name: digests.saved(path) for path in trees}
  assert all(found.values())
  return found
