"""Settings that do not fit together are refused by name."""

import dataclasses

import pytest

from icl_gen.runs.experiments import Training
from icl_gen.training import limits

SETTINGS = dataclasses.asdict(Training(steps=10, warmup_steps=10, length=3072))


@pytest.mark.parametrize('warmup_steps', [11, 3_000_000_000])
def test_the_warmup_is_not_longer_than_the_training(warmup_steps):
  limits.require_sensible(SETTINGS, model='nano')
  with pytest.raises(ValueError, match=f'warmup_steps={warmup_steps}; give 0'):
    limits.require_sensible(
      SETTINGS | {'warmup_steps': warmup_steps}, model='nano'
    )


def test_rows_are_no_longer_than_those_of_the_model():
  with pytest.raises(ValueError, match='3,073 tokens, more than the 3,072'):
    limits.require_sensible(SETTINGS | {'length': 3073}, model='nano')
  with pytest.raises(ValueError, match="unknown model 'gemma9'; known are"):
    limits.require_sensible(SETTINGS, model='gemma9')


@pytest.mark.parametrize(
  'given',
  [{'splitting': 'independent'}, {'reverse': 'words'}, {'mask': 'added'}],
)
def test_texts_that_are_changed_have_no_distributions(given):
  limits.require_sensible(SETTINGS | given, model='nano')
  distilled = SETTINGS | {'targets': 'distribution'}
  limits.require_sensible(distilled, model='nano')
  ((name, value),) = given.items()
  with pytest.raises(ValueError, match=f"{name}='{value}' with .*targets='di"):
    limits.require_sensible(distilled | given, model='nano')


@pytest.mark.parametrize('given', [{'remat': 'full'}, {'scan': True}])
def test_what_the_package_does_not_do_is_refused(given):
  limits.require_sensible(SETTINGS | given, model='nano')
  limits.require_sensible(SETTINGS, model='gemma3n_e2b')
  with pytest.raises(ValueError, match="'gemma3n_e2b' itself, so it takes"):
    limits.require_sensible(SETTINGS | given, model='gemma3n_e2b')


def test_adapters_are_scaled():
  limits.require_sensible(SETTINGS | {'lora_alpha': 0.0}, model='nano')
  unscaled = SETTINGS | {'lora_rank': 2, 'lora_alpha': 0.0}
  with pytest.raises(ValueError, match='lora_alpha=0: .* learn nothing'):
    limits.require_sensible(unscaled, model='nano')


@pytest.mark.parametrize('given', [{'replay': 'x'}, {'replay_share': 0.5}])
def test_texts_to_replay_have_a_share(given):
  with pytest.raises(ValueError, match='give both, the texts and their share'):
    limits.require_sensible(SETTINGS | given, model='nano')
  both = {'replay': 'x', 'replay_share': 0.5}
  limits.require_sensible(SETTINGS | both, model='nano')


@pytest.mark.parametrize('given', [{'stop_after': 2}, {'keep_best': True}])
def test_without_evaluations_there_is_nothing_to_choose_by(given):
  with pytest.raises(
    ValueError, match='evaluate_every=0: nothing is evaluated'
  ):
    limits.require_sensible(SETTINGS | given, model='nano')
  limits.require_sensible(
    SETTINGS | given | {'evaluate_every': 1}, model='nano'
  )
