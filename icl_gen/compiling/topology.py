"""Devices to compile for that are not there: TPUs, or many on one CPU."""

import dataclasses
import importlib.util
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import jax
from jax.experimental import topologies as descriptions

from icl_gen.runs import topologies


@dataclasses.dataclass(frozen=True)
class Chip:
  """One device.

  Attributes:
    hbm_bytes: its memory; 0: unknown.
    flops: bfloat16 operations per second at peak; 0: unknown.
    hertz: cycles per second, in which the compiler estimates; 0: unknown.
  """

  hbm_bytes: int = 0
  flops: float = 0.0
  hertz: float = 0.0


# By kind, see runs/topologies.py. From the vendor's documentation; the clock
# follows from operations per cycle (v5e: four units of 128 x 128, two
# operations each).
CHIPS = {
  'v4': Chip(32 * 2**30, 275e12, 275e12 / 262_144),
  'v5e': Chip(16 * 2**30, 197e12, 197e12 / 131_072),
  'v5p': Chip(95 * 2**30, 459e12, 459e12 / 262_144),
  'v6e': Chip(32 * 2**30, 918e12, 918e12 / 524_288),
}
# What the TPU's runtime asks a machine that has TPUs.
_ENVIRONMENT = {
  'TPU_SKIP_MDS_QUERY': '1',
  'TPU_ACCELERATOR_TYPE': 'v5litepod-16',
  'TPU_WORKER_HOSTNAMES': 'localhost',
  # One process has the chips, but several may compile.
  'ALLOW_MULTIPLE_LIBTPU_LOAD': '1',
}
_FORCED = '--xla_force_host_platform_device_count'
LIBTPU = '0.0.50'  # what jax[tpu] names for the pinned jax


@dataclasses.dataclass(frozen=True)
class Topology:
  """Devices by name.

  Attributes:
    name: as given, 'v5e:4x4' or 'cpu:8'.
    chip: what each device has.
    devices: to make meshes of; nothing can be put on those of a TPU.
  """

  name: str
  chip: Chip
  devices: Sequence[Any]


def find(name: str) -> Topology:
  """The devices of a name. Call it before anything else uses JAX's devices.

  Args:
    name: 'v5e:4x4' and the like for TPUs, 'cpu:8' for so many devices on this
      CPU.

  Raises:
    ValueError: for an unknown name, or where the TPU compiler is missing.
  """
  kind, sides = topologies.read(name)
  if kind == 'cpu':
    return Topology(name, Chip(), _of_cpu(name, *sides))
  return Topology(name, CHIPS[kind], _of_tpu(name))


def _of_cpu(name: str, count: int) -> Sequence[Any]:
  # Read when the first device is asked for, so not too late here.
  given = os.environ.get('XLA_FLAGS', '')
  if _FORCED not in given:
    os.environ['XLA_FLAGS'] = f'{given} {_FORCED}={count}'.strip()
  devices = jax.devices('cpu')
  if len(devices) < count:
    raise ValueError(
      f'topology {name!r}: this process has {len(devices)} devices already'
    )
  return devices[:count]


def _of_tpu(name: str) -> Sequence[Any]:
  for key, value in _ENVIRONMENT.items():
    os.environ.setdefault(key, value)
  os.environ['TPU_LIBRARY_PATH'] = library(name)
  # What is not compiled for the TPU runs here.
  jax.config.update('jax_platforms', 'cpu')
  try:
    found = descriptions.get_topology_desc(platform='tpu', topology_name=name)
  except jax.errors.JaxRuntimeError as error:
    raise ValueError(
      f'the TPU compiler knows no topology {name!r}: {error}'
    ) from error
  devices: Sequence[Any] = found.devices
  return devices


def library(name: str) -> str:
  """The path of libtpu.so.

  Args:
    name: of the topology that needs it, for the message.

  Raises:
    ValueError: where it is missing.
  """
  given = os.environ.get('TPU_LIBRARY_PATH', '')
  if not given:
    spec = importlib.util.find_spec('libtpu')
    if spec is not None and spec.origin:
      given = str(pathlib.Path(spec.origin).parent / 'libtpu.so')
  if given and pathlib.Path(given).is_file():
    return given
  where = f'{given!r} does not exist' if given else 'it is not installed'
  raise ValueError(
    f'--topology={name} needs libtpu, the TPU compiler, which also runs on a'
    f' CPU, but {where}. Run `python -m pip install --no-deps --target=DIR'
    f" 'libtpu=={LIBTPU}.*'` (484 MB) and set"
    ' TPU_LIBRARY_PATH=DIR/libtpu/libtpu.so, or give --topology=cpu:8'
  )
