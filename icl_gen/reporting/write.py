"""The report as a directory; no other file of the room touches the disk."""

import pathlib
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from icl_gen.reporting import augmentations, render, tables
from icl_gen.reporting.assembly import Contents, contents
from icl_gen.reporting.page import page, results_markdown
from icl_gen.reporting.records import AugmentationRecord, Cell

# What a report consists of; a directory with anything else is not replaced.
_PATTERNS = ('index.html', 'results.md', '*.csv', '*.png')


def write_report(
  directory: str | pathlib.Path,
  cells: Sequence[Cell],
  augmentations: Sequence[AugmentationRecord],
  *,
  settings: Mapping[str, Any],
  commands: Sequence[str],
  main_kinds: Mapping[str, str],
  normalisation: str = 'sum',
) -> None:
  """Writes tables, figures and the page; replaces an older report.

  All is written to a temporary sibling that is then renamed, so that the
  directory holds a whole report or the one before. Equal arguments give equal
  bytes.

  Args:
    directory: where the report goes; its parents are made.
    cells: finished cells, in any order.
    augmentations: records of generated documents, maybe none.
    settings: what the study was run with; shown on the page.
    commands: shell commands that make the study again.
    main_kinds: world -> kind of question of the main figure; worlds without
      cells are reported as missing.
    normalisation: how choices are compared in figures and summary; tables
      hold all normalisations.

  Raises:
    ValueError: no cells; contradictory cells or records; or the directory
      holds something that is not a report.
  """
  directory = pathlib.Path(directory).resolve()
  _check_replaceable(directory)
  told = contents(
    cells, augmentations, main_kinds=main_kinds, normalisation=normalisation
  )
  files = _files(told)
  files['index.html'] = page(told, settings=settings, commands=commands).encode(
    'utf-8'
  )
  _replace(directory, files)


def _files(told: Contents) -> dict[str, bytes]:
  texts = {
    'results.csv': render.csv_text(told.results, tables.Result),
    'differences.csv': render.csv_text(told.comparisons, tables.Comparison),
    'augmentation.csv': render.csv_text(told.worths, augmentations.Worth),
    'coverage.csv': render.csv_text(told.coverages, augmentations.Coverage),
    'costs.csv': render.csv_text(told.costs, augmentations.Cost),
    'results.md': results_markdown(told),
  }
  files = {name: text.encode('utf-8') for name, text in texts.items()}
  return files | dict(told.figures)


def _check_replaceable(directory: pathlib.Path) -> None:
  if not directory.exists():
    return
  if not directory.is_dir():
    raise ValueError(
      f'{directory} is a file; a report is a directory: give another path'
    )
  for path in sorted(directory.iterdir()):
    if path.is_dir() or not any(path.match(p) for p in _PATTERNS):
      raise ValueError(
        f'{directory} holds {path.name!r}, which is no part of a report, and'
        ' would be lost; move it away or give another directory'
      )


def _replace(directory: pathlib.Path, files: Mapping[str, bytes]) -> None:
  partial = directory.with_name(f'.{directory.name}.partial')
  older = directory.with_name(f'.{directory.name}.older')
  # Left by a run that was killed: a partial one is worthless; an older one is
  # the last whole report if the kill came between the two renames.
  shutil.rmtree(partial, ignore_errors=True)
  if older.exists():
    if directory.exists():
      shutil.rmtree(older)
    else:
      older.rename(directory)
  partial.mkdir(parents=True)
  try:
    for name, data in files.items():
      (partial / name).write_bytes(data)
    if directory.exists():
      directory.rename(older)
    partial.rename(directory)
  finally:
    shutil.rmtree(partial, ignore_errors=True)
  shutil.rmtree(older, ignore_errors=True)
