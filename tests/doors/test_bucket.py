"""A workdir in a bucket: the results of one in a local directory."""

import os
import random
import subprocess
import sys
import time

import pytest

from icl_gen.storage import working_copies
from tests.doors.conftest import ROOT, TOKENIZER
from tests.gcs import environment


@pytest.fixture
def there(server, tmp_path):
  """The variables of commands that find the bucket."""
  folder = tmp_path / 'temporary'
  folder.mkdir()
  return {**environment(server), 'TMPDIR': str(folder)}


@pytest.fixture
def settings(noise):
  """Flags of the tiny study, with random weights."""
  return (
    '--config=configs/study.py:tiny',
    f'--config.checkpoint={noise}',
    f'--config.tokenizer={TOKENIZER}',
  )


def content(directory):
  """Relative path -> bytes, of what is compared."""
  return {
    path.relative_to(directory).as_posix(): path.read_bytes()
    for pattern in ('**/scores.parquet', '**/*.csv', '**/corpora/**/*')
    for path in directory.glob(pattern)
    if path.is_file() and '.settings' not in path.parent.name
  }


def has_results_of(url, expected):
  with working_copies.opened(url) as root:
    found = content(root)
  assert found.keys() == expected.keys() != set()
  # Of an augmentation, the seconds that sampling took differ.
  assert [
    name
    for name, data in found.items()
    if data != expected[name]
    and not ('augmented' in name and name.endswith('manifest.json'))
    and 'costs.csv' not in name
    and 'prices.csv' not in name
  ] == []


def verified(*flags, env):
  """What `study --verify` says; the server of commands has no switches."""
  return subprocess.run(
    [sys.executable, '-m', 'icl_gen.study', *flags, '--verify'],
    cwd=ROOT,
    env={**os.environ, **env},
    capture_output=True,
    text=True,
  )


def test_build_writes_the_same_corpus(commands, flags, there, tmp_path, url):
  assert commands.run('build', *flags).code == 0
  ended = commands.run('build', *flags, f'--workdir={url}', env=there)
  assert ended.code == 0, ended.stderr
  assert f'built {url}/corpora/reversal-s0: ' in ended.stdout
  has_results_of(url, content(tmp_path))
  again = commands.run('build', *flags, f'--workdir={url}', env=there)
  assert f'nothing to do, complete already: {url}/corpora' in again.stdout
  # Of the copies, nothing is left.
  assert list((tmp_path / 'temporary').glob('*/*')) == []


@pytest.mark.parametrize(
  ('workdir', 'more', 'says'),
  [
    ('s3://bucket/x', (), 'only gs://BUCKET/PATH is known'),
    ('gs://no-such-bucket/x', (), 'create the bucket, or correct its name'),
  ],
)
def test_mistakes_are_one_line(commands, flags, there, workdir, more, says):
  ended = commands.run(
    'build', *flags, f'--workdir={workdir}', *more, env=there
  )
  assert ended.code == 2
  assert says in ended.stderr
  error = ended.stderr[ended.stderr.index('error:') :]
  assert error.count('\n') == 2  # and that of --debug


@pytest.mark.slow
def test_the_tiny_study_has_the_same_results(
  commands, settings, there, tmp_path, server, url
):
  local = tmp_path / 'local'
  assert commands.run('study', *settings, f'--workdir={local}').code == 0
  flags = (*settings, f'--workdir={url}')
  ended = commands.run('study', *flags, env=there)
  assert ended.code == 0, ended.stderr
  assert f'the study is finished: {url}/study/report' in ended.stdout
  has_results_of(url, content(local))
  again = commands.run('study', *flags, env=there)
  assert 'the study is finished' in again.stdout
  assert 'evaluate' not in again.stdout
  found = verified(*flags, env=there)
  assert found.returncode == 0, found.stderr
  assert 'nothing is damaged or missing' in found.stdout
  corpus = f'{url}/study/corpora/reversal-s0'
  place = corpus.removeprefix('gs://bucket/')
  server.put(f'{place}/documents.jsonl', b'other')
  found = verified(*flags, env=there)
  assert found.returncode == 2
  assert (
    f'{corpus}: documents.jsonl is not what reversal-s0.complete.json states,'
    f" or missing; to repair: gcloud storage rm --recursive '{corpus}'\n"
  ) in found.stdout


_SMALLER = """\
from configs import study

def get_config(arg=''):
  config = study.get_config('tiny')
  for name in [name for name in config.experiments if name != 'reversal']:
    del config.experiments[name]
  config.seeds = (0,)
  config.conditions = ('icl', 'ft_aug')  # every door is called
  return config
"""


@pytest.mark.slow
def test_a_killed_study_resumes_to_the_same_results(
  commands, settings, there, tmp_path, server, url
):
  smaller = tmp_path / 'smaller.py'
  smaller.write_text(_SMALLER)
  settings = (f'--config={smaller}', *settings[1:])
  local = tmp_path / 'local'
  assert commands.run('study', *settings, f'--workdir={local}').code == 0
  flags = (*settings, f'--workdir={url}')
  for _ in range(3):
    pid = commands.start('study', *flags, env=there)
    time.sleep(random.uniform(10, 60))
    commands.kill(pid)
  # Two that go on share what is left, once the dead one's lock is free.
  pids = [commands.start('study', *flags, env=there) for _ in range(2)]
  for pid in pids:
    ended = commands.end(pid)
    assert ended.code == 0, ended.stderr
  has_results_of(url, content(local))
  # A copy of the bucket is a local workdir.
  place, copied = url.removeprefix('gs://bucket/'), tmp_path / 'copied'
  for name in server.objects:
    if name.startswith(place):
      path = copied / name.removeprefix(f'{place}/')
      path.parent.mkdir(parents=True, exist_ok=True)
      path.write_bytes(server.content(name))
  found = verified(*settings, f'--workdir={copied}', env={})
  assert found.returncode == 0, found.stdout
