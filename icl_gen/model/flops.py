"""Floating-point operations of a model, counted from its shapes."""

from typing import Any

import jax

from icl_gen.model import forward, parameters
from icl_gen.model.parameters import Params


def of_training(module: Any, params: Params, *, rows: int, length: int) -> int:
  """Operations of one training step, rematerialisation not counted.

  Three times those of the forward pass: two per weight of a matrix and token
  (the embedding table counts once, as the output head), and two products of
  every query with the keys that it sees, at most (causal, and within the
  window), as if a row were one text.

  Args:
    module: from `registry.make_module`.
    params: its parameters, or their shapes.
    rows: rows of a batch.
    length: tokens per row.
  """
  config = module.config
  seen = sum(_seen(length, window) for window in forward.windows(module))
  attention = 4 * config.num_heads * config.head_dim * seen
  weights = 2 * _weights(params) * length
  return 3 * rows * (weights + attention)


def of_forward(params: Params, *, tokens: int) -> int:
  """Operations of the matrices, head included, for so many tokens.

  Args:
    params: of a model, or their shapes.
    tokens: that go through the model.
  """
  return 2 * _weights(params) * tokens


def _weights(params: Params) -> int:
  """The number of weights that a token is multiplied with."""
  return sum(
    leaf.size
    for leaf, axes in zip(
      jax.tree.leaves(params),
      jax.tree.leaves(parameters.axes(params)),
      strict=True,
    )
    if axes.inputs or 'vocabulary' in axes.names
  )


def _seen(length: int, window: int | None) -> int:
  """How many (query, key) pairs of a row a layer has."""
  width = min(length, window or length)
  return width * (width + 1) // 2 + (length - width) * width
