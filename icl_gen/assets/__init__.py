"""The nano Gemmas that ship with the package, with tokenizer and model card."""

import pathlib
from importlib import resources


def path(name: str) -> str:
  """Returns the path of a nano model's directory, or of `tokenizer.model`."""
  return str(resources.files(__name__) / name)


def tokenizer(given: str, *, checkpoint: str) -> str:
  """Returns the path of the tokenizer that a checkpoint is used with.

  Args:
    given: the path that a config gives, which counts; '' for none.
    checkpoint: directory of weights, which may have a `tokenizer.model` in it,
      as Hugging Face's folders do; '' for embedded ones.

  Returns:
    '' if neither says, which stands for the embedded tokenizer.
  """
  own = pathlib.Path(checkpoint) / 'tokenizer.model'
  return given or (str(own) if checkpoint and own.is_file() else '')
