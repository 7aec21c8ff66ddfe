"""Optimizers and learning rate schedules.

AdamW is for fine-tuning, Muon for pretraining from scratch.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
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
  decay_on: str = 'all',
  moments: str = 'float32',
) -> optax.GradientTransformation:
  """An optax optimizer with gradient clipping by global norm.

  Args:
    name: 'adamw'; 'adafactor', which keeps sums over rows and columns instead
      of a moment per weight; or 'muon' (Muon for weight matrices, AdamW for
      embeddings and norms).
    schedule: learning rate by step.
    weight_decay: decoupled weight decay.
    clip: maximum global norm of the gradient.
    adam_share: with Muon, AdamW's learning rate as a fraction of Muon's.
    decay_on: what decays: 'all', or 'matrices' (neither embeddings nor norms).
    moments: dtype in which the optimizer's state is kept; it computes in
      float32.

  Raises:
    ValueError: for an unknown name.
  """
  for given, allowed in (
    (decay_on, ('all', 'matrices')),
    (moments, ('float32', 'bfloat16')),
  ):
    if given not in allowed:
      raise ValueError(f'unknown {given!r}; known are {", ".join(allowed)}')
  mask = _is_matrix if decay_on == 'matrices' else None
  if name == 'adamw':
    inner = optax.adamw(schedule, b2=0.95, weight_decay=weight_decay, mask=mask)
  elif name == 'adafactor':
    # Without optax's scaling by the size of a parameter, the learning rate
    # means what it means for AdamW.
    inner = optax.chain(
      optax.scale_by_factored_rms(),
      optax.clip_by_block_rms(1.0),
      optax.add_decayed_weights(weight_decay, mask=mask),
      optax.scale_by_learning_rate(schedule),
    )
  elif name == 'muon':
    inner = contrib.muon(
      schedule,
      weight_decay=weight_decay,
      weight_decay_mask=mask,
      adam_b2=0.95,
      adam_weight_decay=0.0 if mask else weight_decay,
      adam_learning_rate=lambda step: adam_share * schedule(step),
      muon_weight_dimension_numbers=_muon_axes,
    )
  else:
    raise ValueError(
      f"unknown optimizer {name!r}; known are 'adamw', 'adafactor', 'muon'"
    )
  if moments != 'float32':
    inner = _kept_in(moments, inner)
  return optax.chain(optax.clip_by_global_norm(clip), inner)


def _kept_in(
  dtype: str, inner: optax.GradientTransformation
) -> optax.GradientTransformation:
  """An optimizer whose state is kept in a dtype, and computed in float32."""

  def cast(state: Any, to: Any) -> Any:
    return jax.tree.map(
      lambda leaf: (
        leaf.astype(to) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf
      ),
      state,
    )

  def init(params: Params) -> Any:
    return cast(inner.init(params), dtype)

  def update(updates: Any, state: Any, params: Params | None = None) -> Any:
    found, state = inner.update(updates, cast(state, jnp.float32), params)
    return found, cast(state, dtype)

  return optax.GradientTransformation(init, update)


def _is_matrix(params: Params) -> Any:
  """For each parameter, whether it is a weight matrix."""
  return jax.tree.map(lambda axes: bool(axes.inputs), parameters.axes(params))


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
