"""Arrow schemas, derived from the fields of the records in `types`."""

import dataclasses
import types
from typing import Any, get_args, get_origin

import pyarrow as pa

_TYPES: dict[Any, pa.DataType] = {
  str: pa.string(),
  int: pa.int64(),
  float: pa.float64(),  # as wide as Python's, so that no bit is lost
  bool: pa.bool_(),
  # A pair (name, value), e.g. of an Origin's details; Arrow has no tuples.
  tuple[str, str]: pa.struct([('name', pa.string()), ('value', pa.string())]),
}


def of_record(record_type: type) -> pa.Schema:
  """Returns the schema whose columns are the fields of a dataclass."""
  return pa.schema(_fields(record_type))


def of_type(hint: Any) -> pa.DataType:
  """Returns the Arrow type of a field's type hint.

  Dataclasses become structs and `tuple[T, ...]` lists; every Arrow value may
  be null, so `T | None` is as T.

  Raises:
    KeyError: no Arrow type is known for the hint.
  """
  arguments = get_args(hint)
  if isinstance(hint, types.UnionType):
    (hint,) = set(arguments) - {type(None)}
    return of_type(hint)
  if get_origin(hint) is tuple and arguments[1:] == (...,):
    return pa.list_(of_type(arguments[0]))
  if dataclasses.is_dataclass(hint):
    return pa.struct(_fields(hint))
  return _TYPES[hint]


def _fields(record_type: Any) -> list[tuple[str, pa.DataType]]:
  return [
    (field.name, of_type(field.type))
    for field in dataclasses.fields(record_type)
  ]
