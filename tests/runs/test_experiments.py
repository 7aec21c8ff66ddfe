"""A config's values become typed records: the same keys, or an error."""

import dataclasses
import math
import re

import pytest

from configs import reversal
from icl_gen.model import cores, lora
from icl_gen.runs import experiments, in_context, released
from icl_gen.runs.experiments import (
  Augmentation,
  Context,
  Experiment,
  Training,
)
from icl_gen.training import fine_tuning, plan

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


def test_contexts_of_documents_are_recorded_as_before_there_was_recall():
  names = {'kind', 'factor', 'budget', 'documents', 'distractors'}
  for agree, more in ((1, set()), (2, {'agree'})):
    context = dataclasses.replace(EXPERIMENT.context, agree=agree)
    of = dataclasses.replace(EXPERIMENT, context=context)
    assert set(in_context.recorded(of)) == names | more


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


def with_value(key, value):
  block, _, name = key.rpartition('.')
  if not block:
    return VALUES | {name: value}
  return VALUES | {block: VALUES[block] | {name: value}}


@pytest.mark.parametrize(
  ('key', 'value', 'allowed'),
  [
    ('train.warmup_steps', 10**12, '0 to 1,000,000,000'),
    ('train.save_every', 0, '1 to 1,000,000,000'),
    ('train.report_every', 0, '1 to 1,000,000,000'),
    ('train.learning_rate', 0.0, 'more than 0, up to 1,000'),
    ('train.learning_rate', math.nan, 'more than 0, up to 1,000'),
    ('train.learning_rate', math.inf, 'more than 0, up to 1,000'),
    ('train.clip', 0.0, 'more than 0, up to 1,000,000'),
    ('train.final_share', -0.1, '0 to 1,000'),
    ('train.weight_decay', math.inf, '0 to 1,000'),
    ('context.factor', 0, '1 to 1,000,000'),
    ('scoring.contexts_gib', math.inf, '0 to 1,000,000'),
    ('scoring.contexts_gib', math.nan, '0 to 1,000,000'),
    ('scoring.contexts_gib', -1.0, '0 to 1,000,000'),
    ('scoring.questions', 0, '1 to 1,000,000'),
    ('scoring.questions', 10**12, '1 to 1,000,000'),
    ('scoring.data', -1, '0 to 1,000,000'),
    ('scoring.data', 10**12, '0 to 1,000,000'),
    ('scoring.model', 0, '1 to 1,000,000'),
    ('train.steps', 10**12, '1 to 1,000,000,000'),
    ('train.batch_size', 100_000, '1 to 65,536'),
    ('train.length', 10**12, '0 to 1,000,000'),
    ('augment.documents_per_fact', 0, '1 to 100,000'),
    ('augment.documents_per_fact', 10**12, '1 to 100,000'),
    ('augment.local_samples', -1, '0 to 100,000'),
    ('augment.local_samples', 10**12, '0 to 100,000'),
    ('augment.global_samples', -1, '0 to 100,000'),
    ('augment.temperature', math.nan, '0 to 100'),
    ('augment.temperature', math.inf, '0 to 100'),
    ('augment.temperature', -1.0, '0 to 100'),
    ('augment.max_tokens', -1, '1 to 1,000,000'),
    ('augment.max_tokens', 0, '1 to 1,000,000'),
    ('augment.max_tokens', None, '1 to 1,000,000'),
  ],
)
def test_a_number_out_of_range_names_its_key_and_what_is_allowed(
  key, value, allowed
):
  message = f'^--config.{key}={value}; give {allowed}$'
  with pytest.raises(ValueError, match=message):
    experiments.read(with_value(key, value))
  message = f'^--config.experiments.mine.{key}={value}; give {allowed}$'
  with pytest.raises(ValueError, match=message):
    experiments.read(with_value(key, value), above='experiments.mine.')


@pytest.mark.parametrize('key', experiments.CHOICES)
def test_a_name_that_is_unknown_names_its_key_and_what_is_allowed(key):
  message = f"^--config.{key}='no'; allowed are {experiments.allowed(key)}$"
  with pytest.raises(ValueError, match=re.escape(message[1:-1])):
    experiments.read(with_value(key, 'no'))
  for value in experiments.CHOICES[key]:
    experiments.read(with_value(key, value))


def test_the_choices_are_those_of_the_rooms():
  choices = experiments.CHOICES
  assert choices['context.kind'] == in_context.KINDS
  assert set(choices['scoring.core']) == {'auto', *cores.CORES}
  assert set(choices['train.remat']) == {'none', *plan.REMAT}
  assert set(choices['train.freeze']) == set(fine_tuning.FREEZES)
  assert set(choices['train.lora_on']) == set(lora.TARGETS)


def test_a_size_that_nothing_could_hold_is_refused():
  for value in (10**12, -(10**12), math.inf, math.nan):
    message = f'--config.size.facts={value}; give at most 1,000,000'
    with pytest.raises(ValueError, match=re.escape(message)):
      experiments.read(VALUES | {'size': {'facts': value}})


@pytest.mark.parametrize('key', experiments.RANGES)
def test_the_ends_of_a_range_are_allowed(key):
  low, high = experiments.RANGES[key]
  experiments.read(with_value(key, high))
  if 'more than' in experiments.allowed(key):
    experiments.read(with_value(key, 1e-9))
  else:
    experiments.read(with_value(key, low))


def test_how_a_step_is_computed_is_a_setting():
  assert set(experiments.HOW) < set(VALUES['train'])


def test_released_models_have_a_variant_whose_settings_are_of_an_experiment():
  assert set(released.MODELS) < set(reversal.VARIANTS)
  for model in released.MODELS:
    config = reversal.get_config(model)
    experiment = experiments.read(config.to_dict())
    assert (experiment.model, experiment.dtype) == (model, 'bfloat16')
