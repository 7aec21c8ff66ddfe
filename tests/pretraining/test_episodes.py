"""Every statement of an episode is true, checked with independent logic."""

import collections
import functools
import itertools
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icl_gen.pretraining import compared, episodes, people
from icl_gen.text import abilities, lexicon, quantified
from icl_gen.text.forms import persons
from icl_gen.text.forms import statements as tables

any_episode = given(seed=st.integers(0, 10**6), count=st.integers(1, 9))


def unmarked(text):
  # Powers have the mark of deciding words inside of words.
  return re.sub(r'(?<!\S)[~^!]', '', text)


def statements(episode, seed):
  """Yields (number of the document, statement) for everything it states."""
  rng = random.Random(seed)
  for i in range(len(episode.documents)):
    for _ in range(3):
      yield i, unmarked(episode.ask(rng, i))
    for said in episode.infer(rng, i):
      yield i, unmarked(said)


def bare(sentence):
  """Removes the preamble."""
  for preamble in tables.PREAMBLES.seen:
    sentence = sentence.removeprefix(f'{preamble} ')
  return sentence


# --- comparisons ------------------------------------------------------------

COMPARISON = re.compile(r'(\w+) are (more|less) (\w+) than (\w+)\.')
YES_OR_NO = re.compile(r'Q: are (\w+) (\w+) (\w+) than (\w+)\? A: (Yes|No)\.')


def order(one, degree, feature, other):
  """Returns (feature, who has more of it, who has less)."""
  return (feature, *((one, other) if degree == 'more' else (other, one)))


@any_episode
def test_comparisons_are_true(seed, count):
  episode = compared.compared(random.Random(seed), count)
  said = [
    order(*COMPARISON.fullmatch(bare(d)).groups()) for d in episode.documents
  ]
  assert len(said) == count
  for i, statement in statements(episode, seed):
    if match := YES_OR_NO.fullmatch(statement):
      *asked, answer = match.groups()
      true = order(*asked) == said[i]
      assert true == (answer == 'Yes')
      assert true or order(*asked)[::2] == (said[i][0], said[i][1])
    else:
      assert order(*COMPARISON.fullmatch(bare(statement)).groups()) == said[i]


def test_comparisons_are_asked_in_every_way():
  rng = random.Random(0)
  episode = compared.compared(rng, 1)
  ((one, *_),) = COMPARISON.findall(episode.documents[0])
  asked = [unmarked(episode.ask(rng, 0)) for _ in range(400)]
  answers = [m[5] for m in map(YES_OR_NO.fullmatch, asked) if m]
  assert answers.count('Yes') > 5
  assert answers.count('No') > 5
  firsts = [m[1] for m in map(COMPARISON.search, map(bare, asked)) if m]
  assert 0.5 < sum(first != one for first in firsts) / len(firsts) < 0.9


# --- syllogisms -------------------------------------------------------------

QUANTIFIED = re.compile(r'(all|some|no) (\w+) are (\w+)')
LISTED = re.compile(r'The relationships between ([\w, ]+) and (\w+) are: ')


def holds(statement, model):
  quantifier, subject, predicate = statement
  subjects, both = model[subject], model[subject] & model[predicate]
  return {'all': subjects == both, 'some': both, 'no': not both}[quantifier]


@functools.cache
def follows(premises, conclusion):
  """Whether the conclusion holds in every model of the premises.

  Members differ only in the terms that they belong to, so every model is a
  subset of the eight combinations of three terms.
  """
  terms = sorted({term for _, *pair in premises for term in pair})
  members = list(itertools.product([False, True], repeat=3))
  for there in itertools.product([False, True], repeat=8):
    living = [m for m, alive in zip(members, there, strict=True) if alive]
    model = {t: {m for m in living if m[i]} for i, t in enumerate(terms)}
    if all(holds(p, model) for p in premises) and not holds(conclusion, model):
      return False
  return True


def abstract(premises, conclusion):
  """Renames the terms to 0, 1, 2, so that only few forms are checked."""
  terms = list(dict.fromkeys(term for _, *pair in premises for term in pair))
  number = {term: i for i, term in enumerate(terms)}
  quantifier, subject, predicate = conclusion
  return (
    tuple((q, number[s], number[p]) for q, s, p in premises),
    (quantifier, number[subject], number[predicate]),
  )


@any_episode
def test_syllogisms_follow(seed, count):
  episode = episodes.syllogisms(random.Random(seed), count)
  assert len(episode.documents) == count
  for i, statement in statements(episode, seed):
    premises = QUANTIFIED.findall(episode.documents[i])
    (conclusion,) = QUANTIFIED.findall(statement)
    assert len(premises) == 2
    if statement.count(',') == episode.documents[i].count(','):
      # The document again, up to its first premise.
      assert episode.documents[i].startswith(statement)
      continue
    assert follows(*abstract(premises, conclusion)), (premises, conclusion)
    ends = {t for p in premises for t in p[1:] if t not in premises[0][1:]}
    ends |= {t for t in premises[0][1:] if t not in premises[1][1:]}
    assert set(conclusion[1:]) == ends
    listed = LISTED.match(statement)
    assert {listed[1], listed[2]} == ends


def test_some_statements_repeat_a_premise():
  rng = random.Random(0)
  episode = episodes.syllogisms(rng, 1)
  asked = [unmarked(episode.ask(rng, 0)) for _ in range(200)]
  repeated = [a for a in asked if episode.documents[0].startswith(a)]
  assert 0.2 < len(repeated) / len(asked) < 0.4


def test_the_model_checker_rejects_fallacies():
  barbara = (('all', 0, 1), ('all', 1, 2))
  assert follows(barbara, ('all', 0, 2))
  assert not follows(barbara, ('all', 2, 0))
  assert not follows(barbara, ('some', 0, 2))  # there may be no members


# --- names and descriptions -------------------------------------------------


@functools.cache
def patterns():
  parts = {
    '{N}': r'(?P<name>\w+(?: (?!being)\w+)?)',
    '{D}': r'(?P<description>(?:being )?the .+)',
  }
  made = []
  for phrasing in (*persons.NAME_FIRST.seen, *persons.DESCRIPTION_FIRST.seen):
    said = re.escape(phrasing)
    for part, pattern in parts.items():
      said = said.replace(re.escape(part), pattern)
    made.append(re.compile(said, re.IGNORECASE))
  return made


@functools.cache
def leads():
  slots = re.compile(r'\\{\w+\\}')
  return [
    re.compile(slots.sub(r'\\w+', re.escape(lead)) + ' ')
    for lead in persons.LEADS
  ]


def core(description):
  """Removes the lead, which differs between mentions."""
  found = [m for m in (lead.match(description) for lead in leads()) if m]
  return description[max((match.end() for match in found), default=0) :]


def pairs(text):
  """Returns all (name, core of the description) that a text may state."""
  return {
    (match['name'].lower(), core(match['description'].lower()))
    for match in (pattern.fullmatch(text) for pattern in patterns())
    if match
  }


@any_episode
def test_people_keep_their_descriptions(seed, count):
  episode = episodes.families()['people'](random.Random(seed), count)
  said = [pairs(document) for document in episode.documents]
  assert all(said)
  assert len(said) == count
  for i, statement in statements(episode, seed):
    assert pairs(statement) & said[i], (episode.documents[i], statement)
    others = set().union(*said[:i], *said[i + 1 :]) - said[i]
    assert not pairs(statement) & others


def test_people_are_mentioned_in_both_orders():
  rng = random.Random(0)
  for style in ('ask', 'infer'):
    texts = []
    for _ in range(40):
      episode = episodes.families()['people'](rng, 2)
      said = getattr(episode, style)(rng, 0)
      texts += [said] if style == 'ask' else said
    first = [
      re.match(r'[\W]*the \w+ \w+', unmarked(t).lower()) is not None
      for t in texts
    ]
    assert 0.1 < sum(first) / len(first) < 0.9


def test_some_people_differ_only_in_their_titles():
  rng = random.Random(0)
  alike = 0
  for _ in range(40):
    episode = episodes.families()['people'](rng, 6)
    # 'the acclaimed composer of the opera Glomp'
    said = re.findall(
      rf'(?:{"|".join(persons.ADJECTIVES.seen)}) \w+ of the \w+ [A-Z]',
      ' '.join(episode.documents),
    )
    alike += len(said) > 1 and len({s[:-1] for s in said}) == 1
  assert 8 < alike < 32


def test_wordy_descriptions_are_reworded():
  rng = random.Random(0)
  reworded = 0
  for _ in range(40):
    position = people.draw_position(rng)
    describe = people.draw_description(rng, position)
    said = {describe(rng) for _ in range(30)}
    assert len({core(text) for text in said}) == 1
    assert {unmarked(describe(rng, '~')) for _ in range(30)} <= said
    reworded += len(said) > 1
  assert 10 < reworded < 30


# --- categories -------------------------------------------------------------

SAID_OF_CATEGORIES = (
  # subject, relation, object; from the most to the least specific form
  (re.compile(r'(\w+) are a type of (\w+)'), lambda a, b: (a, 'is a', b)),
  (re.compile(r'things that are (\w+) include (\w+)'), lambda b, a: (a, '', b)),
  (re.compile(r'(\w+) include (\w+)'), lambda b, a: (a, 'is a', b)),
  (re.compile(r'(\w+) are found on (\w+)'), lambda b, a: (a, 'has', b)),
  (re.compile(r'(\w+) have (\w+)'), lambda a, b: (a, 'has', b)),
  (re.compile(r'(\w+) are (\w+)ed by (\w+)'), lambda b, v, a: (a, v, b)),
  (re.compile(r'(\w+) are (\w+)'), lambda a, b: (a, '', b)),
  (re.compile(r'(\w+) (\w+) (\w+)'), lambda a, v, b: (a, v, b)),
)


def of_categories(text):
  facts = []
  for sentence in text.lower().rstrip('.').split('. '):
    for pattern, order in SAID_OF_CATEGORIES:
      if match := pattern.fullmatch(sentence):
        facts.append(order(*match.groups()))
        break
    else:
      raise AssertionError(sentence)
  return facts


@any_episode
def test_categories_inherit(seed, count):
  episode = episodes.families()['kinds'](random.Random(seed), count)
  assert len(episode.documents) == count
  told = [of_categories(document) for document in episode.documents]
  true = {fact for facts in told for fact in facts}
  for _ in range(count):
    true |= {
      (child, relation, other)
      for child, is_a, parent in true
      if is_a == 'is a'
      for one, relation, other in true
      if one == parent and relation != 'is a'
    }
  for i, statement in statements(episode, seed):
    (fact,) = of_categories(statement)
    assert fact in true
    assert fact[0] == told[i][0][0]


def test_categories_are_asked_in_every_way():
  rng = random.Random(0)
  ways = collections.Counter()
  for _ in range(40):
    episode = episodes.families()['kinds'](rng, 5)
    text = ' '.join(episode.documents)
    told = of_categories(text)
    for i in range(5):
      said = unmarked(episode.ask(rng, i))
      (fact,) = of_categories(said)
      ways['inherited' if fact not in told else said in text] += 1
  assert min(ways['inherited'], ways[True], ways[False]) > 25


# --- inheritance ------------------------------------------------------------

KIND_OF = re.compile(r'all (\w+) are a kind of (\w+)\.')
ABILITY = re.compile(r'all (\w+) can (\w+)\.')


@any_episode
def test_abilities_are_inherited(seed, count):
  episode = episodes.inheritance(random.Random(seed), count)
  assert len(episode.documents) >= count
  text = ' '.join(episode.documents)
  above, able = KIND_OF.findall(text), set(ABILITY.findall(text))
  assert len(above) + len(able) == len(episode.documents)
  for _ in above:
    able |= {(c, a) for c, parent in above for p, a in able if p == parent}
  for _, statement in statements(episode, seed):
    assert ABILITY.fullmatch(bare(statement)).groups() in able


def test_inferred_abilities_may_be_told_by_other_documents_only():
  """As the rows of the embedded models have them, so this must not change."""
  episode = episodes.inheritance(random.Random(0), 6)
  elsewhere = 0
  for i, document in enumerate(episode.documents):
    for said in episode.infer(random.Random(i), i):
      category, ability = ABILITY.fullmatch(bare(unmarked(said))).groups()
      assert category in document.split()
      elsewhere += f'can {ability}' not in document
  assert elsewhere


def test_abilities_are_asked_over_several_hops():
  rng = random.Random(0)
  asked, said = set(), set()
  for _ in range(30):
    episode = episodes.inheritance(rng, 4)
    said |= set(map(bare, episode.documents))
    asked |= {bare(s) for _, s in statements(episode, 0)}
  assert asked & said
  assert len(asked - said) > len(asked) / 3


# --- filler -----------------------------------------------------------------

CODES = (
  re.compile(r'The code of the (?P<noun>\w+) is (?P<code>\w+)\.'),
  re.compile(r'(?P<code>\w+) is the code of the (?P<noun>\w+)\.'),
)


@any_episode
def test_codes_are_looked_up(seed, count):
  episode = episodes.filler(random.Random(seed), count)
  said = [CODES[0].fullmatch(d).groupdict() for d in episode.documents]
  # One noun is in the list twice.
  assert [c['noun'] for c in said if said.count(c) > 1] == []
  nouns = [code['noun'] for code in said]
  assert {noun for noun in nouns if nouns.count(noun) > 1} <= {'language'}
  for i, statement in statements(episode, seed):
    found = [m for m in (c.fullmatch(statement) for c in CODES) if m]
    assert found or 'code' not in statement
    assert not found or found[0].groupdict() == said[i]


# --- all families -----------------------------------------------------------


@pytest.mark.parametrize('family', episodes.families())
def test_documents_are_single_unmarked_lines(family):
  for seed in range(30):
    episode = episodes.families()[family](random.Random(seed), 4)
    again = episodes.families()[family](random.Random(seed), 4)
    assert list(episode.documents) == list(again.documents)
    for document in episode.documents:
      assert document == unmarked(document) == ' '.join(document.split())
    for _, statement in statements(episode, seed):
      assert statement == ' '.join(statement.split())


@pytest.mark.parametrize('family', ['comparisons', 'syllogisms', 'inheritance'])
def test_entities_are_words_of_the_pretraining_lexicon(family):
  known = set(lexicon.words(evaluation=False))
  english = ' '.join(
    [
      *tables.FEATURES.seen,
      *tables.PREAMBLES.seen,
      *abilities.ABILITIES,
      'Q: are A: Yes No more less than all some no can a kind of',
      quantified.relationships('', '', ''),
    ]
  )
  english = set(re.findall(r'\w+', english))
  for seed in range(30):
    episode = episodes.families()[family](random.Random(seed), 5)
    text = ' '.join(
      [*episode.documents, *dict(statements(episode, 0)).values()]
    )
    assert set(re.findall(r'\w+', text)) <= known | english
