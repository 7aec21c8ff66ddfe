"""The whole study: every cell of world x model x seed x condition, the report.

  python -m icl_gen.study --config=configs/study.py

Finished stages are never redone, with more seeds, models or conditions neither.
"""

import pathlib
from collections.abc import Callable

from icl_gen import cli
from icl_gen.runs import directories, progress, stages
from icl_gen.storage import corpus_files


def run(config, workdir):
  """Writes <workdir>/study/{corpora,runs,report}."""
  root = workdir / config.name
  page = root / 'report' / 'index.html'
  wanted = stages.of_study(config, root)
  left = [stage for stage in wanted if not stage.result.exists()]
  for stage in wanted:
    stages.check(stage, root)
  if left:
    _require_models(config, left)
    page.unlink(missing_ok=True)  # It tells of fewer cells.
    doors = _doors(root / 'compiled')
    do = lambda stage: doors[stage.door](stage.config, root)  # noqa: E731
    # All worlds first: most mistakes of a config show there.
    progress.work([s for s in left if s.door == 'build'], do)
    for name, experiment in config.experiments.items():
      for seed in config.seeds:
        source = directories.corpus(root, world=experiment.world, seed=seed)
        corpus_files.require_kind(source, config.main_kinds[name])
    progress.work([s for s in left if s.door != 'build'], do)
  told = stages.told(config, root)
  if not (page.exists() and directories.is_noted(root, 'report', told)):
    # Here: a finished study answers without loading JAX or matplotlib.
    from icl_gen import report

    report.run(config, workdir)
  print(f'the study is finished: {page}')


def _require_models(config, left) -> None:
  """Checks now what a stage would find out hours later."""
  from icl_gen.model import registry

  for model in config.models:
    registry.make_module(model)
  for stage in left:
    stages.require_weights(stage.config)


def _doors(compiled: pathlib.Path) -> dict[str, Callable]:
  """The doors; programs are compiled once for all cells that share them."""
  import jax

  from icl_gen import augment, build, evaluate, train

  jax.config.update('jax_compilation_cache_dir', str(compiled))
  return {
    'build': build.run,
    'augment': augment.run,
    'train': train.run,
    'evaluate': evaluate.run,
  }


if __name__ == '__main__':
  cli.main(run)
