"""The whole study: every cell of world x model x seed x condition, the report.

  python -m icl_gen.study --config=configs/study.py

Finished stages are never redone; an interrupted one goes on where it was.
"""

import collections
import dataclasses
import datetime
import pathlib
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import ml_collections

from icl_gen import cli
from icl_gen.data import files, places


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
  places.claim(root, 'study', config.to_dict())
  stages = _stages(config, root)
  left = [stage for stage in stages if not stage.result.exists()]
  if left:
    _work(left, root, doors=_doors(root / 'compiled'))
  if left or not (root / 'report' / 'index.html').exists():
    # Imported here: a finished study answers without loading JAX or
    # matplotlib.
    from icl_gen import report

    report.run(config, workdir)
  print(f'the study is finished: {root / "report" / "index.html"}')


def _stages(config, root) -> list[Stage]:
  """All stages, in an order in which each finds what it needs."""
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


def _work(left, root, *, doors) -> None:
  """Runs what is left, telling how far it is."""
  spent = collections.defaultdict(list)
  for done, stage in enumerate(left):
    eta = f', about {_to_go(spent, left[done:])} to go' if done else ''
    what = f'{stage.door} {stage.result.parent.name}'
    print(f'[{done + 1}/{len(left)}{eta}] {what}', flush=True)
    began = time.monotonic()
    doors[stage.door](stage.config, root)
    assert stage.result.exists(), stage
    spent[stage.door].append(time.monotonic() - began)


def _to_go(spent: dict[str, list[float]], left: Sequence[Stage]) -> str:
  """Time that the stages left will take, by what their doors took so far."""
  known = [seconds for times in spent.values() for seconds in times]
  seconds = sum(statistics.mean(spent[s.door] or known) for s in left)
  return str(datetime.timedelta(seconds=round(seconds)))


if __name__ == '__main__':
  cli.main(run)
