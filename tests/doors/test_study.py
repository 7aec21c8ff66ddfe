"""The study's own arithmetic; its stages are tested by door."""

import pathlib

import pytest

from icl_gen import study


def stages(*doors):
  return [study.Stage(door, None, pathlib.Path(door)) for door in doors]


@pytest.mark.parametrize(
  ('spent', 'left', 'wanted'),
  [
    ({'train': [90.0, 110.0], 'build': [1.0]}, ['train'], '0:01:40'),
    ({'train': [100.0], 'build': [1.0]}, ['build'] * 3, '0:00:03'),
    # Nothing is known of a door: as long as the others, on average.
    ({'train': [90.0], 'build': [10.0]}, ['augment', 'build'], '0:01:00'),
  ],
)
def test_time_to_go_is_what_the_same_doors_took(spent, left, wanted):
  found = {door: [] for door in left} | spent
  assert study._to_go(found, stages(*left)) == wanted
