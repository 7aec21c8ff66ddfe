"""Random trees of categories, told category by category.

Unlike the taxonomy of the semantic world, a tree is drawn anew for every
episode: its shape, its words, and how many facts of a relation there are.
"""

import dataclasses
import itertools
import random
from collections.abc import Iterator, Sequence

from icl_gen.pretraining import wordings
from icl_gen.pretraining.episode import Source
from icl_gen.pretraining.wordings import Wording
from icl_gen.text import categories, inflection
from icl_gen.types import Fact


@dataclasses.dataclass(frozen=True)
class Shape:
  """How trees are drawn.

  Attributes:
    most: the greatest number of facts of one relation of a category; a tree
      has any number up to it.
    parents: share of the categories, but the first, that have a parent.
    deep: share of those whose parent is the category before, which makes long
      chains; the others' is any.
    bare: share of the categories with a parent of which only this is told.
    crossed: share of the verbs' objects that are other categories of the tree;
      all other objects are words of their own.
  """

  most: int = 2
  parents: float = 0.8
  deep: float = 0.0
  bare: float = 0.0
  crossed: float = 0.0


@dataclasses.dataclass(frozen=True)
class Tree:
  """A tree of categories and what is told about them.

  Attributes:
    nouns: the categories, in the order of their documents.
    parents: noun -> the category above it; roots have none.
    facts: noun -> its own facts, without that about its parent.
    relations: 'has', 'is' and the verbs of the tree.
    wording: how its facts are said.
  """

  nouns: tuple[str, ...]
  parents: dict[str, str]
  facts: dict[str, tuple[Fact, ...]]
  relations: tuple[str, ...]
  wording: Wording

  def stated(self, noun: str) -> tuple[Fact, ...]:
    """What the document of a category states, its parent first."""
    own = self.facts[noun]
    if noun not in self.parents:
      return own
    return Fact(noun, 'is a', self.parents[noun]), *own

  def above(self, noun: str) -> tuple[str, ...]:
    """The category and those above it, the nearest first."""
    found = [noun]
    while found[-1] in self.parents:
      found.append(self.parents[found[-1]])
    return tuple(found)

  def objects(self, noun: str, relation: str) -> tuple[str, ...]:
    """What a category is related to, by its own facts or inherited ones."""
    if relation == 'is a':
      return self.above(noun)[1:]
    return tuple(
      fact.object
      for one in self.above(noun)
      for fact in self.facts[one]
      if fact.relation == relation
    )

  def subjects(self, relation: str, object_: str) -> tuple[str, ...]:
    """The categories of which a fact is true, by the same."""
    return tuple(
      noun for noun in self.nouns if object_ in self.objects(noun, relation)
    )

  def inherited(self, noun: str) -> Iterator[tuple[Fact, int]]:
    """Facts that are true of a category only by one above, and how far up.

    A relation of which the category has own facts is left out.
    """
    own = {fact.relation for fact in self.facts[noun]}
    for hops, one in enumerate(self.above(noun)):
      for fact in self.facts[one] if hops else ():
        if fact.relation not in own:
          yield Fact(noun, fact.relation, fact.object), hops


def draw(
  rng: random.Random,
  words: Sequence[str],
  *,
  count: int,
  shape: Shape,
  source: Source,
) -> Tree:
  """Draws a tree.

  Args:
    rng: source of all random draws.
    words: fresh ones, `needed(count, shape)` or more.
    count: number of categories.
    shape: how.
    source: of wordings.
  """
  unused = iter(words)
  nouns = [inflection.plural(next(unused)) for _ in range(count)]
  relations = ('has', 'is', *itertools.islice(unused, 2))
  parents: dict[str, str] = {}
  facts: dict[str, tuple[Fact, ...]] = {}
  most = rng.randint(1, shape.most)
  for n, noun in enumerate(nouns):
    if n and rng.random() < shape.parents:
      is_deep = rng.random() < shape.deep
      parents[noun] = nouns[n - 1] if is_deep else rng.choice(nouns[:n])
    if noun in parents and rng.random() < shape.bare:
      facts[noun] = ()
      continue
    drawn: list[Fact] = []
    for relation in rng.sample(relations, rng.randint(1, 3)):
      for _ in range(rng.randint(1, most)):
        word = next(unused)
        fact = Fact(
          noun, relation, word if relation == 'is' else inflection.plural(word)
        )
        # Trees that are not crossed draw nothing here, so their rows stay.
        if shape.crossed and relation not in ('has', 'is'):
          fact = _crossed(rng, fact, nouns, shape.crossed)
        drawn.append(fact)
    drawn = list(dict.fromkeys(drawn))
    facts[noun] = tuple(rng.sample(drawn, len(drawn)))
  order = tuple(rng.sample(nouns, count))
  wording = wordings.draw(
    rng,
    ('is a', *relations),
    part=source.part,
    share=source.drawn,
    spelt=source.spelt,
  )
  return Tree(order, parents, facts, relations, wording)


def _crossed(
  rng: random.Random, fact: Fact, nouns: Sequence[str], share: float
) -> Fact:
  """Replaces the object by another category, with a probability."""
  if rng.random() >= share:
    return fact
  others = [noun for noun in nouns if noun != fact.subject]
  return Fact(fact.subject, fact.relation, rng.choice(others))


def needed(count: int, shape: Shape) -> int:
  """How many words a tree may take."""
  return 2 + count * (1 + 3 * shape.most)


def document(tree: Tree, noun: str) -> str:
  """What is told about a category: 'Gruds have wicks. Gruds are blue.'"""
  return ' '.join(
    categories.sentence(tree.wording.said(fact)) for fact in tree.stated(noun)
  )
