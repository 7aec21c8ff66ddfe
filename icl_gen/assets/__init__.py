"""The nano Gemmas that ship with the package, with tokenizer and model card."""

from importlib import resources


def path(name: str) -> str:
  """Returns the path of a nano model's directory, or of `tokenizer.model`."""
  return str(resources.files(__name__) / name)
