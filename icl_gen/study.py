"""The whole study: every cell of world x model x seed x condition, the report.

  python -m icl_gen.study --config=configs/study.py

Finished stages are never redone; an interrupted one goes on where it was.
"""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import ml_collections

from icl_gen import cli
from icl_gen.data import files, places, progress, shards
from icl_gen.worlds import catalog


@dataclasses.dataclass(frozen=True)
class Stage:
  """One call of a door.

  Attributes:
    door: 'build', 'augment', 'train' or 'evaluate'.
    config: what the door is given.
    result: the path that exists when the stage is finished.
  """

  door: str
  config: Any
  result: pathlib.Path


def run(config, workdir):
  """Writes <workdir>/study/{corpora,runs,report}."""
  root = workdir / config.name
  page, settings = root / 'report' / 'index.html', _settings(config)
  places.check(root, 'study', settings)
  left = [s for s in _stages(config, root) if not s.result.exists()]
  if left:
    page.unlink(missing_ok=True)  # It tells of fewer cells.
    doors = _doors(root / 'compiled')
    do = lambda stage: doors[stage.door](stage.config, root)  # noqa: E731
    # All worlds first: most mistakes of a config show there.
    progress.work([s for s in left if s.door == 'build'], do)
    for name, experiment in config.experiments.items():
      for seed in config.seeds:
        source = places.corpus(root, world=experiment.world, seed=seed)
        shards.require_kind(source, config.main_kinds[name])
    places.claim(root, 'study', settings)
    progress.work([s for s in left if s.door != 'build'], do)
  if not page.exists():
    # Here: a finished study answers without loading JAX or matplotlib.
    from icl_gen import report

    report.run(config, workdir)
  print(f'the study is finished: {page}')


def _settings(config) -> dict[str, Any]:
  """What the cells depend on."""
  settings = config.to_dict()
  del settings['main_kinds']  # Which figures come first, no more.
  read = {e.world: e.size for e in config.experiments.values()}
  files_read = {w: catalog.fingerprint(w, size) for w, size in read.items()}
  return settings | {'files': files_read}


def _stages(config, root) -> list[Stage]:
  """All stages, in an order in which each finds what it needs."""
  worlds = [experiment.world for experiment in config.experiments.values()]
  if len(set(worlds)) < len(worlds):
    raise ValueError(
      f'worlds {", ".join(worlds)}: each names directories and may occur once'
    )
  stages = []
  for experiment in config.experiments.values():
    for seed in config.seeds:
      for model in config.models:
        for condition in config.conditions:
          cell = ml_collections.ConfigDict(experiment)
          cell.update(seed=seed, model=model, condition=condition)
          stages += _cell(ml_collections.FrozenConfigDict(cell), root)
  return list({stage.result: stage for stage in stages}.values())


def _cell(config, root) -> list[Stage]:
  """The stages of one cell; those that cells share come in each of them."""
  names = {'world': config.world, 'seed': config.seed}
  corpus = places.corpus(root, **names)
  stages = [Stage('build', config, corpus / 'manifest.json')]
  if config.condition == 'ft_aug':
    inferred = places.augmented(root, model=config.model, **names)
    stages.append(Stage('augment', config, inferred / 'manifest.json'))
  names |= {'condition': config.condition, 'model': config.model}
  directory = places.run(root, **names)
  if config.condition in places.TRAINED:
    stages.append(Stage('train', config, directory / 'params'))
  stages.append(Stage('evaluate', config, directory / files.DONE))
  return stages


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
