"""A curriculum: lessons in order, each until its skills are there.

A lesson ends when the model has each of its skills: when it predicts, in rows
with held-out words and in held-out forms, enough of the words that decide
whether a statement is true. A lesson that never gets there ends after a number
of steps, and is noted as not learned. So where a run is depends on what was
measured, and is saved with its checkpoints.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from icl_gen.pretraining import stream
from icl_gen.pretraining.episode import Source
from icl_gen.pretraining.told import Told
from icl_gen.text.tokens import Tokenizer

# Words of the pretraining lexicon that no lesson says.
HELD_OUT_WORDS = 960


@dataclasses.dataclass(frozen=True)
class Lesson:
  """One lesson.

  Attributes:
    name: for logs.
    stage: its rows; `steps` is the most that it takes.
    skills: the families that are measured, as far as there are any.
    least: share of a skill's deciding words that must be predicted.
    fewest: steps before it may end.
  """

  name: str
  stage: stream.Stage
  skills: tuple[str, ...]
  least: float
  fewest: int


def read(
  stages: Mapping[str, Mapping[str, Any]], common: Mapping[str, Any]
) -> tuple[Lesson, ...]:
  """Returns the lessons of a recipe, in the order of their names.

  Args:
    stages: name -> the settings of a `stream.Stage`, and of its lesson:
      `skills` (), `least` (0.9) and `fewest` (0).
    common: the settings of all stages that have none of their own, and `drawn`
      and `spelt` (0) of their `Source`.

  Raises:
    ValueError: a skill is not a family of its stage, or `least` is no share, or
      skills are measured and a stage has the family 'inheritance'.
  """
  of_skills = any(stage.get('skills') for stage in stages.values())
  shared = dict(common)
  source = Source(
    reserved=HELD_OUT_WORDS if of_skills else 0,
    drawn=shared.pop('drawn', 0.0),
    spelt=shared.pop('spelt', 0.0),
  )
  lessons = []
  for name, stage in sorted(stages.items()):
    rest = dict(stage)
    skills, least = tuple(rest.pop('skills', ())), rest.pop('least', 0.9)
    fewest = rest.pop('fewest', 0)
    for skill in skills:
      if skill not in rest['families']:
        raise ValueError(
          f'--config.stages.{name}.skills={skills}: {skill!r} is none of its'
          f' families, {", ".join(rest["families"])}'
        )
    if not 0 < least <= 1:
      raise ValueError(
        f'--config.stages.{name}.least={least}; give a share above 0, up to 1'
      )
    made = stream.Stage(**{**shared, **rest}, source=source)
    if of_skills and 'inheritance' in made.families:
      raise ValueError(
        f"--config.stages.{name}.families: 'inheritance' also teaches answers"
        ' that do not follow from the document in the prompt; where skills are'
        " measured, give 'inherited' instead"
      )
    lessons.append(Lesson(name, made, skills, least, fewest))
  return tuple(lessons)


@dataclasses.dataclass(frozen=True)
class Progress:
  """Where a run is.

  Attributes:
    lesson: number of the lesson; that of lessons after the last one.
    begun: the step at which it began.
    learned: by lesson that is over, the step at which it ended and whether its
      skills were there.
  """

  lesson: int = 0
  begun: int = 0
  learned: Mapping[str, tuple[int, bool]] = dataclasses.field(
    default_factory=dict
  )

  def state(self) -> dict[str, Any]:
    """What is saved with a checkpoint; JSON values."""
    return {
      'lesson': self.lesson,
      'begun': self.begun,
      'learned': {name: list(end) for name, end in self.learned.items()},
    }


def restored(state: Mapping[str, Any]) -> Progress:
  """The inverse of `Progress.state`."""
  learned = {name: (end[0], end[1]) for name, end in state['learned'].items()}
  return Progress(state['lesson'], state['begun'], learned)


def after(lessons: Sequence[Lesson], steps: int) -> Progress:
  """Where a run is whose lessons all take as many steps as they may."""
  progress = Progress()
  for lesson in lessons:
    end = progress.begun + lesson.stage.steps
    if end > steps:
      break
    progress = finished(progress, lessons, step=end, has=False)
  return progress


def finished(
  progress: Progress, lessons: Sequence[Lesson], *, step: int, has: bool
) -> Progress:
  """Where a run is once its lesson is over.

  Args:
    progress: where it was.
    lessons: all lessons.
    step: at which it ended.
    has: whether the model has its skills.
  """
  name = lessons[progress.lesson].name
  learned = {**progress.learned, name: (step, has)}
  return Progress(progress.lesson + 1, step, learned)


def advanced(
  progress: Progress,
  lessons: Sequence[Lesson],
  *,
  step: int,
  accuracies: Mapping[str, float],
) -> Progress:
  """Returns where a run is after a measurement.

  Args:
    progress: where it was.
    lessons: all lessons.
    step: number of steps taken.
    accuracies: skill -> share of its deciding words that were predicted; of the
      present lesson's skills.
  """
  lesson = lessons[progress.lesson]
  taken = step - progress.begun
  has = all(accuracies[skill] >= lesson.least for skill in lesson.skills)
  is_learned = has and bool(lesson.skills) and taken >= lesson.fewest
  if not is_learned and taken < lesson.stage.steps:
    return progress
  return finished(progress, lessons, step=step, has=has)


def examined(
  lesson: Lesson,
  tokenizer: Tokenizer,
  *,
  skill: str,
  part: str,
  rows: int,
  seed: str,
) -> tuple[np.ndarray, list[list[stream.Deciding]]]:
  """Draws rows to measure a skill on, in words that no lesson says.

  Args:
    lesson: what the rows are like, in length and number of facts; they tell no
      facts about persistent entities.
    tokenizer: the tokenizer.
    skill: the only family in them.
    part: of the tables of forms, one of `forms.split.PARTS`.
    rows: how many.
    seed: name of the random draw.

  Returns:
    ids int32[rows, L], and for each row its deciding words.
  """
  stage = dataclasses.replace(
    lesson.stage,
    families={skill: 1.0},
    modes={'once': 1.0},
    told=Told(),
    source=Source(
      part,
      reserved=HELD_OUT_WORDS,
      only_reserved=True,
      entities=lesson.stage.source.entities,
    ),
  )
  written = [
    stream.written(stage, tokenizer, seed=f'{seed}/{skill}/{part}/{row}')
    for row in range(rows)
  ]
  whole = [
    [one for one in writer.deciding if one.place.stop <= stage.length]
    for writer in written
  ]
  return np.stack([writer.row()[0] for writer in written]), whole


def accuracy(
  ids_BxL: np.ndarray,
  predicted_BxL: np.ndarray,
  deciding: Sequence[Sequence[stream.Deciding]],
) -> float:
  """Share of the deciding words that were predicted.

  Args:
    ids_BxL: the rows.
    predicted_BxL: the likeliest id for each place, from those before it.
    deciding: the deciding words of each row; at least one in all.
  """
  found = [
    word.is_right(said, predicted)
    for said, predicted, words in zip(
      ids_BxL, predicted_BxL, deciding, strict=True
    )
    for word in words
  ]
  assert found
  return sum(found) / len(found)
