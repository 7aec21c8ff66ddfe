"""What is told of a compiled program: facts as JSON values, and as text."""

import collections
import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax

from icl_gen.compiling import hlo
from icl_gen.compiling.topology import Topology
from icl_gen.model import parameters

Facts = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Compiled:
  """A compiled program, or the compiler's reason why there is none.

  Attributes:
    program: of `jax`; None if it does not fit.
    seconds: that compilation took.
    refusal: what the compiler said, if it ran out of the chip's memory.
  """

  program: Any
  seconds: float
  refusal: str = ''


def compiled(lower: Callable[[], Any]) -> Compiled:
  """Compiles a program.

  Args:
    lower: gives what `jax.jit(f).lower(...)` does.
  """
  lowered, since = lower(), time.monotonic()
  try:
    program = lowered.compile()
  except jax.errors.JaxRuntimeError as error:
    if 'RESOURCE_EXHAUSTED' not in str(error):
      raise
    reason = ' '.join(str(error).split())[:300]
    return Compiled(None, time.monotonic() - since, reason)
  return Compiled(program, time.monotonic() - since)


def shard_bytes(tree: Any) -> int:
  """Bytes of arrays on one device, from shapes with shardings."""
  return sum(
    math.prod(leaf.sharding.shard_shape(leaf.shape)) * leaf.dtype.itemsize
    for leaf in jax.tree.leaves(tree)
  )


def placements(params: Any) -> list[dict[str, Any]]:
  """How parameters are split, those of all layers together.

  Args:
    params: shapes with shardings.
  """
  groups: dict[tuple[str, str], list[Any]] = collections.defaultdict(list)
  for path, leaf in jax.tree_util.tree_leaves_with_path(params):
    name = '/'.join(
      'layer_*' if part.startswith('layer_') else part
      for part in parameters.path_of(path).split('/')
    )
    groups[name, str(tuple(leaf.sharding.spec))].append(leaf)
  return [
    {
      'parameter': name,
      'count': len(leaves),
      'shape': list(leaves[0].shape),
      'on a device': list(leaves[0].sharding.shard_shape(leaves[0].shape)),
      'split': split,
    }
    for (name, split), leaves in groups.items()
  ]


def facts(
  found: Compiled, topology: Topology, *, tokens: int, model_flops: int
) -> dict[str, Any]:
  """What a compiled program takes, per device.

  Args:
    found: from `compiled`.
    topology: what it was compiled for.
    tokens: that one run of it computes.
    model_flops: that one run of it needs, on all devices together.
  """
  chip = topology.chip
  told: dict[str, Any] = {
    'compile_seconds': round(found.seconds, 1),
    'hbm_bytes': chip.hbm_bytes,
    'tokens': tokens,
    'model_flops': model_flops,
  }
  if found.program is None:
    return told | {'fits': False, 'refusal': found.refusal}
  memory = found.program.memory_analysis()
  told |= {
    'argument_bytes': memory.argument_size_in_bytes,
    'output_bytes': memory.output_size_in_bytes - memory.alias_size_in_bytes,
    'temporary_bytes': memory.temp_size_in_bytes,
    'code_bytes': memory.generated_code_size_in_bytes,
  }
  told['total_bytes'] = sum(
    told[f'{part}_bytes'] for part in ('argument', 'output', 'temporary')
  )
  told['fits'] = not chip.hbm_bytes or told['total_bytes'] <= chip.hbm_bytes
  costs = found.program.cost_analysis() or {}
  read = hlo.read(found.program.as_text())
  told |= {
    'xla_flops': costs.get('flops', 0.0),
    'collectives': {
      kind: dataclasses.asdict(collective)
      for kind, collective in read.collectives.items()
    },
    'kernels_without_estimate': read.kernels,
    'loops_counted_once': read.endless,
    'largest_arrays': [list(array) for array in read.largest],
  }
  if read.cycles and chip.hertz:
    seconds = read.cycles / chip.hertz
    peak = chip.flops * len(topology.devices)
    told |= {'estimated_cycles': read.cycles, 'estimated_seconds': seconds}
    # Tokens count every turn of a loop, cycles one if its length is unknown.
    if not read.endless:
      told |= {
        'estimated_share_of_peak': model_flops / seconds / peak,
        'estimated_tokens_per_second': tokens / seconds,
      }
  return told


def heading(told: Facts) -> str:
  """The line above the programs of a stage."""
  return (
    f'{told["model"]}, {told["parameters"]:,} parameters: {told["stage"]} on'
    f' {told["devices"]} devices of {told["topology"]}'
  )


def text(program: str, told: Facts) -> str:
  """What is told of a program, for people."""
  return '\n'.join((f'{program}:', *(f'  {line}' for line in _lines(told))))


def _lines(told: Facts) -> Iterable[str]:
  if 'mesh' in told:
    mesh = ' x '.join(f'{n} ({axis})' for axis, n in told['mesh'].items())
    yield f'mesh of {mesh}; {told["tokens"]:,} tokens a run'
  for group in told['placements']:
    yield (
      f'{group["parameter"]} x {group["count"]}: {group["shape"]}, split'
      f' {group["split"]}, on a device {group["on a device"]}'
    )
  yield f'weights: {_gib(told["weight_bytes"])} per device'
  if 'optimizer_bytes' in told:
    yield (
      f'{told["trained_parameters"]:,} are trained: optimizer'
      f' {_gib(told["optimizer_bytes"])}, gradients'
      f' {_gib(told["gradient_bytes"])} (among the temporaries)'
    )
  if not told['fits'] and told.get('refusal'):
    yield f'does NOT fit, says the compiler: {told["refusal"]}'
    return
  total = _gib(told['total_bytes'])
  if told['hbm_bytes']:
    verdict = 'fits' if told['fits'] else 'does NOT fit'
    total = f'{verdict}: {total} of {_gib(told["hbm_bytes"])}'
  yield (
    f'{total} per device, by the compiler: arguments'
    f' {_gib(told["argument_bytes"])}, temporaries'
    f' {_gib(told["temporary_bytes"])}, outputs {_gib(told["output_bytes"])}'
  )
  yield 'largest arrays: ' + ', '.join(
    f'{kind} {_gib(size)}' for kind, size in told['largest_arrays'][:4]
  )
  yield (
    f'operations: {told["model_flops"]:.3g} of the model, on all devices;'
    f' XLA counts {told["xla_flops"]:.3g} on one, loops once'
  )
  yield from _estimates(told)
  for kind, found in told['collectives'].items():
    yield f'{kind}: {found["count"]}, {_gib(found["bytes"])}'
  yield f'compiled in {told["compile_seconds"]} s'


def _estimates(told: Facts) -> Iterable[str]:
  if 'estimated_cycles' not in told:
    yield 'this compiler estimates no cycles'
    return
  speed = ''
  if 'estimated_share_of_peak' in told:
    speed = (
      f' {told["estimated_share_of_peak"]:.1%} of peak,'
      f' {told["estimated_tokens_per_second"]:,.0f} tokens/s,'
    )
  yield (
    f'estimated by the compiler: {told["estimated_cycles"]:,} cycles,'
    f' {told["estimated_seconds"] * 1e3:.1f} ms,{speed} communication not'
    ' counted'
  )
  if told['kernels_without_estimate']:
    yield (
      f'without {told["kernels_without_estimate"]} runs of kernels that it'
      ' does not estimate'
    )
  if told['loops_counted_once']:
    yield (
      f'{told["loops_counted_once"]} loops of unknown length counted once, so'
      ' their share of peak is not known'
    )


def _gib(size: float) -> str:
  return f'{size / 2**30:.2f} GiB'
