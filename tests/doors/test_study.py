"""The study: cells are worked through once, whatever comes between."""

import csv
import pathlib

import ml_collections
import pytest

from icl_gen import augment, build, evaluate, study, train

DOORS = {
  'build': build.run,
  'augment': augment.run,
  'train': train.run,
  'evaluate': evaluate.run,
}


class Interrupted(Exception):
  """Somebody pressed Ctrl-C."""


@pytest.fixture
def config(experiment):
  """A world, two conditions, one of them with every door, and a seed."""
  made = ml_collections.ConfigDict(
    {
      'name': 'study',
      'experiments': {'reversal': experiment().to_dict()},
      'main_kinds': {'reversal': 'reversal'},
      'conditions': ('pretrained', 'ft_aug'),
      'seeds': (0,),
      'models': ('nano',),
    }
  )
  return ml_collections.FrozenConfigDict(made)


def interrupted_at(number):
  """Doors of which the one called as the `number`th is interrupted."""
  called = []

  def counted(door):
    def run(*args):
      called.append(door)
      if len(called) == number:
        raise Interrupted
      DOORS[door](*args)

    return run

  return {door: counted(door) for door in DOORS}, called


def go(config, workdir, monkeypatch, *, stop=0):
  """Runs the study; returns the doors that were called."""
  doors, called = interrupted_at(stop)
  monkeypatch.setattr(study, '_doors', lambda compiled: doors)
  if stop:
    with pytest.raises(Interrupted):
      study.run(config, workdir)
  else:
    study.run(config, workdir)
  return called


def test_an_interrupted_study_goes_on_to_the_same_report(
  config, compile_once, monkeypatch, tmp_path
):
  whole, parts = tmp_path / 'whole', tmp_path / 'parts'
  doors = go(config, whole, monkeypatch)
  assert sorted(doors) == ['augment', 'build', 'evaluate', 'evaluate', 'train']

  done = [go(config, parts, monkeypatch, stop=3)]
  done += [go(config, parts, monkeypatch, stop=2)]
  done += [go(config, parts, monkeypatch)]
  # What was interrupted is called again, what was finished is not.
  assert [d for one in done[:2] for d in one[:-1]] + done[2] == doors
  texts = [
    (path / 'study/report/results.csv').read_text() for path in (whole, parts)
  ]
  assert texts[0] == texts[1]
  rows = list(csv.DictReader(texts[0].splitlines()))
  assert {row['condition'] for row in rows} == set(config.conditions)
  assert {row['seed'] for row in rows} == {'0', 'mean'}

  report = whole / 'study/report/index.html'
  written = report.stat().st_mtime_ns
  assert go(config, whole, monkeypatch) == []
  assert report.stat().st_mtime_ns == written


def stages(*doors):
  return [study.Stage(door, None, pathlib.Path(door)) for door in doors]


@pytest.mark.parametrize(
  ('spent', 'left', 'wanted'),
  [
    ({'train': [90.0, 110.0], 'build': [1.0]}, ['train'], '0:01:40'),
    ({'train': [100.0], 'build': [1.0]}, ['build'] * 3, '0:00:03'),
    # Nothing is known of a door: as long as the others, on average.
    ({'train': [90.0], 'build': [10.0]}, ['augment', 'build'], '0:01:00'),
  ],
)
def test_time_to_go_is_what_the_same_doors_took(spent, left, wanted):
  found = {door: [] for door in left} | spent
  assert study._to_go(found, stages(*left)) == wanted
