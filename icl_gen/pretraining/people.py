"""The family of people: names and descriptions, asked for in both orders."""

import functools
import random
import string
from collections.abc import Callable, Sequence

from icl_gen.pretraining import english, episode, marks, spelling, wordings
from icl_gen.text import descriptions, lexicon
from icl_gen.text.forms import persons

_CHARACTERS = string.ascii_letters + string.digits
# Share of names that are spelt like nothing else, where wordings are drawn.
_ANY = 0.3


def draw_name(
  rng: random.Random, *, source: episode.Source = episode.SEEN
) -> str:
  """Draws a name of nonsense words, syllables or random characters.

  Where wordings are drawn, some names are of letters that make no syllables: to
  a tokenizer that never saw one, real names look like these.
  """
  if source.drawn and rng.random() < _ANY:
    return lexicon.title(
      [spelling.letters(rng) for _ in range(rng.randint(2, 3))]
    )
  style = rng.random()
  if style < 0.3:
    return lexicon.title(source.words(rng, 1))
  if style < 0.65:
    return lexicon.title(source.words(rng, 2))
  if style < 0.95:
    draw = functools.partial(spelling.syllables, rng)
    return lexicon.title([_unreserved(rng, draw, source) for _ in range(2)])
  while True:
    name = ''.join(rng.choices(_CHARACTERS, k=rng.randint(2, 6)))
    # At the start of a sentence, a small letter would become another name.
    if not source.drawn or not name[0].islower():
      return name


def _unreserved(
  rng: random.Random,
  draw: Callable[[int], str],
  source: episode.Source,
) -> str:
  """Draws syllables that are no reserved word, if there are any."""
  while True:
    drawn = draw(rng.randint(1, 3))
    if not source.leaves_out or not spelling.is_nonsense(drawn):
      return drawn


def draw_position(
  rng: random.Random, *, source: episode.Source = episode.SEEN
) -> tuple[str, str, str]:
  """Draws an adjective, a role, and the kind of work that goes with it.

  Where wordings are drawn, so are these, of English words that are none of the
  held-out ones.
  """
  if source.drawn and rng.random() < source.drawn:
    adjectives, nouns = _of_positions()
    drawn, work = _respelt(rng, rng.sample(nouns, 2), source)
    return rng.choice(adjectives), drawn, work
  role = persons.ROLES[source.part]
  return rng.choice(persons.ADJECTIVES[source.part]), *rng.choice(role)


@functools.cache
def _of_positions() -> tuple[Sequence[str], Sequence[str]]:
  """The adjectives and the nouns of positions, without those held out."""
  held_out = {*persons.ADJECTIVES.development, *persons.ADJECTIVES.test}
  for pair in (*persons.ROLES.development, *persons.ROLES.test):
    held_out.update(pair)
  adjectives = [one for one in english.ADJECTIVES if one not in held_out]
  return adjectives, [one for one in english.NOUNS if one not in held_out]


def draw_description(
  rng: random.Random,
  position: tuple[str, str, str],
  *,
  forms: str = 'all',
  source: episode.Source = episode.SEEN,
) -> Callable[..., str]:
  """Draws a description and returns `describe(rng, mark='')`, which words it.

  A description with a nonsense title has a single wording, which may be drawn.
  One of English words has several, with the same core after different leads; if
  `mark` is not empty, the words of the lead are marked, because they cannot be
  predicted.

  Args:
    rng: source of all random draws.
    position: adjective, role and kind of work.
    forms: one of `forms.split.STREAMS`.
    source: of words.
  """
  adjective, role, work = position
  if rng.random() < 0.5:
    title = lexicon.title(source.words(rng, 1))
    form, verb = _lead(rng, source)
    said = descriptions.description(
      adjective, role, work, title, form=form, verb=verb
    )
    return lambda rng, mark='': said
  verbs = english.VERBS if forms == 'all' else wordings.VERBS
  core, verb = _core(rng, verbs, source), rng.choice(verbs)
  leads = rng.sample(persons.LEADS, 3)

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


def _lead(rng: random.Random, source: episode.Source) -> tuple[str, str]:
  """Draws what precedes the kind of work, and its verb; '' if it has none."""
  if source.drawn and rng.random() < source.drawn:
    return wordings.lead(rng, spelt=source.spelt), ''
  if source.part == 'seen':  # There is one, and no verb.
    return persons.DESCRIPTIONS.seen[0], ''
  verbs = persons.VERBS[source.part]
  return rng.choice(persons.DESCRIPTIONS[source.part]), rng.choice(verbs)


def _respelt(
  rng: random.Random, words: Sequence[str], source: episode.Source
) -> list[str]:
  """The words, some of them replaced by others that are in no list."""
  if not source.spelt:  # Draws nothing.
    return list(words)
  return [
    spelling.either(rng) if rng.random() < source.spelt else word
    for word in words
  ]


def _core(
  rng: random.Random, verbs: Sequence[str], source: episode.Source
) -> str:
  """Draws what somebody is known for: 'lost song of the wide sea'."""
  qualities = rng.sample(english.ADJECTIVES, 2)
  nouns = _respelt(rng, rng.sample(english.NOUNS + english.MORE, 3), source)
  title = lexicon.title(rng.sample(nouns, 2) if rng.random() < 0.6 else nouns)
  return rng.choice(
    (
      f'{qualities[0]} {nouns[0]} {nouns[1]}',
      f'{qualities[0]} {nouns[0]} of the {qualities[1]} {nouns[1]}',
      f'{nouns[0]} {rng.choice(english.PLACES)} the {qualities[1]} {nouns[1]}',
      f'{qualities[0]} {nouns[0]}, "{title}"',
      f'{nouns[0]} known as {title}',
      f'{nouns[0]} that {rng.choice(verbs)} a {nouns[1]} {nouns[2]}',
    )
  )


def people(
  rng: random.Random,
  count: int,
  *,
  name_first: float,
  forms: str = 'all',
  source: episode.Source = episode.SEEN,
) -> episode.Episode:
  """People, each introduced in one order and asked about in both.

  Most statements ask for the name. In half of the episodes all people have the
  same position, so that the model has to learn to look at the title: adjective
  and role do not tell them apart. In held-out forms, documents and statements
  have the phrasings that the documents and questions of a world have.

  Args:
    rng: source of all random draws.
    count: number of people.
    name_first: share of documents that mention the name first.
    forms: one of `forms.split.STREAMS`.
    source: of words and wordings.
  """
  names = _distinct(rng, functools.partial(draw_name, source=source), count)
  position = functools.partial(draw_position, source=source)
  shared = position(rng) if rng.random() < 0.5 else None
  described = [
    draw_description(rng, shared or position(rng), forms=forms, source=source)
    for _ in range(count)
  ]

  def say(
    rng: random.Random,
    i: int,
    *,
    name_first: bool,
    mark: str = '',
    drawn: float = source.drawn,
  ) -> str:
    phrasings = _phrasings(source.part, name_first=name_first, asks=bool(mark))
    name, description = names[i], described[i](rng, mark)
    if mark and name_first:
      name = mark + name
    elif mark:
      description = marks.every_word(marks.removed(description))
      name = marks.LOOKED_UP + name
    slots = ('{N}', '{D}') if name_first else ('{D}', '{N}')
    if drawn and rng.random() < drawn:
      text = wordings.around(rng, *slots, spelt=source.spelt)
      if mark:  # No word of it can be predicted.
        text = ' '.join(
          word if word.startswith('{') else mark + word
          for word in text.split(' ')
        )
    else:
      text = rng.choice(phrasings)
      if mark:  # The words before the first mention cannot be predicted.
        before, after = text.split(slots[0], 1)
        marked = [mark + word if word else word for word in before.split(' ')]
        text = ' '.join(marked) + slots[0] + after
    return text.replace('{N}', name).replace('{D}', description)

  def ask(rng: random.Random, i: int) -> str:
    first = rng.random() < 0.2
    return marks.capital(
      say(rng, i, name_first=first, mark=marks.UNPREDICTABLE)
    )

  def infer(rng: random.Random, i: int) -> list[str]:
    # In fixed forms, so that the audit can read what a model infers.
    return [
      marks.capital(say(rng, i, name_first=True, drawn=0.0)),
      marks.capital(say(rng, i, name_first=False, drawn=0.0)),
    ]

  documents = [
    marks.capital(say(rng, i, name_first=rng.random() < name_first))
    for i in range(count)
  ]
  return episode.Episode(documents, ask, infer)


def _phrasings(part: str, *, name_first: bool, asks: bool) -> Sequence[str]:
  """The phrasings of documents or questions; all of them in seen forms."""
  table = persons.NAME_FIRST if name_first else persons.DESCRIPTION_FIRST
  if part == 'seen':
    return table.seen
  return (descriptions.asked if asks else descriptions.told)(table[part])


def _distinct(
  rng: random.Random, draw: Callable[[random.Random], str], count: int
) -> list[str]:
  """Draws until there are `count` different results, in order."""
  made: dict[str, None] = {}
  while len(made) < count:
    made[draw(rng)] = None
  return list(made)
