"""What `study --verify` names is repaired by what it says."""

import collections
import os
import random
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from icl_gen import study, workdirs
from icl_gen.storage import bucket_copies, corpus_files, working_copies
from tests.doors import test_study
from tests.doors.conftest import ROOT
from tests.doors.test_pulse import everything

config = test_study.config
finished = test_study.finished
copied = test_study.copied

# As in tests/training/test_states.py: what orbax says late of arrays that it
# cannot read.
pytestmark = pytest.mark.filterwarnings(
  'ignore:Exception ignored in. None:pytest.PytestUnraisableExceptionWarning'
)

# Nothing depends on them, and they have no digest.
LOGS = 'events.out.tfevents.'


def flip(path, rng):
  content = bytearray(path.read_bytes())
  content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
  path.write_bytes(content)


HARM = {
  'flipped': flip,
  'truncated': lambda path, rng: os.truncate(
    path, rng.randrange(path.stat().st_size)
  ),
  'emptied': lambda path, rng: os.truncate(path, 0),
  'deleted': lambda path, rng: path.unlink(),
}


def files_of(workdir):
  """The files that have a digest, and are not empty."""
  return [
    path
    for path in sorted(workdir.rglob('*'))
    if path.is_file() and path.stat().st_size and not path.name.startswith(LOGS)
  ]


def verify(config, workdir, capsys):
  """Returns what is damaged -> the command that repairs it, and the summary."""
  capsys.readouterr()
  try:
    study.run(config, workdir, verify=True)
    message = ''
  except ValueError as error:
    message = str(error)
  *lines, summary = capsys.readouterr().out.splitlines()
  named = dict(
    re.fullmatch(r'(.+?): .*; to repair: (.+)', line).groups()
    for line in lines
    if not line.startswith('[')
  )
  assert bool(named) == bool(message)
  return named, summary


def test_a_whole_study_is_verified_and_nothing_changes(config, copied, capsys):
  before = everything(copied)
  named, summary = verify(config, copied, capsys)
  assert named == {}
  assert everything(copied) == before
  found = re.fullmatch(
    r'read (\d+) files, .* MB, in .* s: nothing is damaged or missing', summary
  )
  assert int(found[1]) == len(
    [p for p in copied.rglob('*') if p.is_file() and LOGS not in p.name]
  )


def unit_of(path):
  """What a line names: a directory of weights, a training state, or a file."""
  above = [one for one in path.parents if one.name == 'params']
  above += [one for one in path.parents if one.parent.name == 'checkpoints']
  return (above or [path])[0]


@pytest.mark.slow
def test_every_damaged_file_is_named(config, copied, capsys):
  """One file of each directory at a time.

  Of a training state, the arrays and the position count: orbax writes further
  files, and data that it never reads.
  """
  left = collections.defaultdict(list)
  for path in files_of(copied):
    unit = unit_of(path)
    left[unit.parent if unit == path else unit].append(path)
  silent = []
  for number in range(max(map(len, left.values()))):
    rng = random.Random(number)
    taken = [paths[number] for paths in left.values() if number < len(paths)]
    whole = {path: path.read_bytes() for path in taken}
    how = {path: rng.choice(sorted(HARM)) for path in taken}
    for path in taken:
      HARM[how[path]](path, rng)
    named, _ = verify(config, copied, capsys)
    for path in taken:
      # A changed digest and a changed file look the same.
      unit = path.parent if 'sha256' in path.name.lower() else unit_of(path)
      if not any(f'{one}/'.startswith(f'{unit}/') for one in named):
        silent.append(f'{path.relative_to(copied)} {how[path]}')
      path.write_bytes(whole[path])
  assert [one for one in silent if '/checkpoints/' not in one] == []
  assert len(silent) < sum(
    'checkpoints' in path.parts for path in files_of(copied)
  )


def repair(named):
  """Does what the lines say, literally."""
  for command in named.values():
    if command != 'run the study':
      assert command.startswith('rm -rf ')
      subprocess.run(shlex.split(command), check=True)


def results(workdir):
  """What must be the same after a repair; times and dates are not."""
  root = workdir / 'study'
  augmented = corpus_files.read(root / 'corpora/reversal-s0-augmented-nano')
  return {
    'scores': {
      path.parent.name: path.read_bytes()
      for path in root.glob('runs/*/scores.parquet')
    },
    'built': everything_in(root / 'corpora/reversal-s0'),
    'augmented': augmented.documents,
    'page': (root / 'report/results.csv').read_bytes(),
  }


def everything_in(folder):
  return {path.name: path.read_bytes() for path in folder.iterdir()}


CELL = 'study/runs/reversal-ft_aug-nano-s0'
# Files that are damaged together; a part of the name of each.
DAMAGES = {
  'results': (
    'corpora/reversal-s0/documents.jsonl',
    'corpora/reversal-s0-augmented-nano/manifest.json',
    f'{CELL}/scores.parquet',
    'report/results.csv',
  ),
  'settings': (
    'reversal-s0.settings/build.config.json',
    'augmented-nano.settings/augment.config.json',
    f'{CELL}/train.config.json',
    'pretrained-nano-s0/evaluate.config.json',
    'report.config.json',
  ),
  'weights': (f'{CELL}/params/_CHECKPOINT_METADATA', f'{CELL}/params/d/'),
  'training': (f'{CELL}/metrics.jsonl.sha256', '/state/ocdbt.process_0/d/'),
  'manifests': (
    'corpora/reversal-s0/manifest.json',
    'pretrained-nano-s0/scores.parquet',
    'report/SHA256SUMS',
  ),
}


@pytest.mark.parametrize(
  ('which', 'how'),
  [
    ('results', 'flipped'),
    pytest.param('settings', 'deleted', marks=pytest.mark.slow),
    ('weights', 'truncated'),
    pytest.param('training', 'emptied', marks=pytest.mark.slow),
    pytest.param('manifests', 'flipped', marks=pytest.mark.slow),
  ],
)
def test_the_commands_and_the_study_repair_it(
  config, finished, copied, same_weights, monkeypatch, capsys, which, how
):
  for part in DAMAGES[which]:
    path = max(
      (path for path in files_of(copied) if part in str(path)),
      key=lambda path: path.stat().st_size,
    )
    HARM[how](path, random.Random(part))
  named, _ = verify(config, copied, capsys)
  assert len(named) >= len(DAMAGES[which]) - (which == 'weights')
  repair(named)
  test_study.go(config, copied, monkeypatch)
  assert verify(config, copied, capsys)[0] == {}
  assert results(copied) == results(finished)
  assert same_weights(copied / CELL / 'params', finished / CELL / 'params')


def test_the_study_names_scores_that_the_report_would_read(
  config, copied, monkeypatch
):
  (path,) = copied.glob('study/runs/reversal-pretrained-*/scores.parquet')
  whole = path.read_bytes()
  flip(path, random.Random(0))
  with pytest.raises(
    ValueError, match=r'scores\.parquet .*delete it'
  ) as caught:
    test_study.go(config, copied, monkeypatch)
  assert '\n' not in str(caught.value)
  path.unlink()
  assert test_study.go(config, copied, monkeypatch) == ['evaluate']
  assert path.read_bytes() == whole


def test_a_study_of_other_settings_is_not_called_whole(config, copied, capsys):
  other = test_study.changed(config, **{'experiments.reversal.train.steps': 5})
  with pytest.raises(ValueError, match='steps=4, now it is 5'):
    study.run(other, copied, verify=True)
  fewer = test_study.changed(config, conditions=('pretrained',))
  named, _ = verify(fewer, copied, capsys)
  assert list(named) == [f'{copied}/study/report/index.html']


def test_a_file_that_the_disk_cannot_read_is_named(config, copied, capsys):
  (path,) = copied.glob('study/runs/*-pretrained-*/evaluate.config.json')
  path.unlink()
  path.mkdir()  # cannot be read as a file
  named, _ = verify(config, copied, capsys)
  assert list(named) == [str(path)]


def test_what_an_unfinished_study_lacks_is_named(
  config, monkeypatch, tmp_path, capsys
):
  test_study.go(config, tmp_path, monkeypatch, stop=2)
  named, _ = verify(config, tmp_path, capsys)
  assert len(named) == 5
  assert set(named.values()) == {'run the study'}


# --- in a bucket ------------------------------------------------------------


@pytest.fixture
def there(finished, url, server):
  """The objects of a bucket that has the finished study; name -> content."""
  with working_copies.opened(url) as root:
    shutil.copytree(finished, root, dirs_exist_ok=True)
    names = [p.relative_to(root).as_posix() for p in files_of(root)]
    wholes = [bucket_copies._DIRECTORIES.match(name) for name in names]
    working_copies.of(root).push(
      [
        root / (whole[0] if whole else name)
        for whole, name in zip(wholes, names, strict=True)
        if 'compiled' not in name
      ]
    )
  server.asked.clear()
  return lambda: {
    name: server.content(name)
    for name in server.objects
    if name.startswith(url.removeprefix('gs://bucket/'))
  }


def verify_there(config, url, capsys):
  """What is damaged -> the command, by URLs; and the summary."""
  with workdirs.opened(url, tolerant=True) as root:
    named, summary = verify(config, root, capsys)
    # The disk need not hold the weights of all cells at once.
    for weights in root.rglob('params'):
      assert [path.name for path in weights.iterdir()] == [bucket_copies.STUB]
  found = {path.replace(str(root), url): how for path, how in named.items()}
  return found, summary


def test_a_study_in_a_bucket_is_verified_and_nothing_changes(
  config, copied, there, server, url, capsys
):
  before = there()
  named, summary = verify_there(config, url, capsys)
  assert named == {}
  assert there() == before
  assert {method for method, _ in server.asked} == {'GET', 'LIST'}
  assert summary.split()[:5] == verify(config, copied, capsys)[1].split()[:5]


def test_damage_in_a_bucket_is_named_with_what_deletes_it(
  config, there, server, url, capsys
):
  for part in (
    'corpora/reversal-s0/documents.jsonl',
    'corpora/reversal-s0-augmented-nano.complete.json',
    f'{CELL}/scores.parquet',
    f'{CELL}/params/d/',
    f'{CELL}/checkpoints/4.complete.json',
    'report/results.csv',
    'report.config.json',
  ):
    name = max(
      (one for one in there() if part in one), key=lambda one: len(there()[one])
    )
    server.put(name, there()[name][:-1])
  lost = next(name for name in there() if '/checkpoints/2/' in name)
  del server.objects[lost]
  named, _ = verify_there(config, url, capsys)
  study_there = f'{url}/study'
  assert named.keys() == {
    f'{study_there}/corpora/reversal-s0',
    f'{study_there}/corpora/reversal-s0-augmented-nano',
    f'{url}/{CELL}/scores.parquet',
    f'{url}/{CELL}/params',
    f'{url}/{CELL}/checkpoints/2',
    f'{url}/{CELL}/checkpoints/4',
    f'{study_there}/report',
    f'{study_there}/report.config.json',
  }
  for command in named.values():
    *program, first = shlex.split(command)[:5]
    assert program == ['gcloud', 'storage', 'rm', '--recursive']
    for deleted in (first, *shlex.split(command)[5:]):
      assert deleted.startswith(f'{study_there}/')
      gone = deleted.removeprefix('gs://bucket/')
      for name in there():
        if f'{name}/'.startswith(f'{gone}/'):
          del server.objects[name]
  # As a study finds it, what was damaged does not exist.
  named, _ = verify_there(config, url, capsys)
  assert set(named.values()) == {'run the study'}
  assert not any('checkpoints' in name for name in named)


def test_a_bucket_that_does_not_answer_is_not_called_damaged(
  config, there, server, url, capsys
):
  server.allows = lambda method, name: '/params/' not in name
  with pytest.raises(OSError, match='PERMISSION_DENIED'):
    verify_there(config, url, capsys)


def test_the_help_lists_it():
  done = subprocess.run(
    [sys.executable, '-m', 'icl_gen.study', '--help'],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
  )
  assert 'verify' in done.stdout and 'change nothing' in done.stdout
