"""A small study, as the executors see it."""

import pytest
from absl import flags

from icl_gen.runs import studies
from icl_gen.storage import working_copies
from launch import experiment
from launch.experiment import Requirements
from tests.gcs import server, url  # noqa: F401
from tests.launch import studies as commands
from tests.runs.test_studies import VALUES

FLAGS = {'config': 'configs/study.py:tiny', 'config.seeds': '(0, 1)'}


@pytest.fixture(autouse=True, scope='session')
def parsed():
  """The executors' flags, at their defaults."""
  flags.FLAGS.mark_as_parsed()


@pytest.fixture
def launched(tmp_path):
  """Makes the experiment of one world and two seeds."""
  study = studies.read(VALUES | {'seeds': (0, 1), 'conditions': ('icl', 'ft')})

  def make(topology='cpu:1', processes=1, on='local', copy=None):
    """In a directory, or in the bucket of a working copy."""
    workdir = copy or tmp_path / 'out'
    given = working_copies.of(copy).url if copy else str(workdir)
    return experiment.make(
      study,
      workdir,
      flags=FLAGS | {'workdir': given},
      requirements=Requirements(topology, processes),
      on=on,
    )

  return make


@pytest.fixture
def copy(url):  # noqa: F811
  """The working copy of a bucket."""
  with working_copies.opened(url) as root:
    yield root


@pytest.fixture
def given(monkeypatch):
  """Sets flags of an executor."""

  def give(**values):
    for name, value in values.items():
      monkeypatch.setattr(flags.FLAGS[name], 'value', value)

  return give


@pytest.fixture(scope='session')
def two_worlds(tmp_path_factory):
  """A study of two worlds."""
  return commands.alone(tmp_path_factory.mktemp('two'))
