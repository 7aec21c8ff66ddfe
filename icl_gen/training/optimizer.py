"""Optimizers and learning rate schedules.

AdamW is for fine-tuning, Muon for pretraining from scratch.
"""

from collections.abc import Sequence
from typing import Any

import jax
import optax
from optax import contrib

from icl_gen.model import parameters
from icl_gen.model.parameters import Params


def make_schedule(
  *, peak: float, warmup_steps: int, steps: int, final_share: float
) -> optax.Schedule:
  """Linear warm-up to `peak`, then cosine decay to `final_share * peak`."""
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
  """A linear warm-up, then pieces in each of which the rate is linear.

  The rate in a piece does not depend on later pieces, so a run can be extended
  without starting again.

  Args:
    pieces: (steps, first learning rate, last learning rate) of each piece; the
      first piece includes the warm-up.
    warmup_steps: steps of the warm-up.

  Raises:
    ValueError: if the warm-up is longer than the first piece.
  """
  if warmup_steps > pieces[0][0]:
    raise ValueError(
      f'{warmup_steps} steps of warm-up do not fit into the first piece, which'
      f' has {pieces[0][0]} steps: give a shorter warm-up'
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
    name: 'adamw', or 'muon' (Muon for weight matrices, AdamW for embeddings and
      norms).
    schedule: learning rate by step.
    weight_decay: decoupled weight decay.
    clip: maximum global norm of the gradient.
    adam_share: with Muon, AdamW's learning rate as a fraction of Muon's.

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


def _muon_axes(params: Params) -> Any:
  """For each parameter, the axes Muon sums over and produces; None: AdamW."""

  def axes_of(axes: parameters.Axes) -> Any:
    if not axes.inputs:
      return None
    return contrib.MuonDimensionNumbers(
      reduction_axis=tuple(map(axes.names.index, axes.inputs)),
      output_axis=tuple(map(axes.names.index, axes.outputs)),
    )

  return jax.tree.map(axes_of, parameters.axes(params))
