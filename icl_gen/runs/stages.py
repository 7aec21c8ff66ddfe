"""The stages of an experiment: where each is, and the settings it depends on.

A stage's settings are everything that decides its result, the content of its
inputs included. The doors, a study and a report all take them from here.
"""

import dataclasses
import pathlib
import types
from collections.abc import Callable, Mapping
from typing import Any

from icl_gen import assets
from icl_gen.runs import (
  controls,
  directories,
  experiments,
  in_context,
  replay,
)
from icl_gen.runs.experiments import HOW, Experiment
from icl_gen.runs.stage import Stage
from icl_gen.storage import (
  checksums,
  corpus_files,
  distributions,
  files,
  working_copies,
)
from icl_gen.worlds import catalog


def corpus(
  directory: pathlib.Path,
  *,
  world: str,
  size: Mapping[str, Any],
  seed: int,
  file_format: str,
  audit: bool,
  tokenizer: str,
) -> Stage:
  """Building a corpus.

  Raises:
    ValueError: for an unknown world, or where its files are missing.
  """
  if size.get('path') == '':
    raise ValueError(
      f'world {world!r} is read from files: give their directory as'
      ' --config.size.path=DIRECTORY'
    )
  settings = {
    'world': world,
    'seed': seed,
    'size': dict(size),
    'file_format': file_format,
    'audit': audit,
    'tokenizer': tokenizer,
    'files': catalog.fingerprint(world, size),
  }
  return Stage('build', directory, settings)


def build(experiment: Experiment, workdir: files.Path) -> Stage:
  """Building an experiment's corpus.

  Raises:
    ValueError: as `corpus`.
  """
  return corpus(
    directories.corpus(workdir, world=experiment.world, seed=experiment.seed),
    world=experiment.world,
    size=experiment.size,
    seed=experiment.seed,
    file_format=experiment.file_format,
    audit=experiment.audit,
    tokenizer=tokenizer(experiment),
  )


def augment(experiment: Experiment, workdir: files.Path) -> Stage:
  """Sampling inferences from an experiment's corpus, or writing a control.

  Raises:
    ValueError: no samples are asked for; the corpus is missing or has another
      size; or the inferences that a control has the tokens of are missing, or
      of another corpus.
  """
  experiments.require_samples(experiment)
  source = require_built(experiment, workdir)
  context = experiment.context
  inputs: tuple[pathlib.Path, ...] = (source,)
  of_inferences = {}
  if own := controls.matched(experiment):
    inferences = _augmented(own, workdir, source).directory
    inputs = (source, inferences)
    manifest = corpus_files.read_manifest(inferences)
    of_inferences = {'tokens_of': manifest['sha256']}
  settings = (
    controls.recorded(experiment.augment)
    | _of_models(experiment)
    | {
      'context': (context.factor, in_context.budget(experiment)),
      'corpus': corpus_files.read_manifest(source)['sha256'],
      'length': experiment.train.length,
    }
    | of_inferences
  )
  directory = augmented_directory(experiment, workdir)
  stage = Stage('augment', directory, settings, inputs)
  parts = {
    kind: stage.settings_directory / f'sampled.{kind}.jsonl'
    for kind in ('local', 'global')
  }
  return dataclasses.replace(stage, parts=parts)


def train(experiment: Experiment, workdir: files.Path) -> Stage:
  """Fine-tuning on an experiment's corpus, perhaps with its augmentation.

  Raises:
    ValueError: the condition has no training, a corpus is missing or has
      another size, its augmentation is of another corpus or has no documents,
      or no distributions if these are the targets, or there are no texts to
      replay where the settings say.
  """
  directory = cell(experiment, workdir)
  if experiment.condition not in directories.TRAINED:
    raise ValueError(
      f'condition {experiment.condition!r} does not train; those that do are'
      f' {", ".join(directories.TRAINED)}'
    )
  sources = _sources(experiment, workdir)
  corpora = {
    source.name: corpus_files.read_manifest(source)['sha256']
    for source in sources
  }
  train = dataclasses.asdict(experiment.train)
  decisive = {name: train[name] for name in train if name not in HOW}
  # Recorded where they decide something: other cells have the same settings as
  # before they were recorded.
  if experiment.train.evaluate_every and experiment.chat:
    decisive['chat'] = True  # how the questions are asked that choose a state
  targets = decisive.pop('targets')
  if targets != 'tokens' and experiment.condition == 'ft_aug':
    decisive |= {
      'targets': targets,
      'distributions': distributions.digest(sources[-1]),
    }
  settings = decisive | _of_models(experiment) | corpora
  settings |= replay.fingerprint(experiment.train.replay)
  return Stage('train', directory, settings, sources)


def evaluate(experiment: Experiment, workdir: files.Path) -> Stage:
  """Scoring a cell.

  Raises:
    ValueError: the corpus is missing, has another size or no questions; or the
      condition is a trained one and its weights are missing, were trained on
      another corpus or with another tokenizer or dtype, or evaluated while
      training by questions that would be scored.
  """
  directory = cell(experiment, workdir)
  source = require_built(experiment, workdir)
  manifest = corpus_files.read_manifest(source)
  if not manifest['questions']:
    raise ValueError(
      f'{source} has no questions to score: add some to what it is built from'
      ' (a questions.jsonl in your own folder), delete the corpus and build it'
      ' again'
    )
  learned = {source.name: manifest['sha256']}
  settings = _of_cell(experiment, workdir, learned) | {
    'corpus': manifest['sha256'],
    'chat': experiment.chat,
    'generate': experiment.scoring.generate,
  }
  if experiment.condition == 'icl':
    settings['context'] = in_context.recorded(experiment)
  parts = {'scores': directory / 'scored.jsonl'}
  if in_context.is_recalled(experiment):
    sampling = experiment.augment
    settings['recalling'] = (sampling.temperature, sampling.max_tokens)
    parts['recalled'] = directory / 'sampled.recalled.jsonl'
  settings |= of_development(experiment)
  if experiment.condition in directories.TRAINED:
    _require_apart(experiment, Stage('train', directory, {}))
  return Stage('evaluate', directory, settings, (source,), parts)


def of_development(experiment: Experiment) -> dict[str, Any]:
  """Settings for the questions that test, in any condition; {} for all.

  Those that choose a checkpoint are left out.
  """
  train = experiment.train
  if not train.evaluate_every:
    return {}
  return {'development': (train.evaluate_share, train.evaluate_kinds)}


def _require_apart(experiment: Experiment, trained: Stage) -> None:
  """Checks that no question is scored that may have chosen the weights.

  Args:
    experiment: as it is evaluated.
    trained: the complete training of its cell.

  Raises:
    ValueError: training was evaluated by other questions than those that are
      left out now.
  """
  was = files.read_sealed_json(trained.settings_file)
  # Older trainings recorded none of these.
  if not was.get('evaluate_every'):
    return
  chose = was['evaluate_share'], was['evaluate_kinds']
  if of_development(experiment).get('development') != chose:
    flags = ' '.join(
      f'--config.train.{name}={was[name]}'
      for name in ('evaluate_every', 'evaluate_share', 'evaluate_kinds')
    )
    raise ValueError(
      f'{str(trained.directory)!r} was evaluated while it was trained, and'
      ' those questions must not be scored: give the settings that leave them'
      f' out, {flags}'
    )


def export_weights(experiment: Experiment, workdir: files.Path) -> Stage:
  """Exporting the weights that a cell is scored with.

  Raises:
    ValueError: as `evaluate`, without those about corpora.
  """
  name = f'{cell(experiment, workdir).name}-safetensors'
  return Stage(
    'export',
    pathlib.Path(workdir) / 'exports' / name,
    _of_cell(experiment, workdir),
  )


# Door -> its stage.
OF_DOORS: dict[str, Callable[[Experiment, files.Path], Stage]] = {
  'build': build,
  'augment': augment,
  'train': train,
  'evaluate': evaluate,
}


# --- inputs -----------------------------------------------------------------


def cell(experiment: Experiment, workdir: files.Path) -> pathlib.Path:
  """The directory of an experiment's cell."""
  return directories.run(
    workdir,
    world=experiment.world,
    condition=experiment.condition,
    model=experiment.model,
    seed=experiment.seed,
    run=experiment.run,
  )


def require_built(experiment: Experiment, workdir: files.Path) -> pathlib.Path:
  """Returns the directory of an experiment's corpus, which is complete.

  Raises:
    ValueError: the corpus is missing, or has another size.
  """
  directory = directories.corpus(
    workdir, world=experiment.world, seed=experiment.seed
  )
  return Stage('build', directory, {'size': dict(experiment.size)}).require()


def checkpoint(experiment: Experiment, workdir: files.Path) -> str:
  """The weights that a cell is scored with; '' for the embedded ones."""
  if experiment.condition in directories.TRAINED:
    return str(Stage('train', cell(experiment, workdir), {}).result)
  return experiment.checkpoint


def tokenizer(experiment: Experiment) -> str:
  """The tokenizer that an experiment uses; '' for the embedded one.

  Fine-tuned weights are used with that of the checkpoint they started from.
  """
  return assets.tokenizer(
    experiment.tokenizer, checkpoint=experiment.checkpoint
  )


# --- settings of models -----------------------------------------------------


def of_model(
  model: str, *, checkpoint: str, tokenizer: str, dtype: str
) -> dict[str, Any]:
  """Settings for a model's weights and tokenizer: paths and fingerprints.

  Args:
    model: a name of the registry.
    checkpoint: directory of weights; '' for the embedded ones.
    tokenizer: SentencePiece model; '' for the embedded one.
    dtype: of the weights.
  """
  used = assets.tokenizer(tokenizer, checkpoint=checkpoint)
  weights = checkpoint or assets.path(model)
  return _of_weights(weights, used, dtype) | {
    'checkpoint': working_copies.address(checkpoint)
  }


def _of_cell(
  experiment: Experiment,
  workdir: files.Path,
  learned: Mapping[str, str] = types.MappingProxyType({}),
) -> dict[str, Any]:
  """Settings for the weights that a cell is scored with.

  Args:
    experiment: its settings.
    workdir: where it is.
    learned: name of a corpus -> its SHA-256, as the weights must know it if the
      condition is a trained one.

  Raises:
    ValueError: the condition is a trained one and its weights are missing, or
      were trained on another corpus or with another tokenizer or dtype.
  """
  if experiment.condition not in directories.TRAINED:
    return _of_models(experiment)
  model = _of_weights(
    checkpoint(experiment, workdir), tokenizer(experiment), experiment.dtype
  )
  alike = {name: model[name] for name in ('tokenizer_is', 'dtype')}
  Stage('train', cell(experiment, workdir), {**alike, **learned}).require()
  return model


def _of_models(experiment: Experiment) -> dict[str, Any]:
  return of_model(
    experiment.model,
    checkpoint=experiment.checkpoint,
    tokenizer=experiment.tokenizer,
    dtype=experiment.dtype,
  )


def _of_weights(
  checkpoint: files.Path, tokenizer: str, dtype: str
) -> dict[str, Any]:
  return {
    'checkpoint_is': working_copies.fingerprint(checkpoint),
    'tokenizer': tokenizer,
    'tokenizer_is': checksums.fingerprint(
      tokenizer or assets.path('tokenizer.model')
    ),
    'dtype': dtype,
  }


def augmented_directory(
  experiment: Experiment, workdir: files.Path
) -> pathlib.Path:
  """The directory of the augmentation that a cell trains on, or would."""
  return directories.augmented(
    workdir,
    world=experiment.world,
    seed=experiment.seed,
    model=experiment.model,
    name=experiment.augment.name,
  )


def _augmented(
  experiment: Experiment, workdir: files.Path, source: pathlib.Path
) -> Stage:
  """The augmentation of a corpus, complete.

  Args:
    experiment: the cell that it is for.
    workdir: where it is.
    source: directory of the corpus.

  Raises:
    ValueError: it is missing, or of the corpus that was there before.
  """
  of = {'corpus': corpus_files.read_manifest(source)['sha256']}
  stage = Stage('augment', augmented_directory(experiment, workdir), of)
  stage.require()
  return stage


def _sources(
  experiment: Experiment, workdir: files.Path
) -> tuple[pathlib.Path, ...]:
  """The corpora that a cell is trained on."""
  source = require_built(experiment, workdir)
  if experiment.condition != 'ft_aug':
    return (source,)
  augmented = _augmented(experiment, workdir, source)
  _require_documents(augmented)
  return source, augmented.directory


def _require_documents(augmented: Stage) -> None:
  """Checks that an augmentation adds something.

  On an empty one, 'ft_aug' would be 'ft' under another name.
  """
  manifest = corpus_files.read_manifest(augmented.directory)
  if manifest['documents']['count']:
    return
  made = {'lines': 0, 'dropped': {}} | manifest['corpus']
  dropped = ', '.join(f'{n} {why}' for why, n in made['dropped'].items())
  raise ValueError(
    f"{augmented.directory} has no documents for condition 'ft_aug': of"
    f' {made["lines"]} sampled lines none was kept (dropped:'
    f' {dropped or "none"}). Check the model, or give a greater'
    ' --config.augment.local_samples or --config.augment.max_tokens; then'
    f' delete it and {augmented.settings_directory}, and run'
    " `python -m icl_gen.augment` again. Or leave out 'ft_aug'."
  )
