"""Claims and predictions with their verdicts, as the page shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from icl_gen.reporting import claims, prediction_checks, runs
from icl_gen.reporting.assembly import Report
from icl_gen.reporting.formatting import interval, percent, points
from icl_gen.reporting.results_table import Row
from icl_gen.reporting.rules import Check, Claim


def of_claims(report: Report) -> list[dict[str, Any]]:
  """Each claim with its verdict and checks; none if there are no checks."""
  if not report.checks:
    return []
  return _judged(claims.CLAIMS, claims.verdicts(report.checks), report.checks)


def of_predictions(report: Report) -> list[dict[str, Any]]:
  """Each prediction with its verdict and checks."""
  verdicts = prediction_checks.verdicts(
    report.predictions, report.predicted, report.factors
  )
  return _judged(report.predictions, verdicts, report.predicted)


def _judged(
  judged: Sequence[Claim],
  verdicts: Mapping[str, str],
  checks: Sequence[Check],
) -> list[dict[str, Any]]:
  return [
    {
      'name': claim.name,
      'text': claim.text,
      'verdict': verdicts[claim.name],
      'checks': [_check(one) for one in checks if one.claim == claim.name],
    }
    for claim in judged
  ]


def _check(row: Check) -> Row:
  is_signed = claims.is_difference(row.measured)
  value = (points if is_signed else percent)(row.value)
  return {
    'verdict': row.verdict,
    'world': row.world,
    'model': row.model,
    **({'run': runs.label(row.run)} if row.run else {}),
    'kind': row.kind,
    'measured': claims.label(row.measured),
    'value': f'{value} {interval(row.low, row.high)}',
    'allowed': f'{percent(row.least)} to {percent(row.most)}',
  }
