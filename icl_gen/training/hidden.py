"""The hidden states of a batch, layer by layer, as a plan says."""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from icl_gen.model import forward, package_forward, parameters
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

  Those of Gemma 3n and 4 are the package's: neither rematerialised nor compiled
  once for equal layers.

  Args:
    module: from `registry.make_module`.
    params: its parameters, in any dtype.
    batch: rows.
    plan: how to compute them.
    adapters: of `lora`.
    lora: what the adapters are; None: there are none.
  """
  if not forward.is_dense(module):
    whole = params
    if lora is not None:
      whole = lora.merged(params, adapters, parameters.axes(params))
    return package_forward.hidden_states(
      module,
      jax.tree.map(lambda leaf: leaf.astype(module.dtype), whole),
      batch.tokens_BxL,
      batch.positions_BxL,
      batch.segments_BxL,
    )
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
  x_BxLxD = _through_layers(module, of_layers, x_BxLxD, layer, plan)
  norm = gather.copy(params['final_norm'], 'final_norm')
  return forward.final(module, norm, x_BxLxD)


def _through_layers(
  module: Any, params: Params, x_BxLxD: jax.Array, layer: _Layer, plan: Plan
) -> jax.Array:
  kinds = tuple(module.config.attention_types)
  layers = [params[f'layer_{index}'] for index in range(len(kinds))]
  if not plan.scan:
    layer = _rematerialised(layer, plan.remat, looped=False)
    for index, given in enumerate(layers):
      x_BxLxD = layer(x_BxLxD, given, index)
    return x_BxLxD

  period = repeats(module)
  whole = len(kinds) // period * period
  if whole > period:
    inner = _Runs(kinds[:period], layer, plan.remat, looped=True)

    def block(x: jax.Array, given: list[Params]) -> tuple[jax.Array, None]:
      return inner.through(x, given), None

    of_blocks = [
      inner.stacked(layers[start : start + period])
      for start in range(0, whole, period)
    ]
    x_BxLxD, _ = jax.lax.scan(block, x_BxLxD, _stacked(of_blocks))
    kinds, layers = kinds[whole:], layers[whole:]
  # The last layers may be less than a block, of the kinds of its first ones.
  rest = _Runs(kinds, layer, plan.remat, looped=False)
  return rest.through(x_BxLxD, rest.stacked(layers))


class _Runs:
  """Successive layers; neighbours of one kind share a loop.

  What is compiled is one layer of each run, not of each layer: on TPUs, the
  machine code of a layer and its gradient takes most of the compiler's time.
  """

  def __init__(
    self, kinds: tuple[Any, ...], layer: _Layer, remat: str, *, looped: bool
  ):
    """Initializes the runs.

    Args:
      kinds: of the layers, from layer 0.
      layer: computes one.
      remat: a key of REMAT.
      looped: whether all of them are called in a loop.
    """
    alike = itertools.groupby(range(len(kinds)), key=kinds.__getitem__)
    self._runs = [tuple(run) for _, run in alike]
    self._alone = _rematerialised(layer, remat, looped=looped)
    self._looped = _rematerialised(layer, remat, looped=True)

  def stacked(self, layers: list[Params]) -> list[Params]:
    """The parameters of each run, those of several layers stacked."""
    return [
      _stacked([layers[i] for i in run]) if len(run) > 1 else layers[run[0]]
      for run in self._runs
    ]

  def through(self, x_BxLxD: jax.Array, given: list[Params]) -> jax.Array:
    """The output of the last layer, from `stacked` parameters."""
    for run, params in zip(self._runs, given, strict=True):
      if len(run) == 1:
        x_BxLxD = self._alone(x_BxLxD, params, run[0])
      else:
        x_BxLxD = self._in_loop(x_BxLxD, params, run[0])
    return x_BxLxD

  def _in_loop(
    self, x_BxLxD: jax.Array, stacked: Params, index: int
  ) -> jax.Array:
    def step(x: jax.Array, params: Params) -> tuple[jax.Array, None]:
      return self._looped(x, params, index), None

    return jax.lax.scan(step, x_BxLxD, stacked)[0]


def _rematerialised(layer: _Layer, remat: str, *, looped: bool) -> _Layer:
  if remat == 'none':
    return layer
  return jax.checkpoint(
    layer,
    policy=REMAT[remat],
    static_argnums=2,
    # A loop keeps the compiler from merging both computations by itself.
    prevent_cse=not looped,
  )


def repeats(module: Any) -> int:
  """After how many layers their kinds (local or global) repeat."""
  kinds = tuple(module.config.attention_types)
  return next(
    period
    for period in range(1, len(kinds) + 1)
    if all(kind == kinds[index % period] for index, kind in enumerate(kinds))
  )


def _stacked(layers: list[Params]) -> Params:
  return jax.tree.map(lambda *leaves: jnp.stack(leaves), *layers)
