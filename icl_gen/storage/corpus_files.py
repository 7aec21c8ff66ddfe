"""Corpora on disk: a TFDS data set, and a manifest that vouches for it.

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
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from icl_gen.storage import files, records, tfds_files
from icl_gen.types import Corpus, Document, Question

MANIFEST = 'manifest.json'
FORMAT = 'icl_gen corpus'
VERSION = 1
FILE_FORMATS = tfds_files.FILE_FORMATS
DOCUMENTS = 'documents'

# Writes further files into a corpus's directory, given the corpus and what the
# manifest says of it, the files apart.
Beside = Callable[[pathlib.Path, Corpus, dict[str, Any]], None]

_RUN_BUILD = 'give the directory that `python -m icl_gen.build` wrote'


def write(
  corpus: Corpus,
  directory: files.Path,
  *,
  file_format: str = 'array_record',
  beside: Sequence[Beside] = (),
) -> pathlib.Path:
  """Writes a corpus whole, and returns its directory.

  A corpus that is already there is replaced.

  Args:
    corpus: what to write. Empty parts are allowed.
    directory: where `manifest.json` and the TFDS files shall lie.
    file_format: 'array_record' or 'tfrecord'.
    beside: what else to write there, as a part of the whole: `plain.write`.

  Raises:
    ValueError: unknown format, a directory with other things in it, an id that
      occurs twice, kinds that TFDS cannot tell apart, or anything that would
      not come back equal.
    OSError: the disk is full, or the directory is not writable.
  """
  directory = pathlib.Path(directory)
  check_format(file_format)
  _check_replaceable(directory)
  _check_manifest_value(corpus)
  splits = split_rows(corpus)
  manifest = _manifest(corpus, file_format=file_format)
  with files.written_whole(directory) as partial:
    partial.mkdir()
    tfds_files.write(splits, partial, file_format=file_format)
    for write_beside in beside:
      write_beside(partial, corpus, manifest)
    manifest['files'] = files.hashes(partial)
    files.write_json(partial / MANIFEST, manifest)
  return directory


def check_format(file_format: str) -> None:
  """Raises ValueError unless it is one of FILE_FORMATS."""
  if file_format not in FILE_FORMATS:
    raise ValueError(
      f'file_format {file_format!r} is unknown; allowed are {FILE_FORMATS}'
    )


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
    rows += tfds_files.read_split(
      directory, entry, file_format=manifest['file_format']
    )
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


def require_kind(directory: files.Path, kind: str) -> None:
  """Checks that a corpus asks questions of a kind.

  Args:
    directory: of the corpus.
    kind: 'reversal', or with its stratum 'reversal:target_seen'.

  Raises:
    ValueError: as `read_manifest`, or if no question is of the kind.
  """
  kinds = list(read_manifest(directory)['questions'])
  if kind.partition(':')[0] not in kinds:
    raise ValueError(
      f'{directory} has no questions of kind {kind!r}; its kinds are'
      f' {", ".join(kinds) or "none"}'
    )


def require_same(directory: files.Path, corpus: Corpus) -> None:
  """Checks that the corpus in a directory is this one.

  Raises:
    ValueError: as `read_manifest`, or if it has other records.
  """
  if read_manifest(directory)['sha256'] != records.digest(corpus):
    raise ValueError(
      f'{directory} is not what its world gives today, so that nothing can be'
      ' said of what is true in it: delete it and build it again'
    )


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


def split_rows(corpus: Corpus) -> dict[str, list[records.Row]]:
  """Returns the rows of every split that has some.

  Raises:
    ValueError: an id occurs twice, kinds cannot be told apart, or a record
      would not come back equal.
  """
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
        'chance': statistics.fmean(q.chance for q in questions),
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
  rows = tfds_files.read_split(
    directory, manifest['documents'], file_format=manifest['file_format']
  )
  return tuple(records.row_document(row) for row in rows)
