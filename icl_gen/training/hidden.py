"""The hidden states of a batch, layer by layer, as a plan says."""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from icl_gen.model import forward, parameters
from icl_gen.model.lora import Lora
from icl_gen.model.parameters import Params
from icl_gen.training import gathering
from icl_gen.training.plan import REMAT, Plan
from icl_gen.types import Batch

# (input, parameters of a layer, number of the layer) -> output
_Layer = Callable[[jax.Array, Params, int], jax.Array]


def hidden_states(
  module: Any,
  params: Params,
  batch: Batch,
  plan: Plan,
  *,
  adapters: Params | None = None,
  lora: Lora | None = None,
) -> jax.Array:
  """Final hidden states [B, L, D] of `forward.forward`, in the module's dtype.

  Args:
    module: from `registry.make_module`.
    params: its parameters, in any dtype.
    batch: rows.
    plan: how to compute them.
    adapters: of `lora`.
    lora: what the adapters are; None: there are none.
  """
  gather = gathering.Gatherer(module, params, plan.mesh)
  attend = forward.within_batch(
    batch.positions_BxL, batch.segments_BxL, mesh=plan.mesh
  )
  adapters = adapters or {}
  gather_adapters = gathering.Gatherer(module, adapters, plan.mesh)
  axes = parameters.axes(params)

  def layer(
    x_BxLxD: jax.Array, given: tuple[Params, Params], index: int
  ) -> jax.Array:
    name = f'layer_{index}'
    own = gather.copy(given[0], name)
    if lora is not None and given[1]:
      added = gather_adapters.copy(given[1], name)
      own = lora.merged(own, added, axes[name])
    found = forward.layer(
      module, own, x_BxLxD, batch.positions_BxL, attend, index=index
    )
    return gather.by_rows(found)

  x_BxLxD = gather.by_rows(
    gathering.embedded(
      params['embedder']['input_embedding'],
      batch.tokens_BxL,
      dtype=module.dtype,
      mesh=plan.mesh,
    )
  )
  of_layers = {
    name: (params[name], adapters.get(name, {}))
    for name in params
    if name.startswith('layer_')
  }
  if plan.scan:
    # Stacked layers are copies, and so are their gradients: half as large.
    of_layers = {
      name: (gather.cast(own, name), gather_adapters.cast(added, name))
      for name, (own, added) in of_layers.items()
    }
  x_BxLxD = _through_layers(module, of_layers, x_BxLxD, layer, plan)
  norm = gather.copy(params['final_norm'], 'final_norm')
  return forward.final(module, norm, x_BxLxD)


def _through_layers(
  module: Any, params: Params, x_BxLxD: jax.Array, layer: _Layer, plan: Plan
) -> jax.Array:
  kinds = tuple(module.config.attention_types)
  layers = [params[f'layer_{index}'] for index in range(len(kinds))]
  alone = _again(layer, plan, looped=False)
  if not plan.scan:
    for index, own in enumerate(layers):
      x_BxLxD = alone(x_BxLxD, own, index)
    return x_BxLxD
  period = repeats(module)
  whole = len(kinds) // period * period
  blocks = [
    _by_run(layers[first : first + period], kinds)
    for first in range(0, whole, period)
  ]
  looped = _again(layer, plan, looped=True)
  x_BxLxD = _looped(
    lambda x, runs: _through_runs(looped, kinds[:period], x, runs),
    x_BxLxD,
    _stacked(blocks),
  )
  # The last layers may be less than a block.
  rest = kinds[whole:]
  return _through_runs(alone, rest, x_BxLxD, _by_run(layers[whole:], rest))


def _again(layer: _Layer, plan: Plan, *, looped: bool) -> _Layer:
  """A layer whose gradient computes it again, as far as the plan says."""
  if plan.remat == 'none':
    return layer
  again: _Layer = jax.checkpoint(
    layer,
    policy=REMAT[plan.remat],
    static_argnums=2,
    # A loop keeps the compiler from merging both computations by itself.
    prevent_cse=not looped,
  )
  return again


def _runs(kinds: Sequence[Any]) -> list[tuple[int, int]]:
  """(first, length) of the layers of one kind that follow each other."""
  lengths = [len(list(run)) for _, run in itertools.groupby(kinds)]
  firsts = itertools.accumulate(lengths, initial=0)
  return list(zip(firsts, lengths, strict=False))


def _by_run(layers: Sequence[Params], kinds: Sequence[Any]) -> list[Params]:
  """The parameters of each run: stacked, unless it is one layer."""
  return [
    layers[first] if length == 1 else _stacked(layers[first : first + length])
    for first, length in _runs(kinds[: len(layers)])
  ]


def _through_runs(
  layer: _Layer, kinds: Sequence[Any], x: jax.Array, given: Sequence[Params]
) -> jax.Array:
  """The output of the last layer of several runs, from `_by_run`."""
  for (first, length), own in zip(_runs(kinds), given, strict=True):
    of_run = functools.partial(_at, layer, first)
    x = of_run(x, own) if length == 1 else _looped(of_run, x, own)
  return x


def _looped(
  through: Callable[[jax.Array, Params], jax.Array],
  x: jax.Array,
  stacked: Params,
) -> jax.Array:
  """Through all of the layers (or blocks) that are stacked, compiled once."""
  found: jax.Array = jax.lax.scan(
    lambda x, own: (through(x, own), None), x, stacked
  )[0]
  return found


def repeats(module: Any) -> int:
  """After how many layers their kinds (local or global) repeat."""
  kinds = tuple(module.config.attention_types)
  return next(
    period
    for period in range(1, len(kinds) + 1)
    if all(kind == kinds[index % period] for index, kind in enumerate(kinds))
  )


def _at(layer: _Layer, index: int, x: jax.Array, own: Params) -> jax.Array:
  return layer(x, own, index)


def _stacked(layers: Sequence[Params]) -> Params:
  return jax.tree.map(lambda *leaves: jnp.stack(leaves), *layers)
