"""Rows on disk as TFDS data sets, one record file per split.

A directory is read as data: records are parsed with the features that this
module declares, and nothing that the directory names is imported. (TFDS's own
`builder_from_directory` imports the classes that `features.json` names.)

TensorFlow is imported for 'tfrecord' only.
"""

import itertools
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from google.protobuf import json_format
from tensorflow_datasets.core import example_serializer, file_adapters
from tensorflow_datasets.core.utils import lazy_imports_utils

from icl_gen.storage import codec, files

# TFDS requires a name that is an identifier, which a corpus's own need not be.
# It also records the module that wrote the data, and never imports it; both
# are constants so that moving this code does not change the bytes on disk.
DATASET = 'icl_gen_corpus'
_MODULE = 'icl_gen.data.dataset'
# TFDS's description of the columns; only other readers need it.
FEATURES = 'features.json'
# What decides how a column is read, in that description.
_DECIDING = ('pythonClassName', 'dtype')
_WRITE_AGAIN = 'delete the directory and re-run the command that wrote it'

# How TFDS stores the column types of `codec.COLUMNS`.
_FEATURES: dict[Any, Callable[[], Any]] = {
  str: tfds.features.Text,
  int: lambda: np.int64,
  tuple[str, ...]: lambda: tfds.features.Sequence(tfds.features.Text()),
  tuple[int, ...]: lambda: tfds.features.Sequence(np.int64),
}
_FROM_TFDS: dict[Any, Callable[[Any], Any]] = {
  str: bytes.decode,
  int: int,
  tuple[str, ...]: lambda texts: tuple(text.decode() for text in texts),
  tuple[int, ...]: lambda numbers: tuple(int(number) for number in numbers),
}


def features() -> Any:
  """Returns the tfds FeaturesDict of `codec.COLUMNS`."""
  return tfds.features.FeaturesDict(
    {name: _FEATURES[stored]() for name, stored in codec.COLUMNS.items()}
  )


def row_from_example(example: Mapping[str, Any]) -> codec.Row:
  """Returns the row of a tfds example, whose values are bytes and NumPy."""
  return {
    name: _FROM_TFDS[codec.COLUMNS[name]](value)
    for name, value in example.items()
  }


def write(
  splits: Mapping[str, Sequence[codec.Row]],
  directory: pathlib.Path,
  *,
  file_format: str,
) -> None:
  """Writes a TFDS data set: record files and its description.

  Args:
    splits: the rows of each split.
    directory: an existing directory.
    file_format: one of `corpus_files.FILE_FORMATS`.

  Raises:
    OSError: the disk is full, or the directory is not writable.
  """
  # tfds.core.SequentialWriter serialises the columns in an order that differs
  # between interpreters, so its bytes would differ too.
  info = _info(directory, file_format=file_format)
  write_splits(splits, directory, info=info)
  info.write_to_directory(directory)


def _info(directory: pathlib.Path, *, file_format: str) -> Any:
  """Returns the tfds DatasetInfo of a corpus's directory, without splits."""
  info = tfds.core.DatasetInfo(
    builder=tfds.core.DatasetIdentity(
      name=DATASET,
      version=tfds.core.Version('1.0.0'),
      data_dir=str(directory),
      module_name=_MODULE,
    ),
    features=features(),
  )
  info.set_file_format(file_format)
  return info


def write_splits(
  splits: Mapping[str, Sequence[codec.Row]],
  directory: files.Path,
  *,
  info: Any,
) -> None:
  """Writes one record file per split and registers the splits.

  Args:
    splits: the rows of each split.
    directory: an existing directory.
    info: the tfds DatasetInfo of the data set; its splits are set.

  Raises:
    OSError: the disk is full, or the directory is not writable.
  """
  written = [
    write_split(rows, directory, info=info, split=split)
    for split, rows in splits.items()
  ]
  info.set_splits(tfds.core.splits.SplitDict(written))


def write_split(
  rows: Sequence[codec.Row], directory: files.Path, *, info: Any, split: str
) -> Any:
  """Writes one record file and returns its tfds SplitInfo."""
  serializer = example_serializer.ExampleSerializer(
    info.features.get_serialized_info()
  )
  examples = [
    serializer.get_tf_example(
      info.features.encode_example(row)
    ).SerializeToString(deterministic=True)
    for row in rows
  ]
  template = _template(directory, info=info, split=split)
  path = template.sharded_filepath(shard_index=0, num_shards=1)
  adapter = file_adapters.ADAPTER_FOR_FORMAT[info.file_format]
  try:
    adapter.write_examples(path, enumerate(examples))
  except RuntimeError as error:  # ArrayRecord's error for a failed write
    raise OSError(f'cannot write {path}: {error}') from error
  return tfds.core.SplitInfo(
    name=split,
    shard_lengths=[len(examples)],
    num_bytes=sum(len(example) for example in examples),
    filename_template=template,
  )


def _template(directory: files.Path, *, info: Any, split: str) -> Any:
  return tfds.core.ShardedFileTemplate(
    dataset_name=info.name,
    data_dir=directory,
    split=split,
    filetype_suffix=info.file_format.file_suffix,
  )


def read_split(
  directory: pathlib.Path, split: str, *, file_format: str
) -> list[codec.Row]:
  """Returns the rows of a split in the order of writing.

  Raises:
    ValueError: the data set has another format or other columns, or no such
      split.
  """
  _check_features(directory)
  info = _info(directory, file_format=file_format)
  template = _template(directory, info=info, split=split)
  path = template.sharded_filepath(shard_index=0, num_shards=1)
  if not path.is_file():
    raise ValueError(
      f'{directory} has no split {split!r} as {file_format}: there is no file'
      f' {path.name}; {_WRITE_AGAIN}'
    )
  return [
    row_from_example(info.features.deserialize_example_np(record))
    for record in _records(os.fspath(path), info.file_format)
  ]


def _records(path: str, file_format: Any) -> Iterator[bytes]:
  if file_format is file_adapters.FileFormat.ARRAY_RECORD:
    arrays = lazy_imports_utils.array_record_data_source
    with arrays.ArrayRecordDataSource([path]) as source:
      yield from source
  else:
    adapter = file_adapters.ADAPTER_FOR_FORMAT[file_format]
    yield from tfds.as_numpy(adapter.make_tf_data(path))


def _check_features(directory: pathlib.Path) -> None:
  """Checks that a directory describes the columns that this code declares.

  Raises:
    ValueError: `features.json` is missing, or describes others.
  """
  path = directory / FEATURES
  if not path.is_file():
    raise ValueError(f'{directory} has no {FEATURES}; {_WRITE_AGAIN}')
  stated = list(_deciding(files.read_json(path)))
  declared = list(_deciding(json_format.MessageToDict(features().to_proto())))
  for one, other in itertools.zip_longest(stated, declared):
    if one != other:
      raise ValueError(
        f'{path} states {_in_words(one)} where this version of icl_gen'
        f' declares {_in_words(other)}; {_WRITE_AGAIN}'
      )


def _deciding(
  value: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, Any]]:
  """Yields the path and the value of every deciding key, sorted by path."""
  if not isinstance(value, dict):
    return
  for key, inner in sorted(value.items()):
    if key in _DECIDING:
      yield '.'.join((*path, key)), inner
    else:
      yield from _deciding(inner, (*path, key))


def _in_words(entry: tuple[str, Any] | None) -> str:
  if entry is None:
    return 'nothing'
  name, value = entry
  return f'{name} = {json.dumps(value)}'
