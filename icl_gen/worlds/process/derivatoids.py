"""Derivatoids: a transform of functions with rules unlike those of calculus.

A derivatoid is computed part by part, like a derivative, but every rule is
different. The two tables below are the whole definition. In a base rule, n is a
whole number. In a combination rule, f and g are the two parts, F and G are the
derivatoids of the parts, and F(G) is F with x replaced by G:

  sine         sin(n*x)  ->  n*exp(n*x)      (the derivative: n*cos(n*x))
  sum          f + g     ->  F / G           (the derivative: F + G)
  composition  f(g)      ->  F(G)            (the derivative: F(g)*G)

so 'x^3 + sin(2*x)' becomes '3*cos(3*x) / (2*exp(2*x))'. The order of the parts
matters: 'sin(2*x) + x^3' has another derivatoid. The results of base rules
resemble ordinary derivatives of other base rules, so none looks odd by itself.
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
    name: as in the documents.
    form: the expressions that the rule applies to.
    derivatoid: what they become.
    ordinary: what they would become in ordinary calculus.
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
# Not a function of x, so it is on neither side of a composition.
CONSTANT = 'constant'
NEAR_MISSES = ('ordinary', 'wrong rule', 'wrong order')


@dataclasses.dataclass(frozen=True)
class Term:
  """An expression, parsed by the rules.

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
    """The term and all terms inside it, parts first."""
    inner = (node for part in self.parts for node in part.nodes)
    return (*inner, self)


def combination(rule: str, first: str, second: str) -> str:
  """'sum of power and sine'."""
  return f'{rule} of {first} and {second}'


@functools.cache
def expression(term: Term) -> Expression:
  """The expression that the term stands for."""
  return _filled(term, RULES[term.rule].form, ())


@functools.cache
def becomes(term: Term) -> Expression:
  """The derivatoid."""
  return _applied(term, RULES[term.rule].derivatoid, map(becomes, term.parts))


def is_defined(term: Term) -> bool:
  """Whether the derivatoid divides by nothing that is 0.

  That of 'x^2 + x^4*x^4' does, as 'x^4*x^4' becomes F - F.
  """
  return expressions.UNDEFINED not in expressions.canonical(becomes(term))


@functools.cache
def derivative(term: Term) -> Expression:
  """The ordinary derivative."""
  return _applied(term, RULES[term.rule].ordinary, map(derivative, term.parts))


def _applied(
  term: Term, right: str, results: Iterable[Expression]
) -> Expression:
  """A right-hand side with the results of the parts, simplified."""
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
  """Distinct wrong results by kind of mistake.

  'ordinary' is the derivative. 'wrong rule' has one mistake: at the root or at
  one base term, it applies the ordinary rule or another of the given rules.
  'wrong order' swaps the two parts of the root.
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
  seen = {expressions.canonical(becomes(term))}
  found: dict[str, tuple[Expression, ...]] = {}
  for kind, wrong in candidates:
    form = expressions.canonical(wrong)
    if form not in seen and expressions.UNDEFINED not in form:
      seen.add(form)
      found[kind] = (*found.get(kind, ()), wrong)
  return found


def _mistaken(rule: Rule, rules: tuple[str, ...]) -> list[str]:
  """The rule's ordinary right-hand side, and those of other rules.

  Leaves out 0, which would be a divisor, and F(G), which is too implausible for
  a sum.
  """
  table = BASE if rule in BASE else COMBINATIONS
  others = [
    other.derivatoid for other in table if other.name in rules and other != rule
  ]
  return [
    right for right in (rule.ordinary, *others) if right not in ('0', 'F(G)')
  ]


def _slipped(term: Term, place: tuple[int, ...], right: str) -> Expression:
  """The derivatoid, with a wrong right-hand side at one place."""
  if not place:
    return _applied(term, right, map(becomes, term.parts))
  results = [
    _slipped(part, place[1:], right) if i == place[0] else becomes(part)
    for i, part in enumerate(term.parts)
  ]
  return _applied(term, RULES[term.rule].derivatoid, results)


def _places(term: Term) -> Iterator[tuple[tuple[int, ...], Term]]:
  """The root and every base term, each with its place.

  The root's place is (); (0, 1) is the second part of the first part.
  """
  yield (), term
  for i, part in enumerate(term.parts):
    for place, node in _places(part):
      if not node.parts:
        yield (i, *place), node
