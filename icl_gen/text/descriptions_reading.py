"""Reads which name and which description a text says are one person."""

import re

from icl_gen.text import descriptions, identity, sentences
from icl_gen.types import Fact, World


def reader(world: World) -> sentences.Reader:
  """Finds known names and descriptions; their order is the direction.

  Names and descriptions are matched word by word, in any case and whatever the
  punctuation; descriptions also without their leading 'the'. Two of them are a
  fact where the words around them say that they are one person.
  """
  sayable = set(world.facts) | world.contradicted
  sayable.update(entailment.fact for entailment in world.entailed)
  known = {
    _key(entity): entity
    for fact in sayable
    for entity in (fact.subject, fact.object)
  }
  # All descriptions of a drawn world begin with 'the', and names do not.
  partial = not all(
    _described(fact.subject) != _described(fact.object) for fact in world.facts
  )
  # The longest first: one description may begin with another.
  longest_first = sorted(known, key=lambda key: (-len(key), key))
  words = '|'.join(key.replace(' ', r'\W+') for key in longest_first)
  pattern = re.compile(rf'\b(?:the\W+)?({words})\b', re.IGNORECASE)

  def read(text: str) -> tuple[Fact, ...] | None:
    said, entities = [''], []
    text, end = sentences.without_bullet(text), 0
    for match in pattern.finditer(text):
      said.append(text[end : match.start()])
      entities.append(known[_key(match.group())])
      end = match.end()
    said = [*said[1:], text[end:]]
    if len(set(entities)) == 2 and len(entities) % 2:
      # Said again in passing: the first mention of the second one counts.
      second = next(i for i, e in enumerate(entities) if e != entities[0])
      entities = entities[second - 1 : second + 1]
      said = [
        ' '.join(said[:second]),
        said[second],
        ' '.join(said[second + 1 :]),
      ]
    if not entities or len(entities) % 2:
      return None
    facts = []
    before, *gaps = said
    for i, between in enumerate(gaps[::2]):
      one, other = entities[2 * i : 2 * i + 2]
      after, following = gaps[2 * i + 1], ''
      if 2 * i + 2 < len(entities):
        after, following = _cut(after)
      fact = Fact(one, 'is', other)
      if fact not in sayable or not identity.asserted(
        before, between, after, name_first=_described(other), partial=partial
      ):
        return None
      facts.append(fact)
      before = following
    return tuple(facts)

  return read


def _described(entity: str) -> bool:
  return entity.lower().startswith('the ')


def _cut(gap: str) -> tuple[str, str]:
  """The end of a sentence, and the beginning of the next."""
  ends = [match.end() for match in re.finditer(r'[.!?;](?=\W)', gap)]
  return (gap[: ends[-1]], gap[ends[-1] :]) if ends else ('', gap)


def _key(entity: str) -> str:
  return descriptions.words_of(entity).removeprefix('the ')
