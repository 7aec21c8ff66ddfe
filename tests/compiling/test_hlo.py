"""Texts of compiled programs are read as they are meant."""
# ruff: noqa: E501

import pytest

from icl_gen.compiling import hlo

# From libtpu 0.0.50 for v5e:2x2: six layers in a loop, each of which gathers
# its weights, in bfloat16, over four devices. Attributes are cut.
LAYERS = """
HloModule jit_f, is_scheduled=true, num_partitions=4

%fused_computation.3 (param_0.17: bf16[16,1024]) -> bf16[16,1024] {
  %param_0.17 = bf16[16,1024]{1,0:T(8,128)(2,1)S(1)} parameter(0)
  ROOT %tanh.5 = bf16[16,1024]{1,0} tanh(%param_0.17), backend_config={"x":1}
}

%body (wide.param.2: (s32[], bf16[16,1024])) -> (s32[], bf16[16,1024]) {
  %wide.param.2 = (s32[]{:T(128)}, bf16[16,1024]{1,0:T(8,128)(2,1)S(1)}) parameter(0)
  %all-gather.7 = bf16[1,1024,1024]{2,1,0:T(8,128)(2,1)S(1)} all-gather(%x), channel_id=1, replica_groups=mesh['d'=4] {'d'}, dimensions={1}
  %fusion.11 = bf16[16,1024]{1,0:T(8,128)(2,1)S(1)} fusion(%copy.11, %all-gather.7), kind=kOutput, calls=%fused_computation.3, backend_config={"window_config":{"estimated_cycles":"2701","iteration_bounds":["1","1"]}}
  ROOT %tuple.14 = (s32[]{:T(128)}, bf16[16,1024]{1,0}) tuple(%add.4, %fusion.11)
}

%condition (wide.param.1: (s32[], bf16[16,1024])) -> pred[] {
  %constant.6.clone.1 = s32[]{:T(128)} constant(6)
  ROOT %lt.3 = pred[]{:T(512)} compare(%get, %constant.6.clone.1), direction=LT
}

ENTRY %main.4_spmd (param.3: f32[6,256,1024]) -> f32[] {
  %convert = bf16[6,256,1024]{2,1,0:T(8,128)(2,1)S(1)} convert(%param.3), backend_config={"window_config":{"estimated_cycles":"47472"}}
  %while.9 = (s32[]{:T(128)}, bf16[16,1024]{1,0}) while(%tuple.15), condition=%condition, body=%body
  %kernel.1 = bf16[16,1024]{1,0} custom-call(%convert), custom_call_target="tpu_custom_call"
  ROOT %all-reduce = f32[]{:T(128)} all-reduce(%fusion), replica_groups=mesh['d'=4] {'d'}, to_apply=%add
}
"""


def test_what_a_loop_repeats_counts_as_often():
  found = hlo.read(LAYERS)
  assert found.cycles == 47472 + 6 * 2701
  assert found.collectives == {
    'all-gather': hlo.Collective(6, 6 * 2 * 1024 * 1024),
    'all-reduce': hlo.Collective(1, 4),
  }
  assert (found.kernels, found.endless) == (1, 0)
  assert found.largest[0] == ('bf16[6,256,1024]', 2 * 6 * 256 * 1024)


def test_cycles_are_told_by_operation():
  """Their sum is that of the program, whatever has no name included."""
  named = LAYERS.replace(
    'calls=%fused_computation.3',
    'calls=%fused_computation.3, metadata={op_name="jit(f)/mlp/dot_general"}',
  )
  assert named != LAYERS
  found = hlo.cycles_by_operation(named)
  assert found == {'jit(f)/mlp/dot_general': 6 * 2701, '': 47472}
  assert sum(found.values()) == hlo.read(named).cycles


def test_what_follows_a_kernel_with_metadata_of_several_lines_counts():
  """As those of Pallas have: a line of it begins with a brace."""
  kernel = 'custom_call_target="tpu_custom_call"'
  assert LAYERS.count(kernel) == 1
  metadata = """, kernel_metadata={
"xprof_metadata":"{\\"block_q\\": 512}"
}}, metadata={op_name="jit(f)/splash"}"""
  assert hlo.read(LAYERS.replace(kernel, kernel + metadata)) == hlo.read(LAYERS)


def test_a_noted_number_of_repetitions_is_used():
  noted = LAYERS.replace(
    'body=%body', 'body=%body, backend_config={"known_trip_count":{"n":"2"}}'
  )
  assert hlo.read(noted).cycles == 47472 + 2 * 2701


def test_a_loop_of_unknown_length_counts_once_and_is_told():
  endless = LAYERS.replace('s32[]{:T(128)} constant(6)', 's32[] get(%x)')
  found = hlo.read(endless)
  assert (found.cycles, found.endless) == (47472 + 2701, 1)


@pytest.mark.parametrize(
  'groups',
  ['{{0,1},{2,3}}', '[2,2]<=[4]', "mesh['a'=2,'b'=2] {'b'}"],
)
def test_what_is_scattered_counts_before_it_is(groups):
  line = f"""
ENTRY %main (p: f32[8]) -> f32[4] {{
  ROOT %r = f32[4]{{0}} reduce-scatter(%p), replica_groups={groups}, to_apply=%a
}}
"""
  assert hlo.read(line).collectives == {
    'reduce-scatter': hlo.Collective(1, 2 * 4 * 4)
  }


def test_collectives_inside_asynchronous_operations_are_counted():
  text = """
%inner (p: bf16[4]) -> bf16[8] {
  ROOT %g = bf16[8]{0} all-gather(%p), replica_groups={{0,1}}, dimensions={0}
}

ENTRY %main (p: bf16[4]) -> bf16[8] {
  %s = ((bf16[4]), bf16[8], u32[]) async-start(%p), calls=%inner
  ROOT %d = bf16[8]{0} async-done(%s)
}
"""
  assert hlo.read(text).collectives == {'all-gather': hlo.Collective(1, 16)}


def test_other_texts_are_refused():
  with pytest.raises(ValueError, match='no ENTRY'):
    hlo.read('nothing')
