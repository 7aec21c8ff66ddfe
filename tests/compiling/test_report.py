"""What is said of a compiled program follows from what is known of it."""

import types
from unittest import mock

import pytest

from icl_gen.compiling import hlo, report
from icl_gen.compiling.topology import Chip, Topology

MEMORY = types.SimpleNamespace(
  argument_size_in_bytes=1,
  output_size_in_bytes=1,
  alias_size_in_bytes=1,
  temp_size_in_bytes=1,
  generated_code_size_in_bytes=1,
)
V5E = Topology('v5e:2x2', Chip(hbm_bytes=1, flops=1e12, hertz=1e9), range(4))


@pytest.mark.parametrize('endless', [0, 2])
def test_a_share_of_peak_needs_the_length_of_every_loop(monkeypatch, endless):
  read = hlo.Program(1000, {}, kernels=0, endless=endless, largest=())
  monkeypatch.setattr(hlo, 'read', lambda text: read)
  program = mock.Mock()
  program.memory_analysis.return_value = MEMORY
  program.cost_analysis.return_value = {}
  found = report.facts(
    report.Compiled(program, 1.0), V5E, tokens=10, model_flops=2_000_000
  )
  assert found['estimated_cycles'] == 1000
  if endless:
    assert 'estimated_share_of_peak' not in found
    assert 'estimated_tokens_per_second' not in found
  else:  # 2 M operations in 1 us, of 4 M that the chips could do
    assert found['estimated_share_of_peak'] == pytest.approx(0.5)
    assert found['estimated_tokens_per_second'] == pytest.approx(1e7)
