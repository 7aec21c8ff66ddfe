"""Rows as CSV, Markdown or HTML text; the same rows give the same bytes."""

import csv
import dataclasses
import html
import io
from collections.abc import Sequence
from typing import Any


def csv_text(rows: Sequence[Any], row_type: type) -> str:
  """CSV with a header, from dataclass rows; lines end in a newline.

  Args:
    rows: instances of `row_type`, maybe none.
    row_type: the dataclass whose attributes are the columns.
  """
  columns = [field.name for field in dataclasses.fields(row_type)]
  stream = io.StringIO()
  writer = csv.writer(stream, lineterminator='\n')
  writer.writerow(columns)
  for row in rows:
    writer.writerow(
      [fixed(getattr(row, c), places=_PLACES.get(c, 6)) for c in columns]
    )
  return stream.getvalue()


# A p-value is read on a log scale: six places would turn most of them to 0.
_PLACES = {'p_value': 'e', 'documents': 1, 'questions': 1, 'untargeted': 1}


def fixed(value: Any, *, places: int | str) -> str:
  """One value as text: floats with fixed places ('e': exponent), None as ''."""
  if value is None:
    return ''
  if not isinstance(value, float):
    return str(value)
  if places == 'e':
    return f'{value:.4e}'
  # Adding 0.0 turns the -0.0 of rounding into 0.0.
  return f'{round(value, places) + 0.0:.{places}f}'


def percent(value: float | None, *, places: int = 1) -> str:
  """A share of 1 as per cent without the sign, 'n/a' for None."""
  return 'n/a' if value is None else fixed(100.0 * value, places=places)


def interval(low: float | None, high: float | None) -> str:
  """An interval in per cent, '' where there is none."""
  if low is None or high is None:
    return ''
  return f'[{percent(low)}, {percent(high)}]'


def points(value: float) -> str:
  """A difference of shares in points, always with its sign."""
  text = percent(value)
  return text if text.startswith('-') else f'+{text}'


def p_value(value: float) -> str:
  """A p-value as a reader wants it: '0.031', '< 0.001'."""
  return '< 0.001' if value < 0.001 else fixed(float(value), places=3)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """A Markdown table; bars and line breaks in values are escaped."""

  def line(values: Sequence[str]) -> str:
    cells = (v.replace('|', '\\|').replace('\n', ' ') for v in values)
    return f'| {" | ".join(cells)} |'

  lines = [line(header), line(['---'] * len(header)), *map(line, rows)]
  return '\n'.join(lines) + '\n'


def html_table(
  header: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str
) -> str:
  """An HTML table in a scrolling box; everything given is escaped."""

  def line(tag: str, values: Sequence[str]) -> str:
    scope = ' scope="col"' if tag == 'th' else ''
    cells = (f'<{tag}{scope}>{html.escape(v)}</{tag}>' for v in values)
    return f'<tr>{"".join(cells)}</tr>'

  body = '\n'.join(line('td', row) for row in rows)
  return (
    f'<div class="wide"><table>\n<caption>{html.escape(caption)}</caption>\n'
    f'<thead>{line("th", header)}</thead>\n<tbody>\n{body}\n</tbody>\n'
    '</table></div>\n'
  )


def paragraph(text: str) -> str:
  """An HTML paragraph; the text is escaped."""
  return f'<p>{html.escape(text)}</p>\n'


def definitions(title: str, entries: Sequence[tuple[str, str]]) -> str:
  """Words and what they mean, under a title; everything given is escaped."""
  lines = '\n'.join(
    f'<dt>{html.escape(word)}</dt><dd>{html.escape(line)}</dd>'
    for word, line in entries
  )
  return f'<h3>{html.escape(title)}</h3>\n<dl>\n{lines}\n</dl>\n'
