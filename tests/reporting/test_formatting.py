"""Texts of a report are text: no formula of a spreadsheet, no HTML."""

import csv
import dataclasses
import io

import pytest

from icl_gen.reporting import formatting


@dataclasses.dataclass
class Row:
  kind: str
  value: float | None


def cell(kind, value=-0.5):
  text = formatting.csv_text([Row(kind, value)], Row)
  (row,) = csv.DictReader(io.StringIO(text))
  return row


@pytest.mark.parametrize(
  'text', ['=cmd|x!A1', '+a', '-a', '@SUM(A1)', '=1', '-']
)
def test_a_text_that_a_spreadsheet_would_compute_is_quoted(text):
  assert cell(text)['kind'] == f"'{text}"


@pytest.mark.parametrize(
  'text', ['a=b', '', '-1', '+2.5', '-1e-3', "'=a", 'a-b']
)
def test_other_texts_are_unchanged(text):
  assert cell(text) == {'kind': text, 'value': '-0.500000'}


@pytest.mark.parametrize(
  ('text', 'shown'),
  [
    ('<script>x</script>', '&lt;script>x&lt;/script>'),
    ('<!-- x', '&lt;!-- x'),
    ('< 0.001', '< 0.001'),
    ('a<1', 'a<1'),
  ],
)
def test_texts_in_markdown_are_not_html(text, shown):
  table = formatting.markdown_table([{'title': text}])
  assert table.splitlines()[-1] == f'| {shown} |'


@pytest.mark.parametrize(
  ('values', 'said'),
  [
    ([0.25], '25.0'),
    ([1.0, 0.25, 0.5], '25.0 to 100.0'),
    ([0.05, 0.25], '5.0 to 25.0'),
    ([0.25, 0.2500001], '25.0'),
  ],
)
def test_ranges_are_from_the_least_to_the_greatest(values, said):
  assert formatting.percent_range(values) == said
