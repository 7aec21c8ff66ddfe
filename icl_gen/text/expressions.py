"""Small algebraic expressions: parsing, rendering, and equality.

Expressions consist of whole numbers, names, functions of one argument, and the
operators + - * / ^. The rules of calculus are elsewhere.
"""

import dataclasses
import functools
import re
from collections.abc import Mapping
from fractions import Fraction


@dataclasses.dataclass(frozen=True)
class Number:
  """A whole number."""

  value: int


@dataclasses.dataclass(frozen=True)
class Name:
  """The variable 'x', or a placeholder in a rule ('n', 'f', 'F', ...)."""

  name: str


@dataclasses.dataclass(frozen=True)
class Call:
  """function(argument)."""

  function: str
  argument: 'Expression'


@dataclasses.dataclass(frozen=True)
class Operation:
  """left symbol right, where symbol is one of + - * / ^."""

  symbol: str
  left: 'Expression'
  right: 'Expression'


Expression = Number | Name | Call | Operation

# In the canonical form of expressions that divide by zero.
UNDEFINED = '1/0'
_BINDING = {'+': 1, '-': 1, '*': 2, '/': 2, '^': 3}
_SPACED = '+-/'
# Larger powers are not computed: 9^999999999 would never end.
_LARGEST_EXPONENT = 1000
_TOKEN = re.compile(r'\s*(\d+|[A-Za-z]+|[-+*/^()]|$)')


@functools.cache
def parse(text: str) -> Expression:
  """Parses an expression; + - * / group to the left, ^ to the right.

  Raises:
    ValueError: the text is not an expression.
  """
  tokens: list[str] = []
  place = 0
  text = text.rstrip()
  while place < len(text):
    match = _TOKEN.match(text, place)
    if match is None:
      raise ValueError(
        f'{text!r} is not an expression: cannot parse {text[place:]!r}'
      )
    tokens.append(match.group(1))
    place = match.end()
  tokens.append('')
  try:
    found, place = _binary(tokens, 0, 1)
  except RecursionError as error:
    raise ValueError(
      f'{text[:20]!r}... is not an expression: it is nested too deeply'
    ) from error
  if tokens[place]:
    raise ValueError(
      f'{text!r} is not an expression: unexpected {tokens[place]!r}'
    )
  return found


def _binary(
  tokens: list[str], place: int, least: int
) -> tuple[Expression, int]:
  """Parses the longest expression of operators that bind at least this tightly.

  Args:
    tokens: all tokens, '' at the end.
    place: where to start.
    least: the least binding, see _BINDING.

  Returns:
    the expression, and the place after it.
  """
  left, place = _atom(tokens, place)
  while _BINDING.get(tokens[place], 0) >= least:
    symbol = tokens[place]
    right, place = _binary(tokens, place + 1, _operand_binding(symbol)[1])
    left = Operation(symbol, left, right)
  return left, place


def _operand_binding(symbol: str) -> tuple[int, int]:
  """How tightly its left and right operand must bind without parentheses."""
  binds = _BINDING[symbol]
  return (binds + 1, binds) if symbol == '^' else (binds, binds + 1)


def _atom(tokens: list[str], place: int) -> tuple[Expression, int]:
  token = tokens[place]
  if token.isdigit():
    return Number(int(token)), place + 1
  if token.isalpha() and tokens[place + 1] != '(':
    return Name(token), place + 1
  inside = place + 1 if token == '(' else place + 2
  if token == '(' or token.isalpha():
    found, place = _binary(tokens, inside, 1)
    if tokens[place] == ')':
      return (Call(token, found) if token != '(' else found), place + 1
  raise ValueError(f'{" ".join(tokens).strip()!r} is not an expression')


def render(expression: Expression) -> str:
  """Renders '3*cos(3*x) / (2*exp(2*x))', with as few parentheses as needed."""
  if isinstance(expression, Number):
    return str(expression.value)
  if isinstance(expression, Name):
    return expression.name
  if isinstance(expression, Call):
    return f'{expression.function}({render(expression.argument)})'
  symbol = expression.symbol
  binds_left, binds_right = _operand_binding(symbol)
  left = _inside(expression.left, binds_left)
  right = _inside(expression.right, binds_right)
  return left + (f' {symbol} ' if symbol in _SPACED else symbol) + right


def _inside(expression: Expression, binds: int) -> str:
  text = render(expression)
  if isinstance(expression, Operation) and _BINDING[expression.symbol] < binds:
    return f'({text})'
  return text


def substitute(
  expression: Expression, bindings: Mapping[str, Expression]
) -> Expression:
  """Replaces names by expressions.

  A function call is replaced too: 'F(g)' becomes what F is bound to, with g in
  place of x.
  """

  def put(part: Expression) -> Expression:
    return substitute(part, bindings)

  if isinstance(expression, Name):
    return bindings.get(expression.name, expression)
  if isinstance(expression, Operation):
    return Operation(
      expression.symbol, put(expression.left), put(expression.right)
    )
  if isinstance(expression, Call):
    argument = put(expression.argument)
    if expression.function in bindings:
      return substitute(bindings[expression.function], {'x': argument})
    return Call(expression.function, argument)
  return expression


def fold(expression: Expression) -> Expression:
  """Simplifies numbers: 2*(3*x) is 6*x, x^1 is x, 0*x is 0, x + 0 is x."""
  if isinstance(expression, Call):
    return Call(expression.function, fold(expression.argument))
  if not isinstance(expression, Operation):
    return expression
  symbol = expression.symbol
  left, right = fold(expression.left), fold(expression.right)
  if symbol == '*':
    return _product(_factors(left) + _factors(right))
  if isinstance(left, Number) and isinstance(right, Number):
    if symbol == '+':
      return Number(left.value + right.value)
    if symbol == '-' and left.value >= right.value:
      return Number(left.value - right.value)
    if symbol == '^':
      return Number(left.value**right.value)
  if symbol in '+-' and right == Number(0):
    return left
  if symbol == '+' and left == Number(0):
    return right
  if symbol == '/' and left == Number(0):
    return left
  if symbol in '/^' and right == Number(1):
    return left
  return Operation(symbol, left, right)


def _factors(expression: Expression) -> list[Expression]:
  if isinstance(expression, Operation) and expression.symbol == '*':
    return _factors(expression.left) + _factors(expression.right)
  return [expression]


def _product(factors: list[Expression]) -> Expression:
  """Multiplies factors: the number first, the others in their order."""
  number = 1
  others: list[Expression] = []
  for factor in factors:
    if isinstance(factor, Number):
      number *= factor.value
    else:
      others.append(factor)
  if number == 0 or not others:
    return Number(number)
  if number != 1:
    others.insert(0, Number(number))
  return functools.reduce(
    lambda left, right: Operation('*', left, right), others
  )


# A sum of products: product -> its coefficient. A product is a sorted tuple of
# (atom, exponent); an atom is the text of a name or of a function call.
_Sum = dict[tuple[tuple[str, int], ...], Fraction]


@functools.cache
def canonical(expression: Expression) -> str:
  """Returns a form to compare expressions by.

  It does not depend on the order and grouping of sums and products, and it
  multiplies out whole powers of products.
  """
  return repr(sorted(_sum(expression).items()))


def same(one: str, other: str) -> bool:
  """Whether two texts have the same canonical form.

  Raises:
    ValueError: one of them is not an expression.
  """
  return canonical(parse(one)) == canonical(parse(other))


def _sum(expression: Expression) -> _Sum:
  if isinstance(expression, Number):
    return {(): Fraction(expression.value)} if expression.value else {}
  if isinstance(expression, Name):
    return {((expression.name, 1),): Fraction(1)}
  if isinstance(expression, Call):
    atom = f'{expression.function}({canonical(expression.argument)})'
    return {((atom, 1),): Fraction(1)}
  left, right = _sum(expression.left), expression.right
  if expression.symbol == '^':
    return _power(left, right)
  if expression.symbol == '*':
    return _times(left, _sum(right))
  if expression.symbol == '/':
    return _times(left, _inverse(_sum(right)))
  added = dict(left)
  sign = 1 if expression.symbol == '+' else -1
  for product, number in _sum(right).items():
    added[product] = added.get(product, 0) + sign * number
  return _nonzero(added)


def _power(base: _Sum, exponent: Expression) -> _Sum:
  n = exponent.value if isinstance(exponent, Number) else None
  if n == 0:
    return {(): Fraction(1)}
  if n is not None and n <= _LARGEST_EXPONENT and len(base) <= 1:
    return {
      tuple((atom, e * n) for atom, e in product): number**n
      for product, number in base.items()
    }
  if n == 1:
    return base
  atom = f'({sorted(base.items())})^({canonical(exponent)})'
  return {((atom, 1),): Fraction(1)}


def _times(left: _Sum, right: _Sum) -> _Sum:
  made: _Sum = {}
  for one, one_number in left.items():
    for other, other_number in right.items():
      exponents = dict(one)
      for atom, exponent in other:
        exponents[atom] = exponents.get(atom, 0) + exponent
      product = tuple(sorted((a, e) for a, e in exponents.items() if e))
      made[product] = made.get(product, 0) + one_number * other_number
  return _nonzero(made)


def _inverse(divisor: _Sum) -> _Sum:
  if not divisor:
    return {((UNDEFINED, 1),): Fraction(1)}
  if len(divisor) > 1:
    return {((repr(sorted(divisor.items())), -1),): Fraction(1)}
  ((product, number),) = divisor.items()
  return {tuple((atom, -e) for atom, e in product): 1 / number}


def _nonzero(terms: _Sum) -> _Sum:
  return {product: number for product, number in terms.items() if number}
