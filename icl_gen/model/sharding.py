"""Where parameters live on a mesh of ('data', 'model') devices.

Heads, the hidden width of the feed-forward layers and the vocabulary are split
over 'model'; rows of a batch over 'data'. Everything else is on every device.
What is computed where then follows from where the inputs are (GSPMD): prefixes
and suffixes are computed by the same functions on one device and on many.
"""

import re

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from icl_gen.model import forward

# What stands at each axis of a parameter, by its path: the first rule that
# matches the whole of it. Axes that are named here and in SPLIT are split.
RULES = (
  (r'embedder/input_embedding', ('vocabulary', 'width')),
  (r'layer_\d+/attn/q_einsum/w', ('heads', 'width', 'head')),
  (r'layer_\d+/attn/kv_einsum/w', ('two', 'key heads', 'width', 'head')),
  (r'layer_\d+/attn/qkv_einsum/w', ('three', 'heads', 'width', 'head')),
  (r'layer_\d+/attn/attn_vec_einsum/w', ('heads', 'head', 'width')),
  (r'layer_\d+/attn/_(query|key)_norm/scale', ('head',)),
  (r'layer_\d+/mlp/gating_einsum', ('two', 'hidden', 'width')),
  (r'layer_\d+/mlp/linear', ('hidden', 'width')),
  (r'layer_\d+/(pre|post)_(attention|ffw)_norm/scale', ('width',)),
  (r'final_norm/scale', ('width',)),
)
SPLIT = ('vocabulary', 'heads', 'key heads', 'hidden')


def make_mesh(*, data: int, model: int) -> Mesh:
  """A mesh of the first data x model devices.

  Raises:
    ValueError: if there are fewer devices.
  """
  devices = jax.devices()
  if not 1 <= data * model <= len(devices):
    raise ValueError(
      f'a mesh of {data} (data) x {model} (model) devices needs'
      f' {data * model}; there are {len(devices)}'
    )
  return Mesh(
    np.asarray(devices[: data * model]).reshape(data, model),
    ('data', 'model'),
  )


def specs(module, params, *, model: int):
  """The tree of `PartitionSpec` of a parameter tree.

  Args:
    module: from `registry.make_module`.
    params: its parameters, or their shapes.
    model: length of the mesh's 'model' axis.

  Raises:
    ValueError: for Gemma 3n and 4, a parameter that no rule matches, or one
      whose heads, hidden width or vocabulary cannot be split evenly. Key heads
      that cannot be are on every device.
  """
  if not forward.is_dense(module):
    raise ValueError(
      f'{type(module).__name__} is not of the architecture of Gemma 2 and 3,'
      ' and cannot be put on several devices: choose one'
    )

  def spec(path, leaf):
    name = '/'.join(key.key for key in path)
    axes = _axes(name, transposed=module.config.transpose_gating_einsum)
    assert len(axes) == leaf.ndim, f'{name}: {axes} for {leaf.shape}'
    split = [axis in SPLIT for axis in axes]
    for i, (axis, size) in enumerate(zip(axes, leaf.shape, strict=True)):
      if split[i] and size % model:
        if axis != 'key heads':
          raise ValueError(
            f'{name}: {size} {axis} cannot be split over {model} devices;'
            f' choose a mesh whose model axis divides {size}'
          )
        split[i] = False
    return PartitionSpec(*('model' if s else None for s in split))

  return jax.tree_util.tree_map_with_path(spec, params)


def _axes(name: str, *, transposed: bool) -> tuple[str, ...]:
  for pattern, axes in RULES:
    if re.fullmatch(pattern, name):
      if 'gating_einsum' in name and not transposed:
        return axes[0], axes[2], axes[1]
      return axes
  raise ValueError(
    f'no rule says where parameter {name} lives; add one to sharding.RULES'
  )


def shardings(mesh: Mesh, module, params):
  """The tree of `NamedSharding` of a parameter tree; raises as `specs`."""
  return jax.tree.map(
    lambda spec: NamedSharding(mesh, spec),
    specs(module, params, model=mesh.shape['model']),
    is_leaf=lambda leaf: isinstance(leaf, PartitionSpec),
  )


def split_rows(mesh: Mesh, tree):
  """Puts arrays on a mesh, split along their first axis over 'data'.

  Raises:
    ValueError: if the rows cannot be split evenly.
  """
  data = mesh.shape['data']
  for leaf in jax.tree.leaves(tree):
    if leaf.shape[0] % data:
      raise ValueError(
        f'{leaf.shape[0]} rows cannot be split over {data} devices: choose a'
        ' multiple'
      )
  return jax.device_put(tree, NamedSharding(mesh, PartitionSpec('data')))
