"""Families of episodes about trees: one skill each, from look-up to four hops.

A statement of an episode needs exactly one skill, so that its deciding word
says whether the model has it. Statements have the wording of the documents, so
that what a model infers is read as easily as what it was told; a trace is a
chain of them.
"""

import random
from collections.abc import Callable, Sequence

from icl_gen.pretraining import episode, marks, trees
from icl_gen.pretraining.trees import Shape, Tree
from icl_gen.text import categories
from icl_gen.types import Fact

# Draws a statement that needs a skill, given a category; None if none does.
_Ask = Callable[[random.Random, Tree, str], str | None]


def _marked(said: str, true: Sequence[str]) -> str:
  """A statement of which only the last word can be predicted."""
  *free, last = said.split(' ')
  answer = marks.deciding(last, true)
  return f'{marks.every_word(" ".join(free))} {answer}.'


def _look_up(rng: random.Random, tree: Tree, noun: str) -> str | None:
  """Repeats a fact, one of several about the category."""
  fact = rng.choice(tree.stated(noun))
  said = tree.wording.said(fact)
  return _marked(said, tree.objects(noun, fact.relation))


def _reverse(rng: random.Random, tree: Tree, noun: str) -> str | None:
  """Says a fact from the other side."""
  fact = rng.choice(tree.stated(noun))
  true = tree.subjects(fact.relation, fact.object)
  return _marked(tree.wording.said(categories.flip(fact)), true)


def _inherit(
  least: int, most: int, *, traced: bool, bare: bool = False
) -> _Ask:
  """Applies a fact of a category so many steps above.

  Args:
    least: the fewest steps.
    most: the most.
    traced: whether the path is written out before the conclusion.
    bare: whether to ask only about categories of which only the parent is told.
  """

  def ask(rng: random.Random, tree: Tree, noun: str) -> str | None:
    possible = [
      (fact, hops)
      for fact, hops in tree.inherited(noun)
      if least <= hops <= most and not (bare and tree.facts[noun])
    ]
    if not possible:
      return None
    fact, hops = rng.choice(possible)
    if traced:
      return trace(tree, fact, hops)
    said = tree.wording.said(fact)
    return _marked(said, tree.objects(noun, fact.relation))

  return ask


def trace(tree: Tree, fact: Fact, hops: int) -> str:
  """'gruds are a type of flomps. Flomps have wicks. Gruds have wicks.'"""
  path = tree.above(fact.subject)[: hops + 1]
  said = [
    _marked(tree.wording.said(Fact(one, 'is a', other)), [other])
    for one, other in zip(path, path[1:], strict=False)
  ]
  premise = Fact(path[-1], fact.relation, fact.object)
  true = tree.objects(path[-1], fact.relation)
  said.append(_marked(tree.wording.said(premise), true))
  # What it is about is known by now.
  said[1:] = [
    marks.capital(text.removeprefix(marks.UNPREDICTABLE)) for text in said[1:]
  ]
  *free, last = tree.wording.said(fact).split(' ')
  conclusion = f'{" ".join(free)} {marks.deciding(last)}.'
  return ' '.join([*said, marks.capital(conclusion)])


# Skill -> the shape of its trees, and how it is asked.
_SKILLS: dict[str, tuple[Shape, _Ask]] = {
  'lookup': (Shape(most=6), _look_up),
  'reversed': (Shape(most=3), _reverse),
  'related': (Shape(most=2, crossed=0.8), _reverse),
  'traced': (Shape(), _inherit(1, 1, traced=True)),
  'inherited': (Shape(), _inherit(1, 1, traced=False)),
  'deep_traced': (Shape(most=1, deep=0.7), _inherit(2, 3, traced=True)),
  'deep': (Shape(most=1, deep=0.7), _inherit(2, 3, traced=False)),
  'bare_traced': (
    Shape(parents=0.9, bare=0.4),
    _inherit(1, 3, traced=True, bare=True),
  ),
  'bare': (
    Shape(parents=0.9, bare=0.4),
    _inherit(1, 3, traced=False, bare=True),
  ),
}
NAMES = tuple(_SKILLS)


def draw(
  rng: random.Random,
  count: int,
  *,
  skill: str,
  source: episode.Source = episode.SEEN,
) -> episode.Episode:
  """Draws an episode about a tree.

  Args:
    rng: source of all random draws.
    count: number of categories; skills of several hops get the least they need.
    skill: one of NAMES.
    source: of words and wordings.
  """
  shape, skilled = _SKILLS[skill]
  # Of a small tree, no statement may need the skill.
  for _ in range(100):
    drawn = source.words(rng, trees.needed(max(2, count), shape))
    tree = trees.draw(
      rng, drawn, count=max(2, count), shape=shape, source=source
    )
    able = [n for n in tree.nouns if skilled(random.Random(0), tree, n)]
    if able:
      break
    count += 1
  assert able, skill

  def ask(rng: random.Random, i: int) -> str:
    noun = tree.nouns[i]
    said = skilled(rng, tree, noun if noun in able else rng.choice(able))
    assert said is not None
    return marks.capital(source.sentence(rng, said.removesuffix('.'), 0.3))

  def infer(rng: random.Random, i: int) -> list[str]:
    return _reversals(rng, tree, tree.nouns[i])

  def infer_together(rng: random.Random, i: int) -> list[str]:
    """A reversal, what the category inherits, and what inherits from it."""
    noun = tree.nouns[i]
    below = [one for one in tree.nouns if tree.parents.get(one) == noun]
    found = [infer(rng, i)[0]]
    for one in (noun, *below[:1]):
      if possible := list(tree.inherited(one)):
        fact, hops = rng.choice(possible)
        chain = marks.removed(trace(tree, fact, hops))
        found.append(marks.capital(chain))
    return found

  documents = [trees.document(tree, noun) for noun in tree.nouns]
  return episode.Episode(documents, ask, infer, infer_together)


def _reversals(rng: random.Random, tree: Tree, noun: str) -> list[str]:
  """One or two facts of a category, said from the other side.

  In a fixed form: one of its own could not be told from the documents.
  """
  stated = tree.stated(noun)
  return [
    categories.sentence(
      categories.said(categories.flip(fact), part=tree.wording.part)
    )
    for fact in rng.sample(stated, min(2, len(stated)))
  ]
