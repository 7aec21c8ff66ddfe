"""Writes the tables, figures and page of a study, from its complete cells.

python -m icl_gen.report --config=configs/study.py
"""

import dataclasses
import pathlib

import ml_collections

from icl_gen import cli
from icl_gen.reporting import write
from icl_gen.reporting.records import AugmentationRecord, Cell
from icl_gen.runs import directories, studies
from icl_gen.runs.studies import Job, Study
from icl_gen.storage import corpus_files, scores


def run(config: ml_collections.FrozenConfigDict, workdir: pathlib.Path) -> None:
  """Writes <workdir>/study/report/; replaces an older report."""
  study = studies.read(config.to_dict())
  root = workdir / study.name
  for job in studies.jobs(study, root):
    studies.check(job, root)
  studies.report(study, root).complete(lambda: _write(study, root))


def _write(study: Study, root: pathlib.Path) -> None:
  # Again, as cells may have been finished while another report was written.
  stage = studies.report(study, root)
  cells, records = [], []
  for job in studies.jobs(study, root):
    if job.result.exists() and job.door == 'evaluate':
      cells.append(_cell(job))
    if job.result.exists() and job.door == 'augment':
      records.append(_record(job, root))
  shown = {
    experiment.world: {
      key: value
      for key, value in dataclasses.asdict(experiment).items()
      if key not in ('seed', 'model', 'condition')  # these differ by cell
    }
    for experiment in study.experiments.values()
  }

  stage.begin()
  write.write_report(
    stage.result.parent,
    cells,
    records,
    settings={
      'seeds': list(study.seeds),
      'models': list(study.models),
      'conditions': list(study.conditions),
      'experiments': shown,
    },
    commands=[cli.command('study')],
    main_kinds={
      experiment.world: study.main_kinds[name]
      for name, experiment in study.experiments.items()
    },
  )
  stage.finish()
  print(f'report of {len(cells)} cells: {stage.result}')


def _cell(job: Job) -> Cell:
  answered = scores.read_scores(job.result.parent / 'scores.parquet')
  of = job.experiment
  return Cell(of.world, of.condition, of.model, of.seed, answered)


def _record(job: Job, root: pathlib.Path) -> AugmentationRecord:
  """What the model generated."""
  of, directory = job.experiment, job.result.parent
  source = directories.corpus(root, world=of.world, seed=of.seed)
  manifest = corpus_files.read_manifest(directory)['corpus']
  costs = {
    f'{kind} {what}': float(value)
    for kind, spent in manifest['costs'].items()
    for what, value in spent.items()
  }
  return AugmentationRecord(
    of.world,
    of.model,
    of.seed,
    corpus_files.read_documents([directory]),
    corpus_files.read(source).questions,
    costs,
  )


if __name__ == '__main__':
  cli.main(run)
