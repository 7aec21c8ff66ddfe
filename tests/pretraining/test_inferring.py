"""Statements about trees follow from their documents, by a world's closure."""

import functools
import random
import re

import pytest

from icl_gen.pretraining import inferring, marks
from icl_gen.pretraining.episode import Source
from icl_gen.text import categories, lexicon
from icl_gen.text.forms.split import PARTS
from icl_gen.types import World
from icl_gen.worlds import logic
from icl_gen.worlds.semantic import world as semantic

# Skill -> the number of premises of what it concludes, with that itself.
PREMISES = {
  'lookup': {1},
  'reversed': {1},
  'related': {1},
  'traced': {2},
  'inherited': {2},
  'deep_traced': {3, 4},
  'deep': {3, 4},
  'bare_traced': {2, 3, 4},
  'bare': {2, 3, 4},
}


def drawn(skill, seed, part='seen', count=4):
  source = Source(part)
  return inferring.draw(random.Random(seed), count, skill=skill, source=source)


def verbs(episode):
  """Words that are used as verbs: the second of three or more words."""
  text = marks.removed(' '.join(episode.documents))
  return set(re.findall(r'\b\w+s (\w+) \w+s\b', text)) - {'have', 'are'}


def reader(episode):
  empty = World('semantic', (), (), frozenset())
  known = {
    word for word in verbs(episode) if word in lexicon.words(evaluation=False)
  }
  facts = tuple(categories.Fact('a', verb, 'b') for verb in sorted(known))
  return categories.reader(World(empty.name, facts, (), frozenset()))


@functools.cache
def asked(skill, part='seen'):
  """(premises of the documents, statement with marks) of some episodes."""
  found = []
  for seed in range(25):
    episode = drawn(skill, seed, part)
    read = reader(episode)
    stated = [read(document) for document in episode.documents]
    assert None not in stated
    facts = tuple(fact for one in stated for fact in one)
    rng = random.Random(seed)
    said = [episode.ask(rng, i) for i in range(len(episode.documents))]
    found.append(
      (read, facts, logic.closure(facts, semantic.rules(facts)), said, episode)
    )
  return found


@pytest.mark.parametrize('skill', inferring.NAMES)
def test_every_statement_follows_and_needs_the_skill(skill):
  needs = set()
  for read, facts, entailed, said, _ in asked(skill):
    premises = {fact: {fact} for fact in facts}
    premises |= {one.fact: set(one.premises) for one in entailed}
    for statement in said:
      told = read(marks.removed(statement))
      assert told is not None, statement
      assert all(fact in premises for fact in told), statement
      assert len(told) == 1 or skill.endswith('traced')
      *trace, conclusion = told
      needs.add(len(premises[conclusion]))
      if trace:
        assert set(trace) == premises[conclusion]
      if skill in ('reversed', 'related'):
        assert conclusion not in facts
        assert categories.flip(conclusion) in facts
      elif len(premises[conclusion]) > 1:
        # Otherwise a fact of its own would be as good an answer.
        assert not any(
          (fact.subject, fact.relation)
          == (conclusion.subject, conclusion.relation)
          for fact in facts
        )
      if skill.startswith('bare'):
        subject = [f for f in facts if f.subject == conclusion.subject]
        assert [fact.relation for fact in subject] == ['is a']
  assert needs <= PREMISES[skill]


@pytest.mark.parametrize('skill', inferring.NAMES)
def test_alternatives_are_all_that_is_true_in_place_of_the_deciding_word(skill):
  for read, facts, entailed, said, _ in asked(skill):
    true = {*facts, *(one.fact for one in entailed)}
    for statement in said:
      if skill.endswith('traced'):
        continue  # Some of its words follow from those before.
      last = statement.rsplit(' ', 1)[1]
      assert last.startswith(marks.DECISIVE)
      words = {marks.removed(last)[:-1], *marks.others(last)}
      (fact,) = read(marks.removed(statement))
      same = {
        one.object
        for one in true
        if (one.subject, one.relation) == (fact.subject, fact.relation)
      }
      assert words == same


def test_related_categories_have_facts_of_their_own():
  """In other trees, no object of a verb is a category of the tree."""

  def crossing(skill):
    return sum(
      fact.object in {other.subject for other in facts}
      for _, facts, *_ in asked(skill)
      for fact in facts
      if fact.relation not in ('is a', 'has', 'is')
    )

  assert crossing('related') > 50
  assert not crossing('reversed')


def test_answers_to_prompts_follow():
  """Reversals from one document; with the others, what is inherited."""
  hops = 0
  for skill in ('inherited', 'deep', 'bare'):
    for read, facts, entailed, _, episode in asked(skill):
      true = {*facts, *(one.fact for one in entailed)}
      new = {one.fact for one in entailed if len(one.premises) > 1}
      for i, document in enumerate(episode.documents):
        given = read(document)
        for line in episode.infer(random.Random(i), i):
          (fact,) = read(line)
          assert categories.flip(fact) in given
        for line in episode.infer_together(random.Random(i), i):
          told = read(line)
          assert set(told) <= true, line
          hops += told[-1] in new
  assert hops > 30


@pytest.mark.parametrize('part', PARTS)
def test_an_episode_is_told_in_one_part_of_the_forms(part):
  for skill in inferring.NAMES:
    episode = drawn(skill, 1, part)
    text = ' '.join(episode.documents)
    assert bool(re.search(r'\bare a type of\b', text)) == (part == 'seen')


def test_words_are_those_of_the_source():
  kept = Source(reserved=500)
  only = Source(reserved=500, only_reserved=True)
  assert not set(kept.pool) & set(only.pool)
  assert {*kept.pool, *only.pool} == set(lexicon.words(evaluation=False))
  for source in (kept, only):
    for seed in range(10):
      episode = inferring.draw(
        random.Random(seed), 5, skill='lookup', source=source
      )
      said = set(re.findall(r'[a-z]+', ' '.join(episode.documents).lower()))
      for word in said:
        # One of them is the stem; the others may be words by accident.
        possible = {word, word[:-1], word[:-2]}
        known = possible & {*kept.pool, *only.pool}
        assert not known or known & set(source.pool), word
