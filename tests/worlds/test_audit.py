"""Every check of the audit can complain, and says what is wrong."""

import dataclasses

import pytest

from icl_gen.types import Document, Fact, Question
from icl_gen.worlds import audit, custom
from tests.worlds import paper

WORLD, CORPUS = paper.build(
  'reversal', seed='s', facts=24, documents_per_fact=2
)
DOCUMENT, QUESTION = CORPUS.documents[0], CORPUS.questions[-1]
OTHER = Fact('glonk', 'more dangerous', 'troffs')


def change(world=WORLD, **parts):
  return world, dataclasses.replace(CORPUS, **parts)


def with_document(**changes):
  first, *rest = CORPUS.documents
  return change(documents=(dataclasses.replace(first, **changes), *rest))


def with_question(**changes):
  *rest, last = CORPUS.questions
  return change(questions=(*rest, dataclasses.replace(last, **changes)))


def with_world(**changes):
  return dataclasses.replace(WORLD, **changes), CORPUS


def moved(question):
  """The question with its right choice in first place."""
  (right,) = question.answers
  choices = question.choices
  return dataclasses.replace(
    question,
    choices=(choices[right], *choices[:right], *choices[right + 1 :]),
    answers=(0,),
  )


@pytest.mark.parametrize(
  ('check', 'changed', 'message'),
  [
    ('ids', with_document(id=CORPUS.documents[1].id), '2 documents have the'),
    ('ids', with_question(id=CORPUS.questions[0].id), '2 questions have the'),
    (
      'positions',
      change(questions=tuple(map(moved, CORPUS.questions))),
      'choice 0 of 2 is right in 24 of 24',
    ),
    (
      'leaks',
      with_document(text=f'So {QUESTION.prompt}{QUESTION.choices[1]}'),
      f"question '{QUESTION.id}': a document holds it",
    ),
    (
      'truth',
      with_world(contradicted=frozenset(WORLD.facts[:1])),
      'is given, and again contradicted',
    ),
    ('truth', with_world(facts=WORLD.facts + WORLD.facts[:1]), 'again given'),
    ('statements', with_world(facts=(*WORLD.facts, OTHER)), "states 'glonk"),
    ('statements', with_document(facts=(OTHER,)), "states 'glonk.*not given"),
    (
      'targets',
      with_question(premises=(OTHER,)),
      "premise 'glonk more dangerous troffs' is unstated",
    ),
    ('targets', with_question(kind='forward'), 'target .* is not stated'),
    ('targets', with_question(target=QUESTION.premises[0]), 'is stated'),
    ('targets', with_question(target=OTHER), 'is not entailed'),
    ('targets', with_question(premises=WORLD.facts[:1]), 'has other premises'),
    ('sentences', with_document(text='Glon are blue.'), 'is read as None'),
    ('sentences', with_document(prompt_length=999), 'longer than its text'),
    (
      'answers',
      with_question(answers=(1 - QUESTION.answers[0],)),
      'is not entailed',
    ),
    ('answers', with_question(choices=(' a', ' b')), 'is read as None'),
    ('answers', with_question(target=OTHER), 'no answer says its target'),
  ],
)
def test_a_check_complains(check, changed, message):
  complain = getattr(audit, check)
  assert list(complain(WORLD, CORPUS)) == []
  found = list(complain(*changed))
  assert found
  with pytest.raises(AssertionError, match=message):
    raise AssertionError('\n'.join(found))
  assert set(found) <= set(audit.audit(*changed)['complaints'])


def test_every_check_is_reported():
  found = audit.audit(WORLD, CORPUS)
  assert found['complaints'] == []
  assert len(found['checked']) == len(audit.checks(WORLD)) == 8


def test_without_facts_only_ids_positions_and_leaks_are_checked(tmp_path):
  (tmp_path / 'a.txt').write_text('Glon are red.')
  world, corpus = custom.from_folder(tmp_path, seed='s')
  questions = tuple(
    Question(f'q{i}', f'p{i}', (' a', ' b', ' c'), (0,), 'k') for i in range(12)
  )
  leak = Question('leak', 'Glon are', (' red.', ' blue.'), (1,), 'l')
  corpus = dataclasses.replace(corpus, questions=(*questions, leak))
  found = audit.audit(world, corpus)
  assert len(found['checked']) == 3
  first, second = found['complaints']
  assert 'choice 0 of 3 is right in 12 of 12' in first
  assert "'leak': a document holds it with ' red.'" in second


def test_only_repeating_kinds_may_occur_in_a_document():
  world, corpus = paper.build('syllogism', seed='s', examples=12)
  assert list(audit.leaks(world, corpus)) == []
  strict = dataclasses.replace(world, name='reversal')
  assert list(audit.leaks(strict, corpus))
  leak = Document(
    'd', corpus.questions[-1].prompt + corpus.questions[-1].choices[0]
  )
  leaking = dataclasses.replace(corpus, documents=(leak,))
  assert len(list(audit.leaks(world, leaking))) == 1
