"""Lengths that programs are compiled for."""

import pytest

from icl_gen.runs import buffers


@pytest.mark.parametrize(
  ('length', 'longest', 'expected'),
  [(0, 1, 16), (0, 16, 16), (0, 17, 32), (64, 17, 64), (8, 17, 8)],
)
def test_a_row_holds_the_longest_example_unless_its_length_is_set(
  length, longest, expected
):
  assert buffers.row(length, longest=longest) == expected
