"""The paper's claims, each judged by rules that were stated before the study.

A claim that holds has a check of every rule; see rules.py. The ranges are those
of the paper (arXiv 2505.00661): signs of differences, and margins of 5 to 20
points where it says "near" or "far".
"""

from collections.abc import Iterator, Mapping, Sequence

from icl_gen.reporting import rules
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
from icl_gen.reporting.rules import CELEBRITY, Check, Claim, Number, Rule
from icl_gen.reporting.runs import label as label_of_run

# World, model, kind of question, and what was measured.
Where = tuple[str, str, str, str]

# Accuracy of 'ft_aug' where no generated document states the answer, nor one
# that could not be read may state it; see `covering`.
UNCOVERED = 'uncovered'

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
    (Rule('ft', -1.0, 0.05, ('reversal',), CELEBRITY, above_chance=True),),
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
  measured = measured_of(
    [*results, *comparisons, *coverage], normalisation=normalisation
  )
  measured |= _contrasts(contrasts, normalisation=normalisation)
  return tuple(
    check
    for claim in CLAIMS
    for rule in claim.rules
    for check in checks_of(rule, measured, claim=claim.name)
  )


def checks_of(
  rule: Rule, measured: Mapping[Where, Number], *, claim: str
) -> Iterator[Check]:
  """Checks a rule wherever something was measured that it is about."""
  for where, found in sorted(measured.items()):
    world, _, kind, what = where
    meant = what == rule.measured and kind in rule.kinds
    if meant and base(world) in rule.worlds:
      yield rules.check(rule, found, claim=claim, place=where[:3])


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
  measured = {check.measured for check in checks}
  is_whole = all(rule.label in measured for rule in claim.rules)
  return rules.together(checks, is_whole=is_whole)


def measured_of(
  rows: Sequence[Result | Comparison | Coverage], *, normalisation: str
) -> dict[Where, Number]:
  """Means over the seeds, by where they are from.

  Args:
    rows: of one run per world and model; results come first.
    normalisation: one of `statistics.NORMALISATIONS`.
  """
  found: dict[Where, Number] = {}
  for row in rows:
    if (row.seed, row.normalisation) == (MEAN, normalisation):
      place = (row.world, row.model, row.kind)
      found.update(((*place, what), n) for what, n in _of_row(row, found))
  return found


def _contrasts(
  rows: Sequence[Contrast], *, normalisation: str
) -> dict[Where, Number]:
  return {
    (
      *(row.world, row.model, row.kind),
      contrasted(row.condition, row.between, row.first, row.second),
    ): Number(row.difference, row.low, row.high)
    for row in rows
    if row.normalisation == normalisation
  }


def _of_row(
  row: Result | Comparison | Coverage, results: Mapping[Where, Number]
) -> Iterator[tuple[str, Number]]:
  if isinstance(row, Result):
    yield row.condition, Number(row.accuracy, row.low, row.high, row.chance)
  elif isinstance(row, Comparison):
    yield row.comparison, Number(row.difference, row.low, row.high)
  elif row.augmentation == 'all' and row.uncovered_accuracy is not None:
    assert row.uncovered_low is not None and row.uncovered_high is not None
    # Uncovered questions have the chance of their kind.
    whole = results[row.world, row.model, row.kind, 'ft_aug']
    yield (
      UNCOVERED,
      Number(
        row.uncovered_accuracy,
        row.uncovered_low,
        row.uncovered_high,
        whole.chance,
      ),
    )


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
