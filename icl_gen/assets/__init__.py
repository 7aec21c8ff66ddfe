"""The embedded nano Gemmas: weights, their tokenizer, the model card."""

from importlib import resources


def path(name: str) -> str:
  """Path of what ships: a model's name, or `tokenizer.model`."""
  return str(resources.files(__name__) / name)
