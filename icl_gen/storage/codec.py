"""Documents and questions as flat rows, and back.

Columns are derived from the fields of `types.Document` and `types.Question`: a
new field needs no change here as long as its type is in `_COLUMN_OF_TYPE`.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_origin

from icl_gen.types import Corpus, Document, Fact, Origin, Question

Row = dict[str, Any]
Record = Document | Question


@dataclasses.dataclass(frozen=True)
class _Column:
  """How a flat row stores a field.

  Attributes:
    stored: type of the stored value; str, int, tuple[str, ...] or
      tuple[int, ...].
    encode: turns the field into the stored value.
    decode: turns the stored value into the field.
  """

  stored: Any
  encode: Callable[[Any], Any] = lambda value: value
  decode: Callable[[Any], Any] = lambda value: value


def _json(value: Any) -> str:
  """Returns the one JSON text of a value: sorted keys, no spaces, no NaN."""
  return json.dumps(
    value,
    sort_keys=True,
    ensure_ascii=False,
    allow_nan=False,
    separators=(',', ':'),
  )


def _triple(fact: Fact) -> list[str]:
  return [fact.subject, fact.relation, fact.object]


def _origin(fields: dict[str, Any]) -> Origin:
  lists = {
    'parents': tuple(fields['parents']),
    'details': tuple(tuple(detail) for detail in fields['details']),
  }
  return Origin(**(fields | lists))


# Nested fields become JSON text, so that readers without our code can use them.
_COLUMN_OF_TYPE: dict[Any, _Column] = {
  str: _Column(str),
  int: _Column(int),
  tuple[str, ...]: _Column(tuple[str, ...], decode=tuple),
  tuple[int, ...]: _Column(tuple[int, ...], decode=tuple),
  tuple[Fact, ...]: _Column(
    str,
    encode=lambda facts: _json([_triple(fact) for fact in facts]),
    decode=lambda text: tuple(Fact(*triple) for triple in json.loads(text)),
  ),
  Fact | None: _Column(
    str,
    encode=lambda fact: _json(fact and _triple(fact)),
    decode=lambda text: None if text == 'null' else Fact(*json.loads(text)),
  ),
  Origin: _Column(
    str,
    encode=lambda origin: _json(dataclasses.asdict(origin)),
    decode=lambda text: _origin(json.loads(text)),
  ),
}


def _columns(record_type: type) -> dict[str, _Column]:
  return {
    field.name: _COLUMN_OF_TYPE[field.type]
    for field in dataclasses.fields(record_type)
  }


# Name -> type of the stored value. A TFDS data set has one set of columns, so
# documents and questions share it and leave each other's columns empty.
# `index` is the position among the corpus's documents, or its questions.
COLUMNS: dict[str, Any] = {'index': int} | {
  name: column.stored
  for record_type in (Document, Question)
  for name, column in _columns(record_type).items()
}


def encode(index: int, record: Record) -> Row:
  """Returns a record as a row with all of `COLUMNS`."""
  row = {name: (get_origin(t) or t)() for name, t in COLUMNS.items()}
  row['index'] = index
  for name, column in _columns(type(record)).items():
    row[name] = column.encode(getattr(record, name))
  return row


def decode[R: Document | Question](
  record_type: type[R], row: Mapping[str, Any]
) -> R:
  """Returns the record that `encode` was given; the index is dropped."""
  return record_type(
    **{
      name: column.decode(row[name])
      for name, column in _columns(record_type).items()
    }
  )


def encode_all(records: Sequence[Record]) -> list[Row]:
  """Returns the rows of all documents, or of all questions, in their order.

  Raises:
    ValueError: an id occurs twice, or a record would not be read back equal
      (text that UTF-8 cannot encode, values that JSON has no type for).
  """
  if records:
    what = type(records[0]).__name__.lower()
    check_unique(what, [record.id for record in records])
  rows = [encode(index, record) for index, record in enumerate(records)]
  for record, row in zip(records, rows, strict=True):
    _check_decodes(record, row)
  return rows


def digest(corpus: Corpus) -> str:
  """Returns the SHA-256 of a corpus's documents and questions, in hex.

  It is taken over the JSON of {'documents': [...], 'questions': [...]} with
  every field of every record. The corpus's name and manifest do not count.
  """
  content = {
    'documents': [dataclasses.asdict(d) for d in corpus.documents],
    'questions': [dataclasses.asdict(q) for q in corpus.questions],
  }
  return hashlib.sha256(_json(content).encode()).hexdigest()


def check_unique(what: str, ids: Sequence[str]) -> None:
  """Raises ValueError with the first id that occurs twice."""
  seen = set()
  for id in ids:
    if id in seen:
      raise ValueError(
        f'{what} id {id!r} occurs twice; ids must be unique: rename or remove'
        ' one'
      )
    seen.add(id)


def _check_decodes(record: Record, row: Row) -> None:
  decoded = decode(type(record), row)
  if record != decoded:
    raise ValueError(
      f'record {record.id!r} would not be read back equal; give every field'
      f' the type that icl_gen.types states. Written: {record}; read: {decoded}'
    )
  try:
    _json(row).encode()
  except UnicodeEncodeError as error:
    raise ValueError(
      f'record {record.id!r} has text that UTF-8 cannot encode ({error});'
      ' remove its lone surrogates'
    ) from error
