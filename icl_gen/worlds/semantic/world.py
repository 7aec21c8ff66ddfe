"""Builds the semantic world: names the taxonomy and draws what is stated."""

import collections
import itertools
import random
from collections.abc import Mapping, Sequence

from icl_gen.text import categories, inflection, lexicon
from icl_gen.types import Corpus, Fact, World
from icl_gen.worlds import corpora, logic, sizes
from icl_gen.worlds.semantic import documents as texts
from icl_gen.worlds.semantic import questions as asking
from icl_gen.worlds.semantic import taxonomy

OPTIONS = {'forms': 'seen', 'reworded': False}


def build(
  *,
  seed: str,
  categories: int,
  documents: int,
  holdouts: int,
  told_backwards: float,
  questions: int,
  style: str,
  forms: str = 'seen',
  reworded: bool = False,
) -> tuple[World, Corpus]:
  """Draws the world and writes its documents and questions.

  Args:
    seed: name of the random draw; the same name gives the same bytes.
    categories: number of categories, up to the taxonomy's 110.
    documents: number of documents, at least one per category.
    holdouts: number of leaf categories of which only the parent is stated.
    told_backwards: share of the facts that are stated from the other side
      ('wicks are found on gruds').
    questions: the most questions of each kind; 'holdout' asks everything that
      follows. Targets without fair wrong choices are left out and counted as
      'unasked' in the manifest.
    style: style of the documents; see `documents.documents`.
    forms: the part of the tables that wordings are drawn from, one of
      `forms.split.PARTS`.
    reworded: whether 'rephrase' questions are in words that no document has.

  Raises:
    ValueError: the sizes are impossible, or leave nothing to ask; the forms are
      unknown.
  """
  _check(categories, documents, questions, told_backwards, forms)
  part = taxonomy.part(categories)
  word_of = _words(seed=seed)
  held_out = _holdouts(part, holdouts, seed=seed)
  stated = {
    word_of[category.name]: _stated(
      category, held_out, word_of, told_backwards, seed=seed
    )
    for category in part
  }
  world = _world(stated)
  written = texts.documents(
    stated, count=documents, style=style, forms=forms, seed=seed
  )
  asked, unasked = asking.questions(
    world,
    {word_of[name] for name in held_out},
    written,
    most=questions,
    forms=forms,
    reworded=reworded,
    seed=seed,
  )
  if not asked:
    raise ValueError(
      f'semantic with categories={categories} is too small to ask anything'
      f' with {asking.CHOICES} choices; give more categories'
    )
  return world, corpora.corpus(
    'semantic',
    written,
    asked,
    world='semantic',
    seed=seed,
    sizes={
      'categories': categories,
      'holdouts': holdouts,
      'style': style,
      'facts': len(world.facts),
      'told_backwards': told_backwards,
      'unasked': unasked,
      **sizes.options(OPTIONS, forms=forms, reworded=reworded),
    },
  )


def _check(
  categories: int,
  documents: int,
  questions: int,
  told_backwards: float,
  forms: str,
) -> None:
  sizes.require_forms('semantic', forms)
  sizes.require_positive('semantic', categories=categories)
  sizes.require_between(
    'semantic',
    least=0,
    most=sizes.MOST,
    documents=documents,
    questions=questions,
  )
  sizes.require_between(
    'semantic', least=0, most=1, told_backwards=told_backwards
  )


def _words(*, seed: str) -> dict[str, str]:
  """An inflected nonsense word for every real one; the same for every size."""
  every = taxonomy.categories().values()
  nouns = [
    *taxonomy.categories(),
    *(part for category in every for part in category.parts),
  ]
  others = [word for category in every for word in category.adjectives]
  real = dict.fromkeys([*nouns, *others, *taxonomy.RELATIONS])
  drawn = lexicon.sample(len(real), seed=f'{seed}/words', letters=(4, 5))
  return {
    name: inflection.plural(word) if name in set(nouns) else word
    for name, word in zip(real, drawn, strict=True)
  }


def _holdouts(
  part: Sequence[taxonomy.Category], count: int, *, seed: str
) -> tuple[str, ...]:
  """Draws leaf categories that have a parent."""
  parents = {category.parent for category in part}
  leaves = [c.name for c in part if c.parent and c.name not in parents]
  if not 0 <= count <= len(leaves):
    raise ValueError(
      f'{count} holdouts of {len(part)} categories are not possible: there are'
      f' {len(leaves)} leaf categories. Give 0 to {len(leaves)}, or more'
      ' categories.'
    )
  # Prefer leaves with few relations, so that the world keeps its relations.
  related = collections.Counter(
    name
    for category in part
    for _, other in category.relations
    for name in (category.name, other)
  )
  rng = random.Random(f'{seed}/holdouts')
  rng.shuffle(leaves)
  leaves.sort(key=lambda name: related[name])
  return tuple(rng.sample(leaves[: max(count, len(leaves) // 2)], count))


def _stated(
  category: taxonomy.Category,
  held_out: Sequence[str],
  word_of: Mapping[str, str],
  told_backwards: float,
  *,
  seed: str,
) -> tuple[Fact, ...]:
  """What documents state about a category, each fact in one direction."""
  noun = word_of[category.name]
  facts: list[Fact] = []
  if category.parent:
    facts.append(Fact(noun, 'is a', word_of[category.parent]))
  if category.name in held_out:
    return tuple(facts)
  facts += [Fact(noun, 'is', word_of[word]) for word in category.adjectives]
  facts += [Fact(noun, 'has', word_of[word]) for word in category.parts]
  facts += [
    Fact(noun, word_of[relation], word_of[other])
    for relation, other in category.relations
    if other not in held_out
  ]
  # Seeded by the fact, so that other changes leave its direction alone.
  backwards = [
    random.Random(f'{seed}/direction/{fact}').random() < told_backwards
    for fact in facts
  ]
  return tuple(
    categories.flip(fact) if flipped else fact
    for fact, flipped in zip(facts, backwards, strict=True)
  )


def rules(facts: Sequence[Fact]) -> tuple[logic.Rule, ...]:
  """Subcategories inherit every fact, and every relation has an inverse."""
  relations = dict.fromkeys(
    ['is a', *(categories.base(f.relation) for f in facts)]
  )
  return tuple(
    rule
    for relation in relations
    for rule in (
      *logic.inverse(relation, categories.inverse(relation)),
      logic.Chain('is a', relation, relation),
    )
  )


def _world(stated: Mapping[str, Sequence[Fact]]) -> World:
  """The closure, and every false 'is a'.

  The taxonomy is a tree, so a category belongs to its ancestors and to no other
  category.
  """
  facts = tuple(itertools.chain(*stated.values()))
  entailed = logic.closure(facts, rules(facts))
  true = {*facts, *(entailment.fact for entailment in entailed)}
  wrong = {Fact(*pair) for pair in itertools.product(stated, ['is a'], stated)}
  wrong |= {categories.flip(fact) for fact in wrong}
  return World('semantic', facts, entailed, frozenset(wrong - true))
