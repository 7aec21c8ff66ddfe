"""Controls are augmentations of their own, with the tokens of another one."""

import dataclasses

import pytest

from configs import ablations
from configs import study as config
from icl_gen.augmentation import sources
from icl_gen.runs import controls, experiments, reported, studies, sweeps
from icl_gen.text import prompts
from tests.runs.test_experiments import EXPERIMENT
from tests.runs.test_studies import VALUES
from tests.runs.test_sweeps import names, swept


def with_augment(**changes):
  changed = dataclasses.replace(EXPERIMENT.augment, **changes)
  return dataclasses.replace(EXPERIMENT, augment=changed)


def test_the_sources_are_those_that_settings_name():
  assert list(sources.SOURCES) == controls.SOURCES


def test_inferences_are_recorded_as_before():
  assert set(controls.recorded(EXPERIMENT.augment)) == {
    *('documents_per_fact', 'local_samples', 'global_samples'),
    *('temperature', 'max_tokens'),
  }
  oracle = with_augment(source='oracle', noise=0.5, match='a', name='b')
  more = controls.recorded(oracle.augment)
  assert {name: more[name] for name in ('source', 'noise')} == {
    'source': 'oracle',
    'noise': 0.5,
  }
  assert not {'name', 'match', 'share', 'tokens'} & set(more)


def test_a_control_has_the_tokens_of_inferences_unless_it_says_how_many():
  assert controls.matched(EXPERIMENT) is None
  oracle = with_augment(source='oracle', noise=0.5, match='a', name='b')
  assert controls.matched(oracle) == with_augment(name='a')
  stated = with_augment(source='oracle', tokens=9)
  assert controls.matched(stated) is None


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'noise': 0.5}, r'augment.noise=0.5 with .*source=model: only oracle'),
    ({'noise': 0.5, 'source': 'originals'}, r'noise=0.5 with .*originals'),
    ({'share': 0.5, 'source': 'wrong_pairs'}, r'share=0.5 with .*wrong_pairs'),
    ({'wordings': 'several', 'source': 'oracle'}, r'only phrased can'),
    ({'openings': 'one'}, r'openings=one with .*source=model: only phrased'),
    ({'tokens': 5}, r'tokens=5 with .*source=model: only originals, para'),
    ({'match': 'a'}, r'match=a with .*source=model'),
    ({'likeliest': 4, 'source': 'oracle'}, r'likeliest=4 .*oracle: only model'),
    ({'prompt': 'terse', 'source': 'oracle'}, r'prompt=terse .*: only model'),
  ],
)
def test_settings_of_other_sources_are_mistakes(changes, message):
  with pytest.raises(ValueError, match=message):
    controls.require_source(with_augment(**changes))


def test_a_study_refuses_them_too():
  with pytest.raises(
    ValueError, match='experiments.reversal.augment.noise=0.5'
  ):
    swept('augment.noise=0.5')


def test_a_study_stores_the_distributions_that_it_trains_on(tmp_path):
  with pytest.raises(
    ValueError, match='reversal.train.targets.*reversal.augment.likeliest=0'
  ):
    swept('train.targets=distribution')
  grid = 'augment.likeliest=32 train.targets=distribution'
  assert names(swept(grid), tmp_path, 'train') == [
    'reversal-ft-nano-s0',
    'reversal-ft_aug-nano-s0+likeliest_32,targets_distribution',
  ]


def test_wordings_of_prompts_are_runs_of_what_is_sampled(tmp_path):
  study = swept(f' | {ablations.ABLATIONS["prompt_wordings"][0]}')
  others = [
    f'+prompt_{name}' for name in prompts.WORDINGS if name != prompts.USUAL
  ]
  assert len(others) >= 3
  for door, stem in (
    ('augment', 'reversal-s0-augmented-nano'),
    ('train', 'reversal-ft_aug-nano-s0'),
  ):
    found = [n for n in names(study, tmp_path, door) if n.startswith(stem)]
    assert sorted(found) == sorted([stem, *(stem + one for one in others)])
  # Nothing else is run again.
  assert names(study, tmp_path, 'build') == ['reversal-s0'] * 1
  assert [n for n in names(study, tmp_path, 'evaluate') if '+' in n] == [
    f'reversal-ft_aug-nano-s0{one}' for one in others
  ]


def test_inferences_are_sampled_before_their_controls(tmp_path):
  study = swept('augment.source=oracle augment.noise=0.5 augment.max_tokens=9')
  own, control = names(study, tmp_path, 'augment')
  assert own == 'reversal-s0-augmented-nano+max_tokens_9'
  assert control == f'{own},noise_0.5,source_oracle'
  of = {
    job.result.parent.name: job
    for job in studies.jobs(study, tmp_path)
    if job.door == 'augment'
  }
  assert of[own].result in of[control].needs
  assert not controls.is_control(of[own].experiment)
  assert of[own].experiment.augment.max_tokens == 9
  # Nothing is trained on what is only measured.
  assert names(study, tmp_path, 'train') == [
    'reversal-ft-nano-s0',
    'reversal-ft_aug-nano-s0+max_tokens_9,noise_0.5,source_oracle',
  ]


def with_control(**changes):
  """A study whose own experiment is a control."""
  own = with_augment(source='oracle', name='oracle', **changes)
  experiments_now = {'reversal': dataclasses.asdict(own)}
  conditions = {'conditions': ('ft_aug',), 'experiments': experiments_now}
  return studies.read(VALUES | conditions | {'sweep': '| train.length=99'})


def test_a_control_that_is_configured_has_the_tokens_of_its_point(tmp_path):
  """What is too long for a row of training is not among inferences."""
  jobs = {
    job.result: job
    for job in studies.jobs(with_control(), tmp_path)
    if job.door == 'augment'
  }
  assert len(jobs) == 4
  for job in jobs.values():
    if controls.is_control(job.experiment):
      own = jobs[job.needs[-1]].experiment
      assert not controls.is_control(own)
      assert own.train.length == job.experiment.train.length


def test_a_control_with_a_number_of_tokens_needs_no_inferences(tmp_path):
  study = swept('augment.source=originals augment.tokens=500')
  assert names(study, tmp_path, 'augment') == [
    'reversal-s0-augmented-nano+source_originals,tokens_500'
  ]


def test_grids_are_put_together(tmp_path):
  one, other = 'train.steps=4,9 train.clip=2', 'augment.temperature=1.0'
  assert sweeps.points(f' | {one} | {other}') == [
    *sweeps.points(''),
    *sweeps.points(one),
    *sweeps.points(other),
  ]
  # What several grids have is run once; EXPERIMENT has 4 steps.
  study = swept(' | train.steps=4,9 | train.steps=9 train.length=50')
  assert names(study, tmp_path, 'evaluate') == [
    'reversal-pretrained-nano-s0',
    'reversal-icl-nano-s0',
    *('reversal-ft-nano-s0', 'reversal-ft-nano-s0+steps_9'),
    'reversal-ft-nano-s0+length_50,steps_9',
    *('reversal-ft_aug-nano-s0', 'reversal-ft_aug-nano-s0+steps_9'),
    'reversal-ft_aug-nano-s0+length_50,steps_9',
  ]


def test_all_grids_together_have_a_greatest_number_of_points():
  steps = ','.join(map(str, range(1, 600)))
  with pytest.raises(ValueError, match='has more than 1,000 points'):
    sweeps.points(f'train.steps={steps} | train.steps={steps}')


def test_every_setting_of_every_grid_must_be_of_use():
  with pytest.raises(ValueError, match=r'depends on train.steps; add ft'):
    swept('context.factor=2 | train.steps=1', conditions=('icl',))


def test_without_a_choice_there_must_be_what_is_shown():
  with pytest.raises(ValueError, match='add them to the sweep as an empty'):
    swept('train.steps=9', choose=False)
  for sweep in ('', ' | train.steps=9'):
    study = swept(sweep, choose=False)
    assert reported.shown(study)['choose'] is False
  assert 'choose' not in reported.shown(swept('train.steps=9'))


def test_older_records_of_studies_choose():
  assert studies.read({**VALUES}).choose


@pytest.mark.parametrize('name', [*ablations.ABLATIONS, 'full'])
def test_ablations_are_studies_of_one_directory(name, tmp_path):
  """Each has runs of its own, and shares them with all of them together."""
  study = studies.read(config.get_config(name).to_dict())
  assert (study.name, study.choose) == ('ablations', False)
  found = {job.result for job in studies.jobs(study, tmp_path)}
  plain = dataclasses.replace(study, sweep='')
  assert {job.result for job in studies.jobs(plain, tmp_path)} < found
  full = studies.read(config.get_config('full').to_dict())
  assert found <= {job.result for job in studies.jobs(full, tmp_path)}
  for job in studies.jobs(study, tmp_path):
    controls.require_source(job.experiment)
    experiments.require_samples(job.experiment)
