"""Low-rank adapters of weight matrices (Hu et al. 2021, LoRA).

An adapter of a matrix W is a pair (down, up); the model computes with
W + alpha / rank * down @ up. Adapters lie in the tree where their matrix does,
so that sharding and layers find them alike.
"""

import dataclasses
import math
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.model import parameters, precision
from icl_gen.model.parameters import Params

# Name -> pattern of the paths of matrices.
TARGETS = {
  'all': r'layer_\d+/(attn|mlp2?)/.*',
  'attention': r'layer_\d+/attn/.*',
  'feed-forward': r'layer_\d+/mlp2?/.*',
}


@dataclasses.dataclass(frozen=True)
class Lora:
  """Which adapters a model gets.

  Attributes:
    rank: columns of `down`, 1 or more.
    alpha: scale of what they add, times the rank.
    targets: a key of TARGETS.
  """

  rank: int
  alpha: float
  targets: str

  def __post_init__(self) -> None:
    if self.targets not in TARGETS:
      raise ValueError(
        f'unknown targets of LoRA {self.targets!r}; known are'
        f' {", ".join(TARGETS)}'
      )
    if self.rank < 1:
      raise ValueError(f'rank {self.rank} of LoRA; give 1 or more')

  def make(self, params: Params, *, seed: int) -> Params:
    """Adapters that add nothing yet, in float32.

    Args:
      params: of the model, or their shapes.
      seed: of `down`; `up` is zero.
    """
    key = jax.random.key(seed)

    def adapter(path: str, axes: parameters.Axes, shape: Any) -> Params:
      size = dict(zip(axes.names, shape, strict=True))
      stacked = [
        size[name] for name in axes.names if name in parameters.STACKED
      ]
      inputs = [size[name] for name in axes.inputs]
      outputs = [size[name] for name in axes.outputs]
      # From the name, so that it does not depend on the other targets.
      own = jax.random.fold_in(key, _number(path))
      down = jax.random.normal(own, (*stacked, *inputs, self.rank))
      return {
        'down': down / math.sqrt(math.prod(inputs)),
        'up': jnp.zeros((*stacked, self.rank, *outputs)),
      }

    made: dict[str, Any] = {}
    for (keys, axes), leaf in zip(
      jax.tree_util.tree_leaves_with_path(parameters.axes(params)),
      jax.tree.leaves(params),
      strict=True,
    ):
      path = parameters.path_of(keys)
      if axes.inputs and re.fullmatch(TARGETS[self.targets], path):
        *above, name = path.split('/')
        block = made
        for part in above:
          block = block.setdefault(part, {})
        block[name] = adapter(path, axes, leaf.shape)
    return made

  def merged(self, params: Params, adapters: Params, axes: Any) -> Params:
    """The weights that a model with adapters computes with.

    Args:
      params: of the model, or of a part of it.
      adapters: of the same part.
      axes: the same part of `parameters.axes`.
    """
    if isinstance(axes, parameters.Axes):
      return self._added(params, adapters, axes) if adapters else params
    return {
      name: self.merged(params[name], adapters.get(name, {}), axes[name])
      for name in params
    }

  def _added(
    self, w: jax.Array, adapter: Params, axes: parameters.Axes
  ) -> jax.Array:
    letters = dict(zip(axes.names, 'abcdefg', strict=False))

    def of(names: tuple[str, ...]) -> str:
      return ''.join(letters[name] for name in names)

    stacked = of(
      tuple(name for name in axes.names if name in parameters.STACKED)
    )
    with precision.of(w.dtype):
      more = jnp.einsum(
        f'{stacked}{of(axes.inputs)}r,{stacked}r{of(axes.outputs)}'
        f'->{of(axes.names)}',
        adapter['down'].astype(w.dtype),
        adapter['up'].astype(w.dtype),
      )
    return w + more * np.asarray(self.alpha / self.rank, w.dtype)


def _number(path: str) -> int:
  return int.from_bytes(path.encode(), 'little') % (2**31 - 1)
