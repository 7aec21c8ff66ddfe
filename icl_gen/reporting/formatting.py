"""Numbers as text; the rows of a table as CSV or Markdown."""

import csv
import dataclasses
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def csv_text(rows: Sequence[Any], row_type: type) -> str:
  """CSV with a header; lines end in a newline.

  Texts that a spreadsheet would compute get an apostrophe in front. Without
  named runs there is no column for them.

  Args:
    rows: instances of `row_type`, maybe none.
    row_type: the dataclass whose attributes are the columns.
  """
  columns = [
    field.name
    for field in dataclasses.fields(row_type)
    if field.name != 'run' or any(row.run for row in rows)
  ]
  stream = io.StringIO()
  writer = csv.writer(stream, lineterminator='\n')
  writer.writerow(columns)
  for row in rows:
    writer.writerow([_csv_value(c, getattr(row, c)) for c in columns])
  return stream.getvalue()


_PLACES = {'documents': 1, 'questions': 1, 'untargeted': 1}


def _csv_value(column: str, value: Any) -> str:
  if column == 'p_value':
    # Six decimal places would turn most p-values into 0.
    return f'{value:.4e}'
  if isinstance(value, str) and _is_formula(value):
    return f"'{value}"
  return fixed(value, places=_PLACES.get(column, 6))


def _is_formula(text: str) -> bool:
  """Whether a spreadsheet may compute a text that is not a number."""
  is_number = re.fullmatch(r'[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?', text)
  return text.startswith(('=', '+', '-', '@')) and not is_number


# The beginning of an HTML tag or comment in Markdown.
_TAG = re.compile(r'<(?=[A-Za-z/!?])')


def markdown_table(rows: Sequence[Mapping[str, str]]) -> str:
  """A Markdown table; bars, line breaks and HTML in values are escaped.

  Args:
    rows: column title -> text, at least one row.
  """

  def line(values: Sequence[str]) -> str:
    escaped = (v.replace('|', '\\|').replace('\n', ' ') for v in values)
    return f'| {" | ".join(_TAG.sub("&lt;", v) for v in escaped)} |'

  titles = list(rows[0])
  body = [line(list(row.values())) for row in rows]
  return '\n'.join([line(titles), line(['---'] * len(titles)), *body]) + '\n'


def fixed(value: Any, *, places: int) -> str:
  """A value as text: floats with fixed decimal places, None as ''."""
  if value is None:
    return ''
  if not isinstance(value, float):
    return str(value)
  # Adding 0.0 turns the -0.0 of rounding into 0.0.
  return f'{round(value, places) + 0.0:.{places}f}'


def percent(value: float | None, *, places: int = 1) -> str:
  """A share of 1 in per cent, without the sign; 'n/a' for None."""
  return 'n/a' if value is None else fixed(100.0 * value, places=places)


def percent_range(values: Iterable[float], *, places: int = 1) -> str:
  """The least and the greatest of some shares in per cent, '25.0 to 100.0'.

  Args:
    values: at least one.
    places: after the decimal point.
  """
  every = list(values)
  ends = (percent(end, places=places) for end in (min(every), max(every)))
  return ' to '.join(dict.fromkeys(ends))


def interval(low: float | None, high: float | None) -> str:
  """An interval in per cent, '' where there is none."""
  if low is None or high is None:
    return ''
  return f'[{percent(low)}, {percent(high)}]'


def points(value: float) -> str:
  """A difference of shares in percentage points, always with its sign."""
  text = percent(value)
  return text if text.startswith('-') else f'+{text}'


def p_value(value: float) -> str:
  """A p-value as text: '0.031', '< 0.001'."""
  return '< 0.001' if value < 0.001 else fixed(float(value), places=3)
