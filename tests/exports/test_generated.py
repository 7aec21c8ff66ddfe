"""Generated documents are written next to what they were generated from."""

import json

import pyarrow.parquet as pq

from icl_gen.exports import generated
from icl_gen.types import Corpus, Document, Origin

GIVEN = (Document('a', 'Glon "are" red.'), Document('b/0', 'Ä.'))


def made(name, kind, parent):
  verdict = {'verdict': 'unverified', 'hops': '0', 'not_shown': 'x'}
  details = {'model': 'nano', 'seed': '0', **verdict}
  origin = Origin(kind, (parent,), tuple(details.items()))
  return Document(name, f'Said of {parent}.', origin=origin)


MADE = (
  made('local/a/0/0', 'local', 'a'),
  made('global/b/0/0', 'global', 'b/0'),
)


def test_every_row_has_its_source(tmp_path):
  corpus = Corpus('c', MADE, ())
  generated.writer(GIVEN)(tmp_path, corpus, None)
  lines = (tmp_path / 'generated.jsonl').read_text('utf-8').splitlines()
  rows = [json.loads(line) for line in lines]
  assert [list(row) for row in rows] == [list(generated.COLUMNS)] * 2
  assert rows == pq.read_table(tmp_path / 'generated.parquet').to_pylist()
  for row, document in zip(rows, MADE, strict=True):
    assert row['text'] == f'Said of {row["source_id"]}.' == document.text
    assert row['source'] == {d.id: d.text for d in GIVEN}[row['source_id']]
    assert (row['augmentation'], row['model']) == (document.origin.kind, 'nano')


def test_without_documents_the_files_have_no_rows(tmp_path):
  generated.writer(GIVEN)(tmp_path, Corpus('c', (), ()), None)
  assert (tmp_path / 'generated.jsonl').read_text() == ''
  table = pq.read_table(tmp_path / 'generated.parquet')
  assert (table.num_rows, table.column_names) == (0, list(generated.COLUMNS))
