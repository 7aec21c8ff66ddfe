"""Studies that pretrain their own models: points, jobs, settings."""

import collections
import dataclasses

import pytest

from configs import causal
from icl_gen.augmentation import plan
from icl_gen.runs import (
  controls,
  directories,
  models,
  pretrainings,
  reported,
  studies,
  units,
)
from icl_gen.runs.stage import Stage
from icl_gen.text import context, tokens
from icl_gen.worlds import catalog
from tests.rules import ROOT
from tests.runs.test_studies import VALUES

RECIPE = {
  'model': 'nano',
  'seed': 0,
  'stream': 'rows',
  'run': '',
  'reversals': 0.7,
  'entities': {'facts': 4, 'share': 0.25, 'both_orders': False},
  'steps': 3,
  'stages': {'1': {'learning_rate': (0.1, 0.0)}},
}
GRID = 'reversals=0.7,0.0 entities.both_orders=False,True'
MADE = {'recipe': RECIPE, 'grid': GRID}
CAUSAL = VALUES | {
  'conditions': ('pretrained', 'ft', 'ft_aug'),
  'seeds': (0, 1),
  'pretraining': MADE,
}


@pytest.fixture
def study():
  return studies.read(CAUSAL)


def finish(job, settings):
  stage = Stage(job.door, job.result.parent, settings)
  job.result.parent.mkdir(parents=True, exist_ok=True)
  with stage.guard():
    stage.begin()
    job.result.touch()


def test_every_point_and_seed_is_pretrained_once(study, tmp_path):
  jobs = studies.jobs(study, tmp_path)
  doors = collections.Counter(job.door for job in jobs)
  assert doors == {
    'pretrain': 4 * 2,
    'build': 2,
    'augment': 4 * 2,
    'train': 2 * 4 * 2,
    'evaluate': 3 * 4 * 2,
  }
  made = {j.result: j.recipe for j in jobs if j.door == 'pretrain'}
  values = {
    (r['seed'], r['reversals'], r['entities']['both_orders'])
    for r in made.values()
  }
  assert len(values) == len(made) == 8
  # All else is equal, apart from the name.
  seeds = collections.defaultdict(list)
  for recipe in made.values():
    rest = dict(recipe, reversals=0, run='')
    rest['entities'] = dict(recipe['entities'], both_orders=False)
    seeds[recipe['seed']].append(rest)
  assert all(one == rests[0] for rests in seeds.values() for one in rests)
  assert seeds[0][0]['stream'] != seeds[1][0]['stream']
  for recipe in made.values():
    directories.require_name(recipe['run'], flag='run')


def test_cells_start_from_their_own_weights(study, tmp_path):
  jobs = studies.jobs(study, tmp_path)
  made = {str(j.result): j.recipe for j in jobs if j.door == 'pretrain'}
  for job in jobs:
    if job.door == 'build':
      assert job.experiment.checkpoint == job.experiment.tokenizer == ''
    elif job.door != 'pretrain':
      weights = job.experiment.checkpoint
      assert weights in map(str, job.needs)
      assert made[weights]['seed'] == job.experiment.seed
      assert job.experiment.run in weights
  assert len({job.result for job in jobs}) == len(jobs)


def test_controls_have_the_tokens_of_what_their_own_weights_infer(tmp_path):
  sweep = {'sweep': 'augment.source=model,oracle', 'conditions': ('ft_aug',)}
  jobs = {
    job.result: job
    for job in studies.jobs(studies.read(CAUSAL | sweep), tmp_path)
    if job.door == 'augment'
  }
  made = [j for j in jobs.values() if controls.is_control(j.experiment)]
  assert (len(made), len(jobs)) == (8, 16)
  for job in made:
    own = jobs[job.needs[-1]].experiment
    assert own.checkpoint == job.experiment.checkpoint


def test_jobs_wait_for_the_weights(study, tmp_path):
  by_door = {}
  for job in studies.jobs(study, tmp_path):
    by_door.setdefault(job.door, job)
  finish(by_door['build'], {})
  assert studies.can_start(by_door['pretrain'])
  assert not studies.can_start(by_door['evaluate'])
  made = by_door['pretrain']
  stage = pretrainings.stage(made.recipe, tmp_path)
  finish(made, stage.settings)
  assert studies.can_start(by_door['evaluate'])
  assert made not in studies.left(study, tmp_path)


def test_a_changed_recipe_is_noticed(study, tmp_path):
  job = next(j for j in studies.jobs(study, tmp_path) if j.door == 'pretrain')
  finish(job, pretrainings.stage(job.recipe, tmp_path).settings)
  studies.check(job, tmp_path)
  other = dataclasses.replace(job, recipe=dict(job.recipe, steps=4))
  with pytest.raises(ValueError, match='created with steps=3, now it is 4'):
    studies.check(other, tmp_path)


def test_units_divide_the_jobs(study, tmp_path):
  every = {job.result for job in studies.jobs(study, tmp_path)}
  parts = [
    {job.result for job in studies.jobs(unit, tmp_path)}
    for unit in units.units(study).values()
  ]
  assert set.union(*parts) == every
  assert sum(map(len, parts)) == len(every)


def test_a_recorded_study_is_the_same(study, tmp_path):
  units.record(study, tmp_path)
  again = units.recorded(tmp_path)
  assert studies.jobs(again, tmp_path)[0].result.exists() is False
  assert [job.result for job in studies.jobs(again, tmp_path)] == [
    job.result for job in studies.jobs(study, tmp_path)
  ]


def test_settings_that_older_runs_lack_are_not_recorded(tmp_path):
  """A recipe with what they had resumes them."""
  older = {
    k: v for k, v in RECIPE.items() if k not in ('reversals', 'entities')
  }
  nothing = {'facts': 0, 'share': 0.0, 'both_orders': False}
  same = pretrainings.stage(
    older | {'reversals': 0.7, 'entities': nothing}, tmp_path
  )
  assert same.settings == {k: v for k, v in older.items() if k != 'run'}
  assert same.directory == tmp_path / 'pretrain' / 'nano'
  for change in ({'reversals': 0.0}, {'entities': RECIPE['entities']}):
    made = pretrainings.stage(older | {'entities': nothing} | change, tmp_path)
    assert change.items() <= made.settings.items()


def test_factors_begin_with_the_recipes_own_values():
  swapped = MADE | {'grid': 'reversals=0.0,0.7'}
  found = reported.factors(studies.read(CAUSAL | {'pretraining': swapped}))
  assert list(found.values()) == [{'reversals': '0.7'}, {'reversals': '0.0'}]
  assert reported.factors(studies.read(VALUES)) == {}


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    ({'models': ('gemma3_1b',)}, "'gemma3_1b' cannot be pretrained here"),
    ({'checkpoint': 'weights'}, 'takes no --config.checkpoint'),
    (
      {'pretraining': {'recipe': RECIPE}},
      'pretraining has recipe; give recipe and grid, and maybe pred',
    ),
    ({'pretraining': MADE | {'grid': 'reversals'}}, "'reversals' is not SETT"),
    ({'pretraining': MADE | {'grid': 'steps=1,1'}}, 'give each value once'),
    (
      {'pretraining': MADE | {'grid': 'steps=1 steps=2'}},
      'steps is given twice',
    ),
    (
      {
        'pretraining': {
          'recipe': RECIPE | {'ends': {'steps': 1}},
          'grid': 'steps=1,2 ends.steps=1,2',
        }
      },
      "two settings are called 'steps'",
    ),
    ({'pretraining': MADE | {'grid': 'depth=1'}}, "no setting 'depth'"),
    ({'pretraining': MADE | {'grid': 'seed=1,2'}}, "'seed' cannot be varied"),
    ({'pretraining': MADE | {'grid': 'stages=1'}}, "'stages' cannot be var"),
    ({'pretraining': MADE | {'grid': 'steps=x'}}, "cannot read 'x' in 'steps"),
    ({'pretraining': MADE | {'grid': 'steps=0.5'}}, "'0.5' in .* not like 3"),
  ],
)
def test_mistakes_are_refused(change, message):
  with pytest.raises(ValueError, match=message):
    studies.read(CAUSAL | change)


def test_flags_are_those_of_the_study():
  assert pretrainings.flags('give --config.reversals=0.5') == (
    'give --config.pretraining.recipe.reversals=0.5'
  )


def test_the_causal_study_fits_its_models():
  """Also the context of all documents, which augmenting builds in any case."""
  study = studies.read(causal.get_config().to_dict())
  (experiment,) = study.experiments.values()
  _, corpus = catalog.build('reversal', seed=0, **dict(experiment.size))
  tokenizer = tokens.load(ROOT / 'icl_gen/assets/tokenizer.model')
  whole = context.build(
    corpus.documents,
    seed='all',
    factor=experiment.context.factor,
    count_tokens=tokenizer.count,
  )
  chosen = plan.choose(corpus.documents, per_fact=1, seed='all')
  longest = plan.longest(chosen, whole, tokenizer.count)
  for model in study.models:
    most = models.longest(model)
    assert longest + experiment.augment.max_tokens <= most
