"""The scale of a fresh embedding table."""

import math

import jax.numpy as jnp


def scaled_to_unit(params):
  """Scales the table so that tokens enter the first block with unit RMS.

  The package draws embeddings of standard deviation 0.01 and multiplies them
  by sqrt(D) on the way in. Next to sublayers whose outputs are normalised to
  unit RMS this is little: words that are used alike early in training (`more`
  and `less`) then end up with the same embedding, and with tied embeddings
  the model can afterwards neither read nor say the difference.

  Args:
    params: the gemma package's parameter tree, freshly drawn.

  Returns:
    the tree with the table scaled to root mean square 1 / sqrt(D).
  """
  table_VxD = params['embedder']['input_embedding']
  rms = jnp.sqrt(jnp.mean(jnp.square(table_VxD)))
  scale = 1.0 / (math.sqrt(table_VxD.shape[1]) * rms)
  embedder = params['embedder'] | {'input_embedding': table_VxD * scale}
  return params | {'embedder': embedder}
