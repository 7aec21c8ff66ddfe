"""Controls: augmentations whose documents no model wrote.

A control takes the place of a model's own inferences, with as many tokens as
these have, so that its cell differs from theirs in what is stated only.
"""

import dataclasses
from typing import Any

from icl_gen.runs.experiments import CHOICES, Augmentation, Experiment

_MODEL, *SOURCES = CHOICES['augment.source']
# Setting -> the sources that have it; the first two are of the model alone.
_SOURCES_OF = {
  'likeliest': (_MODEL,),
  'prompt': (_MODEL,),
  'noise': ('oracle',),
  'share': ('oracle', 'reworded', 'phrased'),
  'wordings': ('phrased',),
  'openings': ('phrased',),
  'tokens': tuple(SOURCES),
  'match': tuple(SOURCES),
}
SETTINGS = ('source', *_SOURCES_OF)
_DEFAULTS: dict[str, Any] = {
  field.name: field.default
  for field in dataclasses.fields(Augmentation)
  if field.name in SETTINGS
}


def is_control(experiment: Experiment) -> bool:
  """Whether an experiment's augmentation is written by no model."""
  return experiment.augment.source != _MODEL


def matched(experiment: Experiment) -> Experiment | None:
  """The model's own inferences that have as many tokens as a control.

  Returns:
    the same experiment with these inferences as its augmentation; None if the
    experiment is no control, or states its number of tokens.
  """
  augment = experiment.augment
  if not is_control(experiment) or augment.tokens:
    return None
  plain = _DEFAULTS | {'name': augment.match}
  return dataclasses.replace(
    experiment, augment=dataclasses.replace(augment, **plain)
  )


def recorded(augment: Augmentation) -> dict[str, Any]:
  """The settings that decide an augmentation's documents.

  Those that only some sources have are among them only if they are not the
  default: a model's inferences have the same settings as before there were
  controls.
  """
  values = dataclasses.asdict(augment)
  of_controls = {name: values.pop(name) for name in SETTINGS}
  del values['name'], of_controls['match']  # names say where, not what
  return values | {
    name: value
    for name, value in of_controls.items()
    if value != _DEFAULTS[name]
  }


def require_source(experiment: Experiment, *, above: str = '') -> None:
  """Checks that the settings of a control fit what writes its documents.

  Args:
    experiment: its settings.
    above: where the experiment is in the config, for the message.

  Raises:
    ValueError: a setting belongs to other sources.
  """
  values = dataclasses.asdict(experiment.augment)
  source, flag = values['source'], f'--config.{above}augment'
  for name, sources in _SOURCES_OF.items():
    if values[name] != _DEFAULTS[name] and source not in sources:
      raise ValueError(
        f'{flag}.{name}={values[name]} with {flag}.source={source}: only'
        f' {", ".join(sources)} can have it; leave it out, or give such a'
        ' source'
      )
