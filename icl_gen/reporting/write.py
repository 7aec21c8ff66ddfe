"""Writes the report's files into one directory, atomically."""

import dataclasses
import pathlib
import shutil
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from icl_gen.reporting import ablation_figures, explorer, runs, sums
from icl_gen.reporting.answers import Comparison, Result
from icl_gen.reporting.assembly import Report, assemble
from icl_gen.reporting.augmentations import Cost, Coverage, Quality
from icl_gen.reporting.contrasts import Contrast
from icl_gen.reporting.explorer import Corpora, Derivations
from icl_gen.reporting.formatting import csv_text
from icl_gen.reporting.grid import Point
from icl_gen.reporting.page import page, results_markdown
from icl_gen.reporting.prices import Price
from icl_gen.reporting.records import (
  NO_FACTORS,
  AugmentationRecord,
  Cell,
  CellName,
  Curve,
  Factors,
  Reference,
)
from icl_gen.reporting.rules import Check, Claim

# The files of a report; a directory with any other is not replaced.
_PATTERNS = ('index.html', 'results.md', '*.csv', '*.png', sums.NAME)


def write_report(
  directory: str | pathlib.Path,
  cells: Sequence[Cell],
  augmentations: Sequence[AugmentationRecord],
  *,
  settings: Mapping[str, Any],
  commands: Sequence[str],
  main_kinds: Mapping[str, str],
  choose: bool = True,
  corpora: Corpora | None = None,
  derivations: Derivations | None = None,
  references: Sequence[Reference] = (),
  logged: Sequence[Curve] = (),
  factors: Factors = NO_FACTORS,
  predictions: Sequence[Claim] = (),
  swept: Collection[str] = (),
  unfinished: Sequence[CellName] = (),
  normalisation: str = 'sum',
) -> None:
  """Writes tables, figures and the page; replaces an older report.

  The files are written to a temporary sibling directory that is then renamed,
  so the directory always has a complete report, with the digests of its files.
  Only one process at a time may write one directory. Equal arguments give equal
  bytes.

  Args:
    directory: the report's directory; its parents are created.
    cells: finished cells, in any order.
    augmentations: records of generated documents, maybe none.
    settings: the study's settings, shown on the page.
    commands: shell commands that reproduce the study.
    main_kinds: world -> kind of question in the main figure; worlds without
      cells are reported as missing.
    choose: as for `runs.side_by_side`.
    corpora: what the cells were asked about; shown by the question explorer.
    derivations: how right answers follow; shown by it too.
    references: what accuracies are compared with, maybe none.
    logged: training curves, maybe none.
    factors: as for `assemble`.
    predictions: likewise.
    swept: names of the settings that the name of a run may have; figures of
      ablations are drawn if nothing is chosen.
    unfinished: cells that should be there and are not; the page names them.
    normalisation: how choices are ranked in figures and summary; the tables
      have all normalisations.

  Raises:
    ValueError: no cells; contradictory cells or records; or the directory
      has files that are not part of a report.
  """
  directory = pathlib.Path(directory).resolve()
  _check_replaceable(directory)
  report = assemble(
    cells,
    augmentations,
    main_kinds=main_kinds,
    normalisation=normalisation,
    choose=choose,
    references=references,
    logged=logged,
    factors=factors,
    predictions=predictions,
    unfinished=unfinished,
  )
  report = _with_ablations(report, cells, swept)
  explored = None
  if every := report.every:
    explored = explorer.build(
      every.shown_cells,
      every.shown_records,
      corpora or {},
      derivations or {},
      normalisation=normalisation,
      recalling=runs.recalling(cells, every.shown),
    )
  html = page(report, settings=settings, commands=commands, explorer=explored)
  files = _files(report) | {'index.html': html.encode('utf-8')}
  files |= explored.files if explored else {}
  _replace(directory, files | {sums.NAME: sums.text(files).encode('utf-8')})


def _with_ablations(
  report: Report, cells: Sequence[Cell], swept: Collection[str]
) -> Report:
  if report.choose:
    return report
  drawn = ablation_figures.drawn(
    cells, names=swept, normalisation=report.normalisation
  )
  return dataclasses.replace(report, figures={**report.figures, **drawn})


def _files(report: Report) -> dict[str, bytes]:
  texts = {
    'results.csv': csv_text(report.results, Result),
    'references.csv': csv_text(report.references, Reference),
    'differences.csv': csv_text(report.comparisons, Comparison),
    'augmentation.csv': csv_text(report.quality, Quality),
    'coverage.csv': csv_text(report.coverage, Coverage),
    'costs.csv': csv_text(report.costs, Cost),
    'prices.csv': csv_text(report.prices, Price),
    'claims.csv': csv_text(report.checks, Check),
    'results.md': results_markdown(report),
  }
  if report.predictions:
    texts['predictions.csv'] = csv_text(report.predicted, Check)
  if report.contrasts:
    texts['contrasts.csv'] = csv_text(report.contrasts, Contrast)
  if report.grid:
    texts['grid.csv'] = csv_text(report.grid, Point)
  files = {name: text.encode('utf-8') for name, text in texts.items()}
  return files | dict(report.figures)


def _check_replaceable(directory: pathlib.Path) -> None:
  if not directory.exists():
    return
  if not directory.is_dir():
    raise ValueError(
      f'{directory} is a file, where the report belongs: move it, or delete'
      f' {str(directory)!r} and re-run the command'
    )
  for path in sorted(directory.iterdir()):
    if not _is_ours(path):
      raise ValueError(
        f'{path} is not part of a report and would be lost with the old one:'
        f' move it, or delete {str(path)!r} and re-run the command'
      )


def _is_ours(path: pathlib.Path) -> bool:
  """Whether something in a directory may be a part of a report."""
  if path.is_dir():
    inner = path.iterdir()
    return path.name == explorer.FOLDER and all(
      one.is_file() and one.match('*.js') for one in inner
    )
  return any(path.match(pattern) for pattern in _PATTERNS)


def _replace(directory: pathlib.Path, files: Mapping[str, bytes]) -> None:
  partial = directory.with_name(f'.{directory.name}.partial')
  older = directory.with_name(f'.{directory.name}.older')
  # A killed run may have left either: the partial one is useless; the older one
  # is the last complete report if the run died between the two renames.
  shutil.rmtree(partial, ignore_errors=True)
  if older.exists():
    if directory.exists():
      shutil.rmtree(older)
    else:
      older.rename(directory)
  partial.mkdir(parents=True)
  try:
    for name, data in files.items():
      (partial / name).parent.mkdir(exist_ok=True)
      (partial / name).write_bytes(data)
    if directory.exists():
      directory.rename(older)
    partial.rename(directory)
  finally:
    shutil.rmtree(partial, ignore_errors=True)
  shutil.rmtree(older, ignore_errors=True)
