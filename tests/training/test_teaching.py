"""A teacher measures skills, goes on to the next lesson, and resumes."""

import dataclasses

import numpy as np
import pytest

from icl_gen.pretraining import curriculum
from icl_gen.training import optimizer, teaching
from tests.pretraining.test_curriculum import LESSONS
from tests.pretraining.test_stream import nano  # noqa: F401

LENGTH = LESSONS[0].stage.length
LEARNED = 40  # the step from which on the made-up model has all skills


class State:
  """Stands for the state after a number of steps."""

  def __init__(self, step):
    self.params = step


def predict(step, ids):
  """A model that predicts everything from a step on, and nothing before."""
  return ids if step >= LEARNED else np.zeros_like(ids)


@pytest.fixture
def values():
  return []


@pytest.fixture
def teacher(nano, values):  # noqa: F811
  return made(nano, values)


def made(tokenizer, values):
  return teaching.Teacher(
    LESSONS,
    tokenizer,
    predict,
    tokens=4 * LENGTH,
    on_values=lambda *found: values.append(found),
  )


def test_lessons_end_when_the_model_has_their_skills(teacher, values):
  verdicts = [teacher.evaluate(n, State(n)) for n in (20, 30, LEARNED)]
  assert [verdict.is_over for verdict in verdicts] == [False, False, True]
  assert teacher.lesson is LESSONS[1]
  assert teacher.progress.learned == {'1_taught': (LEARNED, True)}
  assert [(step, lesson) for step, lesson, _ in values] == [
    (20, '1_taught'),
    (30, '1_taught'),
    (LEARNED, '1_taught'),
  ]
  assert {*values[0][2].values()} == {0.0} and {*values[2][2].values()} == {1.0}
  assert {*values[0][2]} == {
    f'{skill}/{part}'
    for skill in LESSONS[0].skills
    for part in ('seen', 'development')
  }


def test_a_resumed_teacher_goes_on_as_one_that_was_not_interrupted(
  teacher,
  nano,  # noqa: F811
):
  for step in (20, LEARNED):
    teacher.evaluate(step, State(step))
  again = made(nano, [])
  again.restore({'step': LEARNED} | teacher.state(), step=LEARNED)
  for one in (teacher, again):
    one.end(LESSONS[1], step=140)
    one.evaluate(160, State(160))
  assert again.progress == teacher.progress and again.is_over
  assert again.progress.learned['3_taught'] == (160, True)


def test_a_lesson_is_ended_once(teacher):
  ended = teacher.lesson
  teacher.evaluate(LEARNED, State(LEARNED))
  teacher.end(ended, step=LEARNED)  # as the loop has returned
  assert teacher.lesson is LESSONS[1]


def test_checkpoints_without_progress_are_of_fixed_lessons(teacher):
  teacher.restore({'step': 120}, step=120)
  assert teacher.progress == curriculum.after(LESSONS, 120)
  assert teacher.lesson is LESSONS[1]


def test_the_rate_of_a_lesson_begins_with_it():
  fixed = teaching.schedule(LESSONS, warmup_steps=5, is_fixed=True)
  pieces = [(one.stage.steps, *one.stage.learning_rate) for one in LESSONS]
  whole = optimizer.make_piecewise(pieces, warmup_steps=5)
  assert fixed(2, 140)(150) == fixed(0, 0)(150) == whole(150)

  falling = curriculum.read(
    {
      '1': {**_values(LESSONS[0]), 'learning_rate': (0.01, 0.01)},
      '2': {**_values(LESSONS[0]), 'learning_rate': (0.008, 0.0)},
    },
    {},
  )
  rate = teaching.schedule(falling, warmup_steps=5, is_fixed=False)
  assert rate(0, 0)(2) < rate(0, 0)(50) == pytest.approx(0.01)
  assert rate(1, 40)(40) == pytest.approx(0.008)
  assert rate(1, 40)(90) == pytest.approx(0.004)


def _values(lesson):
  stage = lesson.stage
  names = (
    *('steps', 'rows', 'length', 'facts', 'families', 'modes'),
    *('document_weight', 'decisive_weight', 'lookup_weight'),
  )
  return {name: getattr(stage, name) for name in names}


def test_skills_are_measured_on_as_many_tokens_in_rows_of_any_length(nano):  # noqa: F811
  shapes = []

  def seen(step, ids):
    shapes.append(ids.shape)
    return ids

  for length in (LENGTH, 2 * LENGTH, 9 * LENGTH):
    stage = dataclasses.replace(LESSONS[0].stage, length=length)
    lesson = dataclasses.replace(LESSONS[0], stage=stage)
    teacher = teaching.Teacher(
      [lesson], nano, seen, tokens=8 * LENGTH, on_values=lambda *_: None
    )
    teacher.evaluate(1, State(1))
  assert {*shapes} == {(8, LENGTH), (4, 2 * LENGTH), (1, 9 * LENGTH)}
