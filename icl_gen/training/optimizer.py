"""Optimizers: AdamW for finetuning, Muon for pretraining from nothing."""

from collections.abc import Sequence

import jax
import optax
from optax import contrib

# Axes that a weight reduces over and produces; the others are stacked
# matrices. By the last names of the path in the gemma package's tree.
_MUON_AXES = {
  'q_einsum': ((1,), (0, 2)),
  'kv_einsum': ((2,), (1, 3)),
  'qkv_einsum': ((2,), (1, 3)),
  'attn_vec_einsum': ((0, 1), (2,)),
  'gating_einsum': ((2,), (1,)),
  'linear': ((0,), (1,)),
}
# As Gemma 2 stores it (`transpose_gating_einsum` is off): [2, D, F].
_GATING_AS_IS = ((1,), (2,))


def _muon_axes(params):
  # Of both layouts, the matrix beside it is [F, D]; where F is D, the layouts
  # need not be told apart: a square matrix is turned alike either way.
  hidden_width = {
    tuple(path[:-1]): leaf.shape
    for path, leaf in jax.tree_util.tree_leaves_with_path(params)
    if path[-1].key == 'linear'
  }

  def axes(path, leaf):
    names = [key.key for key in path]
    name = names[-2] if names[-1] == 'w' else names[-1]
    if leaf.ndim < 2 or name == 'input_embedding':
      return None  # AdamW
    if name not in _MUON_AXES:
      raise ValueError(
        f'no Muon axes are known for parameter {"/".join(names)!r} of shape'
        f" {leaf.shape}; add {name!r} to _MUON_AXES, or choose 'adamw'"
      )
    reduction, output = _MUON_AXES[name]
    beside = hidden_width[tuple(path[:-1])] if name == 'gating_einsum' else ()
    if beside and leaf.shape[1:] != beside:
      reduction, output = _GATING_AS_IS
    return contrib.MuonDimensionNumbers(reduction, output)

  return jax.tree_util.tree_map_with_path(axes, params)


def make_schedule(
  *, peak: float, warmup_steps: int, steps: int, final_share: float
) -> optax.Schedule:
  """Linear warm-up to `peak`, then a cosine to `final_share * peak`."""
  return optax.warmup_cosine_decay_schedule(
    0.0,
    peak,
    warmup_steps=warmup_steps,
    decay_steps=max(steps, warmup_steps + 1),
    end_value=peak * final_share,
  )


def make_piecewise(
  pieces: Sequence[tuple[int, float, float]], *, warmup_steps: int
) -> optax.Schedule:
  """A linear warm-up, then pieces in which the rate goes straight to another.

  What is learned in a piece does not depend on what comes after it, so a run
  can be made longer without starting again.

  Args:
    pieces: (steps, learning rate at the beginning, learning rate at the end)
      of each; the first includes the warm-up.
    warmup_steps: at the beginning.

  Raises:
    ValueError: if the warm-up does not fit into the first piece.
  """
  if warmup_steps > pieces[0][0]:
    raise ValueError(
      f'{warmup_steps} steps of warm-up do not fit into the first piece, which'
      f' has {pieces[0][0]} steps: take fewer of them'
    )
  schedules = [optax.linear_schedule(0.0, pieces[0][1], warmup_steps)]
  boundaries, begun = [warmup_steps], 0
  for steps, first, last in pieces:
    count = steps if begun else steps - warmup_steps
    begun += steps
    schedules.append(optax.linear_schedule(first, last, count))
    boundaries.append(begun)
  return optax.join_schedules(schedules, boundaries[:-1])


def make_optimizer(
  name: str,
  schedule: optax.Schedule,
  *,
  weight_decay: float,
  clip: float,
  adam_share: float = 0.3,
) -> optax.GradientTransformation:
  """An optax optimizer with gradient clipping by global norm.

  Args:
    name: 'adamw' or 'muon' (Muon for the matrices of `_MUON_AXES`; AdamW for
      embeddings and norms).
    schedule: learning rate by step.
    weight_decay: decoupled weight decay.
    clip: greatest global norm of the gradient.
    adam_share: with Muon, AdamW's learning rate as a share of Muon's.

  Raises:
    ValueError: for an unknown name.
  """
  if name == 'adamw':
    inner = optax.adamw(schedule, b2=0.95, weight_decay=weight_decay)
  elif name == 'muon':
    inner = contrib.muon(
      schedule,
      weight_decay=weight_decay,
      adam_b2=0.95,
      adam_learning_rate=lambda step: adam_share * schedule(step),
      muon_weight_dimension_numbers=_muon_axes,
    )
  else:
    raise ValueError(f"unknown optimizer {name!r}; known are 'adamw', 'muon'")
  return optax.chain(optax.clip_by_global_norm(clip), inner)
