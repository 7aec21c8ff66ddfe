"""What `icl_gen.compile` says about the memory of a study's programs."""

import dataclasses
import pathlib
import subprocess
import sys
from collections.abc import Iterator

from configs import reversal
from icl_gen.runs import controls, experiments, studies
from icl_gen.runs.stage import flat
from icl_gen.runs.studies import Study
from launch import plan

# Any experiment will do: what it says otherwise is overridden.
_BASE = 'configs/reversal.py'
# No program depends on them.
_NOT_COMPILED = (
  *('world', 'size', 'seed', 'condition', 'audit', 'file_format', 'run'),
  *('checkpoint', 'tokenizer', 'context.factor', 'augment.documents_per_fact'),
  *('augment.local_samples', 'augment.global_samples', 'augment.name'),
  *('augment.temperature', 'augment.source', 'augment.noise'),
  *('augment.share', 'augment.tokens', 'augment.match'),
  *('augment.wordings', 'augment.openings', 'context.agree'),
  *('train.steps', 'train.learning_rate', 'train.warmup_steps'),
  *('train.final_share', 'train.report_every', 'train.save_every'),
)


def show(study: Study, *, topology: str, run: bool) -> None:
  """Prints the commands that compile a study's programs, or runs them.

  Args:
    study: its settings.
    topology: the devices of a unit.
    run: whether to run them.
  """
  print("memory on one unit's devices:")
  for command in commands(study, topology=topology):
    print(f'  {plan.shell(command)}', flush=True)
    if run:
      subprocess.run([sys.executable, *command[1:]], check=False)
  if not run:
    print('  (--estimate_memory runs these commands)')


def commands(study: Study, *, topology: str) -> list[list[str]]:
  """A command for every program that differs."""
  found = {tuple(command) for command in _commands(study, topology)}
  return [list(command) for command in sorted(found)]


def _commands(study: Study, topology: str) -> Iterator[list[str]]:
  for job in studies.jobs(study, pathlib.Path()):
    if job.door not in ('build', 'pretrain') and not _is_control(job):
      yield [
        'python',
        '-m',
        'icl_gen.compile',
        f'--config={_BASE}',
        *_changed(job.experiment),
        f'--topology={topology}',
        f'--stage={job.door}',
      ]


def _is_control(job: studies.Job) -> bool:
  """Whether a job writes documents without a model."""
  return job.door == 'augment' and controls.is_control(job.experiment)


def _changed(experiment: experiments.Experiment) -> list[str]:
  """Overrides that turn the base into an experiment."""
  base = flat(reversal.get_config().to_dict())
  values = flat(dataclasses.asdict(experiment))
  return [
    f'--config.{name}={value}'
    for name, value in values.items()
    if not {name, name.split('.')[0]} & set(_NOT_COMPILED)
    and base.get(name) != value
  ]
