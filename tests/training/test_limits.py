"""Settings out of range are refused by name, and the smallest are allowed."""

import math

import pytest

from icl_gen.training import limits

SMALLEST = {
  'steps': 1,
  'batch_size': 1,
  'length': 2,
  'learning_rate': 1e-9,
  'warmup_steps': 0,
  'final_share': 0.0,
  'weight_decay': 0.0,
  'clip': 1e-9,
  'report_every': 1,
  'save_every': 1,
}


def test_the_smallest_settings_are_allowed():
  limits.require_sensible(SMALLEST, seed=0, model='nano')


@pytest.mark.parametrize('name', SMALLEST)
def test_every_setting_has_a_lower_limit(name):
  below = 0 if name in ('learning_rate', 'clip') else SMALLEST[name] - 1
  for bad in (below, math.nan, math.inf):
    with pytest.raises(ValueError, match=f'{name}={bad}; give '):
      limits.require_sensible(SMALLEST | {name: bad}, seed=0, model='nano')


@pytest.mark.parametrize('warmup_steps', [11, 3_000_000_000])
def test_the_warmup_is_not_longer_than_the_training(warmup_steps):
  settings = SMALLEST | {'steps': 10, 'warmup_steps': 10}
  limits.require_sensible(settings, seed=0, model='nano')
  with pytest.raises(ValueError, match=f'warmup_steps={warmup_steps}; give 0'):
    limits.require_sensible(
      settings | {'warmup_steps': warmup_steps}, seed=0, model='nano'
    )


def test_seeds_are_not_negative():
  with pytest.raises(ValueError, match='seed=-1; give 0 or more'):
    limits.require_sensible(SMALLEST, seed=-1, model='nano')


def test_rows_are_no_longer_than_those_of_the_model():
  limits.require_sensible(SMALLEST | {'length': 3072}, seed=0, model='nano')
  with pytest.raises(ValueError, match='3,073 tokens, more than the 3,072'):
    limits.require_sensible(SMALLEST | {'length': 3073}, seed=0, model='nano')
  with pytest.raises(ValueError, match="unknown model 'gemma9'; known are"):
    limits.require_sensible(SMALLEST, seed=0, model='gemma9')


@pytest.mark.parametrize('name', ['report_every', 'save_every'])
def test_intervals_can_be_checked_alone(name):
  intervals = {'report_every': 1, 'save_every': 1}
  limits.require_intervals(intervals)
  with pytest.raises(ValueError, match=f'{name}=0; give 1 or more'):
    limits.require_intervals(intervals | {name: 0})
