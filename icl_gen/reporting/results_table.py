"""The table of results: accuracies side by side, and what infers nothing."""

from collections.abc import Mapping, Sequence

from icl_gen.reporting import runs
from icl_gen.reporting.answers import MEAN, Result, questions_and_seeds
from icl_gen.reporting.assembly import Report
from icl_gen.reporting.formatting import interval, percent, percent_range
from icl_gen.reporting.grid import Point
from icl_gen.reporting.records import CONDITIONS, Reference

# Column title -> text.
Row = dict[str, str]


def rows(report: Report, measure: str) -> list[Row]:
  """Means over the seeds, conditions side by side."""
  chosen = [r for r in report.results if r.normalisation == measure]
  are_named = any(row.run for row in chosen)
  references = {
    (row.world, row.kind): row
    for row in report.references
    if (row.seed, row.normalisation) == (MEAN, measure)
  }
  return [
    of_kind(
      [r for r in chosen if (r.world, r.model, r.kind, r.run) == key],
      references,
      are_named=are_named,
    )
    for key in sorted({(r.world, r.model, r.kind, r.run) for r in chosen})
  ]


def of_kind(
  of: Sequence[Result],
  references: Mapping[tuple[str, str], Reference],
  *,
  are_named: bool,
) -> Row:
  """One kind of question of one world, model and run.

  Args:
    of: its results, of all conditions and seeds.
    references: (world, kind) -> what is right without inference; maybe none.
    are_named: whether runs have names.
  """
  means = {row.condition: row for row in of if row.seed == MEAN}
  return {
    'world': of[0].world,
    'model': of[0].model,
    **({'run': runs.label(of[0].run)} if are_named else {}),
    'kind': of[0].kind,
    # The column title already says 'questions'.
    'questions': questions_and_seeds(of).replace(' questions', ''),
    'chance': percent_range(row.chance for row in means.values()),
    **_reference(references, of[0]),
  } | {
    name: accuracy(means[condition]) if condition in means else 'not run'
    for condition, name in CONDITIONS.items()
  }


def _reference(
  references: Mapping[tuple[str, str], Reference], row: Result
) -> Row:
  """What is right without inference; {} if it is known of no row."""
  if not references:
    return {}
  found = references.get((row.world, row.kind))
  return {
    'best constant': percent(found.constant) if found else 'unknown',
    'n-gram reader': percent(found.ngram) if found else 'unknown',
  }


def accuracy(row: Result | Point) -> str:
  """Per cent, with its interval."""
  return f'{percent(row.accuracy)} {interval(row.low, row.high)}'
