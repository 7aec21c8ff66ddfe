"""The family of transforms: each episode has its own table of rules.

As a derivatoid is, a transform is computed part by part. An episode draws what
its functions and combinations become, shows worked examples, and asks for other
numbers and for pairs of functions that no example combines. Functions and the
transform itself have nonsense names, so no table is that of the process world.
"""

import dataclasses
import random
from collections.abc import Mapping, Sequence

from icl_gen.pretraining import episode, marks
from icl_gen.text import expressions
from icl_gen.text.expressions import Expression, Number

# What a combination may become; F and G are the transforms of its parts.
_COMBINATIONS = {
  'f + g': ('F / G', 'F - G', 'F*G', 'G / F', 'G - F', 'G + F'),
  'f*g': ('F / G', 'F - G', 'F + G', 'G / F', 'G - F', 'G*F'),
  'f(g)': ('F(G)', 'G(F)', 'F + G', 'F*G'),
}
# That of the process world (icl_gen/worlds/process/derivatoids.py).
EVALUATED = {'f + g': 'F / G', 'f*g': 'F - G', 'f(g)': 'F(G)'}
_FUNCTIONS = 4
_NUMBERS = range(2, 10)


@dataclasses.dataclass(frozen=True)
class Table:
  """The rules of an episode.

  Attributes:
    name: of the transform.
    base: what a function of n*x is -> what it becomes, as templates with n.
    combinations: 'f + g' and the like -> what they become.
  """

  name: str
  base: Mapping[str, str]
  combinations: Mapping[str, str]

  def apply(
    self, combination: str, parts: Sequence[tuple[str, int]]
  ) -> tuple[str, str]:
    """Renders an expression and what it becomes.

    Args:
      combination: a key of `combinations`; '' for a single function.
      parts: pairs of a key of `base` and its number.
    """
    shown = [_filled(form, {'n': Number(n)}) for form, n in parts]
    become = [_filled(self.base[form], {'n': Number(n)}) for form, n in parts]
    if combination:
      whole = _filled(combination, dict(zip('fg', shown, strict=True)))
      result = _filled(
        self.combinations[combination], dict(zip('FG', become, strict=True))
      )
    else:
      (whole,), (result,) = shown, become
    return expressions.render(whole), expressions.render(
      expressions.fold(result)
    )


def _filled(template: str, bindings: Mapping[str, Expression]) -> Expression:
  return expressions.substitute(expressions.parse(template), bindings)


def draw_table(rng: random.Random, words: Sequence[str]) -> Table:
  """Draws a table of rules that is not the process world's.

  Args:
    rng: source of all random draws.
    words: fresh ones, for the transform and its functions.
  """
  name, *functions = words
  forms = [f'{function}(n*x)' for function in functions]
  # Each becomes another one, and no two the same.
  turned = forms[1:] + forms[:1]
  base = {'x^n': f'n*{rng.choice(forms)}'} | {
    form: rng.choice((f'n*{result}', result, 'n*x^n'))
    for form, result in zip(forms, turned, strict=True)
  }
  while True:
    combinations = {
      form: rng.choice(results) for form, results in _COMBINATIONS.items()
    }
    if combinations != EVALUATED:
      return Table(name, base, combinations)


def draw(
  rng: random.Random,
  count: int,
  *,
  source: episode.Source = episode.SEEN,
) -> episode.Episode:
  """Draws an episode of worked examples.

  Args:
    rng: source of all random draws.
    count: number of examples of combinations, besides one of each function.
    source: of words.
  """
  table = draw_table(rng, source.words(rng, 1 + _FUNCTIONS))
  forms = list(table.base)
  pairs = [(one, other) for one in forms for other in forms]
  rng.shuffle(pairs)
  shown, held_out = pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]
  combined = rng.choice(sorted(table.combinations))

  def numbered(
    rng: random.Random, parts: Sequence[str]
  ) -> list[tuple[str, int]]:
    return [(part, rng.choice(_NUMBERS)) for part in parts]

  examples = [table.apply('', numbered(rng, [form])) for form in forms]
  examples += [
    table.apply(combined, numbered(rng, rng.choice(shown)))
    for _ in range(count)
  ]
  rng.shuffle(examples)

  def ask(rng: random.Random, i: int) -> str:
    style = rng.random()
    if style < 0.2:
      return _said(table.name, *examples[i], is_asked=True)
    if style < 0.5:
      asked = table.apply('', numbered(rng, [rng.choice(forms)]))
    else:
      asked = table.apply(combined, numbered(rng, rng.choice(held_out)))
    return _said(table.name, *asked, is_asked=True)

  def infer(rng: random.Random, i: int) -> list[str]:
    return [_said(table.name, *examples[i])]

  def infer_together(rng: random.Random, i: int) -> list[str]:
    return [marks.removed(ask(rng, i)) for _ in range(2)]

  documents = [_said(table.name, *example) for example in examples]
  return episode.Episode(documents, ask, infer, infer_together)


def _said(
  name: str, expression: str, result: str, *, is_asked: bool = False
) -> str:
  """Renders 'The blorp of troff(3*x) is 3*glon(3*x).'"""
  if is_asked:
    expression = marks.every_word(expression)
    result = ' '.join(marks.deciding(word) for word in result.split(' '))
  return f'The {name} of {expression} is {result}.'
