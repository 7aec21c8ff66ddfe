"""Questions that choose are apart from those that test, and so are facts."""

import dataclasses

import pytest

from icl_gen.runs import development
from icl_gen.runs.experiments import Training
from icl_gen.types import ChoiceScore, Fact, Question, Score
from icl_gen.worlds import reversal


def question(number, kind):
  return Question(
    id=f'{kind}-{number}',
    prompt=f'p{number}',
    choices=(' a', ' b'),
    answers=(0,),
    kind=kind,
    premises=(Fact(f's{number}', 'r', 'o'),),
  )


QUESTIONS = tuple(
  question(number, kind)
  for number in range(20)
  for kind in ('forward', 'reversal')
)


def settings(**changes):
  return Training(steps=9, length=48, **{'evaluate_every': 1, **changes})


def split(questions=QUESTIONS, *, seed=0, **changes):
  return development.split(questions, settings(**changes), seed=seed)


def clusters(questions):
  return {question.cluster for question in questions}


def test_without_evaluations_all_questions_test():
  assert split(evaluate_every=0) == ((), QUESTIONS)


@pytest.mark.parametrize(
  ('share', 'count'), [(0.0, 1), (0.1, 2), (0.5, 10), (0.95, 19)]
)
def test_nothing_is_on_both_sides(share, count):
  choose, test = split(evaluate_share=share)
  assert len(clusters(choose)) == count
  assert not clusters(choose) & clusters(test)
  assert sorted(q.id for q in choose + test) == sorted(q.id for q in QUESTIONS)


def test_of_chosen_kinds_the_others_about_the_same_facts_are_in_neither():
  every, test = split(evaluate_share=0.2)
  forward, same = split(evaluate_share=0.2, evaluate_kinds='forward')
  assert test == same
  assert forward == tuple(q for q in every if q.kind == 'forward')
  both, _ = split(evaluate_share=0.2, evaluate_kinds='reversal, forward')
  assert both == every


def test_the_draw_depends_on_the_seed_and_on_names():
  draws = {
    frozenset(clusters(split(seed=seed, evaluate_share=0.2)[0]))
    for seed in range(5)
  }
  assert len(draws) == 5
  choose, test = split(evaluate_share=0.2)
  backwards = split(QUESTIONS[::-1], evaluate_share=0.2)
  assert backwards == (choose[::-1], test[::-1])
  # As many of more questions: each that is new displaces one at most.
  more, _ = split((*QUESTIONS, question(99, 'forward')), evaluate_share=0.2)
  assert len(clusters(choose) - clusters(more)) <= 1


def test_one_that_leaves_nothing_to_test_or_knows_no_kind_is_refused():
  with pytest.raises(ValueError, match='of 20 groups .* leaves none to test'):
    split(evaluate_share=1.0)
  with pytest.raises(
    ValueError, match="no question is of kind 'back'; there are forward, rev"
  ):
    split(evaluate_kinds='forward,back')


def test_of_a_world_no_document_of_facts_is_left_out():
  """What chooses are other questions, not other documents."""
  _, corpus = reversal.build(seed='0', facts=20, documents_per_fact=2)
  choose, test = split(corpus.questions, evaluate_share=0.25)
  assert len(clusters(choose)) == round(0.25 * len(clusters(corpus.questions)))
  assert len(choose) + len(test) == len(corpus.questions)


def scored(logps, answers=(0,)):
  choices = tuple(
    ChoiceScore(logp=x, tokens=1, characters=1, bytes=1, logp_unconditional=0.0)
    for x in logps
  )
  return Score('q', 'k', '', 'c', answers, choices)


def test_measures():
  found = development.measures(
    [
      scored([-1.0, -3.0, -2.0]),
      scored([-4.0, -1.0, -2.0], (0, 2)),
      scored([-1.0, -5.0], (0, 1)),
    ]
  )
  assert found == {
    'accuracy': 2 / 3,
    'margin': (1.0 - 1.0 + 0.0) / 3,
    'questions': 3,
  }


def test_better_scores_are_not_worse():
  low, high = scored([-2.0, -1.0]), scored([-0.5, -1.0])
  one, two = development.measures([low]), development.measures([high])
  assert all(two[name] > one[name] for name in ('accuracy', 'margin'))
  assert dataclasses.replace(low, choices=low.choices[::-1]) != low
