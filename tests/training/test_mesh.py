"""Rows are split over the devices, everything else is on each of them."""

import jax
import numpy as np
import pytest

from icl_gen.model import sharding
from icl_gen.training import mesh


def test_rows_are_split_and_the_rest_is_everywhere():
  devices = mesh.make_mesh(batch_size=16)
  rows_BxL = np.arange(48).reshape(16, 3)
  split = sharding.split_rows(devices, {'rows': rows_BxL})['rows']
  assert {s.data.shape for s in split.addressable_shards} == {(2, 3)}
  np.testing.assert_array_equal(split, rows_BxL)
  everywhere = mesh.replicate(devices, rows_BxL)
  assert {s.data.shape for s in everywhere.addressable_shards} == {(16, 3)}
  assert len(everywhere.sharding.device_set) == len(jax.devices())


def test_rows_that_cannot_be_split_are_refused():
  with pytest.raises(ValueError, match='12 rows .* over 8 devices'):
    mesh.make_mesh(batch_size=12)
