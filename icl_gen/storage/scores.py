"""Scores on disk: one parquet file per run, one row per question.

The file's metadata has the SHA-256 of the whole file, with `_BLANK` in place of
that digest. It is checked when scores are read.

The parts of an unfinished run are lines of JSON, from which it resumes.
"""

import dataclasses
import hashlib
import io
import json
import math
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from icl_gen.storage import arrow_schema, codec, files
from icl_gen.types import ChoiceScore, Question, Score

# A row has the fields of `Score`, but in place of `choices` one list per field
# of `ChoiceScore`, with one entry per choice in the question's order.
_CHOICE_COLUMNS = tuple(field.name for field in dataclasses.fields(ChoiceScore))
_SCORE_COLUMNS = tuple(
  field.name for field in dataclasses.fields(Score) if field.name != 'choices'
)

# Key of the parquet file's metadata; its value is JSON.
METADATA_KEY = b'icl_gen.scores'
# Key of the digest, and what it replaces: as long, and nowhere else in a file,
# since no string in UTF-8 has these bytes and no number repeats them so often.
DIGEST_KEY = b'icl_gen.sha256'
_BLANK = b'\xff\x00' * 32
_EVALUATE = (
  'delete it if it exists, and run `python -m icl_gen.evaluate` (or the study)'
  ' again'
)
# What Arrow and our own decoding raise for a damaged file.
_DAMAGE = (pa.ArrowException, OSError, ValueError, TypeError)


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
  content = _parquet(table)
  with files.atomic_write(path) as partial:
    partial.write_bytes(content.replace(_BLANK, _digest(content)))


def read_scores(path: files.Path) -> tuple[Score, ...]:
  """Returns the scores that `write_scores` was given, equal to the bit.

  Raises:
    ValueError: the file is missing, a byte of it is not what was written, or
      it does not hold scores.
  """
  try:
    content = pathlib.Path(path).read_bytes()
    file = pq.ParquetFile(pa.BufferReader(content))
    columns, metadata = file.schema_arrow, file.metadata.metadata or {}
  except _DAMAGE as error:
    raise ValueError(
      f'{path} is missing or not a parquet file ({_in_one_line(error)});'
      f' {_EVALUATE}'
    ) from error
  if not columns.equals(SCHEMA):
    raise ValueError(
      f'{path} does not hold scores: its columns are {columns.names}, those of'
      f' scores are {SCHEMA.names}; {_EVALUATE}'
    )
  digest = metadata.get(DIGEST_KEY)
  if not digest:
    raise ValueError(
      f'{path} is damaged or from an older version: it has no digest;'
      f' {_EVALUATE}'
    )
  if digest != _digest(content.replace(digest, _BLANK)):
    raise ValueError(
      f'{path} is damaged: its content does not have the digest that is stored'
      f' in it; {_EVALUATE}'
    )
  return tuple(_score(row) for row in file.read().to_pylist())


def read_metadata(path: files.Path) -> dict[str, Any]:
  """Returns the metadata that `write_scores` was given.

  Args:
    path: a file that `read_scores` accepts.
  """
  found: dict[str, Any] = json.loads(
    pq.read_schema(path).metadata[METADATA_KEY]
  )
  return found


def append_part(path: files.Path, scores: Iterable[Score], *, of: str) -> None:
  """Appends scores to those of an unfinished run, all of them or none.

  Args:
    path: the file of the parts.
    scores: the scores of some questions.
    of: what they depend on, e.g. a digest of the settings.

  Raises:
    ValueError: a log-probability is not finite.
    OSError: the disk is full, or the path is not writable.
  """
  part = {'of': _made_from(of), 'scores': [_row(score) for score in scores]}
  files.append_json_line(path, files.sealed(part))


def read_parts(path: files.Path, *, of: str) -> tuple[Score, ...]:
  """Returns the scores that `append_part` was given, equal to the bit.

  Parts that are incomplete, changed, or of something else are skipped. Without
  a file there are none.
  """
  if not pathlib.Path(path).exists():
    return ()
  return tuple(
    _score(row)
    for part in files.read_sealed_lines(path)
    if part.get('of') == _made_from(of)
    for row in part['scores']
  )


def of_first(
  kept: Iterable[Score], questions: Sequence[Question]
) -> tuple[Score, ...]:
  """Returns the scores of the first questions, up to one that has none.

  Args:
    kept: scores in any order, perhaps of other questions too.
    questions: the questions in their order.
  """
  score_of = {score.question_id: score for score in kept}
  found: list[Score] = []
  for question in questions:
    score = score_of.get(question.id)
    if score is None or not _is_of(score, question):
      break
    found.append(score)
  return tuple(found)


def _parquet(table: pa.Table) -> bytes:
  """Returns the content of a file, with `_BLANK` in place of its digest."""
  sink = io.BytesIO()
  with pq.ParquetWriter(sink, table.schema, write_page_checksum=True) as writer:
    writer.write_table(table)
    writer.add_key_value_metadata({DIGEST_KEY: _BLANK})
  return sink.getvalue()


def _digest(content: bytes) -> bytes:
  return hashlib.sha256(content).hexdigest().encode()


def _in_one_line(error: BaseException) -> str:
  return ' '.join(str(error).split())


def _made_from(of: str) -> str:
  # Rows of a version with other columns could not be read.
  return files.digest([of, SCHEMA.names])


def _is_of(score: Score, question: Question) -> bool:
  return (
    score.question_id,
    score.kind,
    score.stratum,
    score.cluster,
    score.answers,
    len(score.choices),
  ) == (
    question.id,
    question.kind,
    question.stratum,
    question.cluster,
    question.answers,
    len(question.choices),
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
