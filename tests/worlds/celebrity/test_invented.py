"""Celebrities: three groups, two orders, wrong names by stratum."""

import collections

import pytest

from icl_gen.text import descriptions, lexicon
from icl_gen.text.forms import persons
from icl_gen.types import Fact
from icl_gen.worlds.celebrity import people
from tests.worlds import paper


@pytest.fixture(scope='module')
def built():
  return paper.build('celebrity', seed='s', people=5, phrasings=30)


@pytest.fixture(scope='module')
def everyone():
  """Name -> the orders in which documents state the person."""
  _, corpus = paper.build('celebrity', seed='s', people=5, phrasings=30)
  orders = collections.defaultdict(set)
  for document in corpus.documents:
    (fact,) = document.facts
    if fact.subject.startswith('the '):
      orders[fact.object].add('d2p')
    else:
      orders[fact.subject].add('p2d')
  return orders


def test_paper_size():
  world, corpus = paper.build('celebrity', seed='s')
  assert corpus.manifest['documents'] == 3600
  orders = collections.Counter(d.id.split('-')[0] for d in corpus.documents)
  assert orders == {'p2d': 900 + 900, 'd2p': 900 + 900}
  assert (len(world.facts), len(world.entailed)) == (120, 60)
  assert len(world.contradicted) == 2 * 90 * 89
  assert corpus.manifest['questions'] == {
    'forward': 300,
    'forward_name': 300,
    'reversal': 600,
  }
  assert set(corpus.manifest['chance'].values()) == {0.25}


def test_groups_are_stated_in_their_orders(everyone):
  counts = collections.Counter(
    frozenset(orders) for orders in everyone.values()
  )
  assert counts == {
    frozenset({'p2d'}): 5,
    frozenset({'d2p'}): 5,
    frozenset({'p2d', 'd2p'}): 5,
  }


def test_no_word_of_a_name_or_title_is_used_twice(built):
  world, _ = built
  pairs = {frozenset((f.subject, f.object)) for f in world.facts}
  words = []
  for pair in pairs:
    description, name = sorted(pair, key=lambda e: not e.startswith('the '))
    words += name.split() + description.split()[-1:]
  assert len(words) == 3 * 15 == len(set(words))
  assert all(lexicon.is_evaluation(word.lower()) for word in words)


def test_the_completion_starts_with_the_object(built):
  _, corpus = built
  for document in corpus.documents:
    (fact,) = document.facts
    completion = document.text[document.prompt_length :]
    assert completion.startswith(f' {fact.object}')
    first = document.text[: document.prompt_length].lower()
    assert fact.subject.lower() in first
    assert fact.object.lower() not in first


def test_training_and_questions_share_no_phrasing(built):
  _, corpus = built
  prompts = {d.text[: d.prompt_length] for d in corpus.documents}
  assert not prompts & {question.prompt for question in corpus.questions}


def test_wrong_names_come_from_the_stratum(built, everyone):
  world, corpus = built
  name_of = {f.object: f.subject for f in world.facts}
  seen = set()
  for question in corpus.questions:
    if question.kind != 'reversal':
      continue
    names = [choice.strip(' .') for choice in question.choices]
    (answer,) = question.answers
    assert everyone[names[answer]] == {'p2d'}
    assert names[answer] == name_of[question.target.subject]
    for name in names[:answer] + names[answer + 1 :]:
      was_target = 'd2p' in everyone[name]
      assert was_target == (question.stratum == 'target_seen')
    seen.add(question.stratum)
  assert seen == set(people.DISTRACTORS)


def test_each_stratum_asks_the_same_questions(built):
  _, corpus = built
  asked = collections.defaultdict(list)
  for question in corpus.questions:
    if question.kind == 'reversal':
      asked[question.stratum].append((question.prompt, question.target))
  assert asked['target_seen'] == asked['never_target']


def test_a_stratum_does_not_depend_on_the_others(built):
  _, both = built
  _, one = paper.build(
    'celebrity', seed='s', people=5, distractors=('never_target',)
  )
  assert set(one.questions) < set(both.questions)
  assert one.documents == both.documents


def test_wrong_pairings_are_contradicted_in_both_directions(built):
  world, _ = built
  given = next(f for f in world.facts if not f.subject.startswith('the '))
  for other in world.facts:
    if given.object in (other.subject, other.object):
      continue
    description = max(other.subject, other.object, key=len)
    assert Fact(given.subject, 'is', description) in world.contradicted
    assert Fact(description, 'is', given.subject) in world.contradicted


@pytest.mark.parametrize(
  ('sizes', 'message'),
  [
    ({'people': 1}, 'people=1.*4 or more'),
    ({'people': 3}, 'people=3.*4 or more'),
    ({'phrasings': 0}, 'phrasings=0.*1 to 30'),
    ({'phrasings': 31}, 'phrasings=31.*1 to 30'),
    ({'question_phrasings': 11}, 'question_phrasings=11.*1 to 10'),
    ({'distractors': ()}, 'distractors=.*target_seen'),
    ({'distractors': ('seen',)}, 'distractors=.*target_seen'),
    ({'distractors': ('never_target',) * 2}, 'distractors=.*each once'),
  ],
)
def test_bad_sizes_name_what_is_allowed(sizes, message):
  with pytest.raises(ValueError, match=message):
    paper.build('celebrity', seed='s', **sizes)


def test_question_phrasings_end_with_the_answer():
  """Training phrasings may continue after it."""
  for table, last in (
    (persons.NAME_FIRST, ' {D}'),
    (persons.DESCRIPTION_FIRST, ' {N}'),
  ):
    for phrasings in table:
      for phrasing in phrasings:
        assert phrasing.count('{N}') == phrasing.count('{D}') == 1
        assert last in phrasing
      asked = descriptions.asked(phrasings)
      assert len(asked) * 3 == len(descriptions.told(phrasings))
      assert all(phrasing.endswith(last + '.') for phrasing in asked)
