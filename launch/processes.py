"""What the processes of a unit are told of their devices and of each other.

The only place that knows how: the variables that JAX and XLA read, and the flag
of our commands for several processes.
"""

import os

# The flag with which our commands start `jax.distributed`, and, for every
# executor that can start several processes, how these find each other.
_FLAG = 'distributed'
_FOUND_BY = {'slurm': 'slurm', 'tpu_vm': 'tpu'}

_GPUS, _CHIPS = 'CUDA_VISIBLE_DEVICES', 'TPU_VISIBLE_CHIPS'
_FORCED = '--xla_force_host_platform_device_count'
PLATFORMS = ('cpu', 'gpu', 'tpu')
# Chips of one process on a TPU host -> how they lie.
_BOUNDS = {1: '1,1,1', 2: '1,2,1', 4: '2,2,1', 8: '2,4,1'}


def flags(processes: int, *, on: str) -> dict[str, str]:
  """The flags of a command that several processes run together.

  Args:
    processes: how many.
    on: the executor.

  Raises:
    ValueError: fewer than one, or several that the executor cannot start.
  """
  if processes < 1:
    raise ValueError(f'processes_per_unit={processes}; give 1 or more')
  if processes == 1:
    return {}
  if on not in _FOUND_BY:
    raise ValueError(
      f'processes_per_unit={processes}: only {" and ".join(_FOUND_BY)} start'
      f' several, not {on}'
    )
  return {_FLAG: _FOUND_BY[on]}


def of_worker(platform: str, *, worker: int, devices: int) -> dict[str, str]:
  """The variables that give a worker devices of its own on a shared host.

  Args:
    platform: one of PLATFORMS.
    worker: its number, from 0.
    devices: how many each worker has; 0: all of the host, for one worker.

  Raises:
    ValueError: for another platform, a number of chips that a process cannot
      have, or fewer devices left to us than the worker needs.
  """
  if platform not in PLATFORMS:
    raise ValueError(
      f'platform {platform!r}; allowed are {", ".join(PLATFORMS)}'
    )
  if not devices:
    return {}
  own = slice(worker * devices, (worker + 1) * devices)
  if platform == 'gpu':
    return {_GPUS: _visible(_GPUS, own)}
  if platform == 'tpu':
    if devices not in _BOUNDS:
      raise ValueError(
        f'devices_per_worker={devices}: a process can have'
        f' {", ".join(map(str, _BOUNDS))} chips of a TPU host'
      )
    return {
      _CHIPS: _visible(_CHIPS, own),
      'TPU_CHIPS_PER_PROCESS_BOUNDS': _BOUNDS[devices],
      'TPU_PROCESS_BOUNDS': '1,1,1',
    }
  given = os.environ.get('XLA_FLAGS', '')
  kept = [flag for flag in given.split() if not flag.startswith(_FORCED)]
  return {
    'JAX_PLATFORMS': 'cpu',
    'XLA_FLAGS': ' '.join([*kept, f'{_FORCED}={devices}']),
  }


def _visible(variable: str, own: slice) -> str:
  """A worker's share of the devices that a variable leaves to us.

  Raises:
    ValueError: there are too few.
  """
  given = os.environ.get(variable)
  if given is None:  # all of the host
    return ','.join(map(str, range(own.start, own.stop)))
  left = [device for device in given.split(',') if device]
  if len(left) < own.stop:
    devices = own.stop - own.start
    raise ValueError(
      f'{variable}={given} leaves {len(left)} devices, but'
      f' {own.stop // devices} workers with --devices_per_worker={devices} need'
      f' {own.stop}: give fewer --machines, or fewer devices'
    )
  return ','.join(left[own])
