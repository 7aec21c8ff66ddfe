"""Launches a study: its units on this host, on TPU VMs, on Slurm or XManager.

  python -m launch --config=configs/study.py --on=local --machines=2
  python -m launch --config=configs/study.py:custom --documents=DIRECTORY \\
    --on=local --machines=3

With --dry_run, everything that would be written, taken and run is printed, and
nothing is started. docs/launch.md has an example for every executor.
"""

import pathlib

import ml_collections
from absl import flags
from ml_collections import config_flags

from icl_gen import cli
from icl_gen.runs import own_documents, stages, studies, units
from icl_gen.storage import working_copies
from launch import estimate, experiment, local, plan, slurm, tpu_vm, xm
from launch.experiment import Requirements

EXECUTORS = {
  'local': local,
  'slurm': slurm,
  'tpu_vm': tpu_vm,
  'xmanager': xm,
}
for _executor in EXECUTORS.values():
  flags.adopt_module_key_flags(_executor)
_MACHINES = flags.DEFINE_integer(
  'machines', 1, 'How many units run at once.', lower_bound=1
)
_RETRIES = flags.DEFINE_integer(
  'retries',
  2,
  'How often a unit that fails is started again without progress; not by'
  ' XManager.',
  lower_bound=0,
)
_TOPOLOGY = flags.DEFINE_string(
  'topology', 'cpu:1', 'Devices of a unit: cpu:N, v5e:2x4 and the like.'
)
_PROCESSES = flags.DEFINE_integer(
  'processes_per_unit', 1, 'Processes that run a unit together, one a host.'
)

# Flags that both commands have, with one meaning.
_PASSED = ('documents', 'heartbeat', 'debug')


def run(
  config: ml_collections.FrozenConfigDict,
  workdir: pathlib.Path,
  *,
  on: str,
  dry_run: bool,
  estimate_memory: bool,
  documents: str = '',
) -> None:
  """Launches the units that have something left to do, then the report."""
  if estimate_memory and not dry_run:
    raise ValueError(
      '--estimate_memory starts nothing: give --dry_run with it; to launch,'
      ' leave it out'
    )
  values = config.to_dict()
  if documents:
    values = own_documents.of_folder(values, documents)
  study = studies.read(values)
  root = workdir / study.name
  for job in studies.jobs(study, root):
    studies.check(job, root)
    if job.door == 'build':
      # Every unit would find out by itself that a folder is missing.
      stages.build(job.experiment, root)
  own_documents.warn(study)
  launched = experiment.make(
    study,
    workdir,
    flags=_flags(),
    requirements=Requirements(_TOPOLOGY.value, _PROCESSES.value),
    on=on,
  )
  executor = EXECUTORS[on]
  how = {'machines': _MACHINES.value, 'retries': _RETRIES.value}
  planned = executor.make_plan(launched, **how)
  if dry_run:
    print(plan.text(launched, planned))
    estimate.show(study, topology=_TOPOLOGY.value, run=estimate_memory)
    return
  units.record(study, root)
  with working_copies.kept(launched.files):
    executor.run(launched, **how)


def _flags() -> dict[str, str]:
  """The flags of this command that are those of `python -m icl_gen.study`."""
  holder = flags.FLAGS['config']
  overrides = config_flags.get_override_values(holder)
  return {
    'config': config_flags.get_config_filename(holder),
    **{f'config.{name}': str(value) for name, value in overrides.items()},
    'workdir': flags.FLAGS.workdir,
    **{name: str(flags.FLAGS[name].value) for name in _PASSED if _given(name)},
  }


def _given(name: str) -> bool:
  return not flags.FLAGS[name].using_default_value


if __name__ == '__main__':
  cli.main(
    run,
    prog='launch',
    choices={'on': tuple(EXECUTORS)},
    switches={
      'dry_run': 'Print what would be done; start nothing.',
      'estimate_memory': 'With --dry_run: compile, say what fits.',
    },
    texts={'documents': 'Folder of your own documents; as of icl_gen.study.'},
  )
