"""A corpus's directory is data: nothing that it names is imported."""

import json
import sys

import pytest

from icl_gen.exports import hub_folder
from icl_gen.storage import codec, corpus_files, tfds_files
from icl_gen.types import Corpus, Document, Question

# tfds calls a protobuf method that newer versions deprecate.
pytestmark = pytest.mark.filterwarnings(
  r'ignore:label\(\) is deprecated:DeprecationWarning'
)

SMALL = Corpus(
  'small',
  (Document('d', 'Glon are red.'),),
  (Question('q', 'Glon', (' are', ' is'), (0,), 'kind'),),
)
MODULE = 'left_by_a_stranger'
READERS = {
  'read': corpus_files.read,
  'read_documents': lambda directory: corpus_files.read_documents([directory]),
}


@pytest.fixture
def mark(tmp_path, monkeypatch):
  """A file that appears if the module is imported."""
  mark = tmp_path / 'imported'
  folder = tmp_path / 'on_the_path'
  folder.mkdir()
  (folder / f'{MODULE}.py').write_text(f'open({str(mark)!r}, "w").close()')
  monkeypatch.syspath_prepend(str(folder))
  yield mark
  sys.modules.pop(MODULE, None)


def edited(name, edit):
  """A writer that changes a JSON file before the manifest has its digest."""

  def write(directory, corpus, manifest):
    del corpus, manifest
    path = directory / name
    path.write_text(json.dumps(edit(json.loads(path.read_text()))))

  return write


def with_column(changed):
  """Changes the column 'text' of what describes the columns."""

  def edit(features):
    features['featuresDict']['features']['text'] |= changed
    return features

  return edit


FOREIGN = {'pythonClassName': f'{MODULE}.Feature'}
HOSTILE = {
  'a column': edited('features.json', with_column(FOREIGN)),
  'all of them': edited('features.json', lambda features: features | FOREIGN),
  'the old form': edited(
    'features.json',
    lambda _: {'type': f'{MODULE}.Feature', 'content': {}},
  ),
}


@pytest.mark.parametrize('reader', READERS)
@pytest.mark.parametrize('file_format', corpus_files.FILE_FORMATS)
@pytest.mark.parametrize('where', HOSTILE)
def test_no_class_that_a_directory_names_is_imported(
  tmp_path, mark, where, file_format, reader
):
  directory = corpus_files.write(
    SMALL,
    tmp_path / 'c',
    file_format=file_format,
    extra_writers=[HOSTILE[where]],
  )
  with pytest.raises(ValueError) as caught:
    READERS[reader](directory)
  assert not mark.exists() and MODULE not in sys.modules
  message = str(caught.value)
  assert str(directory / 'features.json') in message
  assert 'tensorflow_datasets.core.features' in message
  assert 're-run' in message and '\n' not in message


@pytest.mark.parametrize('file_format', corpus_files.FILE_FORMATS)
def test_the_description_of_the_data_set_is_not_followed(
  tmp_path, mark, file_format
):
  """TFDS would import from it, and read the files that it names."""

  def edit(info):
    del info['splits']
    info['name'] = 'another'
    info['moduleName'] = MODULE
    info['features'] = {'jsonFeature': {'json': '{}'}} | FOREIGN
    return info

  corpus_files.write(
    SMALL,
    tmp_path / 'c',
    file_format=file_format,
    extra_writers=[edited('dataset_info.json', edit)],
  )
  for read in READERS.values():
    read(tmp_path / 'c')
  assert corpus_files.read(tmp_path / 'c') == SMALL
  assert not mark.exists() and MODULE not in sys.modules


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    (
      FOREIGN,
      f'text.pythonClassName = "{MODULE}.Feature" where .*text_feature',
    ),
    ({'dtype': 'int8'}, 'text.dtype = "int8" where .* declares'),
  ],
)
def test_the_message_names_what_is_stated_and_what_is_declared(
  tmp_path, changes, message
):
  writer = edited('features.json', with_column(changes))
  directory = corpus_files.write(SMALL, tmp_path / 'c', extra_writers=[writer])
  with pytest.raises(ValueError, match=message):
    corpus_files.read(directory)


def test_what_does_not_decide_how_columns_are_read_may_differ(tmp_path):
  """Such as what another version of TFDS adds."""
  writer = edited('features.json', with_column({'description': 'Sentences.'}))
  directory = corpus_files.write(SMALL, tmp_path / 'c', extra_writers=[writer])
  assert corpus_files.read(directory) == SMALL


def test_a_missing_split_or_description_is_named(tmp_path):
  directory = corpus_files.write(SMALL, tmp_path / 'c')
  for split, file_format in (
    ('others', 'array_record'),
    ('documents', 'tfrecord'),
  ):
    with pytest.raises(
      ValueError, match=f'no split {split!r} as {file_format}'
    ):
      tfds_files.read_split(directory, split, file_format=file_format)
  (directory / 'features.json').unlink()
  with pytest.raises(ValueError, match=r'has no features\.json; delete'):
    tfds_files.read_split(directory, 'documents', file_format='array_record')


def test_an_exported_folder_names_no_class(tmp_path):
  """So its readers have nothing to import."""
  directory = corpus_files.write(SMALL, tmp_path / 'c')
  hub_folder.write(
    tmp_path / 'hub',
    corpus_files.read(directory),
    corpus_files.read_manifest(directory),
    about='x',
  )
  kinds = {path.suffix for path in (tmp_path / 'hub').rglob('*.*')}
  assert kinds == {'.parquet', '.md'}
  assert set(tfds_files.features()) == set(codec.COLUMNS)
