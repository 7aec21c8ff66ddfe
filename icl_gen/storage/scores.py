"""Scores on disk: one parquet file per run, one row per question.

The parts of an unfinished run are lines of JSON, from which it resumes.
"""

import dataclasses
import json
import math
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from icl_gen.storage import arrow_schema, codec, files
from icl_gen.types import ChoiceScore, Score

# A row has the fields of `Score`, but in place of `choices` one list per field
# of `ChoiceScore`, with one entry per choice in the question's order.
_CHOICE_COLUMNS = tuple(field.name for field in dataclasses.fields(ChoiceScore))
_SCORE_COLUMNS = tuple(
  field.name for field in dataclasses.fields(Score) if field.name != 'choices'
)

# Key of the parquet file's metadata; its value is JSON.
METADATA_KEY = b'icl_gen.scores'
_GIVE_EVALUATED = 'give a file that `python -m icl_gen.evaluate` wrote'


def _schema() -> pa.Schema:
  columns = []
  for field in arrow_schema.of_record(Score):
    if field.name == 'choices':
      struct = field.type.value_type
      columns += [(inner.name, pa.list_(inner.type)) for inner in struct]
    else:
      columns.append((field.name, field.type))
  return pa.schema(columns)


SCHEMA = _schema()


def write_scores(
  path: files.Path, scores: Iterable[Score], *, metadata: Mapping[str, Any]
) -> None:
  """Writes scores atomically, in the order given.

  Args:
    path: the parquet file; an existing one is replaced.
    scores: at most one per question.
    metadata: JSON values, stored in the file's metadata as `METADATA_KEY`.

  Raises:
    ValueError: a question has two scores, a log-probability is NaN, or the
      metadata has NaN in it.
    OSError: the disk is full, or the path is not writable.
  """
  scores = tuple(scores)
  codec.check_unique('score of question', [s.question_id for s in scores])
  for score in scores:
    _check_numbers(score)
  table = pa.Table.from_pylist([_row(s) for s in scores], schema=SCHEMA)
  text = json.dumps(dict(metadata), sort_keys=True, allow_nan=False)
  table = table.replace_schema_metadata({METADATA_KEY: text.encode()})
  with files.atomic_write(path) as partial:
    pq.write_table(table, partial, write_page_checksum=True)


def read_scores(path: files.Path) -> tuple[Score, ...]:
  """Returns the scores that `write_scores` was given, equal to the bit.

  Raises:
    ValueError: the file is missing, damaged, or does not hold scores.
  """
  _check_schema(path)
  try:
    rows = pq.read_table(path, page_checksum_verification=True).to_pylist()
  except (pa.ArrowInvalid, OSError) as error:
    raise ValueError(
      f'{path} is damaged ({error}); {_GIVE_EVALUATED}'
    ) from error
  return tuple(_score(row) for row in rows)


def append_part(path: files.Path, scores: Iterable[Score]) -> None:
  """Appends scores to those of an unfinished run, all of them or none.

  Raises:
    ValueError: a log-probability is not finite.
    OSError: the disk is full, or the path is not writable.
  """
  files.append_json_line(path, {'scores': [_row(score) for score in scores]})


def read_parts(path: files.Path) -> tuple[Score, ...]:
  """Returns all scores that `append_part` was given, equal to the bit.

  A part that a killed run left incomplete is skipped. Without a file there are
  none.

  Raises:
    ValueError: a line is not JSON; the message has its number.
  """
  if not pathlib.Path(path).exists():
    return ()
  parts = files.read_json_lines(path)
  return tuple(_score(row) for part in parts for row in part['scores'])


def _check_schema(path: files.Path) -> None:
  try:
    schema = pq.read_schema(path)
  except (pa.ArrowInvalid, OSError) as error:
    raise ValueError(
      f'{path} is missing or not a parquet file ({error}); {_GIVE_EVALUATED}'
    ) from error
  if not schema.equals(SCHEMA) or METADATA_KEY not in (schema.metadata or {}):
    raise ValueError(
      f'{path} does not hold scores: its columns are {schema.names}, those of'
      f' scores are {SCHEMA.names}; {_GIVE_EVALUATED}'
    )


def _check_numbers(score: Score) -> None:
  for index, choice in enumerate(score.choices):
    if math.isnan(choice.logp) or math.isnan(choice.logp_unconditional):
      raise ValueError(
        f'question {score.question_id!r}, choice {index}: log-probability is'
        f' NaN ({choice}); the model or its checkpoint is broken'
      )


def _row(score: Score) -> dict[str, Any]:
  own = {name: getattr(score, name) for name in _SCORE_COLUMNS}
  of_choices = {
    name: [getattr(choice, name) for choice in score.choices]
    for name in _CHOICE_COLUMNS
  }
  return own | of_choices


def _score(row: Mapping[str, Any]) -> Score:
  columns = [row[name] for name in _CHOICE_COLUMNS]
  choices = tuple(
    ChoiceScore(**dict(zip(_CHOICE_COLUMNS, values, strict=True)))
    for values in zip(*columns, strict=True)
  )
  own: dict[str, Any] = {
    name: tuple(row[name]) if isinstance(row[name], list) else row[name]
    for name in _SCORE_COLUMNS
  }
  return Score(choices=choices, **own)
