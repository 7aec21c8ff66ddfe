"""Corpora on disk: a TFDS data set, and a manifest that lists its files.

`tfds.builder_from_directory(directory)` opens a corpus's directory. It has a
split `documents`, a split `<kind>_questions` per kind of question, and the
columns `codec.COLUMNS`; a split without records is left out. `manifest.json`
is written last:

  format, version   the name and version of this layout
  name              the corpus's name
  file_format       'array_record' or 'tfrecord'
  documents         {'split', 'count'}
  questions         per kind {'split', 'count', 'chance'}
  sha256            `codec.digest` of documents and questions
  files             SHA-256 of every other file in the directory
  corpus            the corpus's own manifest
  seal              SHA-256 of everything above, as `files.sealed` computes it

The same corpus gives the same bytes in every file, given the same versions of
tfds and protobuf. 'array_record' opens with `builder.as_data_source`, without
TensorFlow; 'tfrecord' opens with `builder.as_dataset` and needs TensorFlow.
"""

import itertools
import json
import pathlib
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from icl_gen.storage import checksums, codec, files
from icl_gen.types import Corpus, Document, Question

MANIFEST = 'manifest.json'
FORMAT = 'icl_gen corpus'
VERSION = 2
FILE_FORMATS = ('array_record', 'tfrecord')
DOCUMENTS = 'documents'

# Writes more files into a corpus's directory, given the corpus and its manifest
# (still without `files`).
ExtraWriter = Callable[[pathlib.Path, Corpus, dict[str, Any]], None]

_GIVE_BUILT = 'give a directory that `python -m icl_gen.build` wrote'
_WRITE_AGAIN = 'delete the directory and re-run the command that wrote it'


def write(
  corpus: Corpus,
  directory: files.Path,
  *,
  file_format: str = 'array_record',
  extra_writers: Sequence[ExtraWriter] = (),
) -> pathlib.Path:
  """Writes a corpus atomically, replacing a corpus that is already there.

  Args:
    corpus: what to write; documents and questions may be empty.
    directory: where `manifest.json` and the TFDS files go.
    file_format: 'array_record' or 'tfrecord'.
    extra_writers: called in order to write more files into the directory, e.g.
      `jsonl_and_parquet.write`; the manifest lists these files too.

  Returns:
    The directory.

  Raises:
    ValueError: the format is unknown, the directory holds something other than
      a corpus, an id occurs twice, two kinds have the same split name, or a
      value would not be read back equal.
    OSError: the disk is full, or the directory is not writable.
  """
  from icl_gen.storage import tfds_files  # seconds, needed here and below only

  directory = pathlib.Path(directory)
  check_format(file_format)
  _check_replaceable(directory)
  _check_manifest_value(corpus)
  splits = split_rows(corpus)
  manifest = _manifest(corpus, file_format=file_format)
  with files.atomic_write(directory) as partial:
    partial.mkdir()
    tfds_files.write(splits, partial, file_format=file_format)
    for write_extra in extra_writers:
      write_extra(partial, corpus, manifest)
    manifest['files'] = checksums.hashes(partial)
    files.write_sealed_json(partial / MANIFEST, manifest)
  return directory


def check_format(file_format: str) -> None:
  """Raises ValueError for a format that is not in `FILE_FORMATS`."""
  if file_format not in FILE_FORMATS:
    raise ValueError(
      f'file_format {file_format!r} is unknown; allowed are {FILE_FORMATS}'
    )


def read(directory: files.Path) -> Corpus:
  """Returns the corpus that `write` was given: equal, order included.

  Raises:
    ValueError: the directory is missing, not a corpus, of another layout
      version, or its files are not those that were written.
  """
  directory = pathlib.Path(directory)
  manifest = checked_manifest(directory)
  rows: list[codec.Row] = []
  for entry in manifest['questions'].values():
    rows += _rows(directory, manifest, entry)
  rows.sort(key=lambda row: row['index'])
  corpus = Corpus(
    name=manifest['name'],
    documents=_documents(directory, manifest),
    questions=tuple(codec.decode(Question, row) for row in rows),
    manifest=manifest['corpus'],
  )
  if codec.digest(corpus) != manifest['sha256']:
    raise ValueError(
      f'the records in {directory} do not match its {MANIFEST}; {_WRITE_AGAIN}'
    )
  return corpus


def read_documents(directories: Iterable[files.Path]) -> tuple[Document, ...]:
  """Returns the documents of several corpora, one corpus after another.

  Questions are not read.

  Raises:
    ValueError: as for `read`, or an id occurs twice.
  """
  paths = [pathlib.Path(directory) for directory in directories]
  documents: list[Document] = []
  for path in paths:
    documents += _documents(path, checked_manifest(path))
  try:
    codec.check_unique('document', [document.id for document in documents])
  except ValueError as error:
    names = ', '.join(str(path) for path in paths)
    raise ValueError(
      f'the corpora {names} cannot be joined: {error}'
    ) from error
  return tuple(documents)


def read_manifest(directory: files.Path) -> dict[str, Any]:
  """Returns a corpus's manifest without reading its records.

  Raises:
    ValueError: the directory is missing, not a corpus, of another layout
      version, or the manifest is damaged.
  """
  directory = pathlib.Path(directory)
  path = directory / MANIFEST
  if not directory.is_dir():
    raise ValueError(
      f'no corpus at {directory}: no such directory; {_GIVE_BUILT}'
    )
  if not path.is_file():
    raise ValueError(
      f'{directory} is not a corpus: it has no {MANIFEST}, which is written'
      f' last; {_GIVE_BUILT}'
    )
  try:
    manifest = files.read_json(path)
  except ValueError as error:
    # Without a manifest, the directory could not be written again.
    raise ValueError(
      f'{path} is not a JSON file in UTF-8; {_WRITE_AGAIN}'
    ) from error
  if not isinstance(manifest, dict) or manifest.get('format') != FORMAT:
    raise ValueError(
      f'{path} does not describe a corpus (no "format": "{FORMAT}");'
      f' {_GIVE_BUILT}; if it was one, {_WRITE_AGAIN}'
    )
  if manifest.get('version') != VERSION:
    raise ValueError(
      f'{directory} has layout version {manifest.get("version")}; this code'
      f' reads version {VERSION}: {_WRITE_AGAIN}'
    )
  try:
    return files.read_sealed_json(path)
  except ValueError as error:
    raise ValueError(
      f'{path} is damaged: its content does not have the digest that is stored'
      f' in it; {_WRITE_AGAIN}'
    ) from error


def checked_manifest(directory: files.Path) -> dict[str, Any]:
  """Returns the manifest after checking the hash of every file it lists.

  Raises:
    ValueError: as `read_manifest`; or a file is missing, unlisted or changed.
  """
  directory = pathlib.Path(directory)
  manifest = read_manifest(directory)
  _check_complete(directory, manifest)
  for path, why in differences(directory).items():
    raise ValueError(f'{path} is {why}; {_WRITE_AGAIN}')
  return manifest


def is_written(directory: files.Path) -> bool:
  """Whether the directory holds a complete corpus."""
  # The manifest is written last, so its presence is enough.
  return (pathlib.Path(directory) / MANIFEST).is_file()


def differences(directory: files.Path) -> dict[pathlib.Path, str]:
  """Compares the files of a corpus with the hashes in its manifest.

  Returns:
    what is wrong, by file; {} if nothing is.

  Raises:
    ValueError: as for `read_manifest`.
  """
  directory = pathlib.Path(directory)
  listed = read_manifest(directory)['files']
  found = checksums.hashes(directory, exclude=MANIFEST)
  return {
    directory / name: 'changed since it was written'
    if name in found
    else 'missing'
    for name, expected in listed.items()
    if found.get(name) != expected
  }


def require_kind(directory: files.Path, kind: str) -> None:
  """Checks that a corpus has questions of a kind.

  Args:
    directory: the corpus's directory.
    kind: e.g. 'reversal', or with a stratum 'reversal:target_seen'; only the
      kind is checked.

  Raises:
    ValueError: as for `read_manifest`, or no question is of this kind.
  """
  kinds = list(read_manifest(directory)['questions'])
  if kind.partition(':')[0] not in kinds:
    raise ValueError(
      f'{directory} has no questions of kind {kind!r}; its kinds are'
      f' {", ".join(kinds) or "none"}'
    )


def require_same(directory: files.Path, corpus: Corpus) -> None:
  """Checks that a directory holds the records of a corpus.

  Raises:
    ValueError: as for `read_manifest`, or the records differ.
  """
  if read_manifest(directory)['sha256'] != codec.digest(corpus):
    raise ValueError(
      f'{directory} is not what its world generates today, so the truth of its'
      ' statements cannot be checked: delete the directory and build it again'
    )


def split_names(kinds: Sequence[str]) -> dict[str, str]:
  """Returns the TFDS split of each question kind.

  Lower case, with '_' for characters that a split name cannot have. The suffix
  '_questions' keeps the split of one kind from being a prefix of another's
  ('syllogism', 'syllogism_far'), and of 'all' from selecting every split.

  Raises:
    ValueError: two splits have the same name, or one is a prefix of another.
  """
  splits = {
    kind: re.sub('[^a-z0-9]', '_', kind.lower()) + '_questions'
    for kind in kinds
  }
  kind_of = [(DOCUMENTS, DOCUMENTS)] + [(s, kind) for kind, s in splits.items()]
  for (split, kind), (longer, other) in itertools.pairwise(sorted(kind_of)):
    if longer.startswith(split):
      raise ValueError(
        f'question kind {other!r} would be split {longer!r}, which TFDS cannot'
        f' tell from split {split!r} of {kind!r}; rename the kind'
      )
  return splits


def split_rows(corpus: Corpus) -> dict[str, list[codec.Row]]:
  """Returns the rows of every split that has any.

  Raises:
    ValueError: an id occurs twice, two kinds have the same split name, or a
      record would not be read back equal.
  """
  documents = codec.encode_all(corpus.documents)
  names = split_names(list(_by_kind(corpus)))
  splits: dict[str, list[codec.Row]] = {name: [] for name in names.values()}
  for row in codec.encode_all(corpus.questions):
    splits[names[row['kind']]].append(row)
  return ({DOCUMENTS: documents} if documents else {}) | splits


def _by_kind(corpus: Corpus) -> dict[str, list[Question]]:
  by_kind: dict[str, list[Question]] = {}
  for question in corpus.questions:
    by_kind.setdefault(question.kind, []).append(question)
  return by_kind


def _manifest(corpus: Corpus, *, file_format: str) -> dict[str, Any]:
  """Returns the manifest without `files`, whose hashes are not known yet."""
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
    'sha256': codec.digest(corpus),
    'corpus': dict(corpus.manifest),
  }


def _check_complete(
  directory: pathlib.Path, manifest: Mapping[str, Any]
) -> None:
  """Checks that the files are those of the manifest, and all of its splits.

  Raises:
    ValueError: a file is missing, or not in the manifest; names all of them.
  """
  listed = manifest['files'].keys()
  found = {path.name for path in directory.iterdir() if path.is_file()}
  if missing := sorted(listed - found):
    raise ValueError(
      f'missing in {directory}: {", ".join(missing)}; {_WRITE_AGAIN}'
    )
  if others := sorted(found - listed - {MANIFEST}):
    raise ValueError(
      f'{directory / MANIFEST} does not list {", ".join(others)}: move what is'
      f' not of the corpus elsewhere, or {_WRITE_AGAIN}'
    )
  for entry in (manifest['documents'], *manifest['questions'].values()):
    split = entry['split']
    if entry['count'] and not any(f'-{split}.' in name for name in listed):
      raise ValueError(
        f'{directory / MANIFEST} lists no file of its split {split!r};'
        f' {_WRITE_AGAIN}'
      )


def _check_replaceable(directory: pathlib.Path) -> None:
  # Replacing means deleting, which must never hit anything but a corpus.
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
      f'the manifest of corpus {corpus.name!r} would not be read back equal;'
      f' use JSON values only (lists, not tuples; strings as keys): {given}'
    )


def _documents(
  directory: pathlib.Path, manifest: Mapping[str, Any]
) -> tuple[Document, ...]:
  rows = _rows(directory, manifest, manifest['documents'])
  return tuple(codec.decode(Document, row) for row in rows)


def _rows(
  directory: pathlib.Path,
  manifest: Mapping[str, Any],
  entry: Mapping[str, Any],
) -> list[codec.Row]:
  """Returns the rows of a split, given the manifest's entry for it."""
  if entry['count'] == 0:  # splits without records are not written
    return []
  from icl_gen.storage import tfds_files

  rows = tfds_files.read_split(
    directory, entry['split'], file_format=manifest['file_format']
  )
  if len(rows) != entry['count']:
    raise ValueError(
      f'{directory / MANIFEST} states {entry["count"]} records of split'
      f' {entry["split"]!r}, its file has {len(rows)}; {_WRITE_AGAIN}'
    )
  return rows
