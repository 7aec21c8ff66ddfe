"""A curriculum advances by what is measured, and resumes where it was."""

import dataclasses
import json
import re

import numpy as np
import pytest

from configs import nano2
from icl_gen.pretraining import curriculum, marks, stream, told
from icl_gen.pretraining.curriculum import Progress, advanced
from icl_gen.text import lexicon
from tests.pretraining.test_stream import nano  # noqa: F401

COMMON = {
  'modes': {'context': 1.0},
  'document_weight': 0.2,
  'forms': 'pretraining',
}
STAGE = {
  'steps': 100,
  'learning_rate': (0.01, 0.01),
  'rows': 2,
  'length': 256,
  'facts': (2, 3),
  'decisive_weight': 5.0,
  'lookup_weight': 5.0,
  'families': {'lookup': 1.0, 'traced': 1.0},
}
TAUGHT = STAGE | {'skills': ('lookup', 'traced'), 'least': 0.9, 'fewest': 20}
LESSONS = curriculum.read(
  {'1_taught': TAUGHT, '2_ending': STAGE, '3_taught': TAUGHT}, COMMON
)


def after(progress, step, **accuracies):
  return advanced(progress, LESSONS, step=step, accuracies=accuracies)


# --- when a lesson ends -------------------------------------------------------


def test_a_lesson_ends_when_all_of_its_skills_are_there():
  start = Progress()
  assert after(start, 40, lookup=0.95, traced=0.89) == start
  assert after(start, 19, lookup=1.0, traced=1.0) == start  # too early
  ended = after(start, 40, lookup=0.9, traced=0.9)
  assert ended == Progress(1, 40, {'1_taught': (40, True)})


def test_a_lesson_that_is_not_learned_ends_and_is_noted():
  start = Progress()
  assert after(start, 99, lookup=0.95, traced=0.2) == start
  ended = after(start, 100, lookup=0.95, traced=0.2)
  assert ended == Progress(1, 100, {'1_taught': (100, False)})


def test_a_lesson_counts_its_own_steps():
  begun = Progress(2, 140, {'1_taught': (40, True), '2_ending': (140, False)})
  assert after(begun, 150, lookup=1.0, traced=1.0) == begun
  assert after(begun, 239, lookup=0.0, traced=1.0) == begun
  assert after(begun, 240, lookup=0.0, traced=1.0).lesson == 3
  assert after(begun, 160, lookup=1.0, traced=1.0).learned['3_taught'] == (
    160,
    True,
  )


def test_progress_is_restored_from_json():
  for progress in (Progress(), Progress(1, 40, {'1_taught': (40, True)})):
    again = curriculum.restored(json.loads(json.dumps(progress.state())))
    assert again == progress


def test_lessons_without_measurements_take_all_their_steps():
  lessons = curriculum.read({'1': STAGE, '2': STAGE | {'steps': 50}}, COMMON)
  places = [curriculum.after(lessons, step) for step in (0, 99, 100, 149, 150)]
  assert [(p.lesson, p.begun) for p in places] == [
    (0, 0),
    (0, 0),
    (1, 100),
    (1, 100),
    (2, 150),
  ]


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    ({'skills': ('deep',)}, r"1.skills=.*'deep' is none of its families, loo"),
    ({'least': 1.5}, r'1.least=1.5; give a share above 0, up to 1'),
    ({'least': 0}, r'1.least=0; give a share'),
  ],
)
def test_lessons_that_cannot_be_are_refused(change, message):
  with pytest.raises(ValueError, match=message):
    curriculum.read({'1': TAUGHT | change}, COMMON)


def test_inheritance_is_refused_where_skills_are_measured():
  families = {**STAGE['families'], 'inheritance': 0.1}
  stages = {'1': TAUGHT, '2': STAGE | {'families': families}}
  message = r"stages.2.families: 'inheritance' .* give 'inherited' instead"
  with pytest.raises(ValueError, match=message):
    curriculum.read(stages, COMMON)
  (lesson,) = curriculum.read({'2': stages['2']}, COMMON)
  assert 'inheritance' in lesson.stage.families


# --- what is measured ---------------------------------------------------------


def examined(tokenizer, lesson=LESSONS[0], skill='lookup', part='development'):
  return curriculum.examined(
    lesson, tokenizer, skill=skill, part=part, rows=12, seed='m'
  )


def test_measured_words_are_in_no_lesson(nano):  # noqa: F811
  words = set(lexicon.words(evaluation=False))
  held_out = lexicon.reserved(curriculum.HELD_OUT_WORDS)
  assert LESSONS[0].stage.source.reserved == curriculum.HELD_OUT_WORDS

  def said(rows):
    """Words of which every possible stem is held out."""
    text = ' '.join(nano.decode(row.tolist()) for row in rows).lower()
    found = {word.strip('.,-') for word in text.split()}
    stems = [{w, w[:-1], w[:-2], w[:-3]} & words for w in found]
    return [possible for possible in stems if possible and possible <= held_out]

  ids, _ = examined(nano)
  assert len(said(ids)) > 40
  taught = [
    stream.row(lesson.stage, nano, seed=str(n))[0]
    for lesson in LESSONS
    for n in range(20)
  ]
  assert not said([np.asarray(row) for row in taught])


def test_measured_words_name_no_persistent_entities(nano):  # noqa: F811
  telling = told.Told(facts=240, share=0.5)
  taught = TAUGHT | {'families': {'comparisons': 1}, 'skills': ('comparisons',)}
  (lesson,) = curriculum.read({'1': taught}, COMMON | {'told': telling})

  def said(rows):
    text = ' '.join(nano.decode(row.tolist()) for row in rows)
    pairs = re.findall(r'(\w+) are (?:more|less) \w+ than (\w+)[.?]', text)
    return {word for pair in pairs for word in pair}

  ids, deciding = examined(nano, lesson, skill='comparisons')
  assert any(deciding)
  rows = [stream.row(lesson.stage, nano, seed=str(n))[0] for n in range(40)]
  entities = set(telling.entities)
  of_lessons, measured = said(rows), said(ids)
  assert len(measured) > 100 and len(of_lessons & entities) > 100
  assert not measured & of_lessons and not measured & entities


def test_accuracy_is_of_deciding_words(nano):  # noqa: F811
  ids, deciding = examined(nano)
  assert sum(map(len, deciding)) >= 6  # The others' documents fill the row.
  assert curriculum.accuracy(ids, ids, deciding) == 1.0
  wrong = np.zeros_like(ids)
  assert curriculum.accuracy(ids, wrong, deciding) == 0.0
  half = ids.copy()
  half[: len(ids) // 2] = 0
  share = sum(map(len, deciding[len(ids) // 2 :])) / sum(map(len, deciding))
  assert curriculum.accuracy(ids, half, deciding) == pytest.approx(share)


def test_other_true_words_are_right(nano):  # noqa: F811
  writer = stream.Writer(nano, LESSONS[0].stage)
  writer.line(
    '- ~gruds ~have ' + marks.deciding('wicks', ['wicks', 'flaps']) + '.'
  )
  (word,) = writer.deciding
  said = np.asarray(writer.ids)
  assert nano.decode(said[word.place].tolist()).strip() == 'wicks.'
  assert word.is_right(said, said)
  predicted = said.copy()
  predicted[word.place.start] = nano.encode_word('flaps')[0]
  assert word.is_right(said, predicted)
  predicted[word.place.start] = nano.encode_word('smonks')[0]
  assert not word.is_right(said, predicted)
  plain = stream.Deciding(word.place, frozenset())
  predicted = said.copy()
  predicted[word.place.start + 1] = 0
  assert word.is_right(said, predicted) and not plain.is_right(said, predicted)


# --- the recipe ---------------------------------------------------------------


def test_a_stage_may_have_its_own_settings():
  asked = {'once': 1.0}
  lessons = curriculum.read(
    {'1': {**STAGE, 'modes': asked}, '2': STAGE}, COMMON
  )
  assert lessons[0].stage.modes == asked != COMMON['modes']
  assert lessons[1].stage.modes == COMMON['modes']


def test_every_lesson_of_the_recipe_can_be_measured(nano):  # noqa: F811
  config = nano2.get_config()
  lessons = curriculum.read(
    {name: stage.to_dict() for name, stage in config.stages.items()},
    COMMON | {'modes': config.modes.to_dict(), 'told': told.Told()},
  )
  endings = tuple(lesson for lesson in lessons if not lesson.skills)
  assert endings == lessons[-2:]
  for lesson in lessons:
    for skill in lesson.skills:
      _, deciding = curriculum.examined(
        lesson, nano, skill=skill, part='development', rows=6, seed='m'
      )
      assert sum(map(len, deciding)) >= 4, (lesson.name, skill)
    assert (
      len(stream.row(lesson.stage, nano, seed='s')[0]) == lesson.stage.length
    )


def test_what_is_held_out_is_said_only_when_measured():
  assert dataclasses.replace(LESSONS[0].stage).source.part == 'seen'
