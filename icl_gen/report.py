"""Writes the tables, figures and page of a study, from its complete cells.

python -m icl_gen.report --config=configs/study.py
python -m icl_gen.report --workdir=out/custom

Without a config, all is read from the directory: of a study, of a workdir, or
of one run.
"""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import ml_collections

from icl_gen import cli, signals
from icl_gen.reporting import summary
from icl_gen.reporting.rules import Claim
from icl_gen.runs import (
  directories,
  experiments,
  found,
  predicted,
  references,
  reported,
  studies,
  training_logs,
)
from icl_gen.runs.found import Found
from icl_gen.runs.stage import Stage, result
from icl_gen.runs.studies import Study
from icl_gen.storage import checksums
from icl_gen.worlds import derivations


def run(
  config: ml_collections.FrozenConfigDict | None, workdir: pathlib.Path
) -> None:
  """Writes report/ next to the runs, unless it is there; prints the table.

  Args:
    config: of a study, or of an experiment; None: all that the workdir holds.
    workdir: where it was run; without a config, also the directory of a study
      or of a run.
  """
  if config is None and (path := result('evaluate', workdir)).exists():
    print(*summary.lines(found.cell(path)), sep='\n')
  elif config is None:
    for root in found.roots(workdir):
      _of_directory(root, found.look(root))
  elif 'experiments' in config:
    _of_study(studies.read(config.to_dict()), workdir)
  else:
    world = experiments.read(config.to_dict()).world
    root = _only_root(workdir)
    names = [path.name for path in (root / 'runs').glob(f'{world}-*')]
    _of_directory(root, found.look(root, names))


def _only_root(workdir: pathlib.Path) -> pathlib.Path:
  """The workdir, or the only study in it.

  Raises:
    ValueError: there is nothing, or several studies.
  """
  root, *others = found.roots(workdir)
  if others and root != workdir:
    raise ValueError(
      f'{str(workdir)!r} has several studies,'
      f' {", ".join(path.name for path in (root, *others))}: give the --workdir'
      f' of one, e.g. --workdir={root}'
    )
  return root


def _of_study(study: Study, workdir: pathlib.Path) -> None:
  root = workdir / study.name
  jobs = studies.jobs(study, root)
  names = [job.result.parent.name for job in jobs if job.door == 'evaluate']
  augmented = studies.augmented(study)
  # Cells have records of what was generated for them, even if none is scored.
  cells = names or list(augmented)
  if differs := studies.difference(study, root):
    print(f'reported with the settings that are stored: {differs}')
    there = found.look(root, cells, augmented)
    there = dataclasses.replace(there, choose=study.choose)
    _of_directory(root, there, reported.main_kinds(study))
    return

  def write() -> None:
    # Looked up now, as cells may have been finished while another report was
    # written.
    _write(
      reported.stage(study, root),
      found.look(root, cells, augmented),
      main_kinds=reported.main_kinds(study),
      choose=study.choose,
      settings=reported.shown(study),
      command=cli.command('study'),
      factors=reported.factors(study),
      predictions=predicted.read(study.pretraining),
    )

  reported.stage(study, root).complete(write)
  _tell(root, found.missing_results(root, names, augmented))


def _of_directory(
  root: pathlib.Path, there: Found, kinds: Mapping[str, str] | None = None
) -> None:
  """Reports what a directory holds, unless its last report is of the same."""
  settings: dict[str, Any] = {
    'main_kinds': there.main_kinds | dict(kinds or {}),
    'experiments': there.experiments,
    'cells': {
      name: checksums.fingerprint(result('evaluate', root / 'runs' / name))
      for name in there.cells
    },
  }
  if not there.choose:
    settings['choose'] = False
  if there.unfinished:
    settings['unfinished'] = [
      directories.run('', **dataclasses.asdict(one)).name
      for one in there.unfinished
    ]
  if not there.is_reported(settings):
    stage = Stage('report', root, settings)
    stage.complete(
      lambda: _write(
        stage,
        there,
        main_kinds=settings['main_kinds'],
        choose=there.choose,
        settings=found.settings(root, there),
        command=cli.command('report'),
      )
    )
  _tell(root, there.missing)


def _write(
  stage: Stage,
  there: Found,
  *,
  main_kinds: Mapping[str, str],
  choose: bool,
  settings: Mapping[str, Any],
  command: str,
  factors: Mapping[str, Mapping[str, str]] | None = None,
  predictions: Sequence[Claim] = (),
) -> None:
  if not there.cells and not there.records:
    raise ValueError(
      f'no cell in {stage.directory} is finished: there is nothing to report;'
      ' run the study first: python -m icl_gen.study with its --config'
    )
  # Imported here, so that mistakes answer at once.
  with signals.importing():
    from icl_gen.reporting import write

  stage.begin()
  cells = list(there.cells.values())
  write.write_report(
    stage.result.parent,
    cells,
    there.records,
    settings=settings,
    commands=[command],
    main_kinds=main_kinds,
    choose=choose,
    corpora=there.corpora,
    references=references.references(cells, there.corpora),
    derivations={
      (world, seed): derivations.derivations(world, corpus.questions)
      for (world, seed), corpus in there.corpora.items()
    },
    factors=factors or {},
    predictions=predictions,
    swept=reported.names_of_settings(),
    unfinished=there.unfinished,
    logged=training_logs.curves(stage.directory, there.cells),
  )
  stage.finish()
  number = f'{len(cells)} cell{"s" * (len(cells) != 1)}'
  print(f'report of {number}: {stage.result}\n')


def _tell(root: pathlib.Path, missing: Sequence[pathlib.Path]) -> None:
  """Prints the table, what is missing, and where the page is."""
  page = result('report', root)
  print(page.with_name('results.md').read_text('utf-8'))
  for path in missing:
    print(f'missing, and so not in the report: {path}')
  print(f'report: {page}', flush=True)


if __name__ == '__main__':
  cli.main(run, needs_config=False)
