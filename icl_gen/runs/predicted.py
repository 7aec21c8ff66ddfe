"""The predictions of a study about the models that it pretrains.

In its settings, a prediction has a text and rules, each by a name:

  predictions.P1.text = 'Models reverse in context if their text did.'
  predictions.P1.rules.reverse = dict(
    measured='icl', kinds=('reversal',), low=0.9, where=dict(reversals=0.5))

`where` names settings of the grid, without their block; the other keys are
those of `Rule`. A bound that is not given allows everything.
"""

from collections.abc import Mapping
from typing import Any

from icl_gen.reporting.rules import Claim, Rule
from icl_gen.runs import directories

_BOUNDS = {'low': -1.0, 'high': 1.0}
_KEYS = ('measured', 'kinds', *_BOUNDS, 'above_chance', 'where')


def read(pretraining: Mapping[str, Any]) -> tuple[Claim, ...]:
  """Returns the predictions of a study, none if it has none.

  Args:
    pretraining: {}, or as for `pretrainings.points`.

  Raises:
    ValueError: a key is missing or unknown, a bound is not a share of 1, or a
      rule is about an unknown condition, or a setting that no recipe has.
  """
  return tuple(
    Claim(
      name,
      given['text'],
      tuple(
        _rule(rule, pretraining['recipe'], flag=f'{name}.rules.{key}')
        for key, rule in given['rules'].items()
      ),
    )
    for name, given in _predictions(pretraining).items()
  )


def _predictions(pretraining: Mapping[str, Any]) -> Mapping[str, Any]:
  found: Mapping[str, Any] = pretraining.get('predictions', {})
  for name, given in found.items():
    keys = set(given) if isinstance(given, Mapping) else set()
    if keys != {'text', 'rules'} or not given['rules']:
      raise ValueError(f'{_flag(name)}: give a text, and one or more rules')
  return found


def _rule(
  given: Mapping[str, Any], recipe: Mapping[str, Any], *, flag: str
) -> Rule:
  unknown = [key for key in given if key not in _KEYS]
  missing = [key for key in ('measured', 'kinds') if not given.get(key)]
  if unknown or missing:
    raise ValueError(
      f'{_flag(flag)} has'
      f' {unknown[0] if unknown else f"no {missing[0]}"}; a rule needs measured'
      f' and kinds, and may have {", ".join(_KEYS[2:])}'
    )
  measured = given['measured']
  sides = measured.split('-')
  if len(sides) > 2 or not set(sides) <= set(directories.CONDITIONS):
    raise ValueError(
      f'{_flag(flag)}.measured={measured!r}; give a condition, or two as in'
      f' icl-ft: {", ".join(directories.CONDITIONS)}'
    )
  if isinstance(given['kinds'], str):
    raise ValueError(
      f'{_flag(flag)}.kinds={given["kinds"]!r}; give a list of kinds'
    )
  low, high = (given.get(name, bound) for name, bound in _BOUNDS.items())
  are_numbers = all(isinstance(one, int | float) for one in (low, high))
  if not are_numbers or not -1.0 <= low <= high <= 1.0:
    raise ValueError(
      f'{_flag(flag)} allows {low!r} to {high!r}; give low and high as shares'
      ' of 1, low first'
    )
  where = {key: str(value) for key, value in given.get('where', {}).items()}
  _require_settings(where, recipe, flag=f'{flag}.where')
  return Rule(
    measured,
    low,
    high,
    tuple(given['kinds']),
    above_chance=given.get('above_chance', False),
    where=where,
  )


def _require_settings(
  where: Mapping[str, str], recipe: Mapping[str, Any], *, flag: str
) -> None:
  """Checks names alone: of a smaller grid, some predictions are not judged."""
  blocks = [value for value in recipe.values() if isinstance(value, Mapping)]
  known = {key for block in (recipe, *blocks) for key in block}
  for key in where:
    if key not in known:
      raise ValueError(f'{_flag(flag)}: the recipe has no setting {key!r}')


def _flag(name: str) -> str:
  return f'--config.pretraining.predictions.{name}'
