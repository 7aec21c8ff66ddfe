"""How Hugging Face names and shapes the parameters of Gemma 2 and Gemma 3.

Used in both directions. Norms multiply by 1 + weight in both, and both rotate
the two halves of a head, so that all differences are names and axes:

| gemma package, layer_i             | Hugging Face, layers.i                  |
|------------------------------------|-----------------------------------------|
| attn/q_einsum/w (N, D, H)          | self_attn.q_proj (N * H, D)             |
| attn/kv_einsum/w (2, K, D, H)      | self_attn.{k,v}_proj (K * H, D)         |
| attn/qkv_einsum/w (3, N, D, H)     | self_attn.{q,k,v}_proj (N * H, D)       |
| attn/attn_vec_einsum/w (N, H, D)   | self_attn.o_proj (D, N * H)             |
| attn/_{query,key}_norm/scale (H)   | self_attn.{q,k}_norm (H)                |
| mlp/gating_einsum (2, F, D)        | mlp.{gate,up}_proj (F, D)               |
| mlp/linear (F, D)                  | mlp.down_proj (D, F)                    |
| pre_attention_norm/scale           | input_layernorm                         |
| post_attention_norm/scale          | post_attention_layernorm                |
| {pre,post}_ffw_norm/scale          | {pre,post}_feedforward_layernorm        |

Without a layer, the table of embeddings (V, D), which is the output head too,
is `embed_tokens`, and final_norm/scale is `norm`.
"""

import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.model import parameters
from icl_gen.model.package import gm
from icl_gen.model.parameters import Params

type Architecture = gm.nn.config.TransformerConfig
# Rows and columns to read of one of their tensors.
Index = tuple[slice, ...]


@dataclasses.dataclass(frozen=True)
class Stored:
  """Where a parameter of ours is among their tensors.

  Attributes:
    tensors: their names, without the model's prefix and '.weight'. If there are
      several, they are stacked along our first axis.
    ours: a letter for each axis of ours, the stacking one left out.
    theirs: their axes, each the letters that it flattens, outermost first.
  """

  tensors: tuple[str, ...]
  ours: str
  theirs: tuple[str, ...]

  @property
  def is_stacked(self) -> bool:
    """Whether our first axis counts their tensors."""
    return len(self.tensors) > 1

  def their_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of each of their tensors, from the shape of ours."""
    size = self._sizes(shape)
    return tuple(
      math.prod(size[letter] for letter in axis) for axis in self.theirs
    )

  def read(
    self,
    index: tuple[slice, ...],
    shape: tuple[int, ...],
    read: Callable[[str, Index], np.ndarray],
  ) -> np.ndarray:
    """A part of ours, made from no more of theirs than is needed.

    Of axes that they flatten, the outermost is read in part, the others whole.

    Args:
      index: which part, one slice per axis of ours.
      shape: the shape of all of ours.
      read: reads a part of one of their tensors.
    """
    size = self._sizes(shape)
    tensors, part = self.tensors, index
    if self.is_stacked:
      tensors, part = tensors[index[0]], index[1:]
    wanted = {
      letter: slice(*one.indices(size[letter]))
      for letter, one in zip(self.ours, part, strict=True)
    }
    arrays = []
    for name in tensors:
      found = read(name, tuple(_rows(a, wanted, size) for a in self.theirs))
      arrays.append(self._to_ours(found, wanted, size))
    return np.stack(arrays) if self.is_stacked else arrays[0]

  def _to_ours(
    self,
    found: np.ndarray,
    wanted: Mapping[str, slice],
    size: Mapping[str, int],
  ) -> np.ndarray:
    letters = ''.join(self.theirs)
    outermost = {axis[0] for axis in self.theirs}
    found = found.reshape(
      [_length(wanted[x]) if x in outermost else size[x] for x in letters]
    )
    found = found[
      tuple(slice(None) if x in outermost else wanted[x] for x in letters)
    ]
    return found.transpose([letters.index(x) for x in self.ours])

  def write(self, ours: np.ndarray) -> dict[str, np.ndarray]:
    """Their tensors by name, of all of ours."""
    arrays = list(ours) if self.is_stacked else [ours]
    letters = ''.join(self.theirs)
    return {
      name: np.ascontiguousarray(
        array.transpose([self.ours.index(x) for x in letters])
      ).reshape(self.their_shape(ours.shape))
      for name, array in zip(self.tensors, arrays, strict=True)
    }

  def _sizes(self, shape: tuple[int, ...]) -> dict[str, int]:
    return dict(zip(self.ours, shape[self.is_stacked :], strict=True))


def _rows(
  axis: str, wanted: Mapping[str, slice], size: Mapping[str, int]
) -> slice:
  """The part of one of their axes that covers what is wanted."""
  inner = math.prod(size[letter] for letter in axis[1:])
  outer = wanted[axis[0]]
  return slice(outer.start * inner, outer.stop * inner)


def _length(one: slice) -> int:
  length: int = one.stop - one.start
  return length


_QKV = tuple(f'self_attn.{name}_proj' for name in 'qkv')
_HEADS = ('NH', 'D')
# Our name in a layer -> where it is in theirs.
_LAYER = {
  'attn/q_einsum/w': Stored(_QKV[:1], 'NDH', _HEADS),
  'attn/kv_einsum/w': Stored(_QKV[1:], 'NDH', _HEADS),
  'attn/qkv_einsum/w': Stored(_QKV, 'NDH', _HEADS),
  'attn/attn_vec_einsum/w': Stored(('self_attn.o_proj',), 'NHD', ('D', 'NH')),
  'attn/_query_norm/scale': Stored(('self_attn.q_norm',), 'H', ('H',)),
  'attn/_key_norm/scale': Stored(('self_attn.k_norm',), 'H', ('H',)),
  'mlp/gating_einsum': Stored(
    ('mlp.gate_proj', 'mlp.up_proj'), 'FD', ('F', 'D')
  ),
  'mlp/linear': Stored(('mlp.down_proj',), 'FD', ('D', 'F')),
} | {
  f'{ours}/scale': Stored((theirs,), 'D', ('D',))
  for ours, theirs in {
    'pre_attention_norm': 'input_layernorm',
    'post_attention_norm': 'post_attention_layernorm',
    'pre_ffw_norm': 'pre_feedforward_layernorm',
    'post_ffw_norm': 'post_feedforward_layernorm',
  }.items()
}
_OUTSIDE = {
  'embedder/input_embedding': Stored(('embed_tokens',), 'VD', ('V', 'D')),
  'final_norm/scale': Stored(('norm',), 'D', ('D',)),
}


def stored(path: str, architecture: Architecture) -> Stored:
  """Where a parameter is among their tensors.

  Args:
    path: as of `parameters.path_of`, for example 'layer_3/mlp/linear'.
    architecture: the architecture, which says how the gate's axes lie.
  """
  in_layer = re.fullmatch(r'layer_(\d+)/(.*)', path)
  if not in_layer:
    return _OUTSIDE[path]
  number, name = in_layer.groups()
  found = _LAYER[name]
  if name == 'mlp/gating_einsum' and not architecture.transpose_gating_einsum:
    found = dataclasses.replace(found, ours='DF')
  return dataclasses.replace(
    found, tensors=tuple(f'layers.{number}.{one}' for one in found.tensors)
  )


def tensors(
  params: Params, architecture: Architecture
) -> Iterator[tuple[str, np.ndarray]]:
  """Their tensors, as a model with text only names them, one after another.

  Args:
    params: our parameters.
    architecture: the architecture.
  """
  for keys, leaf in jax.tree_util.tree_leaves_with_path(params):
    # An array on an accelerator keeps its copy on the host as long as it lives.
    array = np.asarray(jnp.copy(leaf))
    for name, tensor in (
      stored(parameters.path_of(keys), architecture).write(array).items()
    ):
      yield f'model.{name}.weight', tensor
