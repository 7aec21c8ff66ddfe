"""The paper's claims, each judged by a rule that was stated before the study.

A check is a number with a 95 % interval and the range in which a claim expects
it. It holds if the whole interval lies in the range, does not hold if no part
of it does, and otherwise cannot be said. A claim holds if all of its checks do
and every rule of it has one, and does not if one does not.

The ranges are those of the paper (arXiv 2505.00661): signs of differences, and
margins of 5 to 20 points where it says "near" or "far".
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from icl_gen.reporting.answers import MEAN, Comparison, Result
from icl_gen.reporting.augmentations import Coverage
from icl_gen.reporting.contrasts import (
  MODELS,
  NONSENSE,
  RUNS,
  WORLDS,
  Contrast,
)
from icl_gen.reporting.glossary import base
from icl_gen.reporting.records import CONDITIONS
from icl_gen.reporting.runs import label as label_of_run

HOLDS = 'holds'
FAILS = 'does not hold'
UNDECIDED = 'cannot be said'
NOT_RUN = 'not run'

# Accuracy of 'ft_aug' where no generated document states the answer, nor one
# that could not be read may state it; see `covering`.
UNCOVERED = 'uncovered'

_CELEBRITY = ('celebrity', 'celebrity_files', 'celebrity_hub')
# In which a kind of question means what the claims mean by it.
_DRAWN = ('reversal', *_CELEBRITY, 'syllogism', 'semantic', 'process')


# Between the sides of a difference of one condition.
_MINUS = ' minus '
_SIDES = {
  MODELS: f'larger{_MINUS}smaller model',
  WORLDS: f'plain{_MINUS}nonsense names',
}


def contrasted(condition: str, between: str, *names: str) -> str:
  """Names a difference of one condition between runs, models or worlds.

  Args:
    condition: the condition.
    between: as in `contrasts.Contrast`.
    *names: of both runs, if it is between runs.
  """
  sides = _MINUS.join(map(label_of_run, names))
  return f'{condition}: {_SIDES.get(between, sides)}'


@dataclasses.dataclass(frozen=True)
class Rule:
  """What a claim expects of some numbers, as shares of 1.

  Attributes:
    measured: a condition, for its accuracy; two, as in 'icl-ft', for their
      difference on the same questions; `UNCOVERED`; or what `contrasted` names.
    low: least value that the claim allows.
    high: greatest value.
    kinds: of questions.
    worlds: where, in seen or in held-out forms.
    above_chance: whether the number is accuracy minus chance.
  """

  measured: str
  low: float
  high: float
  kinds: tuple[str, ...]
  worlds: tuple[str, ...] = _DRAWN
  above_chance: bool = False

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


_SPLIT = {
  condition: contrasted(condition, RUNS, 'splitting_independent', '')
  for condition in ('ft', 'ft_aug')
}
_INFERRED = ('reversal', 'syllogism', 'deduction', 'holdout', 'compositional')

CLAIMS = (
  Claim(
    'C1',
    'Before it has seen the documents, the model guesses: within 10 points of'
    ' chance.',
    (Rule('pretrained', -0.1, 0.1, _INFERRED, above_chance=True),),
  ),
  Claim(
    'C2',
    'Fine-tuning teaches what the documents state: at least 90 % right.',
    (Rule('ft', 0.9, 1.0, ('forward', 'forward_name')),),
  ),
  Claim(
    'C3',
    'Names from descriptions (the reversal curse): fine-tuned, the model is not'
    ' more than 5 points above chance.',
    (Rule('ft', -1.0, 0.05, ('reversal',), _CELEBRITY, above_chance=True),),
  ),
  Claim(
    'C4',
    'Reversals are inferred far better in context than after fine-tuning: by 20'
    ' points or more.',
    (Rule('icl-ft', 0.2, 1.0, ('reversal',)),),
  ),
  Claim(
    'C5',
    "Fine-tuning on the model's own inferences as well is as good as context:"
    ' not more than 5 points worse.',
    (Rule('ft_aug-icl', -0.05, 1.0, ('reversal', 'syllogism')),),
  ),
  Claim(
    'C6',
    'Syllogisms: augmented fine-tuning is not more than 5 points worse than'
    ' context, which is better than fine-tuning, which is better than chance.',
    (
      Rule('ft_aug-icl', -0.05, 1.0, ('syllogism',), ('syllogism',)),
      Rule('icl-ft', 0.0, 1.0, ('syllogism',), ('syllogism',)),
      Rule('ft', 0.0, 1.0, ('syllogism',), ('syllogism',), above_chance=True),
    ),
  ),
  Claim(
    'C7',
    'Within a rich, redundant structure, even fine-tuned reversals are better'
    ' than chance.',
    (Rule('ft', 0.0, 1.0, ('reversal',), ('semantic',), above_chance=True),),
  ),
  Claim(
    'C8',
    'In such a structure, everything that is inferred is inferred better in'
    ' context than after fine-tuning.',
    (
      Rule(
        'icl-ft',
        0.0,
        1.0,
        ('reversal', 'syllogism', 'deduction', 'holdout'),
        ('semantic',),
      ),
    ),
  ),
  Claim(
    'C9',
    'Training on single sentences improves fine-tuning on own inferences, and'
    ' harms plain fine-tuning: syllogisms from documents of several sentences.',
    (
      Rule(_SPLIT['ft_aug'], 0.0, 1.0, ('syllogism',), ('syllogism',)),
      Rule(_SPLIT['ft'], -1.0, 0.0, ('syllogism',), ('syllogism',)),
    ),
  ),
  Claim(
    'C10',
    'Nonsense names lower accuracy in context: it is higher with plain names.',
    (
      Rule(contrasted('icl', WORLDS), 0.0, 1.0, ('reversal',), tuple(NONSENSE)),
    ),
  ),
  Claim(
    'C11',
    'Rules that only examples show are applied better in context than after'
    ' fine-tuning, and own inferences improve fine-tuning.',
    (
      Rule('icl-ft', 0.0, 1.0, ('seen', 'compositional'), ('process',)),
      Rule('ft_aug-ft', 0.0, 1.0, ('seen', 'compositional'), ('process',)),
    ),
  ),
  Claim(
    'C12',
    'A smaller model infers less, in context and after fine-tuning on its own'
    ' inferences.',
    (
      Rule(contrasted('icl', MODELS), 0.0, 1.0, ('reversal', 'syllogism')),
      Rule(contrasted('ft_aug', MODELS), 0.0, 1.0, ('reversal', 'syllogism')),
    ),
  ),
  Claim(
    'C13',
    'Own inferences teach the rule, not only the answers: reversals that no'
    ' generated document states are better than chance.',
    (Rule(UNCOVERED, 0.0, 1.0, ('reversal',), above_chance=True),),
  ),
  Claim(
    'C14',
    'Accuracy follows the precision of what is added: it is lower if half of'
    ' the sentences that follow from the documents are made false.',
    (
      Rule(
        contrasted('ft_aug', RUNS, 'noise_0.5,source_oracle', 'source_oracle'),
        -1.0,
        0.0,
        ('reversal', 'syllogism'),
      ),
    ),
  ),
)


@dataclasses.dataclass(frozen=True)
class Check:
  """One row of claims.csv; the attributes are its columns, in order.

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


def judge(
  results: Sequence[Result],
  comparisons: Sequence[Comparison],
  coverage: Sequence[Coverage],
  contrasts: Sequence[Contrast],
  *,
  normalisation: str,
) -> tuple[Check, ...]:
  """Checks every claim on every world and model that has what it needs.

  Args:
    results: rows of results.csv, of one run per world and model.
    comparisons: rows of differences.csv, of the same runs.
    coverage: rows of coverage.csv, of the same runs.
    contrasts: rows of contrasts.csv.
    normalisation: one of `statistics.NORMALISATIONS`.
  """
  measured = _measured(
    [*results, *comparisons, *coverage], normalisation=normalisation
  )
  measured |= _contrasts(contrasts, normalisation=normalisation)
  return tuple(
    _check(claim, rule, where, found)
    for claim in CLAIMS
    for rule in claim.rules
    for where, found in sorted(measured.items())
    if where[3] == rule.measured
    and where[2] in rule.kinds
    and base(where[0]) in rule.worlds
  )


def verdicts(checks: Sequence[Check]) -> Mapping[str, str]:
  """Claim -> its verdict on the study; `NOT_RUN` for those without checks.

  A claim of which a part was not measured is `UNDECIDED`, unless a check fails.
  """
  return {
    claim.name: _together(
      claim, [check for check in checks if check.claim == claim.name]
    )
    for claim in CLAIMS
  }


def _together(claim: Claim, checks: Sequence[Check]) -> str:
  if not checks:
    return NOT_RUN
  found = {check.verdict for check in checks}
  if FAILS in found:
    return FAILS
  measured = {check.measured for check in checks}
  is_whole = all(rule.label in measured for rule in claim.rules)
  return HOLDS if found == {HOLDS} and is_whole else UNDECIDED


# (world, model, kind, measured)
_Where = tuple[str, str, str, str]


@dataclasses.dataclass(frozen=True)
class _Number:
  value: float
  low: float
  high: float
  chance: float = 0.0


def _measured(
  rows: Sequence[Result | Comparison | Coverage], *, normalisation: str
) -> dict[_Where, _Number]:
  found: dict[_Where, _Number] = {}
  # Results come first: uncovered questions have the chance of their kind.
  for row in rows:
    if (row.seed, row.normalisation) == (MEAN, normalisation):
      place = (row.world, row.model, row.kind)
      found.update(((*place, what), n) for what, n in _of_row(row, found))
  return found


def _contrasts(
  rows: Sequence[Contrast], *, normalisation: str
) -> dict[_Where, _Number]:
  return {
    (
      *(row.world, row.model, row.kind),
      contrasted(row.condition, row.between, row.first, row.second),
    ): _Number(row.difference, row.low, row.high)
    for row in rows
    if row.normalisation == normalisation
  }


def _of_row(
  row: Result | Comparison | Coverage, results: Mapping[_Where, _Number]
) -> Iterator[tuple[str, _Number]]:
  if isinstance(row, Result):
    yield row.condition, _Number(row.accuracy, row.low, row.high, row.chance)
  elif isinstance(row, Comparison):
    yield row.comparison, _Number(row.difference, row.low, row.high)
  elif row.augmentation == 'all' and row.uncovered_accuracy is not None:
    assert row.uncovered_low is not None and row.uncovered_high is not None
    whole = results[row.world, row.model, row.kind, 'ft_aug']
    yield (
      UNCOVERED,
      _Number(
        row.uncovered_accuracy,
        row.uncovered_low,
        row.uncovered_high,
        whole.chance,
      ),
    )


def _check(claim: Claim, rule: Rule, where: _Where, found: _Number) -> Check:
  world, model, kind, _ = where
  zero = found.chance if rule.above_chance else 0.0
  low, high = found.low - zero, found.high - zero
  return Check(
    claim=claim.name,
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


def _verdict(low: float, high: float, rule: Rule) -> str:
  if rule.low <= low and high <= rule.high:
    return HOLDS
  return FAILS if high < rule.low or rule.high < low else UNDECIDED


def is_difference(measured: str) -> bool:
  """Whether something measured has a sign; an accuracy has none."""
  return '-' in measured or _MINUS in measured


def label(measured: str) -> str:
  """What was measured, in the words of the report."""
  if _MINUS in measured:
    condition, _, sides = measured.partition(': ')
    said = sides.replace(_MINUS, ' \N{MINUS SIGN} ')
    return f'{CONDITIONS[condition]}: {said}'
  labels = CONDITIONS | {
    UNCOVERED: f'{CONDITIONS["ft_aug"]}, uncovered questions',
    'chance': 'chance',
  }
  return ' \N{MINUS SIGN} '.join(labels[side] for side in measured.split('-'))
