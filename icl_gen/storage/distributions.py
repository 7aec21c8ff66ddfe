"""What a model expects at each place of the texts of an augmentation.

`distributions.parquet`, in the augmentation's directory, has a row per
document, and of N places each the K likeliest tokens:

  id         of the document
  ids        of the text's tokens, without BOS and EOS
  likeliest  N x K ids; of the last N tokens, place by place
  logps      their natural-log probabilities

The corpus's manifest has the file's SHA-256, like those of all its files.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from icl_gen.storage import corpus_files, files
from icl_gen.types import Corpus

NAME = 'distributions.parquet'
# Key of the file's metadata: K.
_COUNT = b'icl_gen.likeliest'


@dataclasses.dataclass(frozen=True, eq=False)
class Distributions:
  """Of the last N of the L tokens of a text; N is 0 or more.

  Attributes:
    ids_L: int32 ids of the text, without BOS and EOS.
    likeliest_NxK: int32 ids, the likeliest first.
    logps_NxK: float32 natural-log probabilities of these.
  """

  ids_L: np.ndarray
  likeliest_NxK: np.ndarray
  logps_NxK: np.ndarray

  def __post_init__(self) -> None:
    N, K = self.likeliest_NxK.shape
    assert self.logps_NxK.shape == (N, K) and len(self.ids_L) >= N


def summary(found: Mapping[str, Distributions]) -> dict[str, Any]:
  """Counts what is stored; JSON values.

  Args:
    found: by id of the document, one or more.

  Returns:
    `tokens` of the texts, `places` of them with a distribution, and the mean
    `mass`, from 0 to 1, of the tokens that are stored of a place.
  """
  masses = [np.exp(one.logps_NxK).sum(axis=1) for one in found.values()]
  places = sum(map(len, masses))
  return {
    'tokens': sum(len(one.ids_L) for one in found.values()),
    'places': places,
    'mass': float(sum(mass.sum(dtype=float) for mass in masses)) / places
    if places
    else 0.0,
  }


def writer(
  found: Mapping[str, Distributions], *, count: int
) -> corpus_files.ExtraWriter:
  """Returns an extra writer of `corpus_files.write`.

  Args:
    found: of each document of the corpus, by its id.
    count: K.
  """
  return functools.partial(_write, found, count)


def _write(
  found: Mapping[str, Distributions],
  count: int,
  directory: pathlib.Path,
  corpus: Corpus,
  manifest: Any,
) -> None:
  # Not at the top: `train` says what is wrong with a config before it loads.
  import pyarrow as pa
  import pyarrow.parquet as pq

  del manifest
  rows = [
    {
      'id': document.id,
      'ids': found[document.id].ids_L,
      'likeliest': found[document.id].likeliest_NxK.reshape(-1),
      'logps': found[document.id].logps_NxK.reshape(-1),
    }
    for document in corpus.documents
  ]
  columns = {'id': pa.string(), 'ids': pa.list_(pa.int32())}
  columns |= {'likeliest': columns['ids'], 'logps': pa.list_(pa.float32())}
  table = pa.Table.from_pylist(rows, schema=pa.schema(columns))
  table = table.replace_schema_metadata({_COUNT: str(count).encode()})
  pq.write_table(table, directory / NAME)


def digest(directory: files.Path) -> str:
  """The SHA-256 of an augmentation's distributions.

  Raises:
    ValueError: it has none, or its manifest is missing or damaged.
  """
  found: str | None = corpus_files.read_manifest(directory)['files'].get(NAME)
  if found is None:
    raise ValueError(
      f"{directory} has no {NAME}, which --config.train.targets='distribution'"
      ' is trained on: run `python -m icl_gen.augment` with'
      ' --config.augment.likeliest=32 and another --config.augment.name, and'
      ' give both here'
    )
  return found


def read(directory: files.Path) -> dict[str, Distributions]:
  """Returns what `writer` was given, equal to the bit.

  Raises:
    ValueError: as `digest` and `corpus_files.checked_manifest`.
  """
  import pyarrow.parquet as pq

  digest(directory)
  corpus_files.checked_manifest(directory)
  table = pq.read_table(pathlib.Path(directory) / NAME)
  count = int(table.schema.metadata[_COUNT])
  names = table['id'].to_pylist()
  lists = (_lists(table[name]) for name in ('ids', 'likeliest', 'logps'))
  return {
    name: Distributions(
      ids, likeliest.reshape(-1, count), logps.reshape(-1, count)
    )
    for name, ids, likeliest, logps in zip(names, *lists, strict=True)
  }


def _lists(column: Any) -> list[np.ndarray]:
  """The lists of an Arrow column, without making objects of their numbers."""
  return [one.values.to_numpy() for chunk in column.chunks for one in chunk]
