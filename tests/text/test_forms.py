"""The parts of the tables of forms are disjoint, and of the same words."""

import itertools
import re

import pytest

from icl_gen.pretraining import english
from icl_gen.text import abilities, prompts
from icl_gen.text.forms import persons, statements, taxonomy
from icl_gen.text.forms.split import PARTS, Split

SPLITS = {
  f'{module.__name__.rsplit(".", 1)[1]}.{name}': table
  for module in (persons, statements, taxonomy)
  for name, table in vars(module).items()
  if isinstance(table, Split)
}
# Pretraining has none of these, seen or not.
NOWHERE = {
  *('statements.PARAPHRASES', 'statements.ENTRIES', 'statements.DERIVATOIDS'),
  *('statements.COMPARISONS', 'statements.RULES'),
  *('taxonomy.STYLES', 'taxonomy.QUESTIONS'),
  *('taxonomy.HEADINGS', 'taxonomy.REWORDED'),
}


def texts(part):
  """All strings in a part of a table, however they are nested."""
  if isinstance(part, str):
    return [part]
  values = part.values() if isinstance(part, dict) else part
  return [text for value in values for text in texts(value)]


def words(*said):
  """The words of texts, in lower case, without slots and marks."""
  plain = re.sub(r'\{\w+\}', ' ', ' '.join(said))
  return set(re.findall(r'[a-z]+', plain.lower()))


def test_there_is_a_table_for_every_family():
  assert len(SPLITS) == 20
  assert set(SPLITS) >= NOWHERE


@pytest.mark.parametrize('name', SPLITS)
def test_the_parts_share_no_form(name):
  parts = [texts(part) for part in SPLITS[name]]
  for one in parts:
    assert len(set(one)) == len(one)
  for one, other in itertools.combinations(parts, 2):
    assert not {t.lower() for t in one} & {t.lower() for t in other}


@pytest.mark.parametrize('name', SPLITS)
def test_the_parts_have_the_same_shape(name):
  """What a world does with one part it can do with the others."""
  slots = [
    {frozenset(re.findall(r'\{\w+\}', text)) for text in texts(part)}
    for part in SPLITS[name]
    if texts(part)
  ]
  # A description may have a verb, and a statement be in the singular.
  optional = {'{verb}', '{a}', '{b}', '{v}', '{A}', '{B}', '{V}'}
  fixed = [{found - optional for found in part} for part in slots]
  assert all(found == fixed[0] for found in fixed)
  shapes = {
    type(part) if not isinstance(part, dict) else tuple(part)
    for part in SPLITS[name]
  }
  assert len(shapes) == 1


def test_every_relation_can_be_told_of_one_thing():
  """As definitions do."""
  for part in taxonomy.STYLES:
    for styles in part.values():
      assert all(any('{a}' in form for form in forms) for forms in styles)


def trained_words():
  return words(
    *english.NOUNS,
    *english.VERBS,
    *english.ADJECTIVES,
    *english.PLACES,
    *english.MORE,
    *abilities.ABILITIES,
    *persons.LEADS,
    *(
      text
      for name, table in SPLITS.items()
      if name not in NOWHERE
      for text in texts(table.seen)
    ),
    'Q: A: more less than Yes No a kind of can',
    prompts.LOCAL,
    prompts.GLOBAL,
  )


def test_held_out_forms_use_words_that_pretraining_trains():
  trained = trained_words()
  for name in set(SPLITS) - NOWHERE:
    for part in PARTS[1:]:
      assert words(*texts(SPLITS[name][part])) <= trained, name


def test_other_prompts_use_words_that_pretraining_trains():
  trained = trained_words()
  for name, wording in prompts.WORDINGS.items():
    assert words(wording.local, wording.global_) <= trained, name
