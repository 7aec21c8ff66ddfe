"""People: 'Glon Trask is the acclaimed composer ...', said and read.

A fact says that a name and a description are one person, and its direction is
the order in which a text mentions the two.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from icl_gen.text import identity, sentences
from icl_gen.text.forms.persons import (
  DESCRIPTION_FIRST,
  DESCRIPTIONS,
  NAME_FIRST,
)
from icl_gen.text.sentences import words_of
from icl_gen.types import Fact, World


def told(phrasings: Sequence[str]) -> Sequence[str]:
  """The phrasings of a table that documents use: the first three quarters."""
  return phrasings[: len(phrasings) * 3 // 4]


def asked(phrasings: Sequence[str]) -> Sequence[str]:
  """The phrasings of a table that questions use: the rest."""
  return phrasings[len(told(phrasings)) :]


def description(
  adjective: str,
  role: str,
  work: str,
  title: str,
  *,
  form: str = DESCRIPTIONS.seen[0],
  verb: str = '',
) -> str:
  """Renders 'the acclaimed composer of the opera Glomp'.

  Args:
    adjective: what the person is like.
    role: what the person is.
    work: the kind of work that the person is known for.
    title: the name of the work.
    form: one of DESCRIPTIONS.
    verb: the form's verb, if it has one.
  """
  lead = form.format(adjective=adjective, role=role, verb=verb)
  return f'{lead} {work} {title}'


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


_OWN_PHRASINGS = frozenset(
  map(_words_around, itertools.chain(*NAME_FIRST, *DESCRIPTION_FIRST))
)


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
