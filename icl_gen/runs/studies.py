"""Studies: all stages of worlds x seeds x models x conditions, in order."""

import dataclasses
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from icl_gen import processes
from icl_gen.runs import (
  controls,
  directories,
  experiments,
  predicted,
  pretrainings,
  revisits,
  stages,
  sweeps,
)
from icl_gen.runs.experiments import Experiment
from icl_gen.runs.stage import Stage, result
from icl_gen.storage import files, working_copies
from icl_gen.worlds import catalog

# What a study may set for all of its experiments.
_OF_ALL = ('checkpoint', 'tokenizer', 'dtype')


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
  """The settings of a study.

  Attributes:
    name: its directory under the workdir.
    experiments: by name; each has a world of its own. Their seed, model and
      condition are replaced.
    main_kinds: experiment -> kind of question in the main figure; '' for all.
    conditions: the conditions of every experiment.
    seeds: the seeds of every experiment.
    models: names of the registry.
    checkpoint: replaces the experiments' own unless ''.
    tokenizer: likewise.
    dtype: likewise.
    sweep: settings whose values make a grid of runs, see sweeps.py; '' for one
      run of every cell.
    choose: whether the runs of a sweep are candidates, of which the report
      chooses one by the development questions; otherwise they are ablations of
      the run with the experiments' own settings, which the report shows.
    pretraining: recipe and grid of the models that the study pretrains itself,
      and what is predicted of them; see pretrainings.py and predicted.py; {}
      for none.
    after_training: what fine-tuned models are asked once more, see revisits.py.
  """

  name: str
  experiments: Mapping[str, Experiment]
  main_kinds: Mapping[str, str]
  conditions: Sequence[str]
  seeds: Sequence[int]
  models: Sequence[str]
  checkpoint: str
  tokenizer: str
  dtype: str
  sweep: str
  choose: bool
  pretraining: Mapping[str, Any]
  after_training: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Job:
  """One call of a door.

  Attributes:
    door: 'pretrain', 'build', 'augment', 'train' or 'evaluate'.
    experiment: what the door is given; of 'pretrain', a cell that it is for.
    result: the path that exists once the job is complete.
    needs: results of the jobs that come before it.
    recipe: what 'pretrain' is given.
  """

  door: str
  experiment: Experiment
  result: pathlib.Path
  needs: tuple[pathlib.Path, ...] = ()
  recipe: Mapping[str, Any] = dataclasses.field(default_factory=dict)

  @property
  def needs_weights(self) -> bool:
    """Whether its weights are the result of a job before it."""
    return self.experiment.checkpoint in map(str, self.needs)


def read(values: Mapping[str, Any]) -> Study:
  """Returns the study of a config's values.

  Args:
    values: `config.to_dict()`.

  Raises:
    ValueError: a key is missing or unknown; a number is out of its range; the
      name is not that of a directory; a world occurs twice; no seeds, models or
      conditions; a sweep that cannot be, or that has ablations of nothing; or
      weights that cannot fit all models.
  """
  # Older configs and records have none.
  absent = {'sweep': '', 'choose': True, 'pretraining': {}}
  values = {**absent, 'after_training': (), **values}
  experiments.require_keys(values, Study)
  of_all = {name: values[name] for name in _OF_ALL if values[name]}
  _require_known(values)
  made = {
    name: experiments.read(
      {**experiment, **of_all}, above=f'experiments.{name}.'
    )
    for name, experiment in values['experiments'].items()
  }
  study = Study(**{**values, 'experiments': made})
  _check(study)
  return study


def jobs(study: Study, root: files.Path) -> list[Job]:
  """Returns all jobs of a study, in an order in which their inputs exist.

  Args:
    study: its settings.
    root: the study's own directory.

  Raises:
    ValueError: for an unknown condition.
  """
  found = []
  for cell, point in _cells(study):
    made = _pretraining(study, cell, point, root) if study.pretraining else None
    found += _of_cell(cell, root, made)
  every = {job.result: job for job in found}
  again = (job for one in every.values() for job in _again(study, one, root))
  return [*every.values(), *again]


def augmented(study: Study) -> dict[str, str]:
  """The directories of all cells, scored or not, and of what they add.

  Returns:
    name of a cell's directory -> that of its augmentation; '' for none.
  """
  return {
    stages.cell(cell, '').name: stages.augmented_directory(cell, '').name
    if cell.condition == 'ft_aug'
    else ''
    for cell, _ in _cells(study)
  }


def check(job: Job, root: files.Path) -> None:
  """Checks that a job, if it is complete, was run with today's settings.

  If an input was deleted, to save space or to be made again, there is nothing
  to compare with.

  Raises:
    ValueError: it was not; names the first setting that differs.
  """
  if not all(path.exists() for path in (job.result, *job.needs)):
    return
  if job.door == 'pretrain':
    pretrainings.stage(job.recipe, root).is_finished()
  else:
    stages.OF_DOORS[job.door](job.experiment, root).is_finished()


def difference(study: Study, root: files.Path) -> str:
  """How the settings differ from those that complete jobs were run with.

  Returns:
    '' if they do not; else what `check` says.
  """
  try:
    for job in jobs(study, root):
      check(job, root)
  except ValueError as error:
    return str(error)
  return ''


def can_start(job: Job) -> bool:
  """Whether a job's inputs exist and no other process is working on it."""
  lock = Stage(job.door, job.result.parent, {}).lock
  return not working_copies.is_held(lock) and all(
    path.exists() for path in job.needs
  )


def left(study: Study, root: files.Path) -> list[Job]:
  """Returns the jobs whose doors are to be called, in the order of `jobs`.

  Those without a result, and those that need what one of them makes: it may be
  made with other settings than what was there before, which `check` could not
  know, so their doors compare what they have.
  """
  every = jobs(study, root)
  missing = processes.agreed(lambda: _left(every))
  return [every[n] for n in missing]


def _left(every: Sequence[Job]) -> list[int]:
  """The indices of jobs in `left`."""
  found, made = [], set[pathlib.Path]()
  for number, job in enumerate(every):
    if not job.result.exists() or made & set(job.needs):
      found.append(number)
      made.add(job.result)
  return found


def require_weights(experiment: Experiment) -> None:
  """Checks that the weights and the tokenizer that are named exist.

  Raises:
    ValueError: if one does not.
  """
  for what, path in (
    ('checkpoint', experiment.checkpoint),
    ('tokenizer', experiment.tokenizer),
  ):
    if path and not pathlib.Path(path).exists():
      raise ValueError(f'no {what} at {path!r}')


def flags(message: str, study: Study, world: str) -> str:
  """Replaces the flags of an experiment by those of the study it is in.

  Args:
    message: names flags as the door of a single experiment has them.
    study: the study.
    world: of the experiment.
  """
  # Which settings a run is named after is the study's affair.
  message = re.sub(
    r'--config\.(run|augment\.name)=NAME',
    "--config.sweep='SETTING=VALUE'",
    message,
  )
  (name,) = (n for n, e in study.experiments.items() if e.world == world)
  several = {'model': 'models', 'seed': 'seeds', 'condition': 'conditions'}

  def flag(found: re.Match[str]) -> str:
    key = found[1]
    if key in (*_OF_ALL, 'sweep'):
      return found[0]
    return f'--config.{several.get(key, f"experiments.{name}.{key}")}'

  return re.sub(r'--config\.(\w+)', flag, message)


def _require_known(values: Mapping[str, Any]) -> None:
  """Checks the names that experiments are given by the study."""
  for key, one in (('models', 'model'), ('conditions', 'condition')):
    for name in values[key]:
      if name not in experiments.CHOICES[one]:
        raise ValueError(
          f'--config.{key}={tuple(values[key])}: unknown {one} {name!r};'
          f' allowed are {experiments.allowed(one)}'
        )
  if values['dtype'] and values['dtype'] not in experiments.CHOICES['dtype']:
    raise ValueError(
      f'--config.dtype={values["dtype"]!r}; allowed are'
      f' {experiments.allowed("dtype")}'
    )


def _check(study: Study) -> None:
  sweeps.require_used(study.sweep, study.conditions)
  if not study.choose and {} not in sweeps.points(study.sweep):
    raise ValueError(
      f'--config.choose=False with --config.sweep={study.sweep!r}: without a'
      " choice, the experiments' own settings are shown; add them to the sweep"
      " as an empty grid, '| ' and the rest"
    )
  pretrainings.require_possible(study.pretraining, of_models=study.models)
  predicted.read(study.pretraining)
  revisits.require_possible(
    study.after_training,
    worlds=[one.world for one in study.experiments.values()],
    conditions=study.conditions,
    choose=study.choose,
  )
  names = {one.world: name for name, one in study.experiments.items()}
  for cell, _ in _cells(study):
    if cell.condition == 'ft_aug':
      above = f'experiments.{names[cell.world]}.'
      experiments.require_samples(cell, above=above)
      controls.require_source(cell, above=above)
      experiments.require_distributions(cell, above=above)
  name = study.name
  if name in ('', '.', '..') or any(mark in name for mark in '/\\\0'):
    raise ValueError(
      f'--config.name={name!r}: give the name of a directory, without / or'
      ' \\; where it is, --workdir says'
    )
  worlds = [experiment.world for experiment in study.experiments.values()]
  if len(set(worlds)) < len(worlds):
    raise ValueError(
      f'worlds {", ".join(worlds)}: directories are named after the world, so'
      ' each may occur once'
    )
  given: dict[str, Sequence[Any]] = {
    'seeds': study.seeds,
    'models': study.models,
    'conditions': study.conditions,
  }
  for name, values in given.items():
    if not values or len(set(values)) < len(values):
      raise ValueError(f'--config.{name}={values}: give one or more, each once')
  for seed in study.seeds:
    if type(seed) is not int:
      raise ValueError(f'--config.seeds={study.seeds}: seeds are whole numbers')
    experiments.require_number('seed', seed, flag='seeds')
  if study.pretraining and (study.checkpoint or study.tokenizer):
    raise ValueError(
      'a study that pretrains its models takes no --config.checkpoint and no'
      ' --config.tokenizer'
    )
  if len(study.models) > 1 and (study.checkpoint or study.tokenizer):
    raise ValueError(
      f'a checkpoint fits one model, not all of {", ".join(study.models)}: give'
      ' one of them as --config.models, and a --workdir for each'
    )


def _cells(study: Study) -> Iterator[tuple[Experiment, pretrainings.Point]]:
  """Every cell with the point of the pretraining that its model is from."""
  points = sweeps.points(study.sweep)
  made = pretrainings.points(study.pretraining)
  for experiment in study.experiments.values():
    for seed in study.seeds:
      for model in study.models:
        for condition in study.conditions:
          cell = dataclasses.replace(
            experiment, seed=seed, model=model, condition=condition
          )
          found = [sweeps.applied(cell, point) for point in points]
          for one in {one.run: one for one in found}.values():
            for point in made:
              yield _named(one, pretrainings.name(point)), point


def _named(cell: Experiment, name: str) -> Experiment:
  """A cell whose run and samples are those of a point."""
  samples, match = cell.augment, cell.augment.match
  if controls.is_control(cell):
    match = sweeps.joined(name, match)
  samples = dataclasses.replace(
    samples, name=sweeps.joined(name, samples.name), match=match
  )
  return dataclasses.replace(
    cell, run=sweeps.joined(name, cell.run), augment=samples
  )


def _pretraining(
  study: Study, cell: Experiment, point: pretrainings.Point, root: files.Path
) -> Job:
  recipe = pretrainings.recipe(
    study.pretraining, point, model=cell.model, seed=cell.seed
  )
  result = pretrainings.stage(recipe, root).result
  return Job('pretrain', cell, result, recipe=recipe)


def _with_weights(cell: Experiment, made: Job, root: files.Path) -> Experiment:
  """A cell with the weights that a job pretrains."""
  tokenizer = pretrainings.tokenizer(pretrainings.stage(made.recipe, root))
  return dataclasses.replace(
    cell, checkpoint=str(made.result), tokenizer=str(tokenizer)
  )


def _augmentations(
  cell: Experiment, root: files.Path, inputs: Sequence[pathlib.Path]
) -> list[Job]:
  """The augmentation of a cell, after the one that it has the tokens of.

  Args:
    cell: its settings.
    root: the study's own directory.
    inputs: its corpus, and the weights that the study pretrains for it.
  """
  own = controls.matched(cell)
  before = _augmentations(own, root, inputs) if own else []
  directory = stages.augmented_directory(cell, root)
  needs = (*inputs, *(job.result for job in before))
  return [*before, Job('augment', cell, result('augment', directory), needs)]


def _of_cell(cell: Experiment, root: files.Path, made: Job | None) -> list[Job]:
  """The jobs of one cell; cells that share one each have it.

  Args:
    cell: its settings.
    root: the study's own directory.
    made: what pretrains its weights; None for those that it names.
  """
  corpus = directories.corpus(root, world=cell.world, seed=cell.seed)
  built = result('build', corpus)
  found, needs = [Job('build', cell, built)], [built]
  if made is not None:
    found.append(made)
    needs.append(made.result)
    cell = _with_weights(cell, made, root)
  asks = catalog.asks(cell.world, cell.size)
  if cell.condition == 'ft_aug':
    found += _augmentations(cell, root, needs)
    needs.append(found[-1].result)
  if not asks:
    # What the model infers is the result: there is nothing to score.
    return found
  directory = stages.cell(cell, root)
  if cell.condition in directories.TRAINED:
    params = result('train', directory)
    found.append(Job('train', cell, params, tuple(needs)))
    needs.append(params)
  done = result('evaluate', directory)
  found.append(Job('evaluate', cell, done, tuple(needs)))
  return found


def _again(study: Study, job: Job, root: files.Path) -> Iterator[Job]:
  """The jobs in which the model of a cell is asked again, if it was trained."""
  of = job.experiment
  if job.door != 'train':
    return
  for cell in revisits.cells(
    study.after_training, of, of=study.experiments.values(), root=root
  ):
    corpus = directories.corpus(root, world=cell.world, seed=cell.seed)
    needs = result('build', corpus), job.result
    done = result('evaluate', stages.cell(cell, root))
    yield Job('evaluate', cell, done, needs)
