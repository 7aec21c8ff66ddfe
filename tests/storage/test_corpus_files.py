"""read(write(corpus)) == corpus, and nothing else can be read as a corpus."""

import dataclasses
import hashlib
import pickle
import re
import shutil
import subprocess
import sys
import threading

import pytest
import tensorflow_datasets as tfds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icl_gen.storage import codec, corpus_files, files
from icl_gen.types import Corpus, Document, Fact, Origin, Question

# tfds calls a protobuf method that newer versions deprecate.
pytestmark = pytest.mark.filterwarnings(
  r'ignore:label\(\) is deprecated:DeprecationWarning'
)

FACT = Fact('glon', 'more dangerous', 'troff')
KINDS = ('forward', 'reversal', 'reversal_far', 'all', '2 hops', 'é')
SMALL = Corpus(
  name='small',
  documents=(
    Document(
      id='d1',
      text='Glon are more dangerous than troff.',
      facts=(FACT, Fact('é', '', '\u2028')),
      prompt_length=5,
      origin=Origin('local', ('d0', 'd2'), (('model', 'nano'), ('seed', '3'))),
    ),
    Document(id='d0', text=''),
  ),
  questions=(
    Question('q2', 'Troff', (' are', ''), (0,), 'reversal_far', target=FACT),
    Question('q1', '', (' a\0', '\0', ' c'), (2, 0), 'all', premises=(FACT,)),
    Question('q0', 'x', (' a',), (0,), 'reversal_far', stratum='seen'),
  ),
  manifest={'seed': 3, 'sizes': [1, 2.5, None], 'nested': {'é': True}},
)

texts = st.text(max_size=8)
facts = st.builds(Fact, texts, texts, texts)
some_facts = st.lists(facts, max_size=2).map(tuple)
origins = st.builds(
  Origin,
  kind=texts,
  parents=st.lists(texts, max_size=2).map(tuple),
  details=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
)
some_documents = st.lists(
  st.builds(
    Document,
    id=texts,
    text=texts,
    facts=some_facts,
    prompt_length=st.integers(0, 10),
    origin=origins,
  ),
  max_size=4,
  unique_by=lambda document: document.id,
).map(tuple)


@st.composite
def questions(draw):
  choices = draw(st.lists(texts, min_size=1, max_size=3, unique=True))
  answers = st.lists(st.integers(0, len(choices) - 1), min_size=1, max_size=2)
  return Question(
    id=draw(texts),
    prompt=draw(texts),
    choices=tuple(choices),
    answers=tuple(draw(answers)),
    kind=draw(st.sampled_from(KINDS)),
    premises=draw(some_facts),
    target=draw(st.none() | facts),
    stratum=draw(texts),
  )


some_questions = st.lists(
  questions(), max_size=4, unique_by=lambda question: question.id
).map(tuple)
json_values = st.recursive(
  st.none() | st.booleans() | st.integers(-9, 9) | texts | st.floats(0, 1),
  lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner),
  max_leaves=4,
)
corpora = st.builds(
  Corpus,
  name=texts,
  documents=some_documents,
  questions=some_questions,
  manifest=st.dictionaries(texts, json_values, max_size=2),
)


def names(directory):
  return sorted(path.name for path in directory.iterdir())


@settings(
  max_examples=25,
  deadline=None,
  suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(corpus=corpora)
def test_read_is_what_was_written(tmp_path, corpus):
  # One directory for all examples: each replaces the one before.
  directory = corpus_files.write(corpus, tmp_path / 'corpus')
  assert corpus_files.read(directory) == corpus
  assert corpus_files.read_documents([directory]) == corpus.documents
  assert corpus_files.is_written(directory)
  assert names(tmp_path) == ['corpus']


@pytest.mark.parametrize('file_format', corpus_files.FILE_FORMATS)
def test_both_formats_are_read_back_equal(tmp_path, file_format):
  corpus_files.write(SMALL, tmp_path / 'c', file_format=file_format)
  assert corpus_files.read(tmp_path / 'c') == SMALL


@pytest.mark.parametrize('parts', [(), ('documents',), ('questions',)])
def test_empty_parts_are_read_back_empty(tmp_path, parts):
  corpus = dataclasses.replace(SMALL, **dict.fromkeys(parts, ()))
  assert corpus_files.read(corpus_files.write(corpus, tmp_path / 'c')) == corpus
  empty = Corpus(name='', documents=(), questions=())
  assert corpus_files.read(corpus_files.write(empty, tmp_path / 'c')) == empty


@pytest.mark.parametrize('file_format', corpus_files.FILE_FORMATS)
def test_tfds_reads_it_without_our_code(tmp_path, file_format):
  corpus_files.write(SMALL, tmp_path / 'c', file_format=file_format)
  builder = tfds.builder_from_directory(tmp_path / 'c')

  def examples(split):
    if file_format == 'array_record':
      return list(builder.as_data_source(split))
    return list(tfds.as_numpy(builder.as_dataset(split=split)))

  counts = {
    split: builder.info.splits[split].num_examples
    for split in builder.info.splits
  }
  assert counts == {
    'documents': 2,
    'reversal_far_questions': 2,
    'all_questions': 1,
  }
  assert [e['id'] for e in examples('documents')] == [b'd1', b'd0']
  first, second = examples('reversal_far_questions')
  assert first['prompt'] == b'Troff'
  assert list(first['choices']) == [b' are', b'']
  assert list(first['answers']) == [0]
  assert (first['kind'], second['stratum']) == (b'reversal_far', b'seen')
  assert set(first) == set(codec.COLUMNS)


def test_the_manifest_describes_the_corpus(tmp_path):
  corpus_files.write(SMALL, tmp_path / 'c')
  manifest = corpus_files.read_manifest(tmp_path / 'c')
  assert manifest['documents'] == {'split': 'documents', 'count': 2}
  assert manifest['questions'] == {
    'reversal_far': {
      'split': 'reversal_far_questions',
      'count': 2,
      'chance': (1 / 2 + 1) / 2,
    },
    'all': {'split': 'all_questions', 'count': 1, 'chance': 2 / 3},
  }
  assert manifest['corpus'] == SMALL.manifest
  assert manifest['sha256'] == codec.digest(SMALL)
  assert set(manifest['files']) | {'manifest.json'} == set(
    names(tmp_path / 'c')
  )


WRITE_AGAIN = """
import pickle, sys
from icl_gen.storage import corpus_files
corpus = pickle.load(sys.stdin.buffer)
assert corpus_files.read(corpus_files.write(corpus, sys.argv[1])) == corpus
assert 'tensorflow' not in sys.modules, 'array_record needs no TensorFlow'
"""


def run_python(code, *arguments, stdin=b''):
  return subprocess.run(
    [sys.executable, '-c', code, *map(str, arguments)],
    input=stdin,
    check=False,
    capture_output=True,
  )


def test_another_interpreter_writes_the_same_bytes(tmp_path):
  corpus_files.write(SMALL, tmp_path / 'a')
  result = run_python(WRITE_AGAIN, tmp_path / 'b', stdin=pickle.dumps(SMALL))
  assert result.returncode == 0, result.stderr.decode()
  assert names(tmp_path / 'a') == names(tmp_path / 'b')
  for name in names(tmp_path / 'a'):
    one, other = ((tmp_path / c / name).read_bytes() for c in 'ab')
    assert one == other, name


def test_documents_of_several_corpora_are_joined_in_order(tmp_path):
  more = dataclasses.replace(
    SMALL, documents=(Document('new', 'x'),), questions=()
  )
  directories = [
    corpus_files.write(SMALL, tmp_path / 'a'),
    corpus_files.write(more, tmp_path / 'b', file_format='array_record'),
  ]
  assert (
    corpus_files.read_documents(directories) == SMALL.documents + more.documents
  )
  with pytest.raises(ValueError, match="'d1' occurs twice"):
    corpus_files.read_documents([*directories, directories[0]])


def test_errors_name_a_missing_or_foreign_directory(tmp_path):
  (tmp_path / 'foreign').mkdir()
  (tmp_path / 'foreign' / 'thesis.tex').write_text('years of work')
  (tmp_path / 'other').mkdir()
  (tmp_path / 'other' / 'manifest.json').write_text('{"format": "zip"}')
  (tmp_path / 'torn').mkdir()
  (tmp_path / 'torn' / 'manifest.json').write_text('{"format": ')
  expected = {
    'missing': 'no such directory',
    'foreign': 'not a corpus: it has no manifest.json',
    'other': 'does not describe a corpus',
    'torn': 'not a JSON file',
  }
  for name, message in expected.items():
    for reader in (
      corpus_files.read,
      corpus_files.read_manifest,
      lambda directory: corpus_files.read_documents([directory]),
    ):
      with pytest.raises(ValueError, match=message) as caught:
        reader(tmp_path / name)
      assert str(tmp_path / name) in str(caught.value)
      assert re.search('icl_gen.build|re-run', str(caught.value))


def test_a_directory_that_is_not_a_corpus_is_never_replaced(tmp_path):
  (tmp_path / 'thesis.tex').write_text('years of work')
  with pytest.raises(ValueError, match='not a corpus that could be replaced'):
    corpus_files.write(SMALL, tmp_path)
  assert names(tmp_path) == ['thesis.tex']


def test_a_truncated_changed_or_missing_file_is_an_error(tmp_path):
  directory = corpus_files.write(SMALL, tmp_path / 'c')
  for name in names(directory):
    path = directory / name
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = bytes([whole[middle] ^ 1])
    damages = [whole[:middle], whole[:middle] + flipped + whole[middle + 1 :]]
    for damaged in damages:
      path.write_bytes(damaged)
      with pytest.raises(ValueError, match=name):
        corpus_files.read(directory)
    path.unlink()
    with pytest.raises(ValueError, match=name):
      corpus_files.read(directory)
    path.write_bytes(whole)
  assert corpus_files.read(directory) == SMALL


@pytest.mark.parametrize(
  'reader',
  [corpus_files.read, lambda path: corpus_files.read_documents([path])],
)
def test_a_manifest_that_is_not_of_all_files_is_an_error(tmp_path, reader):
  directory = corpus_files.write(SMALL, tmp_path / 'c')
  whole = corpus_files.read_manifest(directory)
  records = [name for name in whole['files'] if 'array_record' in name]
  assert len(records) == 3
  for name in whole['files']:
    others = {n: sha for n, sha in whole['files'].items() if n != name}
    files.write_sealed_json(
      directory / 'manifest.json', whole | {'files': others}
    )
    with pytest.raises(ValueError, match=f'manifest.json does not list {name}'):
      reader(directory)
    # As if it had been hashed while another writer removed the file.
    content = (directory / name).read_bytes()
    (directory / name).unlink()
    if name in records:
      with pytest.raises(ValueError, match='lists no file of its split'):
        reader(directory)
    (directory / name).write_bytes(content)
  files.write_sealed_json(directory / 'manifest.json', whole)
  for name in ('notes.txt', 'more.txt'):
    (directory / name).touch()
  with pytest.raises(ValueError, match='not list more.txt, notes.txt: move'):
    reader(directory)
  for name in (*records, 'notes.txt', 'more.txt'):
    (directory / name).unlink()
  with pytest.raises(ValueError, match=', '.join(sorted(records))):
    reader(directory)


def test_two_writers_of_one_corpus_leave_a_whole_one(tmp_path):
  alone = corpus_files.write(SMALL, tmp_path / 'alone')
  other = dataclasses.replace(SMALL, documents=SMALL.documents[:1])
  for number in range(10):
    for corpora in ((SMALL, SMALL), (SMALL, other)):
      directory = tmp_path / f'{number}'
      barrier, results = threading.Barrier(2), []

      def write(corpus, to=directory, barrier=barrier, results=results):
        barrier.wait()
        results.append(corpus_files.write(corpus, to))

      threads = [threading.Thread(target=write, args=(c,)) for c in corpora]
      for thread in threads:
        thread.start()
      for thread in threads:
        thread.join()
      assert results == [directory] * 2
      assert corpus_files.read(directory) in corpora
      if corpora == (SMALL, SMALL):
        assert contents(directory) == contents(alone)
  assert names(tmp_path) == sorted(['alone', *map(str, range(10))])


def contents(directory):
  return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_records_that_do_not_match_the_manifest_are_an_error(tmp_path):
  directory = corpus_files.write(SMALL, tmp_path / 'c')
  manifest = corpus_files.read_manifest(directory)
  path = directory / 'manifest.json'
  files.write_sealed_json(path, manifest | {'sha256': '0' * 64})
  with pytest.raises(ValueError, match='do not match its manifest'):
    corpus_files.read(directory)
  del manifest['sha256']  # as an older version would have left it
  files.write_json(path, manifest | {'version': 1})
  with pytest.raises(
    ValueError, match='layout version 1; this code reads version 2'
  ):
    corpus_files.read(directory)


def without(value, path):
  """A copy of a JSON value without the key at the end of a path."""
  first, *rest = path
  if not rest:
    return {name: inner for name, inner in value.items() if name != first}
  return value | {first: without(value[first], rest)}


def paths_of(value, above=()):
  """The paths of all keys of a JSON value."""
  for name, inner in value.items():
    yield (*above, name)
    if isinstance(inner, dict):
      yield from paths_of(inner, (*above, name))


def refusal(directory):
  with pytest.raises(ValueError) as caught:
    corpus_files.read(directory)
  message = str(caught.value)
  assert str(directory) in message and '\n' not in message
  assert 're-run' in message or 'icl_gen.build' in message
  return message


def test_a_damaged_key_of_the_manifest_is_an_error(tmp_path):
  directory = corpus_files.write(SMALL, tmp_path / 'c')
  path = directory / 'manifest.json'
  manifest = files.read_json(path)
  for keys in paths_of(manifest):
    files.write_json(path, without(manifest, keys))
    refusal(directory)
  entry = manifest['documents']
  for key, value in (
    ('file_format', 'csv'),
    ('file_format', 'tfrecord'),
    ('documents', entry | {'count': 3}),
    ('documents', entry | {'count': '2'}),
    ('documents', entry | {'split': 'all_questions'}),
    ('questions', {}),
    ('questions', {'all': None}),
    ('questions', []),
    ('files', None),
    ('files', {'x': 1}),
    ('name', 3),
  ):
    files.write_json(path, manifest | {key: value})
    refusal(directory)


def test_every_flipped_bit_of_the_manifest_is_an_error(tmp_path):
  directory = corpus_files.write(SMALL, tmp_path / 'c')
  path = directory / 'manifest.json'
  whole = path.read_bytes()
  for place in range(0, len(whole), 5):
    damaged = bytearray(whole)
    damaged[place] ^= 1 << place % 7
    path.write_bytes(damaged)
    refusal(directory)


def test_what_the_message_says_mends_a_damaged_manifest(tmp_path):
  directory = corpus_files.write(SMALL, tmp_path / 'c')
  (directory / 'manifest.json').write_text('{"format": ')
  assert 'delete the directory' in refusal(directory)
  shutil.rmtree(directory)
  corpus_files.write(SMALL, directory)
  assert corpus_files.read(directory) == SMALL


def replaced(corpus, part, **changed):
  first, *rest = getattr(corpus, part)
  return dataclasses.replace(
    corpus, **{part: (dataclasses.replace(first, **changed), *rest)}
  )


@pytest.mark.parametrize(
  ('corpus', 'message'),
  [
    (replaced(SMALL, 'documents', id='d0'), "document id 'd0' occurs twice"),
    (replaced(SMALL, 'questions', id='q1'), "question id 'q1' occurs twice"),
    (replaced(SMALL, 'documents', text='\ud800'), "'d1' has text that UTF-8"),
    (
      replaced(SMALL, 'documents', origin=Origin(details=(('tokens', (1,)),))),
      "'d1' would not be read back equal",
    ),
    (dataclasses.replace(SMALL, manifest={'a': (1,)}), 'JSON values only'),
    (dataclasses.replace(SMALL, manifest={1: 'a'}), 'JSON values only'),
    (replaced(SMALL, 'questions', kind='documents'), 'cannot tell from split'),
    (replaced(SMALL, 'questions', kind='All'), "'all_questions' of 'All'"),
  ],
)
def test_what_would_not_be_read_back_equal_is_not_written(
  tmp_path, corpus, message
):
  with pytest.raises(ValueError, match=message):
    corpus_files.write(corpus, tmp_path / 'c')
  assert names(tmp_path) == []


def test_an_unknown_format_is_an_error(tmp_path):
  with pytest.raises(ValueError, match="'csv' is unknown; allowed are"):
    corpus_files.write(SMALL, tmp_path / 'c', file_format='csv')


def test_no_split_is_a_prefix_of_another():
  splits = corpus_files.split_names(KINDS)
  assert len(set(splits.values())) == len(KINDS)
  every = ['documents', *splits.values()]
  pairs = [(a, b) for a in every for b in every if a != b]
  assert not any(a.startswith(b) for a, b in pairs)


FULL = """
import pickle, resource, sys
from icl_gen.storage import corpus_files
corpus = pickle.load(sys.stdin.buffer)
resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))
try:
  corpus_files.write(corpus, sys.argv[1])
except OSError as error:
  sys.exit(7 if 'too large' in str(error) else str(error))
"""


def test_a_full_disk_leaves_the_old_corpus(tmp_path):
  corpus_files.write(SMALL, tmp_path / 'c')
  noise = ''.join(
    hashlib.sha256(str(i).encode()).hexdigest() for i in range(9000)
  )
  large = dataclasses.replace(SMALL, documents=(Document('d', noise),))
  result = run_python(FULL, tmp_path / 'c', stdin=pickle.dumps(large))
  assert result.returncode == 7, result.stderr.decode()
  assert names(tmp_path) == ['c']
  assert corpus_files.read(tmp_path / 'c') == SMALL


KILLED = """
import os, pickle, random, signal, sys, time
import tensorflow_datasets
from icl_gen.exports import jsonl_and_parquet
from icl_gen.storage import checksums, corpus_files, files, tfds_files
corpus = pickle.load(sys.stdin.buffer)

def killed(*_, **__):
  os.kill(os.getpid(), signal.SIGKILL)

def child(directory, module, name):
  # Fork, so that tfds is imported only once.
  pid = os.fork()
  if pid == 0:
    if module is not None:
      assert getattr(module, name)
      setattr(module, name, killed)
    while True:
      corpus_files.write(
        corpus, directory, extra_writers=[jsonl_and_parquet.write]
      )
  return pid

points = [(tfds_files, 'write_split'), (jsonl_and_parquet, 'write_parquet'),
          (checksums, 'hashes'), (files, 'write_sealed_json'),
          (os, 'fsync'), (os, 'replace')]
for number, (module, name) in enumerate(points):
  pid = child(f'{sys.argv[1]}/point{number}', module, name)
  assert os.waitpid(pid, 0)[1] == signal.SIGKILL
for number in range(12):
  pid = child(f'{sys.argv[1]}/moment{number}', None, None)
  time.sleep(random.Random(number).uniform(0, 0.2))
  os.kill(pid, signal.SIGKILL)
  assert os.waitpid(pid, 0)[1] == signal.SIGKILL
"""


def test_a_kill_leaves_nothing_that_can_be_read_as_a_corpus(tmp_path):
  result = run_python(KILLED, tmp_path, stdin=pickle.dumps(SMALL))
  assert result.returncode == 0, result.stderr.decode()
  numbers = [f'point{i}' for i in range(6)] + [f'moment{i}' for i in range(12)]
  assert any(name.startswith('.partial') for name in names(tmp_path))
  for name in numbers:
    directory = tmp_path / name
    if corpus_files.is_written(directory):
      assert name.startswith('moment')
      assert corpus_files.read(directory) == SMALL
    else:
      with pytest.raises(ValueError, match='no such directory'):
        corpus_files.read(directory)
    for left in tmp_path.glob(f'.*-{name}'):
      if left.name.startswith('.partial') and not corpus_files.is_written(left):
        with pytest.raises(ValueError):
          corpus_files.read(left)
    # Re-running the command finishes the work.
    assert corpus_files.read(corpus_files.write(SMALL, directory)) == SMALL
  assert names(tmp_path) == sorted(numbers)
