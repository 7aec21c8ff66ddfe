"""What a study predicts of the models that it pretrains, and what came out.

Predictions are claims whose rules say which models they are about. They are
part of the study's settings, so that they can be written down before it is run.
"""

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from icl_gen.reporting import claims, rules
from icl_gen.reporting.answers import Comparison, Result
from icl_gen.reporting.records import Factors
from icl_gen.reporting.rules import Check, Claim, Rule


def judge(
  predictions: Sequence[Claim],
  results: Sequence[Result],
  comparisons: Sequence[Comparison],
  factors: Factors,
  *,
  normalisation: str,
) -> tuple[Check, ...]:
  """Checks every prediction on every way of pretraining that it is about.

  Args:
    predictions: what was predicted.
    results: rows of results.csv, of all runs.
    comparisons: rows of differences.csv, of all runs.
    factors: what each run's model was pretrained with.
    normalisation: one of `statistics.NORMALISATIONS`.
  """
  rows: list[Result | Comparison] = [*results, *comparisons]
  measured = {
    run: claims.measured_of(
      [row for row in rows if row.run == run], normalisation=normalisation
    )
    for run in factors
  }
  return tuple(
    dataclasses.replace(check, run=run)
    for prediction in predictions
    for rule in prediction.rules
    for run in _meant(rule, factors)
    for check in claims.checks_of(rule, measured[run], claim=prediction.name)
  )


def verdicts(
  predictions: Sequence[Claim], checks: Sequence[Check], factors: Factors
) -> Mapping[str, str]:
  """Prediction -> its verdict on the study, as `claims.verdicts`."""
  return {
    prediction.name: _together(
      prediction,
      [check for check in checks if check.claim == prediction.name],
      factors,
    )
    for prediction in predictions
  }


def _together(
  prediction: Claim, checks: Sequence[Check], factors: Factors
) -> str:
  measured = {(check.measured, check.kind, check.run) for check in checks}
  is_whole = all(
    _is_measured(rule, measured, _meant(rule, factors))
    for rule in prediction.rules
  )
  return rules.together(checks, is_whole=is_whole)


def _is_measured(
  rule: Rule, measured: Collection[tuple[str, str, str]], meant: Sequence[str]
) -> bool:
  return bool(meant) and all(
    (rule.label, kind, run) in measured for kind in rule.kinds for run in meant
  )


def _meant(rule: Rule, factors: Factors) -> list[str]:
  """The runs that a rule is about."""
  return [
    run
    for run, values in factors.items()
    if rule.where.items() <= values.items()
  ]
