"""What `icl_gen.compile` says about the memory of a study's programs."""

import dataclasses
import pathlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from configs import reversal
from icl_gen.runs import controls, studies
from icl_gen.runs.stage import flat
from icl_gen.runs.studies import Job, Study
from launch import lengths, plan
from launch.lengths import Lengths

# Any experiment will do: what it says otherwise is overridden.
_BASE = 'configs/reversal.py'
# Door -> the settings that its programs depend on; of a block, all but those of
# which the programs do not.
_COMPILED = {
  'train': ('model', 'dtype', 'train'),
  'evaluate': (
    *('model', 'dtype'),
    *('scoring.core', 'scoring.data', 'scoring.model'),
  ),
  'augment': ('model', 'dtype', 'augment.max_tokens'),
}
_NOT_COMPILED = (
  # What is in the rows, whatever their shape, and how often.
  *('splitting', 'reverse', 'mask', 'mask_share', 'mask_copies', 'loss_on'),
  *('replay', 'replay_share', 'steps'),
  *('learning_rate', 'warmup_steps', 'final_share'),
  *('evaluate_every', 'evaluate_share', 'evaluate_kinds', 'evaluate_by'),
  *('stop_after', 'keep_best', 'report_every', 'save_every', 'keep'),
)

Settings = Mapping[str, Any]


def show(study: Study, *, topology: str, run: bool) -> None:
  """Prints the commands that compile a study's programs, or runs them.

  Args:
    study: its settings.
    topology: the devices of a unit.
    run: whether to run them.

  Raises:
    ValueError: a corpus or a context cannot be.
  """
  print("memory on one unit's devices:")
  for command in commands(study, topology=topology):
    print(f'  {plan.shell(command)}', flush=True)
    if run:
      subprocess.run([sys.executable, *command[1:]], check=False)
  jobs = studies.jobs(study, pathlib.Path())
  if any(lengths.is_guess(job.experiment) for job in jobs):
    print(
      "  (contexts have as many tokens as in nano's tokenizer: give"
      " --config.tokenizer=FILE, on this machine, to count with the model's)"
    )
  if not run:
    print('  (--estimate_memory runs these commands)')


def commands(study: Study, *, topology: str) -> list[list[str]]:
  """A command for every program that differs, of the first seed.

  Raises:
    ValueError: a corpus or a context cannot be.
  """
  first = dataclasses.replace(study, seeds=study.seeds[:1])
  counted = Lengths()
  # As keys of a dictionary: each once, in the order of the stages.
  found = {
    (job.door, *_changed(job, settings)): None
    for job in studies.jobs(first, pathlib.Path())
    for settings in _programs(job, counted)
  }
  return [
    [
      *('python', '-m', 'icl_gen.compile', f'--config={_BASE}', *changed),
      f'--topology={topology}',
      f'--stage={door}',
    ]
    for door, *changed in found
  ]


def _programs(job: Job, counted: Lengths) -> Iterator[Settings]:
  """The settings of every program of a job that its experiment does not say."""
  experiment = job.experiment
  if job.door == 'train':
    yield {'train.length': counted.of_rows(experiment)}
  elif job.door == 'evaluate':
    asked_after = experiment.condition == 'icl'
    yield _after(counted.of_questions(experiment) if asked_after else 0)
  elif job.door == 'augment' and not controls.is_control(experiment):
    if experiment.augment.local_samples:
      yield _after(0)
    if experiment.augment.global_samples:
      yield _after(counted.of_inferences(experiment))


def _after(length: int) -> Settings:
  """What `icl_gen.compile` is told of a context; 0 for none."""
  return {'context.budget': length}


def _changed(job: Job, settings: Settings) -> list[str]:
  """Overrides that turn the base into what a program is compiled for."""
  base = flat(reversal.get_config().to_dict())
  values = {
    name: value
    for name, value in flat(dataclasses.asdict(job.experiment)).items()
    if {name, name.partition('.')[0]} & set(_COMPILED[job.door])
    and name.partition('.')[2] not in _NOT_COMPILED
  }
  return [
    f'--config.{name}={value}'
    for name, value in {**values, **settings}.items()
    if base[name] != value
  ]
