"""Loads a model: module, weights and tokenizer, checked to fit together."""

import dataclasses
import pathlib

import jax
import jax.numpy as jnp
from gemma import gm

from icl_gen import assets
from icl_gen.model import checkpoints, initialisation, registry, sharding
from icl_gen.model.parameters import Params
from icl_gen.text import tokens


@dataclasses.dataclass(frozen=True)
class Model:
  """What training, scoring and sampling receive.

  Attributes:
    name: the model's name in the registry.
    module: its Flax module.
    params: its parameter tree, in the gemma package's layout.
    tokenizer: its tokenizer.
    mesh: the devices that it is on, with axes 'data' and 'model'; None: one.
  """

  name: str
  module: gm.nn.Transformer
  params: Params
  tokenizer: tokens.Tokenizer
  mesh: jax.sharding.Mesh | None = None


def load(
  name: str,
  *,
  checkpoint: str = '',
  tokenizer: str = '',
  dtype: str = 'float32',
  mesh: jax.sharding.Mesh | None = None,
) -> Model:
  """Loads a model.

  Args:
    name: a name in the registry.
    checkpoint: directory in the gemma package's format; '' for the weights
      embedded in icl_gen, which nano models have.
    tokenizer: path of the SentencePiece model; '' as for `checkpoint`.
    dtype: the weights' dtype.
    mesh: from `sharding.make_mesh`; weights are read directly to its devices.
      None, or one device: JAX's default device.

  Raises:
    ValueError: for an unknown model, files that are missing or do not match it,
      weights that are not finite, or a model that cannot be split over the
      mesh.
  """
  module = registry.make_module(name, dtype=dtype)
  if name in registry.NANO:
    checkpoint = checkpoint or assets.path(name)
    tokenizer = tokenizer or assets.path('tokenizer.model')
  for path, what in ((checkpoint, 'checkpoint'), (tokenizer, 'tokenizer')):
    if not path:
      raise ValueError(
        f'model {name!r} is not embedded: give --config.{what}=PATH (embedded'
        f' models: {", ".join(registry.NANO)})'
      )
  _require_regular(checkpoint)
  loaded_tokenizer = tokens.load(tokenizer)
  registry.require_vocabulary(name, module, pieces=loaded_tokenizer.size)
  _require_same_tokenizer(checkpoint, tokenizer)
  like = jax.eval_shape(lambda: initialisation.make_params(module, seed=0))
  if mesh is not None and mesh.size == 1:
    mesh = None
  if mesh is not None:
    like = jax.tree.map(
      lambda leaf, place: leaf.update(sharding=place),
      like,
      sharding.shardings(mesh, module, like),
    )
  params = checkpoints.load_params(checkpoint, like)
  _require_finite(params, checkpoint)
  return Model(name, module, params, loaded_tokenizer, mesh)


def _require_regular(checkpoint: str) -> None:
  """Refuses what is no file in a checkpoint; reading a pipe would never end."""
  for path in sorted(pathlib.Path(checkpoint).rglob('*')):
    if not path.is_file() and not path.is_dir():
      raise ValueError(
        f'checkpoint {checkpoint!r}: {path} is not a regular file (but a link'
        ' to nothing or a device); copy the checkpoint again'
      )


def _require_same_tokenizer(checkpoint: str, tokenizer: str) -> None:
  """Checks that weights pretrained here are used with their own tokenizer.

  Another tokenizer may have the same number of pieces, so sizes do not tell.
  """
  directory = pathlib.Path(checkpoint).parent
  own = directory / 'tokenizer.model'
  if not (directory / 'pretrain.config.json').is_file() or not own.is_file():
    return
  if own.read_bytes() != pathlib.Path(tokenizer).read_bytes():
    raise ValueError(
      f'checkpoint {checkpoint!r} was pretrained with {str(own)!r}, not with'
      f' {tokenizer!r}: give --config.tokenizer={own}'
    )


def _require_finite(params: Params, checkpoint: str) -> None:
  """Checks all weights, one array at a time: large models fill the memory."""
  bad = [
    jax.tree_util.keystr(path, simple=True, separator='/')
    for path, leaf in jax.tree_util.tree_leaves_with_path(params)
    if not _is_finite(leaf)
  ]
  if bad:
    more = f' and {len(bad) - 1} more' if len(bad) > 1 else ''
    raise ValueError(
      f'checkpoint {checkpoint!r} cannot be used: {bad[0]}{more} has NaN or'
      ' infinite values. Give another --config.checkpoint, or train it again'
      ' with a lower learning rate.'
    )


@jax.jit
def _is_finite(leaf: jax.Array) -> jax.Array:
  return jnp.isfinite(leaf).all()
