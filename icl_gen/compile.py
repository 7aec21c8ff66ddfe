"""Compiles a command's programs for devices that need not be there.

python -m icl_gen.compile --config=configs/reversal.py:gemma3_270m \
  --topology=v5e:2x2 --stage=train

Nothing is run and no weights are read: it says what fits, what communicates,
and what the compiler expects it to cost. A context, which `evaluate` and
`augment` compile for, has `config.context.budget` tokens.
"""

import pathlib
from typing import Any

import ml_collections

from icl_gen import cli, signals
from icl_gen.runs import experiments, models, topologies
from icl_gen.runs.experiments import Experiment
from icl_gen.storage import files

# The doors whose programs can be compiled.
STAGES = ('train', 'evaluate', 'augment')


def run(
  config: ml_collections.FrozenConfigDict,
  workdir: pathlib.Path,
  *,
  stage: str,
  topology: str,
  json: str,
) -> None:
  """Prints what a stage's programs take; with `json`, also writes it there."""
  del workdir
  experiment = experiments.read(config.to_dict())
  models.require_plain(experiment.model, door='compile')
  topologies.read(topology)
  told = _told(experiment, stage, topology)
  if json:
    files.write_json(pathlib.Path(json), told)


def _told(experiment: Experiment, stage: str, name: str) -> dict[str, Any]:
  """What is told of a stage, after it is printed."""
  # Imported here, so that mistakes answer at once.
  with signals.importing():
    import jax

    from icl_gen.compiling import programs, report, topology
    from icl_gen.model import initialisation, place, registry

  found = topology.find(name)
  platform = found.devices[0].platform
  module = registry.make_module(experiment.model, dtype=experiment.dtype)
  params = jax.eval_shape(lambda: initialisation.make_params(module, seed=0))
  told = {
    'model': experiment.model,
    'stage': stage,
    'topology': name,
    'devices': len(found.devices),
    'parameters': sum(leaf.size for leaf in jax.tree.leaves(params)),
    'programs': {},
  }
  print(report.heading(told), flush=True)
  with place.pretended(platform, devices=len(found.devices)):
    for program, facts in programs.STAGES[stage](
      experiment, module, params, found
    ):
      told['programs'][program] = facts
      print(report.text(program, facts), flush=True)
  return told


if __name__ == '__main__':
  cli.main(
    run,
    choices={'stage': STAGES},
    texts={
      'topology': 'v5e:4x4 and the like for TPUs; cpu:8 for this CPU.',
      'json': 'A file for the same facts as JSON.',
    },
  )
