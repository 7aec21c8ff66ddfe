"""Saves the adapters of a run apart from the weights they are merged into."""

from pathlib import Path
from typing import Any

import jax

from icl_gen import processes
from icl_gen.model import forward, peft_folder, safetensors_folder, sharding
from icl_gen.model.lora import Lora
from icl_gen.model.parameters import Params
from icl_gen.storage import files

NAME = 'adapters'


def save(
  directory: Path,
  adapters: Params,
  lora: Lora | None,
  module: Any,
  base: str,
) -> None:
  """Writes a folder for peft, if there are adapters; all processes call it.

  None for Gemma 3n and 4, whose adapters are merged only.

  Args:
    directory: of the run; <directory>/adapters is written, and replaced if it
      exists.
    adapters: trained ones, wherever they are.
    lora: what they are; None: weights are trained, and nothing is written.
    module: from `registry.make_module`.
    base: the checkpoint that was trained.
  """
  # peft's names for matrices of Gemma 3n and 4 are not known here.
  if lora is None or not forward.is_dense(module):
    return
  # Before the first process writes, as all of them must take part.
  whole = jax.tree.map(sharding.on_host, adapters)
  if not processes.is_first():
    return
  # peft asks transformers for the base, which reads Hugging Face folders only.
  if base and not safetensors_folder.is_folder(base):
    base = ''
  with files.atomic_write(directory / NAME) as partial:
    partial.mkdir()
    peft_folder.write(
      partial,
      whole,
      lora,
      module.config,
      base=base,
      with_images=bool(base) and safetensors_folder.has_images(base),
    )
