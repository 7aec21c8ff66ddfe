"""All that a report tells, computed once; page and files only render it."""

import dataclasses
from collections.abc import Mapping, Sequence

from icl_gen.reporting import (
  augmentation_figure,
  augmentations,
  figures,
  statistics,
  tables,
)
from icl_gen.reporting.gaps import missing
from icl_gen.reporting.records import (
  CONDITIONS,
  AugmentationRecord,
  Cell,
  kinds,
  ordered,
  ordered_records,
)
from icl_gen.reporting.render import interval, p_value, percent, points


@dataclasses.dataclass(frozen=True)
class Contents:
  """Everything that page and files are made of.

  Attributes:
    results: rows of results.csv.
    comparisons: rows of differences.csv.
    worths: rows of augmentation.csv.
    coverages: rows of coverage.csv.
    costs: rows of costs.csv.
    records: the augmentation records, in the report's order.
    missing: sentences on what is not there.
    ties: normalisation -> questions with several best choices.
    answered: answers in all cells together.
    main_kinds: world -> kind of question of the main figure.
    normalisation: the one that figures and summary use.
    figures: file name -> PNG bytes; the main figure is 'main.png'.
  """

  results: tuple[tables.Result, ...]
  comparisons: tuple[tables.Comparison, ...]
  worths: tuple[augmentations.Worth, ...]
  coverages: tuple[augmentations.Coverage, ...]
  costs: tuple[augmentations.Cost, ...]
  records: tuple[AugmentationRecord, ...]
  missing: tuple[str, ...]
  ties: Mapping[str, int]
  answered: int
  main_kinds: Mapping[str, str]
  normalisation: str
  figures: Mapping[str, bytes]


def contents(
  cells: Sequence[Cell],
  records: Sequence[AugmentationRecord],
  *,
  main_kinds: Mapping[str, str],
  normalisation: str,
) -> Contents:
  """Computes every table and draws every figure.

  Raises:
    ValueError: no cells, one given twice, a world without a main kind, or an
      unknown normalisation.
  """
  cells, records = ordered(cells), ordered_records(records)
  _check_main_kinds(cells, records, main_kinds)
  if normalisation not in statistics.NORMALISATIONS:
    raise ValueError(
      f'unknown normalisation {normalisation!r}; allowed are'
      f' {", ".join(statistics.NORMALISATIONS)}'
    )
  results = tables.results(cells)
  worths = augmentations.worths(records)
  coverages = augmentations.coverages(records, cells)
  drawn = {
    'main.png': figures.main_figure(
      results, main_kinds=main_kinds, normalisation=normalisation
    )
  }
  for world in sorted({cell.world for cell in cells}):
    drawn[f'world_{world}.png'] = figures.world_figure(
      results, world, normalisation=normalisation
    )
  if worths:
    drawn['augmentation.png'] = augmentation_figure.augmentation_figure(
      worths, coverages, main_kinds=main_kinds, normalisation=normalisation
    )
  return Contents(
    results=results,
    comparisons=tables.comparisons(cells),
    worths=worths,
    coverages=coverages,
    costs=augmentations.costs(records),
    records=records,
    missing=missing(cells, records, main_kinds=main_kinds),
    ties=tables.ties(cells),
    answered=sum(len(cell.scores) for cell in cells),
    main_kinds=main_kinds,
    normalisation=normalisation,
    figures=drawn,
  )


def summary(told: Contents) -> tuple[str, ...]:
  """One sentence or two per world and model, from the main kind's rows."""
  means = [
    row
    for row in told.results
    if (row.seed, row.normalisation) == (tables.MEAN, told.normalisation)
    and row.kind == told.main_kinds[row.world]
  ]
  sentences = []
  for world, model in sorted({(row.world, row.model) for row in means}):
    rows = [row for row in means if (row.world, row.model) == (world, model)]
    parts = ', '.join(
      f'{CONDITIONS[row.condition]} {percent(row.accuracy)}\u00a0%'
      f' {interval(row.low, row.high)}'
      for row in rows
    )
    chances = {percent(row.chance, places=0) for row in rows}
    sentences.append(
      f'{world} ({model}, {rows[0].kind} questions, chance'
      f' {" to ".join(sorted(chances))}\u00a0%): {parts}.'
      f'{_gain(told, world, model)}'
    )
  return tuple(sentences)


def _gain(told: Contents, world: str, model: str) -> str:
  for row in told.comparisons:
    if (
      row.world,
      row.model,
      row.kind,
      row.normalisation,
      row.comparison,
      row.seed,
    ) == (
      world,
      model,
      told.main_kinds[world],
      told.normalisation,
      'ft_aug-ft',
      tables.MEAN,
    ):
      p = p_value(row.p_value)
      return (
        ' Adding its own inferences to the finetuning data changed accuracy by'
        f' {points(row.difference)} points {interval(row.low, row.high)},'
        f' p {p if p.startswith("<") else f"= {p}"}.'
      )
  return ''


def _check_main_kinds(cells, records, main_kinds: Mapping[str, str]) -> None:
  asked: dict[str, set[str]] = {}
  for cell in cells:
    found = asked.setdefault(cell.world, set())
    found.update(*map(kinds, cell.scores))
  for record in records:
    asked.setdefault(record.world, set().union(*map(kinds, record.questions)))
  for world, found in sorted(asked.items()):
    if world not in main_kinds:
      raise ValueError(
        f'main_kinds {dict(main_kinds)} does not name world {world!r}; add one'
        f' of its kinds: {", ".join(sorted(found))}'
      )
    answered = any(cell.world == world for cell in cells)
    if answered and main_kinds[world] not in found:
      raise ValueError(
        f'main_kinds gives {main_kinds[world]!r} for world {world!r}, of which'
        f' no question was answered; there are {", ".join(sorted(found))}'
      )
