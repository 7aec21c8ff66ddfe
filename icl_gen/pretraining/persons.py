"""The family of people: names with descriptions, said in both orders."""

import random
import string
from collections.abc import Callable

from icl_gen.pretraining import english, episode, marks
from icl_gen.text import descriptions, lexicon

_CHARACTERS = string.ascii_letters + string.digits


def _syllables(rng: random.Random, count: int) -> str:
  return ''.join(
    rng.choice('bcdfghjklmnprstvwz')
    + rng.choice('aeiou')
    + rng.choice(('', '', 'n', 'r', 'l', 's', 't', 'm', 'th', 'ck'))
    for _ in range(count)
  )


def name_of_person(rng: random.Random) -> str:
  """A fresh name: nonsense, made of syllables, or random characters."""
  style = rng.random()
  if style < 0.3:
    return lexicon.title(episode.fresh_words(rng, 1))
  if style < 0.65:
    return lexicon.title(episode.fresh_words(rng, 2))
  if style < 0.95:
    return lexicon.title([_syllables(rng, rng.randint(1, 3)) for _ in range(2)])
  return ''.join(rng.choices(_CHARACTERS, k=rng.randint(2, 6)))


def position_of_person(rng: random.Random) -> tuple[str, str, str]:
  """An adjective, a role and what such people make."""
  return rng.choice(descriptions.ADJECTIVES), *rng.choice(descriptions.ROLES)


def description_of_person(
  rng: random.Random, position: tuple[str, str, str]
) -> Callable[..., str]:
  """A fresh description: draws one of its wordings, marked where asked to.

  By a nonsense title it has one wording; of English words alone it has the
  same core behind different leads, and nobody can predict which.
  """
  adjective, role, work = position
  if rng.random() < 0.5:
    title = lexicon.title(episode.fresh_words(rng, 1))
    said = descriptions.description(adjective, role, work, title)
    return lambda rng, mark='': said
  core, verb = _core(rng), rng.choice(english.VERBS)
  leads = rng.sample(descriptions.LEADS, 3)

  def describe(rng: random.Random, mark: str = '') -> str:
    lead = rng.choice(leads)
    for slot, word in (
      ('{role}', role),
      ('{verb}', verb),
      ('{adjective}', adjective),
    ):
      lead = lead.replace(slot, word)
    return f'{marks.every_word(lead) if mark else lead} {core}'

  return describe


def _core(rng: random.Random) -> str:
  """What somebody is known for, in English words: 'lost song of the sea'."""
  qualities = rng.sample(english.ADJECTIVES, 2)
  nouns = rng.sample(english.NOUNS + english.MORE, 3)
  title = lexicon.title(rng.sample(nouns, 2) if rng.random() < 0.6 else nouns)
  return rng.choice(
    (
      f'{qualities[0]} {nouns[0]} {nouns[1]}',
      f'{qualities[0]} {nouns[0]} of the {qualities[1]} {nouns[1]}',
      f'{nouns[0]} {rng.choice(english.PLACES)} the {qualities[1]} {nouns[1]}',
      f'{qualities[0]} {nouns[0]}, "{title}"',
      f'{nouns[0]} known as {title}',
      f'{nouns[0]} that {rng.choice(english.VERBS)} a {nouns[1]} {nouns[2]}',
    )
  )


def people(
  rng: random.Random, count: int, *, name_first: float
) -> episode.Episode:
  """Names with descriptions, said in one order and asked in both.

  Asked for is mostly the name. In every other episode all people have the same
  position: who finds them by adjective and role alone does not learn to look
  at the nonsense title.

  Args:
    rng: draws everything.
    count: how many people.
    name_first: share of documents that say the name first.
  """
  names = _distinct(rng, name_of_person, count)
  shared = position_of_person(rng) if rng.random() < 0.5 else None
  described = [
    description_of_person(rng, shared or position_of_person(rng))
    for _ in range(count)
  ]

  def say(rng, i, *, name_first: bool, mark: str = '') -> str:
    table = (
      descriptions.NAME_FIRST if name_first else descriptions.DESCRIPTION_FIRST
    )
    name, description = names[i], described[i](rng, mark)
    if mark and name_first:
      name = mark + name
    elif mark:
      description = marks.every_word(marks.removed(description))
      name = marks.LOOKED_UP + name
    text = rng.choice(table)
    if mark:  # everything before the first of the two is a free choice
      first = '{N}' if name_first else '{D}'
      before, after = text.split(first, 1)
      text = ' '.join(mark + w if w else w for w in before.split(' ')) + first
      text += after
    return text.replace('{N}', name).replace('{D}', description)

  def ask(rng: random.Random, i: int) -> str:
    first = rng.random() < 0.2
    return marks.capital(
      say(rng, i, name_first=first, mark=marks.UNPREDICTABLE)
    )

  def infer(rng: random.Random, i: int) -> list[str]:
    return [
      marks.capital(say(rng, i, name_first=True)),
      marks.capital(say(rng, i, name_first=False)),
    ]

  documents = [
    marks.capital(say(rng, i, name_first=rng.random() < name_first))
    for i in range(count)
  ]
  return episode.Episode(documents, ask, infer)


def _distinct(rng: random.Random, draw: Callable, count: int) -> list[str]:
  made: dict[str, None] = {}
  while len(made) < count:
    made[draw(rng)] = None
  return list(made)
