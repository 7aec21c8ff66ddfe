"""The axes of every parameter: sharding and Muon both follow this table."""

import dataclasses
import re
from typing import Any

import jax

# The gemma package's nested dict of arrays (or of their shapes).
Params = Any


@dataclasses.dataclass(frozen=True)
class Axes:
  """What the axes of one parameter are.

  Attributes:
    names: one name per axis.
    inputs: for a weight matrix, the axes that it sums over; its outputs are
      the others, except STACKED ones. Empty for embeddings and norms.
  """

  names: tuple[str, ...]
  inputs: tuple[str, ...] = ()

  @property
  def outputs(self) -> tuple[str, ...]:
    """The axes that a weight matrix produces."""
    both = {*self.inputs, *STACKED}
    return tuple(name for name in self.names if name not in both)


# Along these axes lie several matrices: those of experts, keys and values, gate
# and up.
STACKED = ('experts', 'matrices')

_GATING = r'layer_\d+/mlp2?/gating_einsum'
# What Gemma 3n and 4 have besides. What chooses (experts, streams) is no matrix
# to Muon and LoRA.
_SMALL = 'per-layer width'
_OF_PACKAGED: tuple[tuple[str, Axes], ...] = (
  (
    r'embedder/per_layer_(input_embedding|embeddings)',
    Axes(('vocabulary', 'layers', _SMALL)),
  ),
  (
    r'embedder/per_layer_(input|model)_projection/w',
    Axes(('width', 'layers', _SMALL), inputs=('width',)),
  ),
  (r'embedder/per_layer_projection_norm/scale', Axes((_SMALL,))),
  (
    r'(altup_(?:unembed_)?projection_\d+)/\1',
    Axes(('width', 'width of a stream'), inputs=('width',)),
  ),
  (
    r'layer_\d+/attn/k_einsum/w',
    Axes(('key heads', 'width', 'head'), inputs=('width',)),
  ),
  (r'layer_\d+/attn/(query|key)_norm/scale', Axes(('head',))),
  (
    r'layer_\d+/(per_layer_mapping/)?per_layer_input_gate/w',
    Axes(('width', _SMALL), inputs=('width',)),
  ),
  (
    r'layer_\d+/(per_layer_mapping/)?per_layer_projection/w',
    Axes((_SMALL, 'width'), inputs=(_SMALL,)),
  ),
  (
    r'layer_\d+/laurel/linear_left/w',
    Axes(('width', 'inner'), inputs=('width',)),
  ),
  (
    r'layer_\d+/laurel/linear_right/w',
    Axes(('inner', 'width'), inputs=('inner',)),
  ),
  (
    r'layer_\d+/mlp/gating_einsum/w',
    Axes(('experts', 'matrices', 'hidden', 'width'), inputs=('width',)),
  ),
  (
    r'layer_\d+/mlp/linear/w',
    Axes(('experts', 'hidden', 'width'), inputs=('hidden',)),
  ),
  (r'layer_\d+/mlp/router_logits/w', Axes(('width', 'experts'))),
  (r'layer_\d+/mlp/router_scale', Axes(('width',))),
  (r'layer_\d+/mlp/per_expert_scale', Axes(('experts',))),
  (r'layer_\d+/altup/modality_router/w', Axes(('width', 'streams'))),
  (r'layer_\d+/altup/correction_coefs', Axes(('streams', 'to'))),
  (r'layer_\d+/altup/prediction_coefs', Axes(('streams', 'from', 'to'))),
  (
    r'layer_\d+/(altup/)?(correct_output_scale|\w+_norm(_layer)?/scale)',
    Axes(('width',)),
  ),
  (
    r'layer_\d+/per_layer_mapping/post_per_layer_input_norm/scale',
    Axes(('width',)),
  ),
  (r'layer_\d+/skip_scale', Axes(('one',))),
)
# The first pattern that matches the whole path counts. There is no catch-all:
# an unknown parameter is an error.
TABLE: tuple[tuple[str, Axes], ...] = (
  (r'embedder/input_embedding', Axes(('vocabulary', 'width'))),
  (
    r'layer_\d+/attn/q_einsum/w',
    Axes(('heads', 'width', 'head'), inputs=('width',)),
  ),
  (
    r'layer_\d+/attn/kv_einsum/w',
    Axes(('matrices', 'key heads', 'width', 'head'), inputs=('width',)),
  ),
  (
    r'layer_\d+/attn/qkv_einsum/w',
    Axes(('matrices', 'heads', 'width', 'head'), inputs=('width',)),
  ),
  (
    r'layer_\d+/attn/attn_vec_einsum/w',
    Axes(('heads', 'head', 'width'), inputs=('heads', 'head')),
  ),
  (r'layer_\d+/attn/_(query|key)_norm/scale', Axes(('head',))),
  (_GATING, Axes(('matrices', 'hidden', 'width'), inputs=('width',))),
  (r'layer_\d+/mlp2?/linear', Axes(('hidden', 'width'), inputs=('hidden',))),
  (r'layer_\d+/(pre|post)_(attention|ffw)_norm/scale', Axes(('width',))),
  (r'final_norm/scale', Axes(('width',))),
  *_OF_PACKAGED,
)
# Gemma 2 stores the gate untransposed (`transpose_gating_einsum` is off).
_GATING_UNTRANSPOSED = Axes(('matrices', 'width', 'hidden'), inputs=('width',))


def axes(params: Params) -> Any:
  """The tree of `Axes` of a parameter tree.

  Args:
    params: parameters of a model, or adapters of `lora`, or their shapes.

  Raises:
    ValueError: for a parameter that is not in the table.
  """
  shapes = {
    path_of(keys): leaf.shape
    for keys, leaf in jax.tree_util.tree_leaves_with_path(params)
  }
  return jax.tree_util.tree_map_with_path(
    lambda keys, _: _axes(path_of(keys), shapes), params
  )


def path_of(keys: tuple[Any, ...]) -> str:
  """'layer_0/mlp/linear', from the keys of a nested dict."""
  return '/'.join(key.key for key in keys)


def _axes(path: str, shapes: dict[str, tuple[int, ...]]) -> Axes:
  matrix, _, part = path.rpartition('/')
  if part in ('down', 'up'):
    return _axes_of_adapter(matrix, part)
  found = next((a for p, a in TABLE if re.fullmatch(p, path)), None)
  if found is None:
    raise ValueError(
      f'unknown parameter {path!r} of shape {shapes[path]}: add its axes to'
      ' model/parameters.TABLE'
    )
  if re.fullmatch(_GATING, path):
    # `linear` is (hidden, width) in every layout, so it shows which one this
    # is. Where both widths are equal, either reading is right: Muon turns a
    # square matrix alike, and splitting the other axis computes the same.
    linear = shapes[path.removesuffix('gating_einsum') + 'linear']
    if shapes[path][1:] != linear:
      found = _GATING_UNTRANSPOSED
  assert len(found.names) == len(shapes[path]), (path, found, shapes[path])
  return found


def _axes_of_adapter(matrix: str, part: str) -> Axes:
  """The axes of an adapter of `lora`, one half of a low-rank matrix."""
  of_matrix = next((a for p, a in TABLE if re.fullmatch(p, matrix)), Axes(()))
  stacked = tuple(name for name in of_matrix.names if name in STACKED)
  if part == 'down':
    return Axes((*stacked, *of_matrix.inputs, 'rank'))
  return Axes((*stacked, 'rank', *of_matrix.outputs))
