"""The world of the tests is as harsh as conftest.py says."""

import socket

import jax
import jax.numpy as jnp
import pytest


def test_there_are_eight_cpu_devices():
  assert [d.platform for d in jax.devices()] == ['cpu'] * 8


def test_ranks_do_not_promote():
  with pytest.raises(ValueError, match='rank_promotion'):
    jnp.ones(3) + jnp.ones((2, 3))


def test_other_machines_are_out_of_reach():
  # An address of documentation (RFC 5737): nobody is there.
  with (
    socket.socket() as connection,
    pytest.raises(RuntimeError, match='wants to connect'),
  ):
    connection.connect(('192.0.2.1', 80))
