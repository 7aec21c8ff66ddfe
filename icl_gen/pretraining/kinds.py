"""The family of kinds: a hierarchy with properties and relations."""

import dataclasses
import random

from icl_gen.pretraining import episode, marks
from icl_gen.text import categories


@dataclasses.dataclass(frozen=True)
class _Kind:
  """A noun, what it is a type of, and what is said of it and all below it."""

  noun: str
  parent: '_Kind | None'
  facts: list[tuple[str, str]]  # relation, object

  def inherited(self) -> list[tuple[str, str]]:
    """What is said of the kinds above it."""
    if self.parent is None:
      return []
    return self.parent.facts + self.parent.inherited()


def kinds(rng: random.Random, count: int) -> episode.Episode:
  """A hierarchy with properties and relations, a text for every kind.

  All nouns, adjectives and verbs are fresh. Asked for are restatements,
  reversals, and what a kind inherits from the kinds above it.
  """
  made = _hierarchy(rng, count)

  def stated(kind: _Kind) -> list[tuple[str, str, str]]:
    facts = [(kind.noun, *fact) for fact in kind.facts]
    if kind.parent is not None:
      facts.insert(0, (kind.noun, 'is a', kind.parent.noun))
    return facts

  def tell(rng: random.Random, kind: _Kind) -> str:
    facts = stated(kind)
    first, rest = facts[0], rng.sample(facts[1:], len(facts) - 1)
    return ' '.join(
      marks.capital(f'{categories.statement(relation, one, other)}.')
      for one, relation, other in (first, *rest)
    )

  def ask(rng: random.Random, i: int) -> str:
    kind, style = made[i], rng.random()
    inherited = kind.inherited()
    if style < 0.3 and inherited:
      relation, other = rng.choice(inherited)
      return _answered(relation, kind.noun, other, reverse=False)
    one, relation, other = rng.choice(stated(kind))
    return _answered(relation, one, other, reverse=style < 0.7)

  def infer(rng: random.Random, i: int) -> list[str]:
    facts = rng.sample(stated(made[i]), min(2, len(stated(made[i]))))
    return [
      marks.capital(f'{categories.statement(r, a, b, reverse=True)}.')
      for a, r, b in facts
    ]

  return episode.Episode([tell(rng, kind) for kind in made], ask, infer)


def _hierarchy(rng: random.Random, count: int) -> list[_Kind]:
  words = episode.fresh_words(rng, 4 * count + 3)
  nouns = [categories.plural(word) for word in words[:count]]
  verbs, others = words[count : count + 3], iter(words[count + 3 :])
  made: list[_Kind] = []
  for noun in nouns:
    parent = rng.choice(made) if made and rng.random() < 0.75 else None
    kind = _Kind(noun, parent, [])
    for relation in rng.sample(('has', 'is', *verbs), rng.randint(1, 3)):
      kind.facts.append((relation, _object(rng, relation, nouns, noun, others)))
    made.append(kind)
  rng.shuffle(made)
  return made


def _object(rng, relation, nouns, subject, others) -> str:
  """What fits a relation: an adjective, a fresh part, another kind."""
  if relation == 'is':
    return next(others)
  kinds = [noun for noun in nouns if noun != subject]
  if relation == 'has' or not kinds:
    return categories.plural(next(others))
  return rng.choice(kinds)


def _answered(relation: str, one: str, other: str, *, reverse: bool) -> str:
  """A statement of which only the last word is predictable."""
  said = categories.statement(relation, one, other, reverse=reverse)
  *free, answer = said.split(' ')
  return marks.capital(f'{marks.every_word(" ".join(free))} {answer}.')
