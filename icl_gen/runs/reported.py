"""What a report takes from its study: settings, main kinds, cells."""

import dataclasses
import pathlib
from typing import Any

from icl_gen.runs import pretrainings, revisits, studies, sweeps
from icl_gen.runs.experiments import Experiment
from icl_gen.runs.stage import Stage
from icl_gen.runs.studies import Study
from icl_gen.storage import checksums, files


def main_kinds(study: Study) -> dict[str, str]:
  """World -> the kind of question in the main figure."""
  return {
    experiment.world: study.main_kinds[name]
    for name, experiment in study.experiments.items()
  }


def shown(study: Study) -> dict[str, Any]:
  """The settings that a report shows; those of experiments by world."""
  return {
    'seeds': list(study.seeds),
    'models': list(study.models),
    'conditions': list(study.conditions),
    **({'sweep': study.sweep} if study.sweep else {}),
    **_choice(study),
    **({'after_training': after} if (after := [*study.after_training]) else {}),
    **_pretraining_settings(study),
    'experiments': {
      experiment.world: {
        key: value
        for key, value in _without_names(experiment).items()
        if key not in ('seed', 'model', 'condition')  # these differ by cell
      }
      for experiment in study.experiments.values()
    },
  }


def names_of_settings() -> tuple[str, ...]:
  """What the name of a run calls the settings that are not as configured."""
  return (*sweeps.names_of_settings(), *revisits.NAMES)


def _pretraining_settings(study: Study) -> dict[str, Any]:
  return {'pretraining': study.pretraining} if study.pretraining else {}


def _choice(study: Study) -> dict[str, bool]:
  """Whether runs are chosen among, where it is not the usual."""
  return {} if study.choose else {'choose': False}


def factors(study: Study) -> dict[str, dict[str, str]]:
  """Run -> what its model was pretrained with, as a report shows it.

  The first run is that of the recipe's own values, if it is there. {} for a
  study that pretrains none.
  """
  if not study.pretraining:
    return {}
  points = pretrainings.points(study.pretraining)
  points.sort(key=lambda one: not pretrainings.is_own(study.pretraining, one))
  return {
    pretrainings.name(one): {
      pretrainings.label(setting): str(value) for setting, value in one.items()
    }
    for one in points
  }


def _without_names(experiment: Experiment) -> dict[str, Any]:
  """The settings of an experiment; names of runs say where, not what."""
  values = dataclasses.asdict(experiment)
  del values['run'], values['augment']['name'], values['augment']['match']
  return values


def stage(study: Study, root: files.Path) -> Stage:
  """The report of the cells that are complete."""
  jobs = studies.jobs(study, root)
  every = [job for job in jobs if job.result.exists()]
  finished = {job.result for job in every}
  unfinished = [
    job.result.parent.name
    for job in jobs
    if job.door == 'evaluate' and job.result not in finished
  ]
  cells = {
    job.result.parent.name: checksums.fingerprint(
      job.result.parent / 'scores.parquet'
    )
    for job in every
    if job.door == 'evaluate'
  }
  generated = {
    job.result.parent.name: checksums.fingerprint(job.result)
    for job in every
    if job.door == 'augment' and not cells
  }
  settings = {
    'main_kinds': dict(study.main_kinds),
    'experiments': {
      name: _without_names(experiment)
      for name, experiment in study.experiments.items()
    },
    'conditions': study.conditions,
    'cells': cells,
    **_choice(study),
    **_pretraining_settings(study),
    # The page names them.
    **({'unfinished': unfinished} if unfinished else {}),
  } | ({'generated': generated} if generated else {})
  return Stage('report', pathlib.Path(root), settings)
