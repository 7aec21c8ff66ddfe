"""Tables, figures and the page of a study, from its finished cells.

python -m icl_gen.report --config=configs/study.py
"""

from icl_gen import cli
from icl_gen.reporting import write
from icl_gen.reporting.records import AugmentationRecord, Cell
from icl_gen.runs import directories, stages
from icl_gen.storage import corpus_files, scores


def run(config, workdir):
  """Writes <workdir>/study/report/; replaces an older report."""
  root = workdir / config.name
  told = stages.told(config, root)
  cells, records = [], []
  for stage in stages.of_study(config, root):
    stages.check(stage, root)
    if stage.result.exists() and stage.door == 'evaluate':
      cells.append(_cell(stage))
    if stage.result.exists() and stage.door == 'augment':
      records.append(_record(stage, root))
  directories.forget(root, 'report')
  write.write_report(
    root / 'report',
    cells,
    records,
    settings={
      'seeds': list(config.seeds),
      'models': list(config.models),
      'conditions': list(config.conditions),
      'experiments': {
        told_of['world']: {
          key: value
          for key, value in told_of.items()
          if key not in ('seed', 'model', 'condition')  # Of each cell its own.
        }
        for told_of in told['experiments'].values()
      },
    },
    commands=[cli.command('study')],
    main_kinds={
      experiment.world: config.main_kinds[name]
      for name, experiment in config.experiments.items()
    },
  )
  directories.claim(root, 'report', told)
  print(f'report of {len(cells)} cells: {root / "report" / "index.html"}')


def _cell(stage) -> Cell:
  answered = scores.read_scores(stage.result.parent / 'scores.parquet')
  of = stage.config
  return Cell(of.world, of.condition, of.model, of.seed, answered)


def _record(stage, root) -> AugmentationRecord:
  """What the model generated."""
  of, directory = stage.config, stage.result.parent
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
