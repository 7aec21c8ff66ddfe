"""Rendering inverts parsing; equal expressions have equal canonical forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icl_gen.text import expressions
from icl_gen.text.expressions import (
  Call,
  Name,
  Number,
  Operation,
  parse,
  render,
)
from tests import numerically

X = Name('x')


def same(one, other):
  return expressions.canonical(one) == expressions.canonical(other)


def operations(inside):
  exponents = st.integers(0, 3).map(Number)
  return st.one_of(
    st.builds(Operation, st.sampled_from('+-*/'), inside, inside),
    st.builds(Operation, st.just('^'), inside, exponents),
    st.builds(Call, st.sampled_from(['sin', 'exp']), inside),
  )


trees = st.recursive(
  st.one_of(st.just(X), st.integers(0, 3).map(Number)), operations, max_leaves=7
)


@given(trees)
def test_parsing_inverts_rendering(tree):
  assert parse(render(tree)) == tree


@pytest.mark.parametrize(
  ('text', 'written'),
  [
    ('x', 'x'),
    ('((x))', 'x'),
    ('1+2*x ^ 3', '1 + 2*x^3'),
    ('(1+2)*x', '(1 + 2)*x'),
    ('x-(1-x)-1', 'x - (1 - x) - 1'),
    ('x/(2*x)/3*x', 'x / (2*x) / 3*x'),
    ('(x^2)^3', '(x^2)^3'),
    ('sin(2*(x+1))', 'sin(2*(x + 1))'),
  ],
)
def test_rendering_uses_as_few_parentheses_as_possible(text, written):
  assert render(parse(text)) == written


@pytest.mark.parametrize(
  'text', ['', ' ', '()', '2x', 'x+', '*x', '(x', 'x)', 'x $ 1', 'sin()', '-x']
)
def test_other_texts_are_errors(text):
  with pytest.raises(ValueError, match='is not an expression'):
    parse(text)


def test_operators_associate_as_usual():
  assert parse('1 - 2 - 3') == Operation('-', parse('1 - 2'), Number(3))
  assert parse('x / 2*3') == parse('(x / 2)*3')
  assert parse('x^2^3') == parse('x^(2^3)') != parse('(x^2)^3')


@pytest.mark.parametrize(
  ('text', 'folded'),
  [
    ('2*(3*x)', '6*x'),
    ('x*2*sin(x)*3', '6*x*sin(x)'),
    ('x^(3 - 1)', 'x^2'),
    ('x^(2 - 1)', 'x'),
    ('0*x + 2*1', '2'),
    ('x + 0', 'x'),
    ('0 / x', '0'),
    ('1*x', 'x'),
    ('1 - 2', '1 - 2'),
    ('sin(2*(2*x))', 'sin(4*x)'),
  ],
)
def test_fold(text, folded):
  assert render(expressions.fold(parse(text))) == folded


@given(trees)
def test_folding_keeps_the_value_and_the_canonical_form(tree):
  folded = expressions.fold(tree)
  assert expressions.fold(folded) == folded
  if expressions.UNDEFINED not in expressions.canonical(tree):
    assert same(tree, folded)
    assert not _differ(tree, folded)


@given(trees, trees)
def test_equal_canonical_forms_are_equal_functions(one, other):
  if expressions.UNDEFINED in expressions.canonical(one):
    return
  if same(one, other):
    assert not _differ(one, other)


def _differ(one, other):
  one, other = (numerically.function(render(tree)) for tree in (one, other))
  try:
    return numerically.differ(one, other)
  except OverflowError:
    return False


@pytest.mark.parametrize(
  ('one', 'other'),
  [
    ('x + sin(x)', 'sin(x) + x'),
    ('2*x*(x + 1)', '2*x + x^2*2'),
    ('(2*x)^3', 'x*8*x^2'),
    ('x / (2*x)', '1 / 2'),
    ('sin(x + 1)', 'sin(1 + x)'),
    ('(x + 1)^2', '(1 + x)^2'),
    ('x - x', '0'),
    ('x / sin(x) / x', '1 / sin(x)'),
  ],
)
def test_equal_expressions(one, other):
  assert same(parse(one), parse(other))


@pytest.mark.parametrize(
  ('one', 'other'),
  [
    ('x - sin(x)', 'sin(x) - x'),
    ('x / 2', '2 / x'),
    ('(x + 1)^2', '(x + 1)^3'),
    ('sin(x)', 'cos(x)'),
    ('sin(x)', 'sin(2*x)'),
    ('1 / (x + 1)', '1 / (x + 2)'),
    ('x', '2*x'),
  ],
)
def test_different_expressions(one, other):
  assert not same(parse(one), parse(other))


def test_division_by_zero_shows():
  form = expressions.canonical(parse('x / (sin(x) - sin(x))'))
  assert expressions.UNDEFINED in form


def test_functions_are_put_in_by_their_argument():
  bound = {'F': parse('3*x^2'), 'g': parse('sin(x)'), 'n': Number(4)}
  made = expressions.substitute(parse('F(g) + n*x'), bound)
  assert render(made) == '3*sin(x)^2 + 4*x'
