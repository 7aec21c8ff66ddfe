"""Fresh parameters, and the scale of their embedding table."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from icl_gen.model.parameters import Params


def make_params(module: Any, *, seed: int) -> Params:
  """Random parameters, as the gemma package draws them."""
  tokens_1xL = jnp.zeros((1, 2), jnp.int32)
  return module.init(jax.random.key(seed), tokens_1xL)['params']


def scaled_to_unit(params: Params) -> Params:
  """Scales the embedding table so that tokens enter the model with unit RMS.

  The package draws embeddings with standard deviation 0.01 and multiplies them
  by sqrt(D) on the way in, which is little next to sublayers whose outputs are
  normalised to unit RMS. Words that are used alike early in training (`more`
  and `less`) then end up with the same embedding (cosine 0.99; 0.77 with this
  scaling), and with tied embeddings the model can afterwards neither read nor
  write the difference.

  Args:
    params: freshly drawn parameters.

  Returns:
    the tree with the table scaled to a root mean square of 1 / sqrt(D).
  """
  table_VxD = params['embedder']['input_embedding']
  rms = jnp.sqrt(jnp.mean(jnp.square(table_VxD)))
  scale = 1.0 / (math.sqrt(table_VxD.shape[1]) * rms)
  embedder = params['embedder'] | {'input_embedding': table_VxD * scale}
  return params | {'embedder': embedder}
