"""Tables, figures and the page of a study, from its finished cells.

python -m icl_gen.report --config=configs/study.py
"""

from icl_gen import cli
from icl_gen.data import files, places, scores, shards
from icl_gen.reporting import write
from icl_gen.reporting.cells import AugmentationRecord, Cell


def run(config, workdir):
  """Writes <workdir>/study/report/; replaces an older report."""
  root = workdir / config.name
  cells, records, main_kinds, sizes = [], [], {}, {}
  for name, experiment in config.experiments.items():
    main_kinds[experiment.world] = config.main_kinds[name]
    sizes[experiment.world] = {
      key: value
      for key, value in experiment.to_dict().items()
      if key not in ('seed', 'model', 'condition')  # Of each cell its own.
    }
    for seed in config.seeds:
      for model in config.models:
        cells += _cells(root, experiment.world, model, seed, config.conditions)
        records += _record(root, experiment.world, model, seed)
  write.write_report(
    root / 'report',
    cells,
    records,
    settings={
      'seeds': list(config.seeds),
      'models': list(config.models),
      'conditions': list(config.conditions),
      'experiments': sizes,
    },
    commands=[cli.command('study')],
    main_kinds=main_kinds,
  )
  print(f'report of {len(cells)} cells: {root / "report" / "index.html"}')


def _cells(root, world, model, seed, conditions) -> list[Cell]:
  """The finished cells of one world, model and seed."""
  found = []
  for condition in conditions:
    directory = places.run(
      root, world=world, condition=condition, model=model, seed=seed
    )
    if files.is_done(directory):
      answered = scores.read_scores(directory / 'scores.parquet')
      found.append(Cell(world, condition, model, seed, answered))
  return found


def _record(root, world, model, seed) -> list[AugmentationRecord]:
  """What the model generated, if it did."""
  source = places.corpus(root, world=world, seed=seed)
  directory = places.augmented(root, world=world, seed=seed, model=model)
  if not (shards.is_written(source) and shards.is_written(directory)):
    return []
  manifest = shards.read_manifest(directory)['corpus']
  costs = {
    f'{kind} {what}': float(value)
    for kind, spent in manifest['costs'].items()
    for what, value in spent.items()
  }
  return [
    AugmentationRecord(
      world,
      model,
      seed,
      shards.read_documents([directory]),
      shards.read(source).questions,
      costs,
    )
  ]


if __name__ == '__main__':
  cli.main(run)
