"""Ordinary-looking names share no part, and no word with the phrasings."""

import re

import pytest

from icl_gen.text import (
  abilities,
  categories,
  codebooks,
  comparisons,
  descriptions,
  lexicon,
  names,
  quantified,
  transforms,
)
from icl_gen.text.forms import persons, statements, taxonomy
from icl_gen.worlds.celebrity import invented as celebrity
from tests.worlds import paper

FAMILIES = (
  abilities,
  categories,
  codebooks,
  comparisons,
  descriptions,
  persons,
  quantified,
  statements,
  taxonomy,
  transforms,
)


def test_tables_hold_each_name_once():
  for table in (names.FIRST, names.LAST):
    assert len(set(table)) == len(table) >= 120
    assert all(re.fullmatch('[A-Z][a-z]+', name) for name in table)
  assert not set(names.FIRST) & set(names.LAST)


def test_last_names_are_no_words_of_the_phrasings_and_no_nonsense():
  said = set(
    re.findall(
      r'\w+',
      ' '.join(
        str(value) for family in FAMILIES for value in vars(family).values()
      ),
    )
  )
  nonsense = {
    word
    for evaluation in (True, False)
    for word in lexicon.words(evaluation=evaluation)
  }
  lower = {name.lower() for name in names.LAST}
  assert not lower & ({word.lower() for word in said} | nonsense)


def test_a_sample_is_named_by_its_seed_and_repeats_no_part():
  drawn = names.sample(100, seed='a')
  assert drawn == names.sample(100, seed='a') != names.sample(100, seed='b')
  firsts, lasts = zip(*(name.split() for name in drawn), strict=True)
  assert len(set(firsts)) == len(set(lasts)) == 100


def test_more_names_than_there_are_are_refused():
  with pytest.raises(ValueError, match=r'\d+ plain names.*nonsense'):
    paper.build('celebrity', people=60, names='plain')


def test_plain_names_change_nothing_but_the_names():
  sizes = {'people': 4, 'phrasings': 2, 'question_phrasings': 1}
  _, nonsense = celebrity.build(seed='s', **sizes)
  world, plain = celebrity.build(seed='s', names='plain', **sizes)
  renamed = {}
  for one, other in zip(nonsense.documents, plain.documents, strict=True):
    (before,), (after,) = one.facts, other.facts
    pair = [
      (b, a)
      for b, a in zip(
        (before.subject, before.object),
        (after.subject, after.object),
        strict=True,
      )
      if not b.startswith('the ')
    ]
    ((old, new),) = pair
    assert renamed.setdefault(old, new) == new
    first, last = new.split()
    assert first in names.FIRST and last in names.LAST
    assert other.text == one.text.replace(old, new)
  assert len(set(renamed.values())) == 12
  assert [q.answers for q in nonsense.questions] == [
    q.answers for q in plain.questions
  ]
  assert plain.manifest == nonsense.manifest | {'names': 'plain'}
  assert len(world.facts) == 16


def test_an_unknown_kind_of_names_is_refused():
  with pytest.raises(ValueError, match="names='real'.*nonsense.*plain"):
    paper.build('celebrity', names='real')
