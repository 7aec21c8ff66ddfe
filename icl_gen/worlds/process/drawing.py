"""Draws new expressions by shape; some shapes are held out of the documents."""

import collections
import dataclasses
import itertools
import random
from collections.abc import Iterable, Mapping, Sequence

from icl_gen.worlds import balance
from icl_gen.worlds.process import derivatoids
from icl_gen.worlds.process.derivatoids import Term

# A combination rule and the rules of its two parts.
Shape = tuple[str, str, str]

# Of the second parts that a rule and a first part may have, one in this many
# is held out.
_ONE_IN = 3
_TRIES = 1000
# So many tries keep the shape that is due, to draw all shapes equally often.
_TRIES_AS_DEALT = 50


def base_rules(rules: Iterable[str]) -> list[str]:
  """Those of the rules that apply to numbers and simple functions."""
  return [r.name for r in derivatoids.BASE if r.name in rules]


def combination_rules(rules: Iterable[str]) -> list[str]:
  """Those of the rules that combine two parts."""
  return [r.name for r in derivatoids.COMBINATIONS if r.name in rules]


def split(
  rules: Sequence[str], depth: int, *, seed: str
) -> tuple[tuple[Shape, ...], tuple[Shape, ...]]:
  """Splits all shapes into those of the documents and those held out.

  As in a Latin square, every rule is both trained and held out with every rule
  as its first part, and with every rule as its second part.
  """
  trained: list[Shape] = []
  held_out: list[Shape] = []
  for rule in combination_rules(rules):
    parts = base_rules(rules) + (combination_rules(rules) if depth > 1 else [])
    firsts, seconds = parts, parts
    if rule == 'composition':
      functions = [part for part in parts if part != derivatoids.CONSTANT]
      firsts, seconds = base_rules(functions), functions
    rng = random.Random(f'{seed}/split/{rule}')
    firsts, seconds = (rng.sample(p, len(p)) for p in (firsts, seconds))
    for (i, first), (j, second) in itertools.product(
      enumerate(firsts), enumerate(seconds)
    ):
      if not _is_shape(first, second):
        continue
      side = held_out if (i + j) % _ONE_IN == 0 else trained
      side.append((rule, first, second))
  return tuple(trained), tuple(held_out)


def _is_shape(first: str, second: str) -> bool:
  """Parts are not both constants, and at most one is a combination."""
  nested = combination_rules([first]) + combination_rules([second])
  return len(nested) < 2 and {first, second} != {derivatoids.CONSTANT}


def shapes(terms: Iterable[Term]) -> list[Shape]:
  """The shapes of those terms that are combinations."""
  found: list[Shape] = []
  for term in terms:
    if term.parts:
      first, second = term.parts
      found.append((term.rule, first.rule, second.rule))
  return found


@dataclasses.dataclass(frozen=True)
class Drawing:
  """Draws expressions that have a derivatoid, none of them twice.

  Attributes:
    rows: base rule -> its terms.
    seed: name of the world's random draw.
    used: all terms drawn so far, and the terms inside them.
  """

  rows: Mapping[str, Sequence[Term]]
  seed: str
  used: set[Term] = dataclasses.field(default_factory=set)

  def terms(
    self, kind: str, count: int, roots: Sequence[Shape], *, of: Sequence[Shape]
  ) -> list[Term]:
    """Draws new terms.

    Args:
      kind: what the terms are for, part of the seed.
      count: number of terms.
      roots: the shapes of the terms. Those are skipped that need a combination
        rule that `of` does not have.
      of: the shapes of combinations inside the terms.

    Raises:
      ValueError: there are not enough new terms.
    """
    inner: dict[str, list[Shape]] = collections.defaultdict(list)
    for shape in of:
      if not combination_rules(shape[1:]):
        inner[shape[0]].append(shape)
    known = {shape[0] for shape in of}
    roots = [
      shape
      for shape in roots
      if shape[0] in known
      and all(rule in inner for rule in combination_rules(shape[1:]))
    ]
    return [self._term(kind, i, count, roots, inner) for i in range(count)]

  def _term(
    self,
    kind: str,
    i: int,
    count: int,
    roots: Sequence[Shape],
    inner: Mapping[str, Sequence[Shape]],
  ) -> Term:
    name = f'{self.seed}/{kind}'
    rng = random.Random(f'{name}/{i}')
    for tried in range(_TRIES if roots else 0):
      if tried < _TRIES_AS_DEALT:
        shape = balance.nth(roots, i, seed=f'{name}/shapes')
      else:
        shape = rng.choice(roots)
      term = self._filled(shape, inner, rng)
      is_new = term not in self.used and term.parts[0] != term.parts[1]
      if is_new and derivatoids.is_defined(term):
        self.used.update(term.nodes)
        return term
    raise ValueError(
      f'process: found {i} new expressions of kind {kind!r} where {count} were'
      ' asked for; give greater numbers, more examples, more rules or fewer'
      ' questions'
    )

  def _filled(
    self,
    shape: Shape,
    inner: Mapping[str, Sequence[Shape]],
    rng: random.Random,
  ) -> Term:
    parts = tuple(
      rng.choice(self.rows[rule])
      if rule in self.rows
      else self._filled(rng.choice(inner[rule]), inner, rng)
      for rule in shape[1:]
    )
    return Term(shape[0], parts=parts)
