"""The contents of a report, computed once; page and files only render them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TypedDict

from icl_gen.reporting import (
  answers,
  augmentation_figure,
  augmentations,
  cautions,
  claims,
  contrasts,
  curves,
  figures,
  findings,
  gain_figure,
  gaps,
  grid,
  intervals,
  prediction_checks,
  pretraining_figure,
  rules,
  runs,
  statistics,
)
from icl_gen.reporting.glossary import reading_order
from icl_gen.reporting.prices import Price, prices
from icl_gen.reporting.records import (
  NO_FACTORS,
  AugmentationRecord,
  Cell,
  CellName,
  Curve,
  Factors,
  Reference,
  is_main,
  ordered,
  ordered_records,
)


@dataclasses.dataclass(frozen=True)
class Report:
  """The contents of a report.

  Attributes:
    results: rows of results.csv.
    references: rows of references.csv; none if corpora are not there.
    comparisons: rows of differences.csv.
    adjusted: those that the page shows -> their p-values, adjusted for their
      number.
    quality: rows of augmentation.csv.
    coverage: rows of coverage.csv.
    costs: rows of costs.csv.
    prices: rows of prices.csv.
    checks: rows of claims.csv.
    predictions: what the study predicted of the models that it pretrained.
    predicted: rows of predictions.csv.
    contrasts: rows of contrasts.csv.
    records: the augmentation records, in the report's order.
    grid: rows of grid.csv; none unless cells differ in their settings only.
    findings: the main results, a sentence or two per world and model.
    cautions: sentences on what the results cannot bear.
    gaps: sentences on absent cells, questions and records.
    ties: normalisation -> answers with several best choices.
    answered: number of answers in all cells.
    choose: whether figures and summary show runs that were chosen.
    main_kinds: world -> kind of question in the main figure; '' for all.
    normalisation: the one that figures and summary use.
    figures: file name -> PNG bytes; the main figure is 'main.png'.
    factors: run -> what its model was pretrained with, in the order shown; {}
      unless models differ in that.
    every: the cells and records that all this is of; None without questions.
  """

  results: tuple[answers.Result, ...]
  references: tuple[Reference, ...]
  comparisons: tuple[answers.Comparison, ...]
  adjusted: Mapping[answers.Comparison, float]
  quality: tuple[augmentations.Quality, ...]
  coverage: tuple[augmentations.Coverage, ...]
  costs: tuple[augmentations.Cost, ...]
  prices: tuple[Price, ...]
  checks: tuple[rules.Check, ...]
  contrasts: tuple[contrasts.Contrast, ...]
  records: tuple[AugmentationRecord, ...]
  grid: tuple[grid.Point, ...]
  findings: tuple[str, ...]
  cautions: tuple[str, ...]
  gaps: tuple[str, ...]
  ties: Mapping[str, int]
  answered: int
  choose: bool
  main_kinds: Mapping[str, str]
  normalisation: str
  figures: Mapping[str, bytes]
  factors: Factors = NO_FACTORS
  predictions: tuple[rules.Claim, ...] = ()
  predicted: tuple[rules.Check, ...] = ()
  every: runs.SideBySide | None = None


class _Asked(TypedDict):
  """What the main figures and the summary show."""

  main_kinds: Mapping[str, str]
  normalisation: str


def assemble(
  cells: Sequence[Cell],
  records: Sequence[AugmentationRecord],
  *,
  main_kinds: Mapping[str, str],
  normalisation: str,
  references: Sequence[Reference] = (),
  choose: bool = True,
  logged: Sequence[Curve] = (),
  factors: Factors = NO_FACTORS,
  predictions: Sequence[rules.Claim] = (),
  unfinished: Sequence[CellName] = (),
) -> Report:
  """Computes every table and draws every figure.

  Args:
    cells: finished cells, in any order.
    records: records of generated documents, in any order.
    main_kinds: world -> kind of question in the main figure; '' for all.
    normalisation: one of `statistics.NORMALISATIONS`.
    references: what the accuracies are to be compared with.
    choose: as for `runs.side_by_side`.
    logged: training curves, drawn if there are any.
    factors: what the models of runs were pretrained with, where that differs.
    predictions: what was predicted of them.
    unfinished: cells that should be there and are not.

  Raises:
    ValueError: no cells (unless the records have no questions either), a cell
      given twice, a world without a main kind, or an unknown normalisation.
  """
  if records and not (cells or any(one.questions for one in records)):
    return _of_records(ordered_records(records), normalisation=normalisation)
  cells, records = ordered(cells), ordered_records(records)
  gaps.require_main_kinds(cells, records, main_kinds)
  statistics.require_known(normalisation)
  every = runs.side_by_side(
    cells,
    records,
    normalisation=normalisation,
    choose=choose,
    shown_run=next(iter(factors), ''),  # the first way of pretraining
    unfinished=unfinished,
  )
  absent = gaps.gaps(
    every.of_runs, every.records, main_kinds=main_kinds, unfinished=unfinished
  )
  report = _of_cells(
    cells,
    records,
    every,
    logged,
    factors,
    **_Asked(main_kinds=main_kinds, normalisation=normalisation),
  )
  return dataclasses.replace(
    report,
    references=tuple(references),
    gaps=absent + _other_settings(every, choose=choose, factors=factors),
    choose=choose,
    predictions=tuple(predictions),
    predicted=prediction_checks.judge(
      predictions,
      report.results,
      report.comparisons,
      factors,
      normalisation=normalisation,
    ),
  )


def _of_cells(
  cells: Sequence[Cell],
  records: tuple[AugmentationRecord, ...],
  every: runs.SideBySide,
  logged: Sequence[Curve],
  factors: Factors,
  *,
  main_kinds: Mapping[str, str],
  normalisation: str,
) -> Report:
  """The report of cells, without references and gaps; as `assemble`."""
  table = answers.table(every.cells)
  results = answers.results(table)
  comparisons = answers.comparisons(table)
  as_run = answers.table(cells)
  contrasted = contrasts.contrasts(as_run, cells, factors)
  coverage = augmentations.coverage(every.records, table)
  in_figures = of_shown_runs(results, every.shown)
  compared = of_shown_runs(comparisons, every.shown)
  covered = of_shown_runs(coverage, every.shown)
  asked = _Asked(main_kinds=main_kinds, normalisation=normalisation)
  adjusted = _adjusted(shown(compared, **asked))
  quality = augmentations.quality(every.shown_records)
  drawn = _figures(
    in_figures, quality, covered, compared, logged, **asked
  ) | pretraining_figure.figures(results, factors, **asked)
  return Report(
    results=results,
    references=(),
    comparisons=comparisons,
    adjusted=adjusted,
    quality=augmentations.quality(records),
    coverage=coverage,
    costs=augmentations.costs(records),
    prices=_prices(every, compared, normalisation=normalisation),
    checks=claims.judge(
      in_figures, compared, covered, contrasted, normalisation=normalisation
    ),
    contrasts=contrasted,
    records=records,
    grid=grid.points(cells, as_run, every.chosen, normalisation=normalisation),
    findings=findings.findings(
      in_figures,
      adjusted,
      {} if factors else every.chosen,
      **asked,
    ),
    cautions=_cautions(cells),
    gaps=(),
    ties=answers.ties(cells),
    answered=sum(len(cell.scores) for cell in cells),
    choose=True,
    main_kinds=main_kinds,
    normalisation=normalisation,
    figures=drawn,
    factors=factors,
    every=every,
  )


def _other_settings(
  every: runs.SideBySide, *, choose: bool, factors: Factors
) -> tuple[str, ...]:
  """Sentences on runs that are shown in place of those that should be."""
  if choose and not factors:
    return ()
  wanted = next(iter(factors), '')
  return tuple(
    f'{world}, {model}: no cell of the run {runs.label(wanted)} is finished;'
    f' figures, claims and summary are of {runs.label(run)}.'
    for (world, model), run in every.shown.items()
    if run != wanted
  )


def of_shown_runs[
  T: (answers.Result, answers.Comparison, augmentations.Coverage)
](rows: Sequence[T], shown_runs: Mapping[tuple[str, str], str]) -> list[T]:
  """The rows of those runs that figures and summary show."""
  return [
    row
    for row in rows
    # There may be documents of a world without cells.
    if shown_runs.get((row.world, row.model), row.run) == row.run
  ]


def _figures(
  results: Sequence[answers.Result],
  quality: Sequence[augmentations.Quality],
  coverage: Sequence[augmentations.Coverage],
  comparisons: Sequence[answers.Comparison],
  logged: Sequence[Curve],
  *,
  main_kinds: Mapping[str, str],
  normalisation: str,
) -> dict[str, bytes]:
  """File name -> PNG bytes; everything is of the runs that are shown."""
  drawn = {
    'main.png': figures.main_figure(
      results, main_kinds=main_kinds, normalisation=normalisation
    )
  }
  for world in sorted({row.world for row in results}, key=reading_order):
    drawn[f'world_{world}.png'] = figures.world_figure(
      results, world, normalisation=normalisation
    )
  if quality:
    drawn['augmentation.png'] = augmentation_figure.augmentation_figure(
      quality, coverage, main_kinds=main_kinds, normalisation=normalisation
    )
  gained = gain_figure.gains(
    coverage, comparisons, quality, normalisation=normalisation
  )
  if gained:
    drawn[gain_figure.NAME] = gain_figure.figure(
      gained, normalisation=normalisation
    )
  if logged:
    drawn[curves.NAME] = curves.figure(logged)
  return drawn


def _prices(
  every: runs.SideBySide,
  compared: Sequence[answers.Comparison],
  *,
  normalisation: str,
) -> tuple[Price, ...]:
  return prices(
    compared,
    augmentations.costs(every.shown_records),
    answers.table(every.shown_cells),
    normalisation=normalisation,
  )


def _of_records(
  records: Sequence[AugmentationRecord], *, normalisation: str
) -> Report:
  """What was generated, where no questions were asked."""
  return Report(
    results=(),
    references=(),
    comparisons=(),
    adjusted={},
    quality=augmentations.quality(records),
    coverage=(),
    costs=augmentations.costs(records),
    prices=(),
    checks=(),
    contrasts=(),
    records=tuple(records),
    grid=(),
    findings=tuple(
      f'{record.world}, model {record.model}, seed {record.seed}:'
      f' {len(record.documents)} documents were generated; no questions were'
      ' asked.'
      for record in records
    ),
    cautions=_cautions(records),
    gaps=(),
    ties={},
    answered=0,
    choose=True,
    main_kinds={},
    normalisation=normalisation,
    figures={},
  )


def _cautions(found: Sequence[Cell | AugmentationRecord]) -> tuple[str, ...]:
  pairs = sorted({(one.world, one.model) for one in found})
  said = [cautions.of_model(*pair) for pair in pairs]
  return tuple(dict.fromkeys(filter(None, said)))


def shown[T: (answers.Comparison, augmentations.Coverage)](
  rows: Sequence[T], *, main_kinds: Mapping[str, str], normalisation: str
) -> list[T]:
  """The rows that the page shows; the CSV files have all of them.

  Means over the seeds under one normalisation, of all kinds; strata only if
  they are the main figure's kind.
  """
  return [
    row
    for row in rows
    if (row.seed, row.normalisation) == (answers.MEAN, normalisation)
    and (':' not in row.kind or is_main(row.kind, main=main_kinds[row.world]))
  ]


def _adjusted(
  rows: Sequence[answers.Comparison],
) -> dict[answers.Comparison, float]:
  """Differences that are shown together -> their adjusted p-values."""
  p_values = intervals.holm([row.p_value for row in rows])
  return dict(zip(rows, p_values, strict=True))
