"""Rows of JSONL, parquet and arrow files become documents."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from icl_gen.worlds import custom

ROWS = [
  {'text': 'Glon are red. ', 'label': 3},
  {'text': '', 'label': 4},
  {'text': 'Troff\r\nare blue.', 'label': 5},
]
READ = ['Glon are red.', 'Troff\nare blue.']


def save(path, rows=ROWS):
  """Writes rows in the format of the file's name."""
  path.parent.mkdir(parents=True, exist_ok=True)
  table = pa.Table.from_pylist(rows)
  if path.suffix == '.jsonl':
    path.write_text(''.join(f'{json.dumps(row)}\n' for row in rows))
  elif path.suffix == '.parquet':
    pq.write_table(table, path)
  else:
    with pa.ipc.new_stream(str(path), table.schema) as stream:
      stream.write_table(table)


def read(folder, **options):
  return custom.from_folder(folder, seed='s', **options)[1]


@pytest.mark.parametrize('suffix', ['jsonl', 'parquet', 'arrow'])
def test_every_row_with_text_is_a_document(tmp_path, suffix):
  save(tmp_path / 'data' / f'a.{suffix}')
  corpus = read(tmp_path)
  name = f'data/a.{suffix}'
  assert [d.id for d in corpus.documents] == [f'{name}:1', f'{name}:3']
  assert [d.text for d in corpus.documents] == READ
  assert corpus.manifest['notes'] == ['rows without text, left out: 1']
  assert list(custom.fingerprint(tmp_path)) == [name]


def test_files_of_all_kinds_and_levels_are_read_in_the_order_of_their_paths(
  tmp_path,
):
  save(tmp_path / 'b.parquet', [{'text': 'B.', 'id': 'own'}])
  save(tmp_path / 'a' / 'z.jsonl', [{'text': 'Z.'}])
  save(tmp_path / 'a' / 'y.arrow', [{'text': 'Y.'}])
  (tmp_path / 'a' / 'x.md').write_text('X.')
  (tmp_path / 'c.txt').write_text('C.')
  documents = read(tmp_path).documents
  assert [d.text for d in documents] == ['X.', 'Y.', 'Z.', 'B.', 'C.']
  assert [d.id for d in documents][2:4] == ['a/z.jsonl:1', 'own']


def test_a_readme_describes_the_tables_below_it(tmp_path):
  save(tmp_path / 'data' / 'a.parquet', [{'text': 'A.'}])
  (tmp_path / 'README.md').write_text('# A data set')
  (tmp_path / 'notes').mkdir()
  (tmp_path / 'notes' / 'README.md').write_text('B.')
  assert [d.text for d in read(tmp_path).documents] == ['A.', 'B.']
  assert list(custom.fingerprint(tmp_path)) == [
    'data/a.parquet',
    'notes/README.md',
  ]


def test_another_column_may_have_the_texts(tmp_path):
  save(tmp_path / 'a.parquet', [{'body': 'A.', 'title': 'a'}])
  with pytest.raises(ValueError, match="'body', 'title'; .*size.column=NAME"):
    read(tmp_path)
  assert [d.text for d in read(tmp_path, column='body').documents] == ['A.']


@pytest.mark.parametrize(
  ('name', 'content', 'message'),
  [
    ('a.jsonl', b'{"text": "A."}\n{"text"', 'a.jsonl, line 2 is not JSON'),
    ('a.jsonl', b'{"text": "A."}\n\xff', 'a.jsonl.* is not JSON in UTF-8'),
    ('a.jsonl', b'[1]', r'line 1 is \[1\]; expected {"text"'),
    ('a.jsonl', b'{"text": 3}', "line 1 has int in column 'text'"),
    ('a.jsonl', b'{"text": "\\ud800"}', 'line 1 has half a surrogate pair'),
    ('a.parquet', b'none', 'a.parquet is damaged, or not a .parquet file'),
    ('a.arrow', b'none', 'a.arrow is damaged, or not a .arrow file'),
    (
      'a.parquet',
      b'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n',
      'a.parquet stands for a file .* run `git lfs pull`',
    ),
    (
      'a.jsonl',
      b'{"text": "A.", "id": "x"}\n{"text": "B.", "id": "x"}',
      "has the id 'x'",
    ),
  ],
)
def test_mistakes_name_the_file_and_the_row(tmp_path, name, content, message):
  (tmp_path / name).write_bytes(content)
  with pytest.raises(ValueError, match=message):
    read(tmp_path)


def test_long_documents_are_split_and_it_is_said(tmp_path):
  text = '# A\n\n' + 'Glon are red. ' * 20 + '\n\n# B\n\nTroff are blue.'
  (tmp_path / 'a.md').write_text(text)
  (tmp_path / 'b.md').write_text('Short.')
  whole, split = read(tmp_path), read(tmp_path, longest=100)
  assert [d.id for d in whole.documents] == ['a.md', 'b.md']
  assert 'notes' not in whole.manifest
  *parts, last = split.documents
  assert [d.id for d in parts] == [f'a.md/{n}' for n in range(len(parts))]
  assert ' '.join(d.text for d in parts).split() == text.split()
  assert max(len(d.text) for d in parts) <= 100
  assert last == whole.documents[-1]
  (note,) = split.manifest['notes']
  assert note.startswith('documents of more than 100 characters: 1, split')
  assert f' {len(parts)} pieces' in note


def test_what_cannot_be_split_is_counted(tmp_path):
  (tmp_path / 'a.txt').write_text('Glon are red. ' * 9 + 'word ' * 40)
  (tmp_path / 'b.txt').write_text('word ' * 60)
  split, over = read(tmp_path, longest=100).manifest['notes']
  assert split.startswith('documents of more than 100 characters: 1, split')
  assert over == (
    'longer than that, as nothing can be split in them: 2, the longest of 299'
    ' characters'
  )


def test_a_negative_length_is_an_error(tmp_path):
  (tmp_path / 'a.md').write_text('A.')
  with pytest.raises(ValueError, match='size.longest=-1; give the characters'):
    read(tmp_path, longest=-1)


def test_an_id_of_a_piece_that_is_taken_is_an_error(tmp_path):
  rows = [{'id': 'x/0', 'text': 'A.'}, {'id': 'x', 'text': 'B c. ' * 9}]
  save(tmp_path / 'a.jsonl', rows)
  with pytest.raises(ValueError, match="'x/0' twice"):
    read(tmp_path, longest=20)


@pytest.mark.parametrize(
  ('content', 'asks'), [(None, False), (' \n', False), ('{}', True)]
)
def test_a_folder_asks_if_it_has_questions(tmp_path, content, asks):
  if content is not None:
    (tmp_path / 'questions.jsonl').write_text(content)
  assert custom.asks(tmp_path) == asks
  assert custom.asks(tmp_path / 'none')


# --- folders of Hugging Face -------------------------------------------------


def test_a_data_set_that_was_saved_to_disk_is_read_once(tmp_path):
  """Next to its files, the library keeps what it made of them."""
  save(tmp_path / 'data-00000-of-00001.arrow', [{'text': 'A.'}])
  save(tmp_path / 'cache-8a1f.arrow', [{'text': 'a.'}])
  save(tmp_path / 'cache-77b0.arrow', [{'indices': 0}])
  with pytest.raises(ValueError, match="no column 'text'"):
    read(tmp_path)
  for name in ('dataset_info.json', 'state.json'):
    (tmp_path / name).write_text('{}')
  corpus = read(tmp_path)
  assert [d.text for d in corpus.documents] == ['A.']
  assert 'notes' not in corpus.manifest
  assert list(custom.fingerprint(tmp_path)) == ['data-00000-of-00001.arrow']


@pytest.mark.parametrize(
  ('train', 'test'),
  [
    ('data/train{}.parquet', 'data/test{}.parquet'),
    ('train/data{}.arrow', 'test/data{}.arrow'),
  ],
)
def test_all_splits_are_read_and_it_is_said(tmp_path, train, test):
  (tmp_path / 'README.md').write_text('---\nconfigs:\n- config_name: a\n---')
  (tmp_path / 'dataset_dict.json').write_text('{}')
  first, second = (train.format(f'-0000{n}-of-00002') for n in range(2))
  save(tmp_path / first, [{'text': 'A.', 'id': '0'}])
  save(tmp_path / second, [{'text': 'B.', 'id': '1'}])
  assert 'notes' not in read(tmp_path).manifest
  other = test.format('-00000-of-00001')
  save(tmp_path / other, [{'text': 'C.', 'id': '0'}, {'text': 'D.', 'id': '9'}])
  corpus = read(tmp_path)
  assert sorted(d.text for d in corpus.documents) == ['A.', 'B.', 'C.', 'D.']
  # Rows of two splits may be counted alike.
  assert {d.id for d in corpus.documents} == {'0', '1', '9', f'{first}:1'}
  twice, splits = corpus.manifest['notes']
  assert twice == 'rows with the id of another, named after their file: 1'
  a, b = (name.split('{')[0] for name in (test, train))
  assert f'all are read: {a} (2 rows), {b} (2 rows); to leave' in splits


def test_only_the_columns_that_are_needed_are_read(tmp_path):
  """Files with an index, which other programs write, are read like streams."""
  table = pa.table({'text': ['A.', None], 'image': [b'1', b'2']})
  with pa.ipc.new_file(str(tmp_path / 'a.arrow'), table.schema) as file:
    file.write_table(table)
  pq.write_table(table, tmp_path / 'b.parquet')
  # Pages of the image are destroyed, those of the text are not.
  place = pq.ParquetFile(tmp_path / 'b.parquet').metadata.row_group(0).column(1)
  content = bytearray((tmp_path / 'b.parquet').read_bytes())
  start = place.dictionary_page_offset
  content[start : start + place.total_compressed_size] = bytes(
    place.total_compressed_size
  )
  (tmp_path / 'b.parquet').write_bytes(content)
  corpus = read(tmp_path)
  assert [d.text for d in corpus.documents] == ['A.', 'A.']
  assert corpus.manifest['notes'][0] == 'rows without text, left out: 2'


def test_a_column_that_is_no_text_is_an_error_without_rows_too(tmp_path):
  save(tmp_path / 'a.parquet', [{'messages': [{'role': 'user'}]}])
  with pytest.raises(ValueError, match="has list in column 'messages'; expect"):
    read(tmp_path, column='messages')
  pq.write_table(pa.table({'body': []}), tmp_path / 'a.parquet')
  with pytest.raises(ValueError, match="a.parquet has no column 'text' but"):
    read(tmp_path)


def test_a_file_that_breaks_off_is_an_error(tmp_path):
  for name in ('a.arrow', 'a.parquet'):
    save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=f'{name} is damaged'):
      read(tmp_path)
    (tmp_path / name).unlink()
