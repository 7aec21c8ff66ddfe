"""The study: every cell is run once, also after interruptions."""

import csv
import pathlib
import re
import shutil
import sys

import ml_collections
import pytest

from icl_gen import augment, build, evaluate, report, status, study, train
from icl_gen.runs import studies, units
from icl_gen.runs.stage import Stage
from tests.doors.test_pulse import everything

DOORS = {
  'build': build.run,
  'augment': augment.run,
  'train': train.run,
  'evaluate': evaluate.run,
}


class Interrupted(Exception):
  """Stands for Ctrl-C."""


@pytest.fixture(scope='module')
def config(experiment):
  """One world, one seed, two conditions, one of which uses every door."""
  made = ml_collections.ConfigDict(
    {
      'name': 'study',
      'experiments': {'reversal': experiment().to_dict()},
      'main_kinds': {'reversal': 'reversal'},
      'conditions': ('pretrained', 'ft_aug'),
      'seeds': (0,),
      'models': ('nano',),
      'checkpoint': '',
      'tokenizer': '',
      'dtype': '',
      'sweep': '',
    }
  )
  return ml_collections.FrozenConfigDict(made)


def interrupted_at(number):
  """Doors whose `number`th call is interrupted."""
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


def test_an_interrupted_study_resumes_to_the_same_report(
  config, compile_once, monkeypatch, tmp_path
):
  whole, parts = tmp_path / 'whole', tmp_path / 'parts'
  doors = go(config, whole, monkeypatch)
  assert sorted(doors) == ['augment', 'build', 'evaluate', 'evaluate', 'train']

  done = [go(config, parts, monkeypatch, stop=3)]
  done += [go(config, parts, monkeypatch, stop=2)]
  done += [go(config, parts, monkeypatch)]
  # Interrupted stages are called again, finished ones are not.
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


def test_a_mistake_in_a_world_can_be_corrected(config, monkeypatch, tmp_path):
  """It shows in the first stage; the corrected study runs in its place."""
  wrong = changed(config, **{'experiments.reversal.size.facts': 0})
  with pytest.raises(ValueError, match='facts=0'):
    go(wrong, tmp_path, monkeypatch)
  wrong = changed(config, **{'main_kinds.reversal': 'recall'})
  with pytest.raises(ValueError, match="'recall'; its kinds are forward, rev"):
    go(wrong, tmp_path, monkeypatch)
  assert not list(tmp_path.rglob('runs'))
  assert go(config, tmp_path, monkeypatch, stop=1) == ['evaluate']


@pytest.fixture(scope='module')
def finished(config, compile_once, tmp_path_factory):
  """A workdir with a finished study."""
  workdir = tmp_path_factory.mktemp('finished') / 'out'
  with pytest.MonkeyPatch.context() as patch:
    go(config, workdir, patch)
  return workdir


@pytest.fixture
def copied(finished, tmp_path):
  return shutil.copytree(finished, tmp_path / 'copy')


def seeds_of(workdir):
  text = (workdir / 'study/report/results.csv').read_text()
  return {row['seed'] for row in csv.DictReader(text.splitlines())} - {'mean'}


def test_a_finished_study_is_extended(config, copied, monkeypatch):
  """Only the new cells are run."""
  fewer = changed(config, conditions=('pretrained',))
  assert go(fewer, copied, monkeypatch) == []
  more = changed(config, seeds=(0, 1), conditions=('pretrained', 'icl'))
  called = go(more, copied, monkeypatch)
  assert called == ['build', 'evaluate', 'evaluate', 'evaluate']
  assert seeds_of(copied) == {'0', '1'}
  # The earlier study finds its cells, and reports no others.
  assert go(config, copied, monkeypatch) == []
  assert seeds_of(copied) == {'0'}


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    ({'experiments.reversal.size.facts': 7}, 'size.facts=6, now it is 7'),
    ({'experiments.reversal.train.steps': 5}, 'steps=4, now it is 5'),
    ({'experiments.reversal.augment.temperature': 0.1}, 'temperature=0.7, now'),
    ({'dtype': 'bfloat16'}, "dtype='float32', now it is 'bfloat16'"),
    ({'tokenizer': __file__}, 'tokenizer.*now it is'),
    ({'seeds': ()}, r'seeds=\(\): give one or more'),
    ({'seeds': ('a',)}, r"seeds=\('a',\): seeds are whole numbers"),
    ({'seeds': (0, -1)}, r'--config\.seeds=-1; give 0 to'),
    ({'seeds': (0, 0)}, r'seeds=\(0, 0\): give one or more, each once'),
    ({'conditions': ('tf',)}, "'tf'; allowed are pretrained"),
    (
      {'models': ('nano', 'nano_small'), 'checkpoint': 'x'},
      'a checkpoint fits one model, not all of nano, nano_small',
    ),
  ],
)
def test_results_of_other_settings_are_not_used(
  config, copied, monkeypatch, capsys, change, message
):
  before = everything(copied)
  other = changed(config, **change)
  with pytest.raises(ValueError, match=message):
    go(other, copied, monkeypatch)
  assert everything(copied) == before
  # A report reads the settings that are stored, and says so.
  if 'now' in message:
    report.run(other, copied)
    said = capsys.readouterr().out
    assert re.search(f'with the settings that are stored: .*{message}', said)
  else:
    with pytest.raises(ValueError, match=message):
      report.run(other, copied)
  assert everything(copied) == before


def test_scores_of_weights_that_are_made_anew_are_not_reported(
  config, copied, monkeypatch
):
  """Whoever does what the message of `train` says has the old ones."""
  train, evaluate = (
    Stage(door, copied / 'study/runs/reversal-ft_aug-nano-s0', {})
    for door in ('train', 'evaluate')
  )
  for path in (train.result, train.checkpoints):
    shutil.rmtree(path)
  train.settings_file.unlink()
  other = changed(config, **{'experiments.reversal.train.steps': 5})
  with pytest.raises(ValueError, match='created with checkpoint_is='):
    go(other, copied, monkeypatch)
  evaluate.result.unlink()
  assert go(other, copied, monkeypatch) == ['evaluate']


def test_a_report_of_other_cells_is_written_again(config, copied, monkeypatch):
  monkeypatch.setattr(sys, 'argv', ['report'])
  report.run(changed(config, conditions=('pretrained',)), copied)
  page = copied / 'study/report/results.csv'
  assert 'ft_aug' not in page.read_text()
  assert go(config, copied, monkeypatch) == []
  assert 'ft_aug' in page.read_text()


def test_a_report_needs_no_config(config, copied, capsys):
  """Of a workdir, a study or a run, all is read from the directory."""
  before = everything(copied)
  table = (copied / 'study/report/results.md').read_text()
  for directory in (copied, copied / 'study'):
    report.run(None, directory)
    said = capsys.readouterr().out
    assert table in said
    assert said.endswith('study/report/index.html\n')
  report.run(None, copied / 'study/runs/reversal-ft_aug-nano-s0')
  assert re.search(r'  reversal +\d.*, chance 50.0', capsys.readouterr().out)
  assert everything(copied) == before
  # Without the last report, it is written again, with the same numbers.
  numbers = (copied / 'study/report/results.csv').read_bytes()
  shutil.rmtree(copied / 'study/report')
  report.run(None, copied)
  assert (copied / 'study/report/results.csv').read_bytes() == numbers
  report.run(config.experiments.reversal, copied)
  assert table in capsys.readouterr().out


def test_there_must_be_something_to_report(tmp_path):
  with pytest.raises(ValueError, match='nothing to report in .*has runs/'):
    report.run(None, tmp_path)


def test_a_study_without_a_finished_cell_is_named(config, tmp_path):
  root = re.escape(str(tmp_path / 'study'))
  with pytest.raises(ValueError, match=rf'no cell in {root} .*icl_gen\.study'):
    report.run(config, tmp_path)
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('of_config', [True, False])
@pytest.mark.parametrize(
  'gone',
  [
    'runs/reversal-pretrained-nano-s0/scores.parquet',
    'runs/reversal-pretrained-nano-s0',
    'corpora/reversal-s0-augmented-nano/manifest.json',
  ],
)
def test_a_report_says_what_is_missing(
  config, copied, monkeypatch, capsys, gone, of_config
):
  monkeypatch.setattr(sys, 'argv', ['report'])
  path = copied / 'study' / gone
  shutil.rmtree(path) if path.is_dir() else path.unlink()
  report.run(config if of_config else None, copied)
  assert f'missing, and so not in the report: {path}' in capsys.readouterr().out


def test_a_page_says_which_seeds_have_no_cell_at_all(
  config, copied, monkeypatch
):
  monkeypatch.setattr(sys, 'argv', ['report'])
  page = copied / 'study/report/index.html'
  said = 'reversal, nano: no finished cell of seed 7.'
  assert said not in page.read_text()
  report.run(changed(config, seeds=(0, 7)), copied)
  assert said in page.read_text()
  # A report without a config keeps that, and sees what was begun since.
  report.run(None, copied)
  assert said in page.read_text()
  (copied / 'study/runs/reversal-ft-nano-s8').mkdir()
  report.run(None, copied)
  assert said.replace('seed 7', 'seeds 7, 8') in page.read_text()
  # The study as it was has nothing missing.
  report.run(config, copied)
  assert 'no finished cell' not in page.read_text()


def test_one_of_several_studies_has_to_be_named(config, copied):
  shutil.copytree(copied / 'study', copied / 'again')
  with pytest.raises(
    ValueError, match=r'several studies, again, study: .*again'
  ):
    report.run(config.experiments.reversal, copied)


def test_a_report_refuses_what_was_altered(config, copied):
  path = copied / 'study/corpora/reversal-s0-augmented-nano/manifest.json'
  path.write_text(path.read_text().replace('"lines": 1', '"lines": 2'))
  for given in (config, None):
    with pytest.raises(ValueError, match='manifest.json'):
      report.run(given, copied)


def test_mistakes_in_the_models_can_be_corrected(config, monkeypatch, tmp_path):
  for change, message in (
    ({'models': ('foo',)}, "unknown model 'foo'"),
    ({'checkpoint': '/nosuch'}, "no checkpoint at '/nosuch'"),
    ({'tokenizer': '/nosuch'}, "no tokenizer at '/nosuch'"),
    ({'tokenizer': __file__}, 'is not a SentencePiece model'),
    ({'checkpoint': str(pathlib.Path(__file__).parent)}, 'not a complete'),
    ({'models': ('nano_small',)}, 'is not of this model'),
    ({'models': ('gemma3_1b',)}, '2304 pieces.* 262144 embeddings'),
    ({'experiments.reversal.augment.max_tokens': 0}, 'max_tokens=0; give 1'),
    ({'experiments.reversal.train.warmup_steps': 9}, 'warmup_steps=9; give 0'),
    ({'experiments.reversal.train.length': 5000}, 'more than the 3,072'),
    ({'dtype': 'float17'}, "'float17'; allowed are float32"),
  ):
    wrong = changed(config, conditions=('ft_aug',), **change)
    with pytest.raises(ValueError, match=message):
      go(wrong, tmp_path, monkeypatch)
    assert list(tmp_path.iterdir()) == []  # found at once
  assert 'evaluate' in go(config, tmp_path, monkeypatch)


def jobs(config, root):
  return studies.jobs(studies.read(config.to_dict()), root)


def test_the_model_of_a_study_replaces_that_of_its_experiments(
  config, tmp_path
):
  given = changed(config, checkpoint='a', tokenizer='b', dtype='bfloat16')
  for job in jobs(given, tmp_path):
    of = job.experiment
    assert (of.checkpoint, of.tokenizer, of.dtype) == ('a', 'b', 'bfloat16')
  own = config.experiments.reversal.checkpoint
  assert own
  for job in jobs(config, tmp_path):
    assert job.experiment.checkpoint == own


def test_a_world_occurs_once(config, monkeypatch, tmp_path):
  twice = ml_collections.ConfigDict(config.to_dict())
  twice.experiments.again = (
    twice.experiments.reversal.copy_and_resolve_references()
  )
  with pytest.raises(ValueError, match='worlds reversal, reversal: '):
    go(ml_collections.FrozenConfigDict(twice), tmp_path, monkeypatch)


def test_files_that_changed_are_noticed(config, monkeypatch, tmp_path):
  (tmp_path / 'mine').mkdir()
  (tmp_path / 'mine/a.txt').write_text('Glon are red.')
  own = ml_collections.ConfigDict(config.to_dict())
  with own.experiments.reversal.unlocked():
    own.experiments.reversal.update(world='custom')
    own.experiments.reversal.size = {'path': str(tmp_path / 'mine')}
  own = ml_collections.FrozenConfigDict(own)
  first = jobs(own, tmp_path / 'study')[0]
  build.run(own.experiments.reversal, tmp_path / 'study')
  studies.check(first, tmp_path / 'study')
  (tmp_path / 'mine/a.txt').write_text('Glon are blue.')
  with pytest.raises(ValueError, match='created with files.a.txt='):
    go(own, tmp_path, monkeypatch)


def test_worlds_read_from_files_need_a_path(config, monkeypatch, tmp_path):
  own = changed(
    config,
    **{
      'experiments.reversal': {
        **config.experiments.reversal.to_dict(),
        'world': 'celebrity_files',
        'size': {'path': ''},
      }
    },
  )
  with pytest.raises(
    ValueError, match='--config.experiments.reversal.size.path='
  ):
    go(own, tmp_path, monkeypatch)


def test_a_report_of_fewer_cells_is_deleted(config, monkeypatch, tmp_path):
  page = tmp_path / 'study/report/index.html'
  go(config, tmp_path, monkeypatch, stop=2)
  page.parent.mkdir()
  page.write_text('of the cells so far')
  go(config, tmp_path, monkeypatch, stop=1)
  assert not page.exists()


def test_a_report_that_another_study_finished_meanwhile_is_kept(
  config, copied, monkeypatch
):
  page = copied / 'study/report/index.html'
  written, found = page.stat().st_mtime_ns, studies.left
  # When this study looked, the other one had not finished its last cell.
  seen = [jobs(config, copied / 'study')[-1:]]
  monkeypatch.setattr(
    studies, 'left', lambda *given: seen.pop() if seen else found(*given)
  )
  assert go(config, copied, monkeypatch) == ['evaluate']
  assert page.stat().st_mtime_ns == written


def test_one_unit_of_a_study_is_run_alone(config, monkeypatch, tmp_path):
  """The others are left to other processes, and so is the report."""
  root = tmp_path / 'study'
  two = changed(config, seeds=(0, 1), conditions=('pretrained',))
  called = []

  def evaluated(experiment, workdir):
    called.append(experiment.seed)
    name = f'reversal-pretrained-nano-s{experiment.seed}'
    path = workdir / 'runs' / name / 'scores.parquet'
    path.parent.mkdir(parents=True)
    path.touch()

  doors = DOORS | {'evaluate': evaluated}
  monkeypatch.setattr(study, '_doors', lambda compiled: doors)
  monkeypatch.setattr(studies, 'check', lambda job, root: None)
  study.run(two, tmp_path, only='reversal-nano-s1')
  assert called == [1]
  assert not (root / 'corpora/reversal-s0').exists()
  assert not (root / 'report').exists()
  assert units.recorded(root).seeds == [0, 1]
  study.run(two, tmp_path, only='reversal-nano-s1')
  assert called == [1]
  with pytest.raises(
    ValueError, match="unit 'reversal-nano-s2': a unit is <wo"
  ):
    study.run(two, tmp_path, only='reversal-nano-s2')


def scores_of(workdir, run):
  name = f'reversal-ft_aug-nano-s0{run}'
  return workdir / 'study/runs' / name / 'scores.parquet'


@pytest.mark.slow
def test_a_sweep_is_the_same_settings_run_alone(
  config, copied, monkeypatch, capsys, tmp_path
):
  """Byte for byte; and the study that was there is one of its points."""
  monkeypatch.setattr(sys, 'argv', ['study'])
  before = scores_of(copied, '').stat().st_mtime_ns
  sweep = 'train.learning_rate=2e-3,0.5 augment.temperature=0.7,0.9'
  swept = changed(config, sweep=sweep)
  # Two augmentations, one of which is there; four trainings, one there.
  called = go(swept, copied, monkeypatch)
  assert called == ['augment', *3 * ['train', 'evaluate']]
  assert go(swept, copied, monkeypatch) == []
  assert scores_of(copied, '').stat().st_mtime_ns == before

  run = 'temperature_0.9,lr_0.5'
  alone = changed(
    config.experiments.reversal,
    **{
      'condition': 'ft_aug',
      'run': run,
      'train.learning_rate': 0.5,
      'augment.temperature': 0.9,
      'augment.name': 'temperature_0.9',
    },
  )
  for door in ('build', 'augment', 'train', 'evaluate'):
    DOORS[door](alone, tmp_path / 'alone/study')
  both = [
    scores_of(workdir, f'+{run}') for workdir in (copied, tmp_path / 'alone')
  ]
  assert both[0].read_bytes() == both[1].read_bytes()
  assert both[0].read_bytes() != scores_of(copied, '').read_bytes()

  # The report tells them apart, with the settings and without.
  table = (copied / 'study/report/results.csv').read_bytes()
  found = list(csv.DictReader(table.decode().splitlines()))
  names = {'', 'lr_0.5', 'temperature_0.9', run}
  assert {row['run'] for row in found} == {*names, 'chosen'}
  quality = (copied / 'study/report/augmentation.csv').read_text()
  assert {row['run'] for row in csv.DictReader(quality.splitlines())} == {
    '',
    'temperature_0.9',
  }
  shutil.rmtree(copied / 'study/report')
  report.run(None, copied)
  assert (copied / 'study/report/results.csv').read_bytes() == table
  capsys.readouterr()
  status.run(None, copied)
  assert '12 stages: 12 done' in capsys.readouterr().out
  study.run(swept, copied)
  study.run(swept, copied, verify=True)
  assert 'nothing is damaged or missing' in capsys.readouterr().out
  # What one run lacks is said of that run.
  made = copied / 'study/corpora/reversal-s0-augmented-nano+temperature_0.9'
  (made / 'manifest.json').unlink()
  report.run(swept, copied)
  said = capsys.readouterr().out
  assert f'missing, and so not in the report: {made}/manifest.json' in said
