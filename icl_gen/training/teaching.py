"""Teaches a curriculum: measures skills, and says which lesson comes next."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from icl_gen.model import forward, head, precision, sharding
from icl_gen.model.parameters import Params
from icl_gen.pretraining import curriculum
from icl_gen.pretraining.curriculum import Lesson, Progress
from icl_gen.pretraining.stream import Stage
from icl_gen.text.tokens import Tokenizer
from icl_gen.training import loop, optimizer
from icl_gen.training.choosing import Verdict
from icl_gen.training.plan import Plan
from icl_gen.types import Batch

_STATE = 'curriculum'
# The same words in the forms of pretraining, and in forms that it does not
# have: what only the latter lack is wording, not the skill.
PARTS = ('seen', 'development')
# (parameters, ids int32[B, L]) -> the likeliest id for each place.
Predict = Callable[[Params, np.ndarray], np.ndarray]


def make_predict(module: Any, plan: Plan) -> Predict:
  """Makes a function that predicts every id of rows from those before it.

  Args:
    module: from `registry.make_module`.
    plan: the devices, and how to compute on them.
  """

  @jax.jit
  @precision.of(module.dtype)
  def predicted(params: Params, ids_BxL: jax.Array) -> jax.Array:
    positions = jnp.broadcast_to(jnp.arange(ids_BxL.shape[1]), ids_BxL.shape)
    attend = forward.within_batch(
      positions, jnp.ones_like(positions), mesh=plan.mesh
    )
    hidden, _ = forward.forward(module, params, ids_BxL, positions, attend)
    likeliest_BxL = jnp.argmax(head.logits(module, params, hidden), axis=-1)
    return jnp.pad(likeliest_BxL[:, :-1], ((0, 0), (1, 0)))

  def predict(params: Params, ids_BxL: np.ndarray) -> np.ndarray:
    # Rows are split over the devices, so there must be enough for all.
    rows = len(ids_BxL)
    padded = np.pad(ids_BxL, ((0, -rows % plan.mesh.size), (0, 0)))
    return sharding.on_host(predicted(params, jnp.asarray(padded)))[:rows]

  return predict


def schedule(
  lessons: Sequence[Lesson], *, warmup_steps: int, is_fixed: bool
) -> Callable[[int, int], optax.Schedule]:
  """Returns the learning rate of a lesson, by its number and first step.

  Args:
    lessons: all lessons.
    warmup_steps: of the first one.
    is_fixed: whether all lessons take as many steps as they may. One schedule
      then serves all of them.
  """
  pieces = [(one.stage.steps, *one.stage.learning_rate) for one in lessons]
  whole = optimizer.make_piecewise(pieces, warmup_steps=warmup_steps)
  if is_fixed:
    return lambda lesson, begun: whole

  def of_lesson(lesson: int, begun: int) -> optax.Schedule:
    if not lesson:
      return whole
    steps, first, last = pieces[lesson]
    return optax.linear_schedule(first, last, steps, transition_begin=begun)

  return of_lesson


def teach(
  teacher: 'Teacher',
  state: Any,
  *,
  make_step: Callable[[int, int], Any],
  batches: Callable[[Stage, int], Iterator[Batch]],
  check_every: int,
  **how: Any,
) -> Any:
  """Trains through all lessons that are left; returns the state after them.

  Args:
    teacher: where the run is.
    state: the state there; it is donated.
    make_step: makes the step of a lesson, from its number and first step.
    batches: yields those of a stage from a step on.
    check_every: steps between two measurements; 0: never, and all lessons have
      the step of the first one, so that programs for equal rows are shared.
    **how: further arguments of `loop.loop`.
  """
  step_of = functools.cache(make_step)
  while not teacher.is_over:
    lesson, progress = teacher.lesson, teacher.progress
    place = (progress.lesson, progress.begun) if check_every else (0, 0)
    first = int(state.step)
    state = loop.loop(
      state,
      batches(lesson.stage, first),
      step_of(*place),
      first_step=first,
      steps=progress.begun + lesson.stage.steps,
      evaluate_every=check_every if lesson.skills else 0,
      evaluate=teacher.evaluate,
      **how,
    )
    teacher.end(lesson, step=int(state.step))
  return state


class Teacher:
  """Where a run is in its curriculum.

  Attributes:
    progress: see `curriculum.Progress`.
  """

  def __init__(
    self,
    lessons: Sequence[Lesson],
    tokenizer: Tokenizer,
    predict: Predict,
    *,
    tokens: int,
    on_values: Callable[[int, str, Mapping[str, float]], None],
  ) -> None:
    """Starts before the first lesson.

    Args:
      lessons: in order.
      tokenizer: the tokenizer.
      predict: of the model.
      tokens: that each skill is measured on, in rows as long as the lesson's.
      on_values: called with the step, the lesson's name, and '<skill>/<forms>'
        -> share of its deciding words that are predicted.
    """
    self._lessons, self._tokenizer = lessons, tokenizer
    self._predict, self._tokens, self._on_values = predict, tokens, on_values
    self.progress = Progress()

  @property
  def is_over(self) -> bool:
    """Whether there is no lesson left."""
    return self.progress.lesson == len(self._lessons)

  @property
  def lesson(self) -> Lesson:
    """The present one."""
    return self._lessons[self.progress.lesson]

  def state(self) -> dict[str, Any]:
    """What is saved with a checkpoint."""
    return {_STATE: self.progress.state()}

  def restore(self, position: Mapping[str, Any], *, step: int) -> None:
    """Resumes from what was saved.

    Args:
      position: what `state` returned, next to other things. Older checkpoints,
        all of fixed lessons, have nothing of the kind.
      step: number of steps taken.
    """
    if _STATE in position:
      self.progress = curriculum.restored(position[_STATE])
    else:
      self.progress = curriculum.after(self._lessons, step)

  def evaluate(self, number: int, state: Any) -> Verdict:
    """Measures the lesson's skills; it is over if they are there."""
    lesson, found = self.lesson, {}
    for skill in lesson.skills:
      for part in PARTS:
        ids, deciding = curriculum.examined(
          lesson,
          self._tokenizer,
          skill=skill,
          part=part,
          rows=max(1, self._tokens // lesson.stage.length),
          seed=f'measure/{lesson.name}',
        )
        found[f'{skill}/{part}'] = curriculum.accuracy(
          ids, self._predict(state.params, ids), deciding
        )
    self._on_values(number, lesson.name, found)
    before = self.progress
    self.progress = curriculum.advanced(
      before,
      self._lessons,
      step=number,
      accuracies={
        skill: min(found[f'{skill}/{part}'] for part in PARTS)
        for skill in lesson.skills
      },
    )
    return Verdict(is_best=False, is_over=self.progress != before)

  def end(self, lesson: Lesson, *, step: int) -> None:
    """Goes on to the next lesson, after one that nothing has ended before."""
    if not self.is_over and self.lesson is lesson:
      self.progress = curriculum.finished(
        self.progress, self._lessons, step=step, has=False
      )
