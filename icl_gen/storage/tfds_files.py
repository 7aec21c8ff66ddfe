"""Rows on disk as TFDS data sets: one record file per split, and back.

With `builders`, the only file that knows tfds; knows nothing of corpora.
TensorFlow is imported for 'tfrecord' only.
"""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core import example_serializer, file_adapters

from icl_gen.storage import files, records

FILE_FORMATS = ('array_record', 'tfrecord')
# TFDS wants a name for the data set; the corpus's own is in the manifest, and
# need not be an identifier.
DATASET = 'icl_gen_corpus'


def write(
  splits: dict[str, list[records.Row]],
  directory: pathlib.Path,
  *,
  file_format: str,
) -> None:
  """Writes record files, one per split, and the data set's description.

  Not through tfds.core.SequentialWriter: it serialises the columns in an order
  that differs from one interpreter to the next, so its bytes do too.
  """
  info = tfds.core.DatasetInfo(
    builder=tfds.core.DatasetIdentity(
      name=DATASET,
      version=tfds.core.Version('1.0.0'),
      data_dir=str(directory),
      module_name=__name__,
    ),
    features=features(),
  )
  info.set_file_format(file_format)
  write_splits(splits, directory, info=info)
  info.write_to_directory(directory)


def write_splits(
  splits: dict[str, list[records.Row]], directory: files.Path, *, info: Any
) -> None:
  """Writes the record files of a tfds DatasetInfo, and notes them in it."""
  written = [
    write_split(rows, directory, info=info, split=split)
    for split, rows in splits.items()
  ]
  info.set_splits(tfds.core.splits.SplitDict(written))


def write_split(
  rows: Sequence[records.Row], directory: files.Path, *, info: Any, split: str
) -> Any:
  """Writes one record file; returns its tfds SplitInfo."""
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
  except RuntimeError as error:  # what ArrayRecord makes of a failed write
    raise OSError(f'cannot write {path}: {error}') from error
  return tfds.core.SplitInfo(
    name=split,
    shard_lengths=[len(examples)],
    num_bytes=sum(len(example) for example in examples),
    filename_template=template,
  )


def features() -> Any:
  """Returns the tfds features of `records.EMPTY_ROW`."""
  features = {
    name: np.int64 if isinstance(empty, int) else tfds.features.Text()
    for name, empty in records.EMPTY_ROW.items()
  }
  features['choices'] = tfds.features.Sequence(tfds.features.Text())
  features['answers'] = tfds.features.Sequence(np.int64)
  assert set(features) == set(records.EMPTY_ROW)
  return tfds.features.FeaturesDict(features)


def read_split(
  directory: pathlib.Path, entry: dict[str, Any], *, file_format: str
) -> list[records.Row]:
  """Returns the rows of one split, as they were written."""
  if entry['count'] == 0:
    return []
  builder = tfds.builder_from_directory(directory)
  if file_format == 'array_record':
    examples = builder.as_data_source(entry['split'])
  else:
    examples = tfds.as_numpy(
      builder.as_dataset(split=entry['split'], shuffle_files=False)
    )
  rows = [plain_row(example) for example in examples]
  assert len(rows) == entry['count'], (directory, entry, len(rows))
  return rows


def plain_row(example: dict[str, Any]) -> records.Row:
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
