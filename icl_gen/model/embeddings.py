"""Surgery on the embedding table."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp


def redraw(params, ids: Sequence[int], *, seed: int):
  """Draws embeddings anew, each as long as it was.

  Words that are used alike early in training (`more` and `less`) end up with
  nearly the same embedding; with tied embeddings the model then can neither
  read nor say the difference, and the gradient that would part them vanishes.

  Args:
    params: the gemma package's parameter tree.
    ids: which rows of the table.
    seed: of the draw.

  Returns:
    the tree with the new rows.
  """
  if not ids:
    return params
  table_VxD = params['embedder']['input_embedding']
  rows = jnp.asarray(ids)
  norms = jnp.linalg.norm(table_VxD[rows], axis=1, keepdims=True)
  drawn = jax.random.normal(
    jax.random.key(seed), (len(ids), table_VxD.shape[1]), table_VxD.dtype
  )
  drawn *= norms / jnp.linalg.norm(drawn, axis=1, keepdims=True)
  embedder = params['embedder'] | {
    'input_embedding': table_VxD.at[rows].set(drawn)
  }
  return params | {'embedder': embedder}
