"""The family of categories: a hierarchy with properties and relations."""

import dataclasses
import random
from collections.abc import Iterator, Sequence

from icl_gen.pretraining import episode, marks
from icl_gen.text import categories, inflection


@dataclasses.dataclass(frozen=True)
class _Category:
  """A node of the hierarchy.

  Attributes:
    noun: the category's name, in the plural.
    parent: the category above it.
    facts: pairs (relation, object) that hold for the category and all below it.
  """

  noun: str
  parent: '_Category | None'
  facts: list[tuple[str, str]]

  def inherited(self) -> list[tuple[str, str]]:
    """Returns the facts of all categories above this one."""
    if self.parent is None:
      return []
    return self.parent.facts + self.parent.inherited()

  def stated(self) -> list[tuple[str, str, str]]:
    """Returns (subject, relation, object) of the parent, then of the facts."""
    facts = [(self.noun, *fact) for fact in self.facts]
    if self.parent is not None:
      facts.insert(0, (self.noun, 'is a', self.parent.noun))
    return facts


def taxonomy(
  rng: random.Random, count: int, *, source: episode.Source = episode.SEEN
) -> episode.Episode:
  """A hierarchy with properties and relations, one document per category.

  All nouns, adjectives and verbs are fresh words. Statements restate or reverse
  a fact, or apply an inherited one.
  """
  drawn = _hierarchy(rng, count, source)

  def describe(rng: random.Random, category: _Category) -> str:
    facts = category.stated()
    first, rest = facts[0], rng.sample(facts[1:], len(facts) - 1)
    return ' '.join(
      marks.capital(f'{categories.statement(relation, one, other)}.')
      for one, relation, other in (first, *rest)
    )

  def ask(rng: random.Random, i: int) -> str:
    category, style = drawn[i], rng.random()
    inherited = category.inherited()
    if style < 0.3 and inherited:
      relation, other = rng.choice(inherited)
      return _answered(relation, category.noun, other, reverse=False)
    one, relation, other = rng.choice(category.stated())
    return _answered(relation, one, other, reverse=style < 0.7)

  def infer(rng: random.Random, i: int) -> list[str]:
    stated = drawn[i].stated()
    return [
      marks.capital(f'{categories.statement(r, a, b, reverse=True)}.')
      for a, r, b in rng.sample(stated, min(2, len(stated)))
    ]

  return episode.Episode([describe(rng, c) for c in drawn], ask, infer)


def _hierarchy(
  rng: random.Random, count: int, source: episode.Source
) -> list[_Category]:
  words = source.words(rng, 4 * count + 3)
  nouns = [inflection.plural(word) for word in words[:count]]
  verbs, unused = words[count : count + 3], iter(words[count + 3 :])
  drawn: list[_Category] = []
  for noun in nouns:
    parent = rng.choice(drawn) if drawn and rng.random() < 0.75 else None
    category = _Category(noun, parent, [])
    others = [other for other in nouns if other != noun]
    for relation in rng.sample(('has', 'is', *verbs), rng.randint(1, 3)):
      category.facts.append((relation, _object(rng, relation, others, unused)))
    drawn.append(category)
  rng.shuffle(drawn)
  return drawn


def _object(
  rng: random.Random,
  relation: str,
  others: Sequence[str],
  unused: Iterator[str],
) -> str:
  """Draws an object that fits the relation.

  That is a fresh adjective for 'is', a fresh part for 'has', and one of the
  other categories for a verb, or a fresh noun if there are none.
  """
  if relation == 'is':
    return next(unused)
  if relation == 'has' or not others:
    return inflection.plural(next(unused))
  return rng.choice(others)


def _answered(relation: str, one: str, other: str, *, reverse: bool) -> str:
  """Renders a statement in which only the last word can be predicted."""
  said = categories.statement(relation, one, other, reverse=reverse)
  *free, answer = said.split(' ')
  return marks.capital(f'{marks.every_word(" ".join(free))} {answer}.')
