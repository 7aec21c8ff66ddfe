"""A second, numerical implementation of derivatoids, to test the first.

Python parses the expressions, and functions of numbers replace expressions. It
shares only the definition with icl_gen/worlds/process/derivatoids.py.
"""

import ast
import cmath

# Where functions are compared. The points are complex, so that logarithms are
# defined, and small, so that towers of powers do not overflow.
POINTS = (0.11 + 0.03j, 0.05 - 0.07j, 0.31 + 0.11j, 0.02 + 0.01j)

# Base rule -> n -> x -> the value of the derivatoid.
BASE = {
  'constant': lambda n: lambda x: n * x,
  'power': lambda n: lambda x: n * cmath.cos(n * x),
  'sin': lambda n: lambda x: n * cmath.exp(n * x),
  'exp': lambda n: lambda x: n * x**n,
  'log': lambda n: lambda x: n * cmath.sin(n * x),
}
NAMES = {'sin': 'sine', 'exp': 'exponential', 'log': 'logarithm'}
FUNCTIONS = {f: getattr(cmath, f) for f in ('sin', 'cos', 'exp', 'log')}


def tree(text):
  return ast.parse(text.replace('^', '**'), mode='eval').body


def value(text, x):
  code = compile(text.replace('^', '**'), text, 'eval')
  return eval(code, {'__builtins__': {}, 'x': x, **FUNCTIONS})


def _is_x(node):
  return isinstance(node, ast.Name) and node.id == 'x'


def _base(node):
  """(name, n, inside) of a base rule or of a composition that has one outside.

  In 'x^n' and 'sin(n*x)' the inside is x; a number has none.
  """
  if isinstance(node, ast.Constant):
    return 'constant', node.value, None
  if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
    return 'power', node.right.value, node.left
  if isinstance(node, ast.Call):
    (scaled,) = node.args
    assert isinstance(scaled.op, ast.Mult)
    return node.func.id, scaled.left.value, scaled.right
  return None


def derivatoid(node):
  """x -> the value of the derivatoid."""
  if base := _base(node):
    name, n, inside = base
    outer = BASE[name](n)
    if inside is None or _is_x(inside):
      return outer
    inner = derivatoid(inside)
    return lambda x: outer(inner(x))
  one, other = derivatoid(node.left), derivatoid(node.right)
  if isinstance(node.op, ast.Add):
    return lambda x: one(x) / other(x)
  assert isinstance(node.op, ast.Mult)
  return lambda x: one(x) - other(x)


def rule(node):
  base = _base(node)
  if base is None:
    return 'sum' if isinstance(node.op, ast.Add) else 'product'
  name, _, inside = base
  if inside is None or _is_x(inside):
    return NAMES.get(name, name)
  return 'composition'


def combinations(node):
  """'sum of power and sine' for every combination in the expression."""
  base = _base(node)
  if base is None:
    parts = node.left, node.right
    found = f'{rule(node)} of {rule(parts[0])} and {rule(parts[1])}'
  else:
    name, _, inside = base
    if inside is None or _is_x(inside):
      return []
    parts = (inside,)
    found = f'composition of {NAMES.get(name, name)} and {rule(inside)}'
  return [found] + [c for part in parts for c in combinations(part)]


def function(text):
  return lambda x: value(text, x)


def differ(one, other, *, tolerance=1e-8):
  """Whether two functions differ at a point where both are defined.

  Raises OverflowError if there is no such point.
  """
  compared = []
  for x in POINTS:
    try:
      left, right = one(x), other(x)
    except (OverflowError, ZeroDivisionError):
      continue
    if left == right == 0:  # both underflow
      continue
    compared.append(abs(left - right) > tolerance * (abs(left) + abs(right)))
  if not compared:
    raise OverflowError('no point where both are defined')
  return any(compared)


def derivative(text):
  """x -> the value of the ordinary derivative, by finite differences."""

  def at(x, h=1e-4):
    # Two central differences make the error fall with the fourth power of h.
    near, far = (
      (value(text, x + d) - value(text, x - d)) / (2 * d) for d in (h, 2 * h)
    )
    return (4 * near - far) / 3

  return at
