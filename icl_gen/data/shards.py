"""Corpora on disk, as TFDS data sets; no other file knows tfds or TensorFlow.

A corpus's directory opens with `tfds.builder_from_directory(directory)`: the
split `documents`, one split `<kind>_questions` per question kind, and the
columns of `records.EMPTY_ROW`. Splits without records are not there. Beside
the data set lies `manifest.json`, written last:

  format, version   what this is, and the version of the layout
  name              the corpus's name
  file_format       'array_record' or 'tfrecord'
  documents         {'split', 'count'}
  questions         per kind {'split', 'count', 'chance'}
  sha256            `records.digest` of documents and questions
  files             SHA-256 of every other file in the directory
  corpus            the corpus's own manifest

The same corpus gives the same bytes in every file, for the same versions of
tfds and protobuf. 'array_record' opens with `builder.as_data_source` and never
imports TensorFlow; 'tfrecord' opens with `builder.as_dataset` and needs it.
"""

import itertools
import json
import pathlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from icl_gen.data import files, records
from icl_gen.types import Corpus, Document, Question

MANIFEST = 'manifest.json'
FORMAT = 'icl_gen corpus'
VERSION = 1
FILE_FORMATS = ('array_record', 'tfrecord')
DOCUMENTS = 'documents'
# TFDS wants a name for the data set; the corpus's own is in the manifest, and
# need not be an identifier.
DATASET = 'icl_gen_corpus'

_RUN_BUILD = 'give the directory that `python -m icl_gen.build` wrote'


def write(
  corpus: Corpus,
  directory: files.Path,
  *,
  file_format: str = 'array_record',
) -> pathlib.Path:
  """Writes a corpus whole, and returns its directory.

  A corpus that is already there is replaced.

  Args:
    corpus: what to write. Empty parts are allowed.
    directory: where `manifest.json` and the TFDS files shall lie.
    file_format: 'array_record' or 'tfrecord'.

  Raises:
    ValueError: unknown format, a directory with other things in it, an id that
      occurs twice, kinds that TFDS cannot tell apart, or anything that would
      not come back equal.
    OSError: the disk is full, or the directory is not writable.
  """
  directory = pathlib.Path(directory)
  if file_format not in FILE_FORMATS:
    raise ValueError(
      f'file_format {file_format!r} is unknown; allowed are {FILE_FORMATS}'
    )
  _check_replaceable(directory)
  _check_manifest_value(corpus)
  splits = _split_rows(corpus)
  with files.written_whole(directory) as partial:
    partial.mkdir()
    _write_dataset(splits, partial, file_format=file_format)
    manifest = _manifest(corpus, file_format=file_format)
    manifest['files'] = files.hashes(partial)
    files.write_json(partial / MANIFEST, manifest)
  return directory


def read(directory: files.Path) -> Corpus:
  """Returns the corpus that `write` was given: equal, order included.

  Raises:
    ValueError: the directory is missing, foreign, of another version, or its
      files are not those that were written.
  """
  directory = pathlib.Path(directory)
  manifest = _checked_manifest(directory)
  rows = []
  for entry in manifest['questions'].values():
    rows += _read_split(directory, entry, file_format=manifest['file_format'])
  rows.sort(key=lambda row: row['index'])
  corpus = Corpus(
    name=manifest['name'],
    documents=_documents(directory, manifest),
    questions=tuple(records.row_question(row) for row in rows),
    manifest=manifest['corpus'],
  )
  if records.digest(corpus) != manifest['sha256']:
    raise ValueError(
      f'{directory} holds other records than its {MANIFEST} says; delete it'
      ' and run the stage that wrote it again'
    )
  return corpus


def read_documents(directories: Iterable[files.Path]) -> tuple[Document, ...]:
  """Returns the documents of several corpora, one after the other.

  Questions are not opened.

  Raises:
    ValueError: as `read`, or an id occurs twice.
  """
  documents = []
  directories = [pathlib.Path(directory) for directory in directories]
  for directory in directories:
    documents += _documents(directory, _checked_manifest(directory))
  try:
    records.check_unique('document', [document.id for document in documents])
  except ValueError as error:
    names = ', '.join(str(directory) for directory in directories)
    raise ValueError(f'in the corpora {names} together: {error}') from error
  return tuple(documents)


def read_manifest(directory: files.Path) -> dict[str, Any]:
  """Returns a corpus's manifest, without importing tfds or TensorFlow.

  Raises:
    ValueError: the directory is missing, foreign or of another version.
  """
  directory = pathlib.Path(directory)
  path = directory / MANIFEST
  if not directory.is_dir():
    raise ValueError(
      f'no corpus at {directory}: no such directory; {_RUN_BUILD}'
    )
  if not path.is_file():
    raise ValueError(
      f'{directory} is no corpus: it has no {MANIFEST}, which is written last;'
      f' {_RUN_BUILD}'
    )
  manifest = files.read_json(path)
  if not isinstance(manifest, dict) or manifest.get('format') != FORMAT:
    raise ValueError(
      f'{path} does not describe a corpus of ours (no "format": "{FORMAT}");'
      f' {_RUN_BUILD}'
    )
  if manifest['version'] != VERSION:
    raise ValueError(
      f'{directory} has layout version {manifest["version"]}; this code reads'
      f' {VERSION}: delete it and run the stage that wrote it again'
    )
  return manifest


def is_written(directory: files.Path) -> bool:
  """Whether a whole corpus lies there (its manifest does; it comes last)."""
  return (pathlib.Path(directory) / MANIFEST).is_file()


def split_names(kinds: Sequence[str]) -> dict[str, str]:
  """Returns the TFDS split of each question kind.

  Lower case, with '_' for what a split name cannot hold. The ending keeps a
  kind that begins with another ('syllogism', 'syllogism_far') from giving a
  split that begins with the other's, and 'all' from meaning every split.

  Raises:
    ValueError: two splits would be the same, or begin with one another.
  """
  splits = {
    kind: re.sub('[^a-z0-9]', '_', kind.lower()) + '_questions'
    for kind in kinds
  }
  names = sorted([(DOCUMENTS, None)] + [(s, k) for k, s in splits.items()])
  for (split, kind), (longer, other) in itertools.pairwise(names):
    if longer.startswith(split):
      raise ValueError(
        f'question kind {other!r} would be split {longer!r}, which cannot be'
        f' told from {split!r} of {kind or DOCUMENTS!r}; rename the kind'
      )
  return splits


def _by_kind(corpus: Corpus) -> dict[str, list[Question]]:
  by_kind = {}
  for question in corpus.questions:
    by_kind.setdefault(question.kind, []).append(question)
  return by_kind


def _split_rows(corpus: Corpus) -> dict[str, list[records.Row]]:
  """Returns the rows of every split that has some."""
  documents, questions = records.corpus_rows(corpus)
  names = split_names(list(_by_kind(corpus)))
  splits = {name: [] for name in names.values()}
  for row in questions:
    splits[names[row['kind']]].append(row)
  return ({DOCUMENTS: documents} if documents else {}) | splits


def _manifest(corpus: Corpus, *, file_format: str) -> dict[str, Any]:
  """Returns what `manifest.json` says, without the files."""
  by_kind = _by_kind(corpus)
  names = split_names(list(by_kind))
  return {
    'format': FORMAT,
    'version': VERSION,
    'name': corpus.name,
    'file_format': file_format,
    'documents': {'split': DOCUMENTS, 'count': len(corpus.documents)},
    'questions': {
      kind: {
        'split': names[kind],
        'count': len(questions),
        'chance': records.chance(questions),
      }
      for kind, questions in by_kind.items()
    },
    'sha256': records.digest(corpus),
    'corpus': dict(corpus.manifest),
  }


def _checked_manifest(directory: pathlib.Path) -> dict[str, Any]:
  """Returns the manifest after seeing that the files are those written."""
  manifest = read_manifest(directory)
  found = files.hashes(pathlib.Path(directory), but=MANIFEST)
  for name, expected in manifest['files'].items():
    if found.get(name) != expected:
      state = 'changed since it was written' if name in found else 'missing'
      raise ValueError(
        f'{directory / name} is {state}; delete {directory} and run the stage'
        ' that wrote it again'
      )
  return manifest


def _check_replaceable(directory: pathlib.Path) -> None:
  # Replacing means deleting: never a directory that is not a corpus.
  if not directory.exists():
    return
  if directory.is_dir() and not any(directory.iterdir()):
    return
  try:
    read_manifest(directory)
  except ValueError as error:
    raise ValueError(
      f'{directory} exists and is not a corpus that could be replaced'
      f' ({error}); give another directory, or delete this one'
    ) from error


def _check_manifest_value(corpus: Corpus) -> None:
  given = dict(corpus.manifest)
  if json.loads(json.dumps(given, allow_nan=False)) != given:
    raise ValueError(
      f'the manifest of corpus {corpus.name!r} would not come back equal; use'
      f' JSON values only (lists, not tuples; text keys): {given}'
    )


def _documents(
  directory: pathlib.Path, manifest: dict[str, Any]
) -> tuple[Document, ...]:
  rows = _read_split(
    directory, manifest['documents'], file_format=manifest['file_format']
  )
  return tuple(records.row_document(row) for row in rows)


# Below: the lines that know tfds. It is imported where it is used, because the
# import costs seconds.


def _write_dataset(
  splits: dict[str, list[records.Row]],
  directory: pathlib.Path,
  *,
  file_format: str,
) -> None:
  """Writes record files, one per split, and the data set's description.

  Not through tfds.core.SequentialWriter: it serialises the columns in an order
  that differs from one interpreter to the next, so its bytes do too.
  """
  import tensorflow_datasets as tfds

  info = tfds.core.DatasetInfo(
    builder=tfds.core.DatasetIdentity(
      name=DATASET,
      version=tfds.core.Version('1.0.0'),
      data_dir=str(directory),
      module_name=__name__,
    ),
    features=_features(),
  )
  info.set_file_format(file_format)
  info.set_splits(
    tfds.core.splits.SplitDict(
      [
        _write_split(rows, info=info, split=split)
        for split, rows in splits.items()
      ]
    )
  )
  info.write_to_directory(directory)


def _write_split(rows: Sequence[records.Row], *, info: Any, split: str) -> Any:
  """Writes one record file; returns its tfds SplitInfo."""
  import tensorflow_datasets as tfds
  from tensorflow_datasets.core import example_serializer, file_adapters

  serializer = example_serializer.ExampleSerializer(
    info.features.get_serialized_info()
  )
  examples = [
    serializer.get_tf_example(
      info.features.encode_example(row)
    ).SerializeToString(deterministic=True)
    for row in rows
  ]
  template = tfds.core.ShardedFileTemplate(
    dataset_name=DATASET,
    data_dir=info.data_dir,
    split=split,
    filetype_suffix=info.file_format.file_suffix,
  )
  path = template.sharded_filepath(shard_index=0, num_shards=1)
  adapter = file_adapters.ADAPTER_FOR_FORMAT[info.file_format]
  try:
    adapter.write_examples(path, enumerate(examples))
  except RuntimeError as error:  # what ArrayRecord makes of a failed write
    raise OSError(f'cannot write {path}: {error}') from error
  return tfds.core.SplitInfo(
    name=split,
    shard_lengths=[len(examples)],
    num_bytes=sum(len(example) for example in examples),
    filename_template=template,
  )


def _features() -> Any:
  """Returns the tfds features of `records.EMPTY_ROW`."""
  import numpy as np
  import tensorflow_datasets as tfds

  features = {
    name: np.int64 if isinstance(empty, int) else tfds.features.Text()
    for name, empty in records.EMPTY_ROW.items()
  }
  features['choices'] = tfds.features.Sequence(tfds.features.Text())
  features['answers'] = tfds.features.Sequence(np.int64)
  assert set(features) == set(records.EMPTY_ROW)
  return tfds.features.FeaturesDict(features)


def _read_split(
  directory: pathlib.Path, entry: dict[str, Any], *, file_format: str
) -> list[records.Row]:
  """Returns the rows of one split, as they were written."""
  if entry['count'] == 0:
    return []
  import tensorflow_datasets as tfds

  builder = tfds.builder_from_directory(directory)
  if file_format == 'array_record':
    examples = builder.as_data_source(entry['split'])
  else:
    examples = tfds.as_numpy(
      builder.as_dataset(split=entry['split'], shuffle_files=False)
    )
  rows = [_plain_row(example) for example in examples]
  assert len(rows) == entry['count'], (directory, entry, len(rows))
  return rows


def _plain_row(example: dict[str, Any]) -> records.Row:
  """Turns tfds's bytes and NumPy numbers into what was written."""
  row = {}
  for name, value in example.items():
    if name == 'choices':
      row[name] = tuple(choice.decode() for choice in value)
    elif name == 'answers':
      row[name] = tuple(int(answer) for answer in value)
    elif isinstance(value, bytes):
      row[name] = value.decode()
    else:
      row[name] = int(value)
  return row
