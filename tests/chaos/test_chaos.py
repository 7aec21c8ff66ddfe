"""The harness itself: it sees what broke, and its rounds pass."""

import collections
import dataclasses
import os
import random

import pytest

from icl_gen.storage import files, scores
from icl_gen.types import ChoiceScore, Score
from tests.chaos import __main__ as chaos
from tests.chaos import (
  configs,
  damage,
  damages,
  features,
  folders,
  judge,
  reference,
  remedies,
  results,
  rounds,
)
from tests.chaos.commands import Ended
from tests.chaos.settings import NAME
from tests.chaos.stages import COMMANDS


def ended(code=0, stdout='', stderr='', late=False):
  return Ended(code, stdout, stderr, late=late)


REFUSAL = 'error: no such world\n(--debug shows where)\n'


def test_a_command_works_or_refuses_in_one_line():
  assert judge.ended(ended(stdout='built')) == judge.IDENTICAL
  assert judge.ended(ended(2, stderr=REFUSAL)) == judge.REFUSED


@pytest.mark.parametrize(
  'broken',
  [
    ended(1, stderr='KeyError: 3'),
    ended(0, stderr='Traceback (most recent call last)\n'),
    ended(0, stderr='Exception ignored in: <x>\n'),
    ended(2, stderr='error: one\ntwo\n(--debug shows where)\n'),
    ended(2, stderr=''),
    ended(-9),
    ended(2, stderr=REFUSAL, late=True),
  ],
)
def test_everything_else_is_a_failure(broken):
  with pytest.raises(judge.Failure):
    judge.ended(broken)


def test_a_killed_command_dies_or_answers():
  for code, signum in ((-9, 9), (-15, 15), (143, 15), (0, 9)):
    judge.killed(ended(code), signum)
  for code, signum in ((1, 9), (143, 9), (2, 15)):
    with pytest.raises(judge.Failure):
      judge.killed(ended(code), signum)


# --- results -----------------------------------------------------------------


def write_scores(path, logp):
  score = Score(
    question_id='q',
    kind='reversal',
    stratum='',
    cluster='c',
    answers=(0,),
    choices=(
      ChoiceScore(
        logp=logp, tokens=1, characters=1, bytes=1, logp_unconditional=-1.0
      ),
    ),
  )
  metadata = dict.fromkeys(('world', 'condition', 'model', 'seed'), 'x')
  scores.write_scores(path, [score], metadata=metadata)


@dataclasses.dataclass
class Known:
  """In place of a reference."""

  results: dict


@pytest.fixture
def scored(tmp_path):
  """A round whose study has one file of scores."""
  known = Known({})
  this = rounds.Round('x', tmp_path, known, commands=None, model=())
  write_scores(this.root / 'runs/cell/scores.parquet', -1.5)
  known.results = results.of_study(this.root)
  assert list(known.results) == ['runs/cell/scores.parquet']
  return this


@pytest.mark.parametrize('logp', [-1.5000001, -2.5])
def test_an_altered_score_is_a_failure(scored, logp):
  scored.same()
  write_scores(scored.root / 'runs/cell/scores.parquet', logp)
  with pytest.raises(judge.Failure, match='results differ: runs/cell/scores'):
    scored.same()


def test_a_missing_or_unreadable_result_is_a_failure(scored):
  path = scored.root / 'runs/cell/scores.parquet'
  path.write_bytes(path.read_bytes()[:-1])
  with pytest.raises(judge.Failure, match='ValueError'):
    scored.same()
  path.unlink()
  with pytest.raises(judge.Failure, match='missing'):
    scored.same()


def test_losses_count_and_times_do_not(tmp_path):
  for name, loss, eta in (('a', 1.5, 3.0), ('b', 1.5, 4.0), ('c', 1.25, 3.0)):
    path = tmp_path / name / 'runs/cell/metrics.jsonl'
    files.append_json_line(path, {'step': 2, 'loss': loss, 'eta_seconds': eta})
  of = {name: results.of_study(tmp_path / name) for name in 'abc'}
  assert of['a'] == of['b'] != of['c']


def test_what_an_evaluation_while_training_found_counts(tmp_path):
  for name, accuracy in (('a', 0.5), ('b', 0.5), ('c', 0.25)):
    path = tmp_path / name / 'runs/cell/metrics.jsonl'
    files.append_json_line(path, {'step': 4, 'development_accuracy': accuracy})
  of = {name: results.of_study(tmp_path / name) for name in 'abc'}
  assert of['a'] == of['b'] != of['c']


@pytest.mark.parametrize(
  ('name', 'counts'),
  [
    ('explorer/reversal-nano.js', True),
    ('claims.csv', True),
    ('costs.csv', False),
  ],
)
def test_the_report_counts_without_its_times(tmp_path, name, counts):
  found = []
  for content in ('one', 'two'):
    path = tmp_path / 'report' / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    (tmp_path / 'report/index.html').write_text(f'{content}</html>')
    found.append(results.of_study(tmp_path))
  assert (found[0] != found[1]) == counts
  path.unlink()
  assert results.of_study(tmp_path) != found[0]


# --- damage and remedies -----------------------------------------------------


def test_damage_is_the_same_for_the_same_seed(tmp_path):
  done = []
  for folder in ('one', 'two'):
    rng = random.Random(5)
    for number in range(60):
      path = tmp_path / folder / f'{number}.jsonl'
      path.parent.mkdir(exist_ok=True)
      path.write_text('{"a": 1}\n{"a": 2}\n{"a": 3}\n')
      said = damage.harm(rng, path)
      left = path.read_bytes() if path.is_file() else path.is_dir()
      same = left == b'{"a": 1}\n{"a": 2}\n{"a": 3}\n'
      assert same == said.endswith('(no change)')
      done.append((said.partition(': ')[2], left))
  assert done[:60] == done[60:]
  kinds = {said.removesuffix(' (no change)') for said, _ in done}
  assert len(kinds) > 8


@pytest.mark.parametrize(
  ('message', 'deleted', 'doors'),
  [
    (
      '/w/a/b.json is not a JSON file in UTF-8 (x); delete it and re-run the'
      ' command that wrote it',
      ['a/b.json'],
      [],
    ),
    (
      '/w/corpora/c/x.array_record is changed since it was written; delete the'
      ' directory and re-run the command that wrote it',
      ['corpora/c'],
      [],
    ),
    (
      "'/w/corpora/c' was created with seed=1, now it is 2. Give the same"
      ' value, another --workdir, or delete it and /w/corpora/c.settings and'
      ' run `python -m icl_gen.build` again.',
      ['corpora/c', 'corpora/c.settings'],
      ['build'],
    ),
    (
      "'/w/runs/c' was created with seed=1, now it is 2. Give the same value,"
      ' another --workdir, or delete that directory and run `python -m'
      ' icl_gen.train` again.',
      ['runs/c'],
      ['train'],
    ),
    (
      "'/w/runs/c/t.json', the settings of '/w/runs/c/params', is damaged."
      " Delete '/w/runs/c/t.json' and '/w/runs/c/params' and run `python -m"
      ' icl_gen.train` again.',
      ['runs/c/t.json', 'runs/c/params'],
      ['train'],
    ),
    (
      "there is no '/w/runs/c/params' yet: run `python -m icl_gen.train` with"
      ' the same config and --workdir first',
      [],
      ['train'],
    ),
    (
      '/w/runs/c/scores.parquet is damaged (x); delete it if it exists, and run'
      ' `python -m icl_gen.evaluate` (or the study) again',
      ['runs/c/scores.parquet'],
      ['evaluate'],
    ),
    (
      '/w/runs/c/params: its arrays differ; to repair: rm -rf /w/runs/c/params'
      ' /w/runs/c/scores.parquet',
      ['runs/c/params', 'runs/c/scores.parquet'],
      [],
    ),
    (
      "no training state in '/w/runs/c/checkpoints' can be read (4: x); delete"
      ' the directory to start again',
      ['runs/c/checkpoints'],
      [],
    ),
  ],
)
def test_remedies_are_read_from_messages(tmp_path, message, deleted, doors):
  (tmp_path / 'runs/c/checkpoints').mkdir(parents=True)
  remedy = remedies.read(message.replace('/w/', f'{tmp_path}/'), tmp_path)
  assert remedy.delete == tuple(tmp_path / name for name in deleted)
  assert remedy.doors == tuple(doors)


def test_the_remedy_may_be_a_line(tmp_path):
  path = tmp_path / 'metrics.jsonl'
  path.write_text('{"a": 1}\nx\n{"a": 2}\n')
  message = f'{path}, line 2: expected JSON; fix or delete the line'
  remedies.delete(remedies.read(message, tmp_path))
  assert path.read_text() == '{"a": 1}\n{"a": 2}\n'


@pytest.mark.parametrize(
  ('door', 'path', 'command'),
  [
    ('build', 'corpora/reversal-s0', 'build'),
    ('study', 'study.json', 'study'),
    ('train', 'runs/reversal-ft_aug-nano-s0', 'train ft_aug'),
    ('train', f'runs/reversal-ft_aug-nano-s0+{NAME}', f'train {NAME}'),
    (
      'augment',
      f'corpora/reversal-s0-augmented-nano+{NAME}.settings',
      f'augment {NAME}',
    ),
    ('build', f'runs/reversal-ft_aug-nano-s0+{NAME}', 'build'),
    ('build', 'own/corpora/custom-s0', 'study own'),
    ('report', 'own/corpora/custom-s0', 'report own'),
    ('export', 'exports/reversal-s0-hf/README.md', 'export hf'),
  ],
)
def test_doors_in_messages_are_commands(tmp_path, door, path, command):
  this = rounds.Round('x', tmp_path, None, commands=None, model=())
  assert this._named(door, f"'{this.root / path}' is damaged") == command


def test_damage_has_areas_with_commands_of_their_own():
  assert set(damages.AREAS) <= set(COMMANDS)
  for readers in damages._READERS.values():
    assert set(readers) <= set(COMMANDS)
  assert {name for name, _ in reference.INTERRUPTED.values()} <= set(COMMANDS)


def test_what_no_round_damages_is_told(tmp_path):
  for name in ('report/explorer/x.js', 'exports/a/b.md', 'new/c.json'):
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text('x')
  names = {path.name for path in damages.missed(tmp_path)}
  assert names == {'b.md', 'c.json'}


# --- configs and folders -----------------------------------------------------


def test_features_are_keys_of_the_configs():
  cell, study = configs._keys_of('cell'), configs._keys_of('')
  for group in features.GROUPS:
    assert set(group) <= set(cell)
    assert {f'experiments.reversal.{key}' for key in group} <= set(study)
  assert 'sweep' in study


def test_features_are_drawn_together():
  rng, drawn = random.Random(0), set()
  for _ in range(200):
    found = features.draw(rng, configs._keys_of('cell'), ['hostile'])
    keys = {key for key, _ in found}
    assert any(keys <= set(group) for group in features.GROUPS)
    drawn |= keys
  assert drawn == {key for group in features.GROUPS for key in group}


def test_sweeps_are_drawn_for_studies_alone():
  rng = random.Random(0)
  for variant, has in (('cell', False), ('', True)):
    keys = configs._keys_of(variant)
    drawn = [features.draw(rng, keys, ['hostile']) for _ in range(100)]
    assert any(key == 'sweep' for one in drawn for key, _ in one) == has


def test_a_pipe_is_not_written_to(tmp_path):
  os.mkfifo(tmp_path / 'documents.jsonl')
  (tmp_path / 'questions.jsonl').mkdir()
  for seed in range(10):  # of both names
    folders._line(random.Random(seed), tmp_path, tmp_path)
  os.mkfifo(tmp_path / 'x.txt')
  for seed in range(20):
    folders._text(random.Random(seed), tmp_path, tmp_path)
  assert (tmp_path / 'x.txt').is_fifo()


def test_a_folder_must_be_refused_by_all_or_none(tmp_path, monkeypatch):
  this = rounds.Round('x', tmp_path, None, commands=None, model=())
  monkeypatch.setattr(this, 'call', lambda door, *flags, **limits: ended())
  monkeypatch.setattr(this.rng, 'random', lambda: 1.0)
  folders._study(this, tmp_path, refuses=False)
  with pytest.raises(judge.Failure, match='build refuses'):
    folders._study(this, tmp_path, refuses=True)


# --- rounds ------------------------------------------------------------------


@pytest.mark.parametrize('number', [1, 30, 1000])
def test_every_kind_has_its_share(number):
  counted = collections.Counter(
    kind for kind, _ in chaos.rounds(chaos.parse([f'--rounds={number}']))
  )
  assert sum(counted.values()) == number
  for kind, share in chaos.SHARES.items():
    assert abs(counted[kind] - number * share / 100) < len(chaos.SHARES)


@pytest.mark.slow
def test_rounds_of_every_kind_pass(tmp_path, capfd):
  made = tmp_path / 'reference'
  flags = [f'--keep={tmp_path / "keep"}', f'--reference={made}']
  code = chaos.main(['--rounds=14', '--seed=1', *flags])
  assert code == 0, capfd.readouterr().out
  finished = reference.Reference(made).state('finished')
  assert list(finished.glob('report/explorer/*.js'))
  rooms = {p.relative_to(finished).parts[0] for p in damages.missed(finished)}
  # Exports have no digest: they are made again.
  assert rooms <= {'exports', 'compiled'}


def test_rounds_that_were_played_are_not_played_again(monkeypatch, tmp_path):
  asked = []

  def play_all(options, left, folder):
    asked.append(left)
    for kind, number in left:
      verdict = judge.FAILURE if number == 1 else judge.REFUSED
      yield kind, number, rounds.Outcome(kind, number, verdict, 'why', 1.0)

  monkeypatch.setattr(chaos, 'play_all', play_all)
  played = f'--played={tmp_path / "played"}'
  for number in (2, 4):
    assert chaos.main(['--kind=kills', f'--rounds={number}', played]) == 1
  assert asked == [
    [('kills', 0), ('kills', 1)],
    [('kills', 1), ('kills', 2), ('kills', 3)],
  ]


def test_a_half_made_reference_is_not_used(tmp_path, capsys):
  (tmp_path / 'noise').mkdir()
  with pytest.raises(SystemExit):
    chaos.parse([f'--reference={tmp_path}'])
  assert 'no finished reference' in capsys.readouterr().err
  (tmp_path / chaos.FINISHED).write_text('{}')
  assert chaos.parse([f'--reference={tmp_path}']).reference
