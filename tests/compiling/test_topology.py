"""Devices by name, and what is said where they cannot be had."""

import pytest

from icl_gen.compiling import topology
from icl_gen.runs import topologies


@pytest.mark.parametrize(
  'name',
  [
    *('v5e', 'v7x:2x2', 'v5e:', 'gpu:8', 'v5e:2x', 'nonsense', ''),
    # Of several sides, or of one; the compiler divides by the number of chips.
    *('cpu:2x2', 'v5e:8', 'v5e:2x2x2', 'v5e:0x2', 'cpu:0', 'v5p:2x2x2x2'),
  ],
)
def test_an_unknown_name_is_refused(name):
  with pytest.raises(
    ValueError, match=f"unknown topology '{name}'; give cpu:N"
  ):
    topology.find(name)


def test_a_missing_compiler_says_how_to_get_it(monkeypatch):
  monkeypatch.setenv('TPU_LIBRARY_PATH', '/no/libtpu.so')
  with pytest.raises(ValueError, match='libtpu.* does not exist.*--target=DIR'):
    topology.find('v5e:2x2')


def test_devices_of_this_cpu():
  found = topology.find('cpu:4')
  assert len(found.devices) == 4
  with pytest.raises(ValueError, match='this process has 8 devices'):
    topology.find('cpu:9')


def test_names_are_read_without_jax_and_every_kind_is_known_here():
  assert topologies.read('v5p:2x4x8') == ('v5p', (2, 4, 8))
  assert topologies.read('cpu:12') == ('cpu', (12,))
  assert topologies.SIDES.keys() == {'cpu', *topology.CHIPS}
