"""Scores on disk: one parquet file per run, one row per question.

While a run goes on, its parts are lines of JSON.
"""

import dataclasses
import json
import math
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from icl_gen.storage import files, records
from icl_gen.types import ChoiceScore, Score

# The lists have one entry per choice, in the question's order. Numbers keep
# all their bits: a Python float is 64 bits wide.
SCHEMA = pa.schema(
  [
    ('question_id', pa.string()),
    ('kind', pa.string()),
    ('stratum', pa.string()),
    ('cluster', pa.string()),
    ('answers', pa.list_(pa.int64())),
    ('logp', pa.list_(pa.float64())),
    ('tokens', pa.list_(pa.int64())),
    ('characters', pa.list_(pa.int64())),
    ('bytes', pa.list_(pa.int64())),
    ('logp_unconditional', pa.list_(pa.float64())),
    ('written', pa.string()),
    ('exact', pa.bool_()),
  ]
)
CHOICE_COLUMNS = tuple(field.name for field in dataclasses.fields(ChoiceScore))

_METADATA_KEY = b'icl_gen.scores'
_RUN_EVALUATE = 'give a file that `python -m icl_gen.evaluate` wrote'


def write_scores(
  path: files.Path, scores: Iterable[Score], *, metadata: Mapping[str, Any]
) -> None:
  """Writes scores whole, in the order given.

  Args:
    path: the parquet file; an existing one is replaced.
    scores: at most one per question.
    metadata: JSON values; kept in the file, see `read_scores_metadata`.

  Raises:
    ValueError: a question was scored twice, a log-probability is NaN, or the
      metadata holds NaN.
    OSError: the disk is full, or the path is not writable.
  """
  scores = tuple(scores)
  records.check_unique('score of question', [s.question_id for s in scores])
  for score in scores:
    _check_numbers(score)
  table = pa.Table.from_pylist([_row(s) for s in scores], schema=SCHEMA)
  text = json.dumps(dict(metadata), sort_keys=True, allow_nan=False)
  table = table.replace_schema_metadata({_METADATA_KEY: text.encode()})
  with files.written_whole(path) as partial:
    pq.write_table(table, partial, write_page_checksum=True)


def read_scores(path: files.Path) -> tuple[Score, ...]:
  """Returns the scores that `write_scores` was given, equal to the bit.

  Raises:
    ValueError: the file is missing, damaged or not one of ours.
  """
  _checked_schema(path)
  try:
    rows = pq.read_table(path, page_checksum_verification=True).to_pylist()
  except (pa.ArrowInvalid, OSError) as error:
    raise ValueError(f'{path} is damaged ({error}); {_RUN_EVALUATE}') from error
  return tuple(_score(row) for row in rows)


def read_scores_metadata(path: files.Path) -> dict[str, Any]:
  """Returns the metadata of a file of scores, without reading the scores.

  Raises:
    ValueError: the file is missing, damaged or not one of ours.
  """
  return json.loads(_checked_schema(path).metadata[_METADATA_KEY])


def append_part(path: files.Path, scores: Iterable[Score]) -> None:
  """Appends scores to those of a run that goes on, all of them or none.

  Raises:
    ValueError: a log-probability is not finite.
    OSError: the disk is full, or the path is not writable.
  """
  files.append_json_line(path, {'scores': [_row(score) for score in scores]})


def read_parts(path: files.Path) -> tuple[Score, ...]:
  """Returns what `append_part` was given, equal to the bit; () for no file.

  Raises:
    ValueError: a line is not JSON; names the line.
  """
  if not pathlib.Path(path).exists():
    return ()
  parts = files.read_json_lines(path)
  return tuple(_score(row) for part in parts for row in part['scores'])


def _checked_schema(path: files.Path) -> pa.Schema:
  try:
    schema = pq.read_schema(path)
  except (pa.ArrowInvalid, OSError) as error:
    raise ValueError(
      f'{path} is missing or no parquet file ({error}); {_RUN_EVALUATE}'
    ) from error
  if not schema.equals(SCHEMA) or _METADATA_KEY not in (schema.metadata or {}):
    raise ValueError(
      f'{path} holds no scores of ours: its columns are {schema.names}, ours'
      f' {SCHEMA.names}; {_RUN_EVALUATE}'
    )
  return schema


def _check_numbers(score: Score) -> None:
  for index, choice in enumerate(score.choices):
    if math.isnan(choice.logp) or math.isnan(choice.logp_unconditional):
      raise ValueError(
        f'question {score.question_id!r}, choice {index}: log-probability is'
        f' NaN ({choice}); the model or its checkpoint is broken'
      )


def _row(score: Score) -> dict[str, Any]:
  row = {
    'question_id': score.question_id,
    'kind': score.kind,
    'stratum': score.stratum,
    'cluster': score.cluster,
    'answers': list(score.answers),
    'written': score.written,
    'exact': score.exact,
  }
  for name in CHOICE_COLUMNS:
    row[name] = [getattr(choice, name) for choice in score.choices]
  return row


def _score(row: Mapping[str, Any]) -> Score:
  columns = [row[name] for name in CHOICE_COLUMNS]
  return Score(
    question_id=row['question_id'],
    kind=row['kind'],
    stratum=row['stratum'],
    cluster=row['cluster'],
    answers=tuple(row['answers']),
    choices=tuple(
      ChoiceScore(**dict(zip(CHOICE_COLUMNS, values, strict=True)))
      for values in zip(*columns, strict=True)
    ),
    written=row['written'],
    exact=row['exact'],
  )
