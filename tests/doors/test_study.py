"""The study: cells are worked through once, whatever comes between."""

import csv

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


def changed(config, **changes):
  thawed = ml_collections.ConfigDict(config.to_dict())
  thawed.update_from_flattened_dict(changes)
  return ml_collections.FrozenConfigDict(thawed)


def test_a_mistake_in_a_world_is_not_noted(config, monkeypatch, tmp_path):
  """It shows in the first stage, and the mended study runs in its place."""
  wrong = changed(config, **{'experiments.reversal.size.facts': 0})
  with pytest.raises(ValueError, match='facts=0'):
    go(wrong, tmp_path, monkeypatch)
  wrong = changed(config, **{'main_kinds.reversal': 'recall'})
  with pytest.raises(ValueError, match="'recall'; its kinds are forward, rev"):
    go(wrong, tmp_path, monkeypatch)
  assert not list(tmp_path.rglob('runs'))
  assert go(config, tmp_path, monkeypatch, stop=1) == ['evaluate']
  with pytest.raises(ValueError, match='seeds='):
    go(changed(config, seeds=(0, 1)), tmp_path, monkeypatch)


def test_a_world_occurs_once(config, monkeypatch, tmp_path):
  twice = ml_collections.ConfigDict(config.to_dict())
  twice.experiments.again = (
    twice.experiments.reversal.copy_and_resolve_references()
  )
  with pytest.raises(ValueError, match='reversal, reversal: each names direc'):
    go(ml_collections.FrozenConfigDict(twice), tmp_path, monkeypatch)


def test_files_that_changed_are_seen(config, monkeypatch, tmp_path):
  (tmp_path / 'mine').mkdir()
  (tmp_path / 'mine/a.txt').write_text('Glon are red.')
  own = ml_collections.ConfigDict(config.to_dict())
  with own.experiments.reversal.unlocked():
    own.experiments.reversal.update(world='custom')
    own.experiments.reversal.size = {'path': str(tmp_path / 'mine')}
  settings = study._settings(ml_collections.FrozenConfigDict(own))
  (tmp_path / 'mine/a.txt').write_text('Glon are blue.')
  assert study._settings(ml_collections.FrozenConfigDict(own)) != settings


def test_a_report_of_fewer_cells_is_not_taken_for_the_last(
  config, monkeypatch, tmp_path
):
  page = tmp_path / 'study/report/index.html'
  go(config, tmp_path, monkeypatch, stop=2)
  page.parent.mkdir()
  page.write_text('of the cells so far')
  go(config, tmp_path, monkeypatch, stop=1)
  assert not page.exists()
