"""Where the gemma package's checkpoints keep each parameter.

The package and its training have written the same parameters in several trees:

  nested    layer_0/attn/q_einsum/w
  flat      transformer/layer_0/attn/q_einsum -> w; mlp/linear -> w
  stacked   transformer/stacked_layers/attention_type_1/attn/q_einsum -> w:
            layers 1, 1 + n, 1 + 2n, ..., where n is the number of types
  kauldron  a training state, with the nested tree under `params`

Any of them may be wrapped in {'params': ...}.
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
from jax.sharding import NamedSharding, PartitionSpec

from icl_gen.model import casting, differences

# The parts of a training state of kauldron.
_KAULDRON = {'collections', 'opt_state', 'params', 'step'}
# What belongs to images and sound.
_OTHER_MODALITIES = re.compile(r'(.*/)?(mm_|audio_|vision_|SigLiP)')
_LORA = re.compile(r'(.*/)?lora/[ab]')
_QUANTISED = re.compile(r'(.*/)?_?(SimulateQuantized|Int(Dense|Einsum))\w*/')
_STACKED = re.compile(r'stacked_layers/attention_type_(\d+)/(.*)')


@dataclasses.dataclass(frozen=True)
class Place:
  """Where a parameter is in a checkpoint's tree.

  Attributes:
    array: path of the array in that tree, as of `path_of`.
    row: of an array that stacks several layers; None: the whole array.
    shape: of the parameter.
    dtype: its dtype in the checkpoint.
  """

  array: str
  row: int | None
  shape: tuple[int, ...]
  dtype: str


def places(tree: Any) -> dict[str, Place]:
  """Every parameter of a checkpoint, by its path in the nested layout.

  Args:
    tree: nested dicts of anything that has a shape and a dtype.

  Raises:
    ValueError: for LoRA adapters and quantised weights.
  """
  above = _above(tree)
  arrays = {
    path_of(keys): leaf
    for keys, leaf in jax.tree_util.tree_leaves_with_path(_unwrapped(tree))
  }
  paths = {name: _nested(name) for name in arrays}
  types = 1 + max(
    (int(m[1]) for p in paths.values() if (m := _STACKED.fullmatch(p))),
    default=-1,
  )
  found = {}
  for name, leaf in arrays.items():
    path, shape = paths[name], tuple(leaf.shape)
    _require_plain(path)
    place = Place('/'.join((*above, name)), None, shape, str(leaf.dtype))
    if stacked := _STACKED.fullmatch(path):
      kind, name = int(stacked[1]), stacked[2]
      for row in range(shape[0]):
        found[f'layer_{row * types + kind}/{name}'] = dataclasses.replace(
          place, row=row, shape=shape[1:]
        )
    else:
      found[path] = place
  return found


def path_of(keys: tuple[Any, ...]) -> str:
  """The path of an array in a tree of any layout."""
  return jax.tree_util.keystr(keys, simple=True, separator='/')


def matched(
  path: Path, tree: Any, wanted: Mapping[str, jax.ShapeDtypeStruct]
) -> dict[str, Place]:
  """Where the wanted parameters are; says what is left out, and cast.

  Args:
    path: the checkpoint, for messages.
    tree: its tree.
    wanted: a model's parameters, by path.

  Raises:
    ValueError: if it has other parameters, LoRA adapters or quantised weights.
  """
  try:
    found = places(tree)
  except ValueError as error:
    raise ValueError(
      f'checkpoint {str(path)!r} cannot be used: {error}'
    ) from error
  others = _other_modalities(found, wanted)
  found = {name: one for name, one in found.items() if name not in others}
  shapes = {name: list(one.shape) for name, one in found.items()}
  table = 'embedder/input_embedding'
  if table in found and table in wanted:
    rows = min(found[table].shape[0], wanted[table].shape[0])
    shapes[table][0] = rows
  if differing := differences.describe(
    {name: str(shape) for name, shape in shapes.items()},
    {name: str(list(leaf.shape)) for name, leaf in wanted.items()},
  ):
    raise ValueError(
      f'checkpoint {str(path)!r} is not of this model: {differing}. Choose'
      ' the model that it was saved with.'
    )
  if others:
    print(
      f'leaving out {len(others)} arrays of {path} for images and sound',
      flush=True,
    )
  casting.announce(
    str(path),
    {name: one.dtype for name, one in found.items()},
    {name: str(leaf.dtype) for name, leaf in wanted.items()},
  )
  return found


def _other_modalities(
  found: Mapping[str, Place], wanted: Mapping[str, Any]
) -> set[str]:
  """The parameters that belong to images and sound and that nobody wants."""
  return {
    path
    for path in found
    if path not in wanted and _OTHER_MODALITIES.match(path)
  }


def _above(tree: Any) -> tuple[str, ...]:
  """The keys of the wrappers around the parameters."""
  keys: tuple[str, ...] = ()
  while isinstance(tree, Mapping) and set(tree) in ({'params'}, _KAULDRON):
    keys, tree = (*keys, 'params'), tree['params']
  return keys


def _unwrapped(tree: Any) -> Any:
  for key in _above(tree):
    tree = tree[key]
  return tree


def _nested(path: str) -> str:
  """The path in the nested layout, of a path in any layout."""
  path = path.removeprefix('transformer/')
  # The nested layout keeps these two matrices without a name of their own.
  return re.sub(r'/mlp/(linear|gating_einsum)/w$', r'/mlp/\1', path)


def _require_plain(path: str) -> None:
  if _LORA.match(path):
    raise ValueError(
      f'it has LoRA adapters ({path}): merge them into the weights first'
      ' (gemma.peft), or give the checkpoint without them'
    )
  if _QUANTISED.match(path):
    raise ValueError(
      f'it is a tree of quantised training ({path}), which is not supported:'
      ' give the unquantised checkpoint'
    )


# --- arrays -----------------------------------------------------------------


def targets(
  tree: Any, found: Mapping[str, Place], like: Mapping[str, Any], *, skip: Any
) -> Any:
  """What to read of a checkpoint: shapes as stored, and where they go.

  Args:
    tree: the checkpoint's tree.
    found: its parameters.
    like: shapes with shardings of those that are wanted, by path.
    skip: what stands for an array that is not read.

  Returns:
    the tree with a shape or `skip` for each array.
  """
  shardings = {
    found[path].array: _of_array(leaf.sharding, found[path])
    for path, leaf in like.items()
  }

  def target(keys: Any, leaf: Any) -> Any:
    sharding = shardings.get(path_of(keys))
    if sharding is None:
      return skip
    return jax.ShapeDtypeStruct(
      leaf.shape, leaf.dtype, sharding=_fitting(sharding, tuple(leaf.shape))
    )

  return jax.tree_util.tree_map_with_path(target, tree)


def _of_array(sharding: Any, place: Place) -> Any:
  """The sharding of the array that a parameter is in."""
  if place.row is None or not isinstance(sharding, NamedSharding):
    return sharding
  return NamedSharding(sharding.mesh, PartitionSpec(None, *sharding.spec))


def _fitting(sharding: Any, shape: tuple[int, ...]) -> Any:
  """The sharding, or one that is whole on each device if it cannot split."""
  try:
    sharding.shard_shape(shape)
  except ValueError:
    return NamedSharding(sharding.mesh, PartitionSpec())
  return sharding


def assembled(
  arrays: dict[str, jax.Array],
  found: Mapping[str, Place],
  like: Mapping[str, Any],
) -> dict[str, jax.Array]:
  """The parameters, as they are wanted, from the arrays of a checkpoint.

  Args:
    arrays: by path; emptied, so that only one array at a time exists twice.
    found: the parameters of the checkpoint.
    like: shapes, dtypes and shardings of the wanted ones, by path. An embedding
      table may be wanted with fewer rows than there are.

  Returns:
    the parameters by path.
  """
  paths_in: dict[str, list[str]] = {}
  for path in like:
    paths_in.setdefault(found[path].array, []).append(path)
  out = {}
  for name, paths in paths_in.items():
    array = arrays.pop(name)
    for path in paths:
      wanted, row = like[path], found[path].row
      part = array if row is None else _row(array, row)
      if part.shape != wanted.shape:
        part = part[: wanted.shape[0]]
      part = casting.cast(part, str(wanted.dtype))
      out[path] = jax.device_put(part, wanted.sharding)
  return out


@jax.jit
def _row(array: jax.Array, row: int) -> jax.Array:
  return jax.lax.dynamic_index_in_dim(array, row, keepdims=False)
