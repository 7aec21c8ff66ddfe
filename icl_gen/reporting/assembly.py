"""The contents of a report, computed once; page and files only render them."""

import dataclasses
from collections.abc import Mapping, Sequence

from icl_gen.reporting import (
  answers,
  augmentation_figure,
  augmentations,
  cautions,
  claims,
  curves,
  figures,
  grid,
  intervals,
  runs,
  statistics,
)
from icl_gen.reporting.formatting import interval, p_value, percent, points
from icl_gen.reporting.glossary import panel_title, reading_order
from icl_gen.reporting.prices import Price, prices
from icl_gen.reporting.records import (
  CONDITIONS,
  AugmentationRecord,
  Cell,
  Curve,
  is_main,
  kinds,
  ordered,
  ordered_records,
)


@dataclasses.dataclass(frozen=True)
class Report:
  """The contents of a report.

  Attributes:
    results: rows of results.csv.
    comparisons: rows of differences.csv.
    adjusted: those that the page shows -> their p-values, adjusted for their
      number.
    quality: rows of augmentation.csv.
    coverage: rows of coverage.csv.
    costs: rows of costs.csv.
    prices: rows of prices.csv.
    checks: rows of claims.csv.
    records: the augmentation records, in the report's order.
    grid: rows of grid.csv; none unless cells differ in their settings only.
    findings: the main results, a sentence or two per world and model.
    cautions: sentences on what the results cannot bear.
    gaps: sentences on absent cells, questions and records.
    ties: normalisation -> answers with several best choices.
    answered: number of answers in all cells.
    main_kinds: world -> kind of question in the main figure; '' for all.
    normalisation: the one that figures and summary use.
    figures: file name -> PNG bytes; the main figure is 'main.png'.
  """

  results: tuple[answers.Result, ...]
  comparisons: tuple[answers.Comparison, ...]
  adjusted: Mapping[answers.Comparison, float]
  quality: tuple[augmentations.Quality, ...]
  coverage: tuple[augmentations.Coverage, ...]
  costs: tuple[augmentations.Cost, ...]
  prices: tuple[Price, ...]
  checks: tuple[claims.Check, ...]
  records: tuple[AugmentationRecord, ...]
  grid: tuple[grid.Point, ...]
  findings: tuple[str, ...]
  cautions: tuple[str, ...]
  gaps: tuple[str, ...]
  ties: Mapping[str, int]
  answered: int
  main_kinds: Mapping[str, str]
  normalisation: str
  figures: Mapping[str, bytes]


def assemble(
  cells: Sequence[Cell],
  records: Sequence[AugmentationRecord],
  *,
  main_kinds: Mapping[str, str],
  normalisation: str,
  logged: Sequence[Curve] = (),
) -> Report:
  """Computes every table and draws every figure.

  Args:
    cells: finished cells, in any order.
    records: records of generated documents, in any order.
    main_kinds: world -> kind of question in the main figure; '' for all.
    normalisation: one of `statistics.NORMALISATIONS`.
    logged: training curves, drawn if there are any.

  Raises:
    ValueError: no cells (unless the records have no questions either), a cell
      given twice, a world without a main kind, or an unknown normalisation.
  """
  asked = any(record.questions for record in records)
  if records and not cells and not asked:
    return _of_records(ordered_records(records), normalisation=normalisation)
  cells, records = ordered(cells), ordered_records(records)
  _check_main_kinds(cells, records, main_kinds)
  if normalisation not in statistics.NORMALISATIONS:
    raise ValueError(
      f'unknown normalisation {normalisation!r}; allowed are'
      f' {", ".join(statistics.NORMALISATIONS)}'
    )
  every = runs.side_by_side(cells, records, normalisation=normalisation)
  table = answers.table(every.cells)
  results = answers.results(table)
  comparisons = answers.comparisons(table)
  quality = augmentations.quality(records)
  coverage = augmentations.coverage(every.records, table)
  in_figures = of_shown_runs(results, every.shown)
  compared = of_shown_runs(comparisons, every.shown)
  covered = of_shown_runs(coverage, every.shown)
  adjusted = _adjusted(
    shown(compared, main_kinds=main_kinds, normalisation=normalisation)
  )
  drawn = _figures(
    in_figures,
    augmentations.quality(every.shown_records),
    covered,
    main_kinds=main_kinds,
    normalisation=normalisation,
  )
  if logged:
    drawn[curves.NAME] = curves.figure(logged)
  return Report(
    results=results,
    comparisons=comparisons,
    adjusted=adjusted,
    quality=quality,
    coverage=coverage,
    costs=augmentations.costs(records),
    prices=prices(
      compared,
      augmentations.costs(every.shown_records),
      answers.table(every.shown_cells),
      normalisation=normalisation,
    ),
    checks=claims.judge(
      in_figures, compared, covered, normalisation=normalisation
    ),
    records=records,
    grid=grid.points(cells, results, every.chosen, normalisation=normalisation),
    findings=_findings(
      in_figures,
      adjusted,
      every.chosen,
      main_kinds=main_kinds,
      normalisation=normalisation,
    ),
    cautions=_cautions(cells),
    gaps=gaps(every.of_runs, every.records, main_kinds=main_kinds),
    ties=answers.ties(cells),
    answered=sum(len(cell.scores) for cell in cells),
    main_kinds=main_kinds,
    normalisation=normalisation,
    figures=drawn,
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
  return drawn


def _of_records(
  records: Sequence[AugmentationRecord], *, normalisation: str
) -> Report:
  """What was generated, where no questions were asked."""
  return Report(
    results=(),
    comparisons=(),
    adjusted={},
    quality=augmentations.quality(records),
    coverage=(),
    costs=augmentations.costs(records),
    prices=(),
    checks=(),
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


def _findings(
  results: Sequence[answers.Result],
  adjusted: Mapping[answers.Comparison, float],
  chosen: Mapping[runs.Place, str | None],
  *,
  main_kinds: Mapping[str, str],
  normalisation: str,
) -> tuple[str, ...]:
  """The main kinds' accuracies per world and model, and what ft_aug gained.

  Where the model cannot do in context what is asked, that comes first.
  """
  main = [
    row
    for row in results
    if (row.seed, row.normalisation) == (answers.MEAN, normalisation)
    and is_main(row.kind, main=main_kinds[row.world])
  ]
  gains = {
    (row.world, row.model, row.kind): _gain(row, found)
    for row, found in adjusted.items()
    if row.comparison == 'ft_aug-ft'
  }
  sentences = []
  for place in sorted(
    {(row.world, row.model, row.kind) for row in main},
    key=lambda place: (reading_order(place[0]), *place[1:]),
  ):
    rows = [row for row in main if (row.world, row.model, row.kind) == place]
    accuracies = ', '.join(
      f'{CONDITIONS[row.condition]} {percent(row.accuracy)}\u00a0%'
      f' {interval(row.low, row.high)}'
      for row in rows
    )
    chances = sorted({percent(row.chance, places=0) for row in rows})
    world, model, kind = place
    sentences.append(
      f'{cautions.in_context(rows)}'
      f'{panel_title(world, kind)} ({kind} questions of {world}, model {model},'
      f' chance {" to ".join(chances)}\u00a0%): {accuracies}.'
      f'{gains.get(place, "")}{_choice((world, model), chosen)}'
    )
  return tuple(sentences)


def _choice(
  place: tuple[str, str], chosen: Mapping[runs.Place, str | None]
) -> str:
  """A sentence on the runs that were chosen; '' without a choice."""
  names = [
    f'{CONDITIONS[condition]} {runs.label(run)}'
    for (world, model, condition), run in chosen.items()
    if (world, model) == place and run is not None
  ]
  if not names:
    return ''
  return f' Runs chosen on the development questions: {", ".join(names)}.'


def _gain(row: answers.Comparison, adjusted: float) -> str:
  p = p_value(adjusted)
  return (
    " Adding the model's own inferences to the fine-tuning data changed"
    f' accuracy by {points(row.difference)} points'
    f' {interval(row.low, row.high)}, p {p if p.startswith("<") else f"= {p}"}.'
  )


def gaps(
  cells: Sequence[Cell],
  records: Sequence[AugmentationRecord],
  *,
  main_kinds: Mapping[str, str],
) -> tuple[str, ...]:
  """Sentences on absent worlds, conditions, seeds, kinds and records.

  Something is absent if other cells of the same world, model and run have it.
  """
  worlds = {cell.world for cell in cells}
  found = [f'{w}: no finished cell.' for w in sorted(set(main_kinds) - worlds)]
  for key in sorted({(c.world, c.model, c.run) for c in cells}):
    group = [c for c in cells if (c.world, c.model, c.run) == key]
    place = ', '.join(filter(None, key))
    found += [f'{place}: {text}' for text in _cell_gaps(group)]
    recorded = {
      r.seed
      for r in records
      for run in r.runs
      if (r.world, r.model, run) == key
    }
    trained = {c.seed for c in group if c.condition == 'ft_aug'}
    if absent := trained - recorded:
      found.append(
        f'{place}, {CONDITIONS["ft_aug"]}: no record of the generated'
        f' documents for {_seeds(absent)}.'
      )
  for record in records:
    of = filter(None, (record.world, record.model, record.run))
    place = f'{", ".join(of)}, seed {record.seed}'
    if not record.documents:
      found.append(f'{place}: no documents were generated.')
    if not record.questions:
      found.append(
        f'{place}: the record of generated documents has no questions;'
        ' coverage is unknown.'
      )
  return tuple(found)


def _cell_gaps(cells: Sequence[Cell]) -> list[str]:
  """Gaps within one world and model."""
  seeds = {cell.seed for cell in cells}
  asked_anywhere = {score.kind for cell in cells for score in cell.scores}
  found = []
  for condition, name in CONDITIONS.items():
    here = [cell for cell in cells if cell.condition == condition]
    if not here:
      found.append(f'condition {name} was not run.')
      continue
    if absent := seeds - {cell.seed for cell in here}:
      found.append(f'condition {name} lacks {_seeds(absent)}.')
    asked = {score.kind for cell in here for score in cell.scores}
    found += [
      f'condition {name} has no answers to {kind} questions.'
      for kind in sorted(asked_anywhere - asked)
    ]
  if len(seeds) == 1:
    found.append(
      'only one seed was run; the intervals do not include variation between'
      ' seeds.'
    )
  return found


def _seeds(seeds: set[int]) -> str:
  word = 'seed' if len(seeds) == 1 else 'seeds'
  return f'{word} {", ".join(map(str, sorted(seeds)))}'


def _check_main_kinds(
  cells: Sequence[Cell],
  records: Sequence[AugmentationRecord],
  main_kinds: Mapping[str, str],
) -> None:
  asked: dict[str, set[str]] = {}
  for cell in cells:
    asked.setdefault(cell.world, set()).update(*map(kinds, cell.scores))
  answered = set(asked)
  for record in records:
    asked.setdefault(record.world, set().union(*map(kinds, record.questions)))
  for world, found in sorted(asked.items()):
    if main_kinds.get(world) == '':
      continue
    if world not in main_kinds:
      raise ValueError(
        f'main_kinds {dict(main_kinds)} has no entry for world {world!r}; add'
        f' one of its kinds: {", ".join(sorted(found))}'
      )
    if world in answered and main_kinds[world] not in found:
      raise ValueError(
        f'main_kinds has {main_kinds[world]!r} for world {world!r}, but no'
        f' question of that kind was answered; use one of'
        f' {", ".join(sorted(found))}'
      )
