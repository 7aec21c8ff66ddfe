"""The hidden states of a batch, layer by layer, as a plan says."""

from collections.abc import Callable
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
  x_BxLxD = _through_layers(module, of_layers, x_BxLxD, layer, plan)
  norm = gather.copy(params['final_norm'], 'final_norm')
  return forward.final(module, norm, x_BxLxD)


def _through_layers(
  module: Any, params: Params, x_BxLxD: jax.Array, layer: _Layer, plan: Plan
) -> jax.Array:
  if plan.remat != 'none':
    # A loop keeps the compiler from merging both computations by itself.
    layer = jax.checkpoint(
      layer,
      policy=REMAT[plan.remat],
      static_argnums=2,
      prevent_cse=not plan.scan,
    )
  count = len(module.config.attention_types)
  period = repeats(module) if plan.scan else count
  blocks = count // period if plan.scan else 0
  if blocks > 1:
    stacked = [
      _stacked([params[f'layer_{b * period + i}'] for b in range(blocks)])
      for i in range(period)
    ]

    def block(x: jax.Array, given: list[Params]) -> tuple[jax.Array, None]:
      for i in range(period):
        x = layer(x, given[i], i)
      return x, None

    x_BxLxD, _ = jax.lax.scan(block, x_BxLxD, stacked)
  # The last layers may be less than a block.
  for index in range(blocks * period if blocks > 1 else 0, count):
    x_BxLxD = layer(x_BxLxD, params[f'layer_{index}'], index)
  return x_BxLxD


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
