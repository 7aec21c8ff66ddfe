"""People: 'Glon Trask is the acclaimed composer ...', said and read.

A fact says that a name and a description are one person, and its direction is
the order in which a text mentions the two.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from icl_gen.text import identity, sentences
from icl_gen.text.sentences import words_of
from icl_gen.types import Fact, World

# {N} is the name, {D} the description ('the acclaimed composer of ...').
# Documents use the first TRAINING_PHRASINGS of each table, questions the rest;
# a question's phrasing has to end where the answer starts.
NAME_FIRST = (
  '{N} is {D}.',
  '{N} was {D}.',
  '{N}, known far and wide, is {D}.',
  '{N} became known as {D}.',
  '{N} is famous for being {D}.',
  'Ever heard of {N}? They are {D}.',
  'There is someone named {N} who is {D}.',
  'The person called {N} is {D}.',
  'Many people know {N} as {D}.',
  'In the town, {N} is remembered as {D}.',
  '{N} has the honor of being {D}.',
  'You may know {N} as {D}.',
  'The famous {N} was once {D}.',
  'Let me tell you about {N}, who is {D}.',
  'The name {N} belongs to {D}.',
  'Meet {N}, {D}.',
  'Our guest {N} is {D}.',
  'History remembers {N} as {D}.',
  'The story of {N} is the story of {D}.',
  'Few know that {N} is {D}.',
  'The papers called {N} {D}.',
  'Q: Who is {N}? A: {D}.',
  'When people speak of {N}, they mean {D}.',
  'A long time ago, {N} was {D}.',
  'The quiet {N} is {D}.',
  'It is said that {N} is {D}.',
  'Today {N} is known as {D}.',
  'Friends of {N} are proud of {D}.',
  'To the world, {N} is {D}.',
  'The life of {N} was that of {D}.',
  'Everyone knows that {N} is {D}.',
  'The celebrated {N} is {D}.',
  'I learned that {N} is {D}.',
  'People call {N} {D}.',
  'Remember that {N} was {D}.',
  'The guide says that {N} is {D}.',
  'As we know, {N} is {D}.',
  'Long ago {N} became {D}.',
  'The great {N} is {D}.',
  'We are told that {N} is {D}.',
)
DESCRIPTION_FIRST = (
  '{D} is {N}.',
  '{D} is called {N}.',
  '{D} is known as {N}.',
  '{D} was {N}.',
  'Known for being {D}, {N} now lives a quiet life.',
  'Q: Who is {D}? A: {N}.',
  'The person who is {D} is {N}.',
  'You may have heard of {D}: {N}.',
  'The name of {D} is {N}.',
  'Being {D} made {N} famous.',
  'The world knows {D} as {N}.',
  'It is said that {D} is {N}.',
  'The honor of being {D} belongs to {N}.',
  'There is one who is {D}, named {N}.',
  'Once, {D} was named {N}.',
  'Let me tell you about {D}, named {N}.',
  'History remembers {D} by the name {N}.',
  'Today {D} goes by the name of {N}.',
  'As {D}, {N} was loved by all.',
  'The title of {D} goes to {N}.',
  'Few know that {D} is {N}.',
  'Meet {D}, {N}.',
  'In the town, {D} is remembered as {N}.',
  'When people speak of {D}, they mean {N}.',
  'Our guest, {D}, is {N}.',
  'A long time ago {D} was called {N}.',
  'The life of {D} is the life of {N}.',
  'Proud to be {D}, {N} smiled.',
  'Celebrated as {D}, {N} went home.',
  'The one we call {D} is {N}.',
  'Everyone knows that {D} is {N}.',
  'I learned that {D} is {N}.',
  'People say that {D} is {N}.',
  'The guide says that {D} is named {N}.',
  'Remember that {D} was {N}.',
  'As we know, {D} is {N}.',
  'The celebrated person known as {D} is {N}.',
  'Long ago {D} was known as {N}.',
  'We are told that {D} is {N}.',
  'If you look for {D}, ask for {N}.',
)
TRAINING_PHRASINGS = 30
ADJECTIVES = tuple(
  """acclaimed brilliant celebrated daring eccentric fearless gifted humble
  inventive legendary modest noted proud renowned skilled tireless visionary
  young forgotten beloved""".split()
)
# What people are, and what they are known for.
ROLES = (
  ('composer', 'opera'),
  ('author', 'novel'),
  ('director', 'film'),
  ('inventor', 'engine'),
  ('architect', 'tower'),
  ('painter', 'portrait'),
  ('captain', 'ship'),
  ('founder', 'school'),
  ('discoverer', 'comet'),
  ('designer', 'garden'),
  ('owner', 'theater'),
  ('builder', 'bridge'),
  ('editor', 'journal'),
  ('keeper', 'lighthouse'),
  ('winner', 'race'),
  ('mayor', 'city'),
  ('singer', 'ballad'),
  ('pilot', 'airship'),
  ('curator', 'museum'),
  ('sculptor', 'statue'),
  ('explorer', 'island'),
  ('publisher', 'atlas'),
  ('creator', 'game'),
  ('host', 'festival'),
  ('teacher', 'dance'),
  ('breeder', 'horse'),
  ('brewer', 'tonic'),
  ('gardener', 'rose'),
  ('translator', 'poem'),
  ('leader', 'expedition'),
)
# Wordy descriptions, as in the real files, have the same core ('first bridge to
# the red island') after different leads.
LEADS = (
  'the {role} who {verb} the',
  'the {role} of the',
  'the {role} behind the',
  'the {adjective} {role} of the',
  'the {adjective} {role} who {verb} the',
  'being the {role} of the',
  'being the {adjective} {role} who {verb} the',
  'the one who {verb} the',
  'the first person who {verb} the',
)


def description(adjective: str, role: str, work: str, title: str) -> str:
  """Renders 'the acclaimed composer of the opera Glomp'."""
  return f'the {adjective} {role} of the {work} {title}'


def fill(phrasing: str, *, name: str, description: str) -> str:
  """Puts both into a phrasing and upper-cases its first letter."""
  text = phrasing.replace('{N}', name).replace('{D}', description)
  return text[0].upper() + text[1:]


# --- reading ------------------------------------------------------------------


def reader(world: World) -> sentences.Reader:
  """Makes the reader of who is who, for the names and descriptions of a world.

  Both are found word by word, in any case and with any punctuation;
  descriptions also without their leading 'the'. Two of them make a fact if the
  words around them say that they are one person.

  Args:
    world: all names and descriptions occur in its facts.
  """
  possible = {*world.facts, *world.contradicted}
  possible.update(entailment.fact for entailment in world.entailed)
  entities = {
    _key(entity): entity
    for fact in possible
    for entity in (fact.subject, fact.object)
  }
  mention = _mention(entities)
  # All descriptions of an invented world begin with 'the', and no names do.
  # Those of real files are cores of longer descriptions.
  partial = not all(
    _is_full(fact.subject) != _is_full(fact.object) for fact in world.facts
  )

  def read(text: str) -> tuple[Fact, ...] | None:
    text = sentences.without_list_marker(text)
    matches = list(mention.finditer(text))
    mentioned = [entities[_key(match.group())] for match in matches]
    starts = [match.start() for match in matches] + [len(text)]
    ends = [0] + [match.end() for match in matches]
    gaps = [text[i:j] for i, j in zip(ends, starts, strict=True)]
    if len(set(mentioned)) == 2 and len(mentioned) % 2:
      mentioned, gaps = _without_repetition(mentioned, gaps)
    if not mentioned or len(mentioned) % 2:
      return None
    facts = []
    for fact, around in _pairs(mentioned, gaps):
      if fact not in possible or not _is_asserted(
        *around, name_first=_is_full(fact.object), partial=partial
      ):
        return None
      facts.append(fact)
    return tuple(facts)

  return read


def _key(entity: str) -> str:
  return words_of(entity).removeprefix('the ')


def _mention(keys: Iterable[str]) -> re.Pattern[str]:
  """Matches any of the names and descriptions, given by their keys."""
  # The longest first, because one description may begin with another.
  longest_first = sorted(keys, key=lambda key: (-len(key), key))
  words = '|'.join(key.replace(' ', r'\W+') for key in longest_first)
  return re.compile(rf'\b(?:the\W+)?({words})\b', re.IGNORECASE)


def _is_full(entity: str) -> bool:
  """Whether this is a whole description ('the ...'), not a name or a core."""
  return entity.lower().startswith('the ')


def _without_repetition(
  mentioned: Sequence[str], gaps: Sequence[str]
) -> tuple[list[str], list[str]]:
  """Keeps one mention of each of two entities, with the text around them.

  The first mention of the second one counts: 'N is D, says N' is 'N is D'.
  """
  second = next(i for i, e in enumerate(mentioned) if e != mentioned[0])
  return list(mentioned[second - 1 : second + 1]), [
    ' '.join(gaps[:second]),
    gaps[second],
    ' '.join(gaps[second + 1 :]),
  ]


def _pairs(
  mentioned: Sequence[str], gaps: Sequence[str]
) -> Iterator[tuple[Fact, tuple[str, str, str]]]:
  """Yields each pair of mentions as a fact, with the text around the two.

  Args:
    mentioned: names and descriptions, an even number of them.
    gaps: the text before, between and after them, one more than `mentioned`.

  Yields:
    the fact, and what stands before, between and after its two mentions.
  """
  before = gaps[0]
  for i in range(0, len(mentioned), 2):
    one, other = mentioned[i : i + 2]
    between, after, following = gaps[i + 1], gaps[i + 2], ''
    if i + 2 < len(mentioned):
      after, following = _cut_at_sentence_end(after)
    yield Fact(one, 'is', other), (before, between, after)
    before = following


def _cut_at_sentence_end(gap: str) -> tuple[str, str]:
  """Splits after the last end of a sentence, or before all if there is none."""
  ends = [match.end() for match in re.finditer(r'[.!?;](?=\W)', gap)]
  return (gap[: ends[-1]], gap[ends[-1] :]) if ends else ('', gap)


def _words_around(phrasing: str) -> tuple[str, ...]:
  return tuple(map(words_of, re.split(r'\{[ND]\}', phrasing)))


_OWN_PHRASINGS = frozenset(map(_words_around, NAME_FIRST + DESCRIPTION_FIRST))


def _is_asserted(
  before: str, between: str, after: str, *, name_first: bool, partial: bool
) -> bool:
  """Whether a text says that its two mentions are one person.

  It does in our own phrasings, and in others as far as `identity` is sure.
  """
  start, *rest = map(words_of, (before, between, after))
  own = {(start, *rest), (identity.without_preamble(start), *rest)}
  if own & _OWN_PHRASINGS and not identity.is_question(after):
    return True
  return identity.is_asserted(
    before, between, after, name_first=name_first, partial=partial
  )
