"""Rows on disk as TFDS data sets, one record file per split.

TensorFlow is imported for 'tfrecord' only.
"""

import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core import example_serializer, file_adapters

from icl_gen.storage import codec, files

FILE_FORMATS = ('array_record', 'tfrecord')
# TFDS requires a name that is an identifier, which a corpus's own need not be.
# It also records the module that wrote the data, and never imports it; both
# are constants so that moving this code does not change the bytes on disk.
DATASET = 'icl_gen_corpus'
_MODULE = 'icl_gen.data.dataset'

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
    file_format: one of `FILE_FORMATS`.

  Raises:
    OSError: the disk is full, or the directory is not writable.
  """
  # tfds.core.SequentialWriter serialises the columns in an order that differs
  # between interpreters, so its bytes would differ too.
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
  write_splits(splits, directory, info=info)
  info.write_to_directory(directory)


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
  template = tfds.core.ShardedFileTemplate(
    dataset_name=info.name,
    data_dir=directory,
    split=split,
    filetype_suffix=info.file_format.file_suffix,
  )
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


def read_split(
  directory: pathlib.Path, split: str, *, file_format: str
) -> list[codec.Row]:
  """Returns the rows of a split in the order of writing.

  Raises:
    ValueError: the data set has another format, or no such split.
  """
  builder = tfds.builder_from_directory(directory)
  stored = builder.info.file_format.value
  if stored != file_format or split not in builder.info.splits:
    raise ValueError(
      f'{directory} holds splits {", ".join(builder.info.splits)} as {stored},'
      f' not {split!r} as {file_format}; delete the directory and re-run the'
      ' command that wrote it'
    )
  if file_format == 'array_record':
    examples = builder.as_data_source(split)
  else:
    examples = tfds.as_numpy(
      builder.as_dataset(split=split, shuffle_files=False)
    )
  return [row_from_example(example) for example in examples]
