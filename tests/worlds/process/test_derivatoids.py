"""The rules agree with an independent, numerical implementation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icl_gen.text.expressions import canonical, parse, render
from icl_gen.worlds.process import derivatoids
from icl_gen.worlds.process.derivatoids import Term
from tests import numerically

CONSTANT = {derivatoids.CONSTANT}
FUNCTIONS = [r.name for r in derivatoids.BASE if r.name != derivatoids.CONSTANT]

numbers = st.integers(2, 5)
functions = st.builds(Term, st.sampled_from(FUNCTIONS), numbers)
base = functions | st.builds(Term, st.just(derivatoids.CONSTANT), numbers)


def combined(outer, inner):
  return st.builds(
    lambda rule, parts: Term(rule, parts=parts),
    st.sampled_from(['sum', 'product']),
    # Two constants make nothing interesting.
    st.tuples(outer, inner).filter(
      lambda parts: parts[0] != parts[1] and {p.rule for p in parts} != CONSTANT
    ),
  )


def composed(inner):
  return st.builds(
    lambda parts: Term('composition', parts=parts),
    st.tuples(functions, inner).filter(lambda parts: parts[0] != parts[1]),
  )


simple = combined(base, base) | composed(functions)
terms = base | simple | combined(base, simple) | composed(simple)


@pytest.mark.parametrize(
  ('term', 'written', 'becomes', 'ordinary'),
  [
    (Term('constant', 3), '3', '3*x', '0'),
    (Term('power', 3), 'x^3', '3*cos(3*x)', '3*x^2'),
    (Term('power', 2), 'x^2', '2*cos(2*x)', '2*x'),
    (Term('sine', 2), 'sin(2*x)', '2*exp(2*x)', '2*cos(2*x)'),
    (Term('exponential', 4), 'exp(4*x)', '4*x^4', '4*exp(4*x)'),
    (Term('logarithm', 5), 'log(5*x)', '5*sin(5*x)', '1 / x'),
    (
      Term('sum', parts=(Term('power', 3), Term('sine', 2))),
      'x^3 + sin(2*x)',
      '3*cos(3*x) / (2*exp(2*x))',
      '3*x^2 + 2*cos(2*x)',
    ),
    (
      Term('product', parts=(Term('power', 3), Term('sine', 2))),
      'x^3*sin(2*x)',
      '3*cos(3*x) - 2*exp(2*x)',
      '3*x^2*sin(2*x) + 2*x^3*cos(2*x)',
    ),
    (
      Term('composition', parts=(Term('power', 3), Term('sine', 2))),
      'sin(2*x)^3',
      '3*cos(6*exp(2*x))',
      '6*sin(2*x)^2*cos(2*x)',
    ),
  ],
)
def test_every_rule_by_hand(term, written, becomes, ordinary):
  assert render(derivatoids.expression(term)) == written
  assert render(derivatoids.becomes(term)) == becomes
  assert render(derivatoids.derivative(term)) == ordinary


@given(terms)
@settings(max_examples=60, deadline=None)
def test_derivatoids_and_derivatives_numerically(term):
  written = render(derivatoids.expression(term))
  transformed = render(derivatoids.becomes(term))
  ordinary = render(derivatoids.derivative(term))
  computed = numerically.derivatoid(numerically.tree(written))
  try:
    assert not numerically.differ(computed, numerically.function(transformed))
  except OverflowError:  # a tower of powers
    assert len(term.nodes) > 3
  x = 0.21 + 0.05j
  try:
    estimated = numerically.derivative(written)(x)
  except OverflowError:
    return
  exact = numerically.value(ordinary, x)
  # Finite differences fail for very steep functions.
  assert abs(exact) > 1e9 or close(estimated, exact)


def close(one, other):
  return abs(one - other) <= 1e-4 * (abs(one) + abs(other) + 1e-3)


@given(terms)
@settings(max_examples=60, deadline=None)
def test_near_misses_are_wrong_and_distinct(term):
  right = derivatoids.becomes(term)
  found = derivatoids.near_misses(term)
  assert set(found) <= set(derivatoids.NEAR_MISSES)
  wrong = [miss for misses in found.values() for miss in misses]
  assert len(wrong) >= 3
  for i, miss in enumerate(wrong):
    assert parse(render(miss)) == miss
    others = map(canonical, (right, *wrong[:i]))
    assert canonical(miss) not in others
    functions = (numerically.function(render(e)) for e in (right, miss))
    try:
      # The terms that differ may be tiny next to an exponential.
      assert numerically.differ(*functions, tolerance=1e-13)
    except OverflowError:  # a tower of powers
      assert len(term.nodes) > 3


def test_near_misses_by_hand():
  term = Term('sum', parts=(Term('power', 3), Term('sine', 2)))
  rules = ('power', 'sine', 'sum', 'product')
  found = {
    kind: [render(miss) for miss in misses]
    for kind, misses in derivatoids.near_misses(term, rules=rules).items()
  }
  assert found == {
    'ordinary': ['3*x^2 + 2*cos(2*x)'],
    'wrong order': ['2*exp(2*x) / (3*cos(3*x))'],
    'wrong rule': [
      '3*cos(3*x) + 2*exp(2*x)',
      '3*cos(3*x) - 2*exp(2*x)',
      '3*x^2 / (2*exp(2*x))',
      '3*exp(3*x) / (2*exp(2*x))',
      '3*cos(3*x) / (2*cos(2*x))',
    ],
  }


def test_every_rule_differs_from_the_ordinary_one():
  for rule in derivatoids.RULES.values():
    assert canonical(parse(rule.derivatoid)) != canonical(parse(rule.ordinary))
