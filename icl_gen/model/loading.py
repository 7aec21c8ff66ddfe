"""Loads a model: module, weights and tokenizer, checked to fit together."""

import dataclasses
import pathlib

import jax
import jax.numpy as jnp

from icl_gen import assets
from icl_gen.model import (
  checkpoints,
  initialisation,
  registry,
  safetensors_folder,
  sharding,
)
from icl_gen.model.package import gm
from icl_gen.model.parameters import Params
from icl_gen.runs import models
from icl_gen.storage import working_copies
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
    checkpoint: directory in the gemma package's format, or a Hugging Face
      folder with safetensors; '' for the weights embedded in icl_gen, which
      nano models have.
    tokenizer: path of the SentencePiece model; '' for the `tokenizer.model` in
      the checkpoint's directory, or for the one embedded in icl_gen.
    dtype: the weights' dtype. Weights of another one are cast, and a line says
      so.
    mesh: from `sharding.make_mesh`; weights are read directly to its devices.
      None, or one device: JAX's default device.

  Returns:
    the model; its embedding table has one row per piece of the tokenizer, so
    that ids without a piece neither count nor can be sampled.

  Raises:
    ValueError: for an unknown model, files that are missing or do not match it,
      weights that are not finite, or a model that cannot be split over the
      mesh.
  """
  module, tokens_of, checkpoint = _prepared(
    name, checkpoint=checkpoint, tokenizer=tokenizer, dtype=dtype
  )
  if mesh is not None and mesh.size == 1:
    mesh = None
  like = _shapes(module, mesh)
  if safetensors_folder.is_folder(checkpoint):
    params = safetensors_folder.load_params(
      checkpoint, like, model=name, architecture=module.config
    )
  else:
    params = checkpoints.load_params(checkpoint, like)
  _require_finite(params, checkpoint)
  return Model(name, module, params, tokens_of, mesh)


def require(
  name: str, *, checkpoint: str = '', tokenizer: str = '', dtype: str
) -> None:
  """Checks what `load` checks before it reads the weights.

  Args:
    name: one of `models.ALL`.
    checkpoint: as for `load`.
    tokenizer: as for `load`.
    dtype: as for `load`.

  Raises:
    ValueError: as `load`; but weights may be damaged or not finite.
  """
  module, _, checkpoint = _prepared(
    name, checkpoint=checkpoint, tokenizer=tokenizer, dtype=dtype
  )
  like = _shapes(module, None)
  if safetensors_folder.is_folder(checkpoint):
    safetensors_folder.require_params(
      checkpoint, like, model=name, architecture=module.config
    )
  else:
    checkpoints.require_params(checkpoint, like)


def _prepared(
  name: str, *, checkpoint: str, tokenizer: str, dtype: str
) -> tuple[gm.nn.Transformer, tokens.Tokenizer, str]:
  """The module, the tokenizer and the directory of the weights."""
  models.require_known(name)
  if name in models.NANO:
    checkpoint = checkpoint or assets.path(name)
  tokenizer = assets.tokenizer(tokenizer, checkpoint=checkpoint)
  if name in models.NANO:
    tokenizer = tokenizer or assets.path('tokenizer.model')
  for path, what in ((checkpoint, 'checkpoint'), (tokenizer, 'tokenizer')):
    if '://' in path:
      raise ValueError(
        f'{what} {path!r} is not a local path: copy it here first, for example'
        ' with `gcloud storage cp --recursive`'
      )
    if not path:
      raise ValueError(
        f'model {name!r} is not embedded: give --config.{what}=PATH (embedded'
        f' models: {", ".join(models.NANO)})'
      )
  module = registry.make_module(name, dtype=dtype)
  working_copies.fetch(checkpoint)
  _require_regular(checkpoint)
  loaded_tokenizer = tokens.load(tokenizer)
  registry.require_vocabulary(name, module, pieces=loaded_tokenizer.size)
  module = registry.with_rows(module, loaded_tokenizer.size)
  _require_same_tokenizer(checkpoint, tokenizer)
  if name in models.PACKAGED and safetensors_folder.is_folder(checkpoint):
    raise ValueError(
      f"model {name!r} is read from the gemma package's checkpoints only, and"
      f' {checkpoint!r} is a Hugging Face folder'
    )
  return module, loaded_tokenizer, checkpoint


def _require_regular(checkpoint: str) -> None:
  """Refuses what is no file in a checkpoint; reading a pipe would never end."""
  for path in sorted(pathlib.Path(checkpoint).rglob('*')):
    if not path.is_file() and not path.is_dir():
      raise ValueError(
        f'checkpoint {checkpoint!r}: {path} is not a regular file (but a link'
        ' to nothing or a device); copy the checkpoint again'
      )


def _shapes(
  module: gm.nn.Transformer, mesh: jax.sharding.Mesh | None
) -> Params:
  """The parameters' shapes, with the shardings to read them to."""
  like = jax.eval_shape(lambda: initialisation.make_params(module, seed=0))
  if mesh is not None:
    places = sharding.shardings(mesh, module, like)
    return jax.tree.map(
      lambda leaf, place: leaf.update(sharding=place), like, places
    )
  place = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
  return jax.tree.map(lambda leaf: leaf.update(sharding=place), like)


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
