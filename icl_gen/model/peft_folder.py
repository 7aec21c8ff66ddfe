"""Writes LoRA adapters as the library peft reads them, apart from the weights.

https://huggingface.co/docs/peft/developer_guides/checkpoint has the format: for
each adapted matrix W of shape (outputs, inputs), `lora_A` (rank, inputs) and
`lora_B` (outputs, rank), such that W + lora_alpha / r * lora_B @ lora_A is
computed with.

Of a model with images, as transformers loads Gemma 3 from 4B on, the text model
has another name than of one with text only.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import safetensors.numpy

from icl_gen.model import hugging_face, parameters
from icl_gen.model.hugging_face import Stored
from icl_gen.model.lora import Lora
from icl_gen.model.parameters import Params

_WEIGHTS = 'adapter_model.safetensors'
_CONFIG = 'adapter_config.json'
# Where the text model is in the model that peft wraps.
_WITH_TEXT_ONLY, _WITH_IMAGES = 'model', 'model.language_model'


def write(
  folder: Path,
  adapters: Params,
  lora: Lora,
  architecture: hugging_face.Architecture,
  *,
  base: str,
  with_images: bool = False,
) -> None:
  """Writes adapters and their configuration.

  Args:
    folder: an existing directory.
    adapters: those that `lora` made, trained.
    lora: what they are.
    architecture: of the model that they adapt.
    base: path of the weights that they adapt, as transformers finds them; '' if
      the user names them.
    with_images: whether those are of a model with images.
  """
  text_model = _WITH_IMAGES if with_images else _WITH_TEXT_ONLY
  tensors = dict(_tensors(adapters, architecture, text_model))
  matrices = sorted({name.split('.')[-3] for name in tensors})
  # The header that transformers' own files have.
  safetensors.numpy.save_file(tensors, folder / _WEIGHTS, {'format': 'pt'})
  config: dict[str, Any] = {
    'peft_type': 'LORA',
    'task_type': 'CAUSAL_LM',
    'base_model_name_or_path': base,
    'r': lora.rank,
    'lora_alpha': lora.alpha,
    'lora_dropout': 0.0,
    'target_modules': _only_in(text_model, matrices)
    if with_images
    else matrices,
    'bias': 'none',
    'fan_in_fan_out': False,
    'inference_mode': True,
  }
  text = json.dumps(config, indent=2, sort_keys=True) + '\n'
  (folder / _CONFIG).write_text(text, 'utf-8')


def _only_in(text_model: str, matrices: Sequence[str]) -> str:
  """The pattern of the matrices' names; what reads images has some alike."""
  inside = re.escape(f'{text_model}.layers.')
  return rf'{inside}\d+\.\w+\.({"|".join(matrices)})'


def _tensors(
  adapters: Params, architecture: hugging_face.Architecture, text_model: str
) -> Iterator[tuple[str, np.ndarray]]:
  """peft's names and arrays."""
  prefix = f'base_model.model.{text_model}.'
  leaves = {
    parameters.path_of(keys): leaf
    for keys, leaf in jax.tree_util.tree_leaves_with_path(adapters)
  }
  for path, down in leaves.items():
    matrix, _, half = path.rpartition('/')
    if half == 'down':
      stored = hugging_face.stored(matrix, architecture)
      up = leaves[f'{matrix}/up']
      for name, array in _of_matrix(stored, np.asarray(down), np.asarray(up)):
        yield prefix + name, array


def _of_matrix(
  stored: Stored, down: np.ndarray, up: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
  """The halves of each of their tensors that one of our matrices has.

  Args:
    stored: where the matrix is among theirs.
    down: [..., inputs, rank]; a first axis counts their tensors if they are
      stacked. Inputs may be several axes, which they flatten.
    up: [..., rank, outputs], likewise.
  """
  if not stored.is_stacked:
    down, up = down[None], up[None]
  rank = down.shape[-1]
  for name, one, other in zip(stored.tensors, down, up, strict=True):
    for half, array in (
      ('A', one.reshape(-1, rank)),
      ('B', other.reshape(rank, -1)),
    ):
      yield f'{name}.lora_{half}.weight', np.ascontiguousarray(array.T)
