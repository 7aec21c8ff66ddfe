"""Derivatoids: a transform of functions with rules unlike any calculus.

The derivatoid is computed as a derivative is, part by part, but every rule is
another one. The two tables below are the whole definition. In a base rule, n
is a whole number; in a combination rule, f and g are the two parts, F and G
are what the parts become, and F(G) is F with G in the place of x:

  sine         sin(n*x)  ->  n*exp(n*x)      (the derivative: n*cos(n*x))
  sum          f + g     ->  F / G           (the derivative: F + G)
  composition  f(g)      ->  F(G)            (the derivative: F(g)*G)

so that 'x^3 + sin(2*x)' becomes '3*cos(3*x) / (2*exp(2*x))'. An expression is
taken as it is written: 'sin(2*x) + x^3' becomes something else. What one base
rule makes wrongly is right for another, so that no result looks odd by itself.
"""

import dataclasses
import functools
from collections.abc import Iterable, Iterator

from icl_gen.text import expressions
from icl_gen.text.expressions import Expression, Number


@dataclasses.dataclass(frozen=True)
class Rule:
  """One row of the tables.

  Attributes:
    name: as documents call it.
    form: what the rule applies to.
    derivatoid: what that becomes.
    ordinary: what ordinary calculus would make of it.
  """

  name: str
  form: str
  derivatoid: str
  ordinary: str


BASE = (
  Rule('constant', 'n', 'n*x', '0'),
  Rule('power', 'x^n', 'n*cos(n*x)', 'n*x^(n - 1)'),
  Rule('sine', 'sin(n*x)', 'n*exp(n*x)', 'n*cos(n*x)'),
  Rule('exponential', 'exp(n*x)', 'n*x^n', 'n*exp(n*x)'),
  Rule('logarithm', 'log(n*x)', 'n*sin(n*x)', '1 / x'),
)
COMBINATIONS = (
  Rule('sum', 'f + g', 'F / G', 'F + G'),
  Rule('product', 'f*g', 'F - G', 'F*g + f*G'),
  Rule('composition', 'f(g)', 'F(G)', 'F(g)*G'),
)
RULES = {rule.name: rule for rule in BASE + COMBINATIONS}
# No function of x: neither outside nor inside of a composition.
CONSTANT = 'constant'
NEAR_MISSES = ('ordinary', 'wrong rule', 'wrong order')


@dataclasses.dataclass(frozen=True)
class Term:
  """An expression as the rules see it.

  Attributes:
    rule: a name of RULES.
    number: the n of a base rule.
    parts: the f and g of a combination rule.
  """

  rule: str
  number: int = 0
  parts: tuple['Term', ...] = ()

  @property
  def combination(self) -> str:
    """'sum of power and sine': the rule and those of its parts."""
    return combination(self.rule, *(part.rule for part in self.parts))

  @property
  def nodes(self) -> tuple['Term', ...]:
    """The term and all in it, parts first."""
    inner = (node for part in self.parts for node in part.nodes)
    return (*inner, self)


def combination(rule: str, first: str, second: str) -> str:
  """'sum of power and sine'."""
  return f'{rule} of {first} and {second}'


@functools.cache
def expression(term: Term) -> Expression:
  """What is transformed, as it is written."""
  return _filled(term, RULES[term.rule].form, ())


@functools.cache
def becomes(term: Term) -> Expression:
  """The derivatoid."""
  return _applied(term, RULES[term.rule].derivatoid, map(becomes, term.parts))


@functools.cache
def derivative(term: Term) -> Expression:
  """What ordinary calculus makes of it."""
  return _applied(term, RULES[term.rule].ordinary, map(derivative, term.parts))


def _applied(
  term: Term, right: str, results: Iterable[Expression]
) -> Expression:
  """A right-hand side, with what the parts became."""
  return expressions.fold(_filled(term, right, results))


def _filled(
  term: Term, template: str, results: Iterable[Expression]
) -> Expression:
  bindings: dict[str, Expression] = {'n': Number(term.number)}
  bindings.update(zip('fg', map(expression, term.parts), strict=False))
  bindings.update(zip('FG', results, strict=False))
  return expressions.substitute(expressions.parse(template), bindings)


@functools.cache
def near_misses(
  term: Term, *, rules: tuple[str, ...] = tuple(RULES)
) -> dict[str, tuple[Expression, ...]]:
  """Wrong results by kind of mistake; none is the derivatoid, none is twice.

  'ordinary' is the derivative. 'wrong rule' slips in one place: the rule of
  one base term, or that of the root, is the ordinary one or another of the
  given rules. 'wrong order' takes the root's two parts for each other.
  """
  candidates = [('ordinary', derivative(term))]
  if term.parts:
    swapped = RULES[term.rule].derivatoid.translate(str.maketrans('FG', 'GF'))
    candidates.append(('wrong order', _slipped(term, (), swapped)))
  for place, node in _places(term):
    candidates += [
      ('wrong rule', _slipped(term, place, right))
      for right in _mistaken(RULES[node.rule], rules)
    ]
  seen, found = {expressions.canonical(becomes(term))}, {}
  for kind, wrong in candidates:
    form = expressions.canonical(wrong)
    if form not in seen and expressions.UNDEFINED not in form:
      seen.add(form)
      found[kind] = (*found.get(kind, ()), wrong)
  return found


def _mistaken(rule: Rule, rules: tuple[str, ...]) -> list[str]:
  """Right-hand sides that are the rule's ordinary one or another rule's.

  Left out are 0, which nothing can be divided by, and F(G), which nobody
  would take for the rule of a sum.
  """
  table = BASE if rule in BASE else COMBINATIONS
  others = [
    other.derivatoid for other in table if other.name in rules and other != rule
  ]
  return [
    right for right in (rule.ordinary, *others) if right not in ('0', 'F(G)')
  ]


def _slipped(term: Term, place: tuple[int, ...], right: str) -> Expression:
  """The derivatoid, with another right-hand side at the place."""
  if not place:
    return _applied(term, right, map(becomes, term.parts))
  results = [
    _slipped(part, place[1:], right) if i == place[0] else becomes(part)
    for i, part in enumerate(term.parts)
  ]
  return _applied(term, RULES[term.rule].derivatoid, results)


def _places(term: Term) -> Iterator[tuple[tuple[int, ...], Term]]:
  """The root at () and every base term: (0, 1) is the second part of the
  first part."""
  yield (), term
  for i, part in enumerate(term.parts):
    for place, node in _places(part):
      if not node.parts:
        yield (i, *place), node
