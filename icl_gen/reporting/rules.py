"""Rules by which a study judges what was claimed or predicted of it.

A check is a number with a 95 % interval and the range in which a claim expects
it. It holds if the whole interval lies in the range, does not hold if no part
of it does, and otherwise cannot be said. A claim holds if all of its checks do
and nothing that it is about is missing, and does not if one does not.
"""

import dataclasses
import types
from collections.abc import Collection, Mapping

HOLDS = 'holds'
FAILS = 'does not hold'
UNDECIDED = 'cannot be said'
NOT_RUN = 'not run'

CELEBRITY = ('celebrity', 'celebrity_files', 'celebrity_hub')
# Worlds in which a kind of question means what the claims mean by it.
DRAWN = ('reversal', *CELEBRITY, 'syllogism', 'semantic', 'process')


@dataclasses.dataclass(frozen=True)
class Rule:
  """What a claim expects of some numbers, as shares of 1.

  Attributes:
    measured: a condition, for its accuracy; two, as in 'icl-ft', for their
      difference on the same questions; or a name in claims.py.
    low: least value that the claim allows.
    high: greatest value.
    kinds: of questions.
    worlds: where, in seen or in held-out forms.
    above_chance: whether the number is accuracy minus chance.
    where: of models that a study pretrains, those that are meant: setting ->
      its value, as text. {}: all, or those that are shown.
  """

  measured: str
  low: float
  high: float
  kinds: tuple[str, ...]
  worlds: tuple[str, ...] = DRAWN
  above_chance: bool = False
  where: Mapping[str, str] = types.MappingProxyType({})

  @property
  def label(self) -> str:
    """What was measured, as in `Check`."""
    return f'{self.measured}-chance' if self.above_chance else self.measured


@dataclasses.dataclass(frozen=True)
class Claim:
  """A sentence about models, and the rules by which a study decides it."""

  name: str
  text: str
  rules: tuple[Rule, ...]


@dataclasses.dataclass(frozen=True)
class Number:
  """Something measured, as shares of 1, with its 95 % interval."""

  value: float
  low: float
  high: float
  chance: float = 0.0


@dataclasses.dataclass(frozen=True)
class Check:
  """One row of claims.csv or predictions.csv, whose columns these are.

  Attributes:
    claim: the claim's name.
    verdict: `HOLDS`, `FAILS` or `UNDECIDED`.
    world: the world's name.
    model: the model's name.
    kind: of questions.
    measured: as in `Rule`, with '-chance' if chance was subtracted.
    value: of what was measured, mean over the seeds, as a share of 1.
    low: lower end of its 95 % interval.
    high: upper end.
    least: the least value that the claim allows.
    most: the greatest.
    run: how the model was pretrained, if the claim is about that.
  """

  claim: str
  verdict: str
  world: str
  model: str
  kind: str
  measured: str
  value: float
  low: float
  high: float
  least: float
  most: float
  run: str = ''


def check(
  rule: Rule, found: Number, *, claim: str, place: tuple[str, str, str]
) -> Check:
  """Judges one number.

  Args:
    rule: what is expected of it.
    found: what was measured.
    claim: name of the claim that the rule is of.
    place: world, model and kind of question.
  """
  world, model, kind = place
  zero = found.chance if rule.above_chance else 0.0
  low, high = found.low - zero, found.high - zero
  return Check(
    claim=claim,
    verdict=_verdict(low, high, rule),
    world=world,
    model=model,
    kind=kind,
    measured=rule.label,
    value=found.value - zero,
    low=low,
    high=high,
    least=rule.low,
    most=rule.high,
  )


def together(checks: Collection[Check], *, is_whole: bool) -> str:
  """The verdict of several checks; `NOT_RUN` for none.

  Args:
    checks: of one claim.
    is_whole: whether they are all that the claim is about.
  """
  found = {check.verdict for check in checks}
  if not found:
    return NOT_RUN
  if FAILS in found:
    return FAILS
  return HOLDS if found == {HOLDS} and is_whole else UNDECIDED


def _verdict(low: float, high: float, rule: Rule) -> str:
  if rule.low <= low and high <= rule.high:
    return HOLDS
  return FAILS if high < rule.low or rule.high < low else UNDECIDED
