"""What there is to do: the stages of a study, and the settings of each.

The settings of a stage are all that decides its result. They are noted when it
begins, and compared whenever somebody takes the result for their own: the door
that wrote it, a study, a report.
"""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

from icl_gen import assets
from icl_gen.runs import directories
from icl_gen.storage import corpus_files, files
from icl_gen.worlds import catalog

Settings = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Stage:
  """One call of a door.

  Attributes:
    door: 'build', 'augment', 'train' or 'evaluate'.
    config: what the door is given.
    result: the path that exists when the stage is finished.
    needs: results of the stages that it is made from.
  """

  door: str
  config: Any
  result: pathlib.Path
  needs: tuple[pathlib.Path, ...] = ()


# --- settings ---------------------------------------------------------------


def of_model(config: Any) -> Settings:
  """Which weights and tokenizer: where they are, and what they are."""
  checkpoint = config.checkpoint or assets.path(config.model)
  return _of_weights(config, checkpoint) | {'checkpoint': config.checkpoint}


def _of_weights(config, checkpoint) -> Settings:
  tokenizer = config.tokenizer or assets.path('tokenizer.model')
  return {
    'checkpoint_is': files.fingerprint(checkpoint),
    'tokenizer': config.tokenizer,
    'tokenizer_is': files.fingerprint(tokenizer),
    'dtype': config.dtype,
  }


def build(config: Any, *, world: str, size: Any) -> Settings:
  """What a corpus depends on.

  Raises:
    ValueError: for an unknown world, or where its files are not there.
  """
  size = dict(size.items())
  if size.get('path') == '':
    raise ValueError(
      f'world {world!r} is read from files: name their directory with'
      ' --config.size.path=DIRECTORY (in a study:'
      ' --config.experiments.<name>.size.path)'
    )
  return {
    'world': world,
    'seed': config.seed,
    'size': size,
    'file_format': config.file_format,
    'audit': config.audit,
    'tokenizer': config.tokenizer,
    'files': catalog.fingerprint(world, size),
  }


def augment(config: Any, source: files.Path) -> Settings:
  """What the inferences from a corpus depend on."""
  context = config.context
  return (
    dict(config.augment.items())
    | of_model(config)
    | {
      'context': (context.factor, context.budget),
      'corpus': corpus_files.read_manifest(source)['sha256'],
      'length': config.train.length,
    }
  )


def train(config: Any, sources: list[pathlib.Path]) -> Settings:
  """What trained weights depend on."""
  corpora = {s.name: corpus_files.read_manifest(s)['sha256'] for s in sources}
  return dict(config.train.items()) | of_model(config) | corpora


def evaluate(
  config: Any, source: files.Path, directory: files.Path
) -> Settings:
  """What the scores of a cell depend on.

  Raises:
    ValueError: if the cell is of a trained model, which is not there or was
      trained with another tokenizer or dtype.
  """
  if config.condition in directories.TRAINED:
    model = _of_weights(config, directories.require_trained(directory))
    alike = {name: model[name] for name in ('tokenizer_is', 'dtype')}
    directories.require_trained_alike(directory, alike)
  else:
    model = of_model(config)
  settings = model | {
    'corpus': corpus_files.read_manifest(source)['sha256'],
    'chat': config.chat,
    'generate': config.scoring.generate,
  }
  if config.condition == 'icl':
    settings['context'] = dict(config.context.items())
  return settings


# --- studies ----------------------------------------------------------------


def of_study(config: Any, root: files.Path) -> list[Stage]:
  """All stages, in an order in which each finds what it needs.

  Args:
    config: `experiments` by name; `seeds`, `models` and `conditions`; and
      `checkpoint`, `tokenizer` and `dtype`, which go before the experiments'.
    root: the study's workdir.

  Raises:
    ValueError: for a world that occurs twice, no seeds, models or conditions,
      or weights that cannot be of all models.
  """
  _check_study(config)
  stages = []
  for cell in _cells(config):
    stages += _of_cell(cell, pathlib.Path(root))
  return list({stage.result: stage for stage in stages}.values())


def check(stage: Stage, root: files.Path) -> None:
  """Checks that a stage, if it is finished, was done with these settings.

  What it needs may have been deleted to save space, or to be made again; then
  there is nothing to compare with.

  Raises:
    ValueError: if it was not; names the first setting that differs.
  """
  if not all(path.exists() for path in (stage.result, *stage.needs)):
    return
  config, directory = stage.config, stage.result.parent
  source = directories.corpus(root, world=config.world, seed=config.seed)
  if stage.door == 'build':
    wanted = build(config, world=config.world, size=config.size)
  elif stage.door == 'augment':
    wanted = augment(config, source)
  elif stage.door == 'train':
    wanted = train(config, sources(config, root))
  else:
    wanted = evaluate(config, source, directory)
  if stage.door in ('build', 'augment'):
    directories.is_finished(directory, stage.door, wanted, whole=True)
  else:
    directories.check(directory, stage.door, wanted)


def sources(config: Any, workdir: files.Path) -> list[pathlib.Path]:
  """The corpora that a cell is trained on."""
  names = {'world': config.world, 'seed': config.seed}
  found = [directories.corpus(workdir, **names)]
  if config.condition == 'ft_aug':
    found.append(directories.augmented(workdir, model=config.model, **names))
  return found


def told(config: Any, root: files.Path) -> Settings:
  """What a report of a study tells of, as far as it is finished."""
  return {
    'main_kinds': config.main_kinds.to_dict(),
    'experiments': {
      name: experiment.to_dict() | _of_all(config)
      for name, experiment in config.experiments.items()
    },
    'conditions': config.conditions,
    'cells': {
      stage.result.parent.name: files.fingerprint(
        stage.result.parent / 'scores.parquet'
      )
      for stage in of_study(config, root)
      if stage.door == 'evaluate' and stage.result.exists()
    },
  }


def require_weights(config: Any) -> None:
  """Checks that the weights and the tokenizer that are named are there.

  Raises:
    ValueError: if they are not.
  """
  for what in ('checkpoint', 'tokenizer'):
    if config[what] and not pathlib.Path(config[what]).exists():
      raise ValueError(f'no {what} at {config[what]!r}')


def _check_study(config) -> None:
  worlds = [experiment.world for experiment in config.experiments.values()]
  if len(set(worlds)) < len(worlds):
    raise ValueError(
      f'worlds {", ".join(worlds)}: each names directories and may occur once'
    )
  for name in ('seeds', 'models', 'conditions'):
    given = config[name]
    if not given or len(set(given)) < len(given):
      raise ValueError(f'{name}={given}: give one or more, each once')
  for seed in config.seeds:
    if type(seed) is not int or seed < 0:
      raise ValueError(f'seeds={config.seeds}: seeds are whole numbers from 0')
  if len(config.models) > 1 and (config.checkpoint or config.tokenizer):
    raise ValueError(
      f'a checkpoint is of one model, not of {", ".join(config.models)}: give'
      ' one of them as --config.models, and a --workdir for each'
    )


def _cells(config) -> Iterator[Any]:
  """The config of every cell."""
  for experiment in config.experiments.values():
    for seed in config.seeds:
      for model in config.models:
        for condition in config.conditions:
          names = {'seed': seed, 'model': model, 'condition': condition}
          cell = experiment.to_dict() | _of_all(config) | names
          yield type(experiment)(cell)


def _of_all(config) -> Settings:
  """What a study says of the model instead of its experiments."""
  names = ('checkpoint', 'tokenizer', 'dtype')
  return {name: config[name] for name in names if config[name]}


def _of_cell(config, root) -> list[Stage]:
  """The stages of one cell; those that cells share come in each of them."""
  names = {'world': config.world, 'seed': config.seed}
  corpus = directories.corpus(root, **names) / corpus_files.MANIFEST
  stages, needs = [Stage('build', config, corpus)], [corpus]
  if config.condition == 'ft_aug':
    inferred = directories.augmented(root, model=config.model, **names)
    result = inferred / corpus_files.MANIFEST
    stages.append(Stage('augment', config, result, (corpus,)))
    needs.append(result)
  names |= {'condition': config.condition, 'model': config.model}
  directory = directories.run(root, **names)
  if config.condition in directories.TRAINED:
    params = directory / 'params'
    stages.append(Stage('train', config, params, tuple(needs)))
    needs.append(params)
  done = directory / files.DONE
  stages.append(Stage('evaluate', config, done, tuple(needs)))
  return stages
