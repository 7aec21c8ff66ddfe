"""A config's values become typed records: the same keys, or an error."""

import dataclasses

import pytest

from icl_gen.runs import experiments
from icl_gen.runs.experiments import (
  Augmentation,
  Context,
  Experiment,
  Training,
)

EXPERIMENT = Experiment(
  world='reversal',
  size={'facts': 6},
  context=Context(factor=3),
  train=Training(steps=4, length=48),
  augment=Augmentation(local_samples=1, global_samples=2),
)
VALUES = dataclasses.asdict(EXPERIMENT)


def test_values_come_back_as_the_experiment():
  assert experiments.read(VALUES) == EXPERIMENT


def without(values, key):
  return {name: value for name, value in values.items() if name != key}


@pytest.mark.parametrize(
  ('values', 'message'),
  [
    (without(VALUES, 'world'), "no key 'world'.*another command"),
    (
      VALUES | {'train': without(VALUES['train'], 'steps')},
      "no key 'train.steps'",
    ),
    (VALUES | {'worlds': {}}, "a key 'worlds' that no command reads"),
    (
      VALUES | {'context': VALUES['context'] | {'kinds': 1}},
      "a key 'context.kinds' that.*context.kind, context.factor",
    ),
  ],
)
def test_a_key_that_is_missing_or_unknown_is_an_error(values, message):
  with pytest.raises(ValueError, match=message):
    experiments.read(values)
