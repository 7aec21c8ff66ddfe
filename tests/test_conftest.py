"""Tests run under the strict settings of conftest.py."""

import socket

import jax
import jax.numpy as jnp
import pytest


def test_there_are_eight_cpu_devices():
  assert [d.platform for d in jax.devices()] == ['cpu'] * 8


def test_rank_promotion_is_an_error():
  with pytest.raises(ValueError, match='rank_promotion'):
    jnp.ones(3) + jnp.ones((2, 3))


def test_other_machines_cannot_be_reached():
  # Reserved for documentation (RFC 5737): nothing listens there.
  with (
    socket.socket() as connection,
    pytest.raises(RuntimeError, match='tried to connect'),
  ):
    connection.connect(('192.0.2.1', 80))
