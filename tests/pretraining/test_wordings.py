"""Wordings of an episode's own say the same facts, in forms of no table."""

import random
import re

import pytest

from icl_gen.pretraining import inferring, marks, people, wordings
from icl_gen.pretraining.episode import Source
from icl_gen.text import categories, inflection
from icl_gen.text.forms import persons
from icl_gen.text.forms.split import PARTS
from icl_gen.text.forms.statements import PREAMBLES
from icl_gen.text.forms.taxonomy import PLAIN, REWORDED, STYLES
from icl_gen.types import Fact

FACTS = (
  Fact('gruds', 'is a', 'flomps'),
  Fact('gruds', 'has', 'wicks'),
  Fact('gruds', 'is', 'zurb'),
  Fact('gruds', 'blim', 'tarns'),
)
RELATIONS = tuple(fact.relation for fact in FACTS)
BOTH = (*FACTS, *map(categories.flip, FACTS))


def drawn(seed, share=1.0):
  rng = random.Random(seed)
  return wordings.draw(rng, RELATIONS, part='seen', share=share)


def form_of(said, fact):
  """What is left of a statement without its nouns and its verb."""
  relation = categories.base(fact.relation)
  # A verb first, as in 'blims'; nouns may be in the singular.
  verbs = {relation, inflection.past(relation)}
  nouns = {
    word: slot
    for noun, slot in ((fact.subject, '1'), (fact.object, '2'))
    for word in (noun, inflection.singular(noun))
  }
  return [
    'V' if word in verbs and relation == 'blim' else nouns.get(word, word)
    for word in said.split(' ')
  ]


@pytest.mark.parametrize('fact', BOTH, ids=lambda fact: fact.relation)
def test_a_statement_has_the_subject_once_and_ends_in_the_object(fact):
  for seed in range(40):
    wording = drawn(seed)
    form = form_of(wording.said(fact), fact)
    assert form.count('1') == 1, form
    assert form.count('2') == 1, form
    assert form[-1] == '2'
    assert ('V' in form) == (categories.base(fact.relation) == 'blim')


def test_a_form_says_one_relation_in_one_direction():
  for seed in range(20):
    wording = drawn(seed)
    forms = [' '.join(form_of(wording.said(fact), fact)) for fact in BOTH]
    assert len(set(forms)) == len(BOTH)


def test_kinds_are_told_by_a_word_for_kinds_but_half_of_their_inverses():
  def is_told(fact):
    said = [drawn(seed).said(fact) for seed in range(200)]
    return [
      bool(re.search(r'\b(kind|type|group|family)\b', one)) for one in said
    ]

  assert all(is_told(FACTS[0]))
  assert 80 <= sum(is_told(categories.flip(FACTS[0]))) <= 120


def test_episodes_differ_in_their_forms():
  said = {drawn(seed).said(FACTS[1]) for seed in range(200)}
  assert len(said) > 195


def test_no_form_is_one_of_the_tables(monkeypatch):
  """Drawn from the words of the tables alone, where they would often meet."""
  tables = (
    {
      form
      for part in PARTS
      for table in (
        PREAMBLES[part],
        persons.NAME_FIRST[part],
        persons.DESCRIPTION_FIRST[part],
      )
      for form in table
    }
    | {
      form
      for part in PARTS
      for table in (PLAIN[part], REWORDED[part])
      for pair in table.values()
      for form in pair
    }
    | {
      form
      for part in PARTS
      for pair in STYLES[part].values()
      for forms in pair
      for form in forms
    }
  )
  monkeypatch.setattr(wordings, '_WORDS', ('have', 'are', 'found', 'on'))
  monkeypatch.setattr(wordings, '_SINGULAR', 0.0)
  monkeypatch.setattr(wordings, '_THE', 0.0)
  monkeypatch.setattr(wordings, '_BETWEEN', (1, 2))
  found = [
    form
    for seed in range(300)
    for pair in drawn(seed).own.values()
    for form in pair
  ]
  assert len(set(found)) < 0.8 * len(found)  # few words, so forms repeat
  assert not set(found) & tables

  rng = random.Random(1)
  monkeypatch.setattr(wordings, '_WORDS', ('is', 'was', 'Meet'))
  people = {wordings.around(rng, '{N}', '{D}') for _ in range(300)}
  assert '{N} is {D}.' in tables and not people & tables
  monkeypatch.setattr(wordings, '_WORDS', ('note', 'remember'))
  openings = {wordings.opening(rng).capitalize() for _ in range(100)}
  assert 'Note that' in tables and not openings & tables


def test_without_a_share_nothing_is_drawn_and_forms_are_fixed():
  rng = random.Random(1)
  before = rng.getstate()
  for part in PARTS:
    wording = wordings.draw(rng, RELATIONS, part=part, share=0.0)
    for fact in BOTH:
      assert wording.said(fact) == categories.said(fact, part=part)
  assert rng.getstate() == before


def test_a_share_of_the_relations_has_own_forms():
  own = sum(len(drawn(seed, 0.25).own) for seed in range(400)) / 1600
  assert 0.2 < own < 0.3


@pytest.mark.parametrize('skill', inferring.NAMES)
def test_statements_in_drawn_forms_end_in_a_word_of_the_documents(skill):
  """And a trace repeats sentences of the documents."""
  for seed in range(10):
    episode = inferring.draw(
      random.Random(seed), 4, skill=skill, source=Source(drawn=1.0)
    )
    told = ' '.join(episode.documents)
    sentences = set(told.split('. ')) | {told.rsplit('. ', 1)[-1]}
    for i in range(len(episode.documents)):
      said = episode.ask(random.Random(i), i)
      last = marks.removed(said).rstrip('.').split(' ')[-1]
      words = told.lower().replace('.', '').split(' ')
      assert last in words or inflection.singular(last) in words
      if skill.endswith('traced'):
        # The first one may be behind a preamble; the last one is new.
        middle = marks.removed(said).rstrip('.').split('. ')[1:-1]
        assert set(middle) <= {one.rstrip('.') for one in sentences}


def test_names_may_be_of_any_letters_where_wordings_are_drawn(monkeypatch):
  def letters(drawn):
    names = [
      people.draw_name(random.Random(seed), source=Source(drawn=drawn))
      for seed in range(400)
    ]
    # No syllables of pretraining have four consonants in a row but as letters.
    return sum(
      bool(re.search('[b-df-hj-np-tv-xz]{5}', n.lower())) for n in names
    )

  assert letters(0.7) > 20 > 2 >= letters(0.0)


def english(said):
  """Share of the words of drawn forms that are in the lists of English."""
  words = [
    word
    for form in said
    for word in form.lower().replace(',', '').replace(':', '').split()
    if '{' not in word
  ]
  lists = {word.lower() for word in wordings._WORDS}
  lists |= {'the', 'a', 'every', 'kind', 'type', 'group', 'family'}
  return sum(word in lists for word in words) / len(words)


def test_a_share_of_the_words_of_drawn_forms_is_in_no_list():
  def forms(spelt):
    for seed in range(200):
      rng = random.Random(seed)
      found = wordings.draw(rng, RELATIONS, part='seen', share=1.0, spelt=spelt)
      for pair in found.own.values():
        yield from pair
      yield wordings.around(rng, '{N}', '{D}', spelt=spelt).rstrip('.')

  assert english(forms(0.0)) == 1
  assert 0.65 < english(forms(0.3)) < 0.85


def test_without_such_words_rows_are_as_they_were():
  """Otherwise nano2 could not be made again, of before there were any."""
  first, other = (
    inferring.draw(
      random.Random(3),
      4,
      skill='reversed',
      source=Source(drawn=0.7, spelt=spelt),
    ).documents[0]
    for spelt in (0.0, 0.5)
  )
  assert first == (
    'Whom joined grurps zwulb each to stromps. Grurps too only all scond.'
    ' Grurps every told pulled stergs.'
  )
  assert other != first


def test_words_of_descriptions_are_spelt_too():
  def words(spelt):
    rng = random.Random(0)
    source = Source(drawn=1.0, spelt=spelt)
    for _ in range(200):
      position = people.draw_position(rng, source=source)
      yield position[1]
      yield position[2]

  nouns = set(people._of_positions()[1])
  assert set(words(0.0)) <= nouns
  strange = [word not in nouns for word in words(0.3)]
  assert 0.2 < sum(strange) / len(strange) < 0.4
