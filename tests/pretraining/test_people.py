"""People in wordings of their episode's own, and in those of worlds."""

import random
import re

import pytest

from icl_gen.pretraining import compared, people, wordings
from icl_gen.pretraining.episode import Source
from icl_gen.text import comparisons, descriptions, lexicon, sentences
from icl_gen.text.forms import persons

HELD_OUT = ('development', 'test')


def bare(marked):
  return re.sub(r'(?<!\S)[~^!]', '', marked)


def drawn(count=200):
  """People of many episodes with wordings of their own."""
  for seed in range(count):
    yield people.people(
      random.Random(seed), 3, name_first=0.5, source=Source(drawn=1.0)
    )


@pytest.mark.parametrize('word', ['with', 'asked'])
def test_a_lead_is_in_no_table(monkeypatch, word):
  """Not even with another verb: 'that asked the' is 'that {verb} the'."""
  monkeypatch.setattr(wordings, '_WORDS', ('that', word))
  found = {wordings.lead(random.Random(seed)) for seed in range(300)}
  assert f'the {{adjective}} {{role}} {word} that the' in found
  assert 'the {adjective} {role} with the' not in found
  assert 'the {adjective} {role} that asked the' not in found


def test_drawn_positions_have_no_held_out_word():
  rng = random.Random(0)
  source = Source(drawn=1.0)
  found = [people.draw_position(rng, source=source) for _ in range(3000)]
  words = {word for position in found for word in position}
  assert len({role for _, role, _ in found}) > 3 * len(persons.ROLES.seen)
  for part in HELD_OUT:
    pairs = persons.ROLES[part]
    assert not words & {*persons.ADJECTIVES[part], *sum(pairs, ())}


def test_drawn_sentences_have_verbs_but_none_of_those_held_out():
  said = ' '.join(text for one in drawn() for text in one.documents).split()
  assert {'asked', 'found', 'lost'} <= set(said)
  assert not {*persons.VERBS.development, *persons.VERBS.test} & {
    *wordings._WORDS
  }


@pytest.mark.parametrize('part', HELD_OUT)
def test_held_out_people_are_told_and_asked_as_in_a_world(part):
  tables = (persons.NAME_FIRST[part], persons.DESCRIPTION_FIRST[part])

  def patterns(phrasings):
    return [
      re.escape(one).replace(r'\{N\}', '.+').replace(r'\{D\}', '.+')
      for table in tables
      for one in phrasings(table)
    ]

  def matches(text, phrasings):
    found = patterns(phrasings)
    return any(re.fullmatch(one, text, re.IGNORECASE) for one in found)

  leads = [
    one.format(adjective='', role='', verb='')
    for one in persons.DESCRIPTIONS[part]
  ]
  found = set()
  for seed in range(100):
    rng = random.Random(seed)
    episode = people.people(rng, 3, name_first=0.5, source=Source(part))
    for i, document in enumerate(episode.documents):
      assert matches(document, descriptions.told)
      assert matches(bare(episode.ask(rng, i)), descriptions.asked)
      found |= {lead for lead in leads if lead.split()[-2] in document}
  assert found == set(leads)


def test_answers_about_comparisons_can_be_read():
  read = sentences.reader(comparisons.read)
  for seed in range(50):
    rng = random.Random(seed)
    episode = compared.compared(rng, 3, source=Source(drawn=1.0))
    for i in range(3):
      for line in episode.infer(rng, i):
        assert read(bare(line)), line


def test_names_of_syllables_are_no_reserved_word(monkeypatch):
  monkeypatch.setattr(people, '_ANY', 0.0)
  monkeypatch.setattr(people, '_CHARACTERS', '0')
  kept = lexicon.reserved(960)

  def names(source):
    rng = random.Random(0)
    return (
      ' '.join(people.draw_name(rng, source=source) for _ in range(20_000))
      .lower()
      .split()
    )

  assert not set(names(Source(reserved=960, drawn=1.0))) & kept
  assert set(names(Source())) & kept  # Otherwise it could not fail.
