"""A user's folder is read in full, and mistakes in it are located."""

import json
import os
import pathlib
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icl_gen.types import World
from icl_gen.worlds import audit, catalog, custom

EXAMPLE = pathlib.Path(__file__).parents[2] / 'configs' / 'custom_example'
DOCUMENT = {'id': 'd', 'text': 'Glon are red.'}
QUESTION = {
  'prompt': 'Glon are',
  'choices': ['red', 'blue'],
  'answer': 0,
  'kind': 'k',
}


def lines(*rows):
  return ''.join(json.dumps(row, ensure_ascii=False) + '\n' for row in rows)


def write(folder, **contents):
  """Writes <name>.jsonl of text or bytes."""
  folder.mkdir(exist_ok=True)
  for name, content in contents.items():
    if isinstance(content, str):
      content = content.encode()
    (folder / f'{name}.jsonl').write_bytes(content)
  return folder


def read(folder, **options):
  return custom.from_folder(folder, seed='s', **options)[1]


def test_the_example_passes_the_audit():
  world, corpus = catalog.build('custom', seed=0, path=EXAMPLE)
  assert world == World('custom', (), ())
  assert corpus.manifest['questions'] == {
    'rephrase': 4,
    'reversal': 4,
    'deduction': 4,
  }
  assert corpus.manifest['documents'] == 12
  assert audit.audit(world, corpus)['complaints'] == []
  assert corpus.manifest['sha256'] == custom.fingerprint(EXAMPLE)
  assert list(corpus.manifest['sha256']) == [custom.DOCUMENTS, custom.QUESTIONS]


def test_lines_become_records(tmp_path):
  long = {'id': 'e', 'text': 'A b c.', 'prompt_length': 2}
  several = {
    'id': 'q', 'prompt': 'Glon are ', 'choices': ['x', ' y', 'z'],
    'answer': [2, 0], 'kind': 'k', 'stratum': 's',
  }  # fmt: skip
  corpus = read(
    write(
      tmp_path,
      documents=lines(DOCUMENT, long),
      questions=lines(QUESTION, several),
    )
  )
  one, other = corpus.documents
  assert (one.id, one.text, one.prompt_length) == ('d', 'Glon are red.', 0)
  assert (other.id, other.text, other.prompt_length) == ('e', 'A b c.', 2)
  first, second = corpus.questions
  assert first.choices == (' red', ' blue')
  assert (first.answers, first.kind, first.stratum) == ((0,), 'k', '')
  # The prompt ends in white space, so none is added.
  assert second.choices == ('x', ' y', 'z')
  assert (second.id, second.answers, second.stratum) == ('q', (2, 0), 's')


@pytest.mark.parametrize(
  ('prompt', 'joiner', 'choices'),
  [
    ('Glon are', ' ', (' red', ' blue')),
    ('Glon are', '', ('red', 'blue')),
    ('Glon are\n', ' ', ('red', 'blue')),
    ('', ' ', ('red', 'blue')),
  ],
)
def test_prompt_and_choice_are_separated_once(
  tmp_path, prompt, joiner, choices
):
  write(
    tmp_path,
    documents=lines(DOCUMENT),
    questions=lines(QUESTION | {'prompt': prompt}),
  )
  (question,) = read(tmp_path, joiner=joiner).questions
  assert question.choices == choices


def test_byte_order_marks_line_ends_and_blank_lines_are_ignored(tmp_path):
  rows = [DOCUMENT, DOCUMENT | {'id': 'e', 'text': 'Two\r\nlines.'}]
  plain = read(write(tmp_path / 'a', documents=lines(*rows)))
  dressed = b'\xef\xbb\xbf\r\n' + lines(*rows).replace('\n', '\r\n \n').encode()
  other = read(write(tmp_path / 'b', documents=dressed.rstrip()))
  assert other.documents == plain.documents
  assert plain.documents[1].text == 'Two\r\nlines.'


def test_adding_lines_changes_no_question_id(tmp_path):
  other = QUESTION | {'kind': 'l'}
  one = read(
    write(tmp_path, documents=lines(DOCUMENT), questions=lines(QUESTION))
  )
  two = read(write(tmp_path, questions='\n' + lines(other, QUESTION)))
  assert one.questions[0] == two.questions[1]
  assert two.questions[0].id != two.questions[1].id


def test_text_files_are_documents(tmp_path):
  (tmp_path / 'b' / '.git').mkdir(parents=True)
  for name, content in {
    'z.txt': b'\xef\xbb\xbf Zed.\r\nSecond.\r\n\r\n',
    'b/a.MD': '# Ä\n\ntext'.encode(),
    'b/.git/x.md': b'hidden',
    'b/y.py': b'no text',
    '.hidden.txt': b'hidden',
  }.items():
    (tmp_path / name).write_bytes(content)
  documents = read(tmp_path).documents
  assert [(d.id, d.text) for d in documents] == [
    ('b/a.MD', '# Ä\n\ntext'),
    ('z.txt', 'Zed.\nSecond.'),
  ]
  # documents.jsonl takes precedence: a README next to it is not a document.
  write(tmp_path, documents=lines(DOCUMENT))
  assert [d.id for d in read(tmp_path).documents] == ['d']


@pytest.mark.parametrize(
  ('name', 'content', 'message'),
  [
    ('documents', '{"id": 1', r'documents.jsonl, line 2 is not JSON.*"text"'),
    ('documents', b'"\xff"', r'line 2 is not JSON in UTF-8.*"text"'),
    ('documents', '[' * 100_000, r'line 2 is not JSON'),
    ('documents', '[1]', r'line 2 is \[1\]; expected {"id"'),
    ('documents', lines({'id': 'e'}), 'line 2 has no "text"; a document needs'),
    ('documents', lines({'id': 'e', 'text': ' '}), '"text": " "; expected'),
    ('documents', lines({'id': 3, 'text': 'a'}), '"id": 3; expected text'),
    ('documents', lines(DOCUMENT), "line 2 has the id 'd' of .*line 1"),
    (
      'documents',
      lines({'id': 'e', 'text': 'a', 'url': 'x'}),
      'line 2 has .*"url"; .* may have prompt_length',
    ),
    (
      'documents',
      lines({'id': 'e', 'text': 'abc', 'prompt_length': 3}),
      '"prompt_length": 3; .*from 0 to 2',
    ),
    ('documents', '{"id": "e", "text": "\\ud800"}', 'half a surrogate.*"text"'),
    (
      'documents',
      '{"id": "e", "text": "a", "text": "b"}',
      'line 2 has the key "text" twice; expected {"id"',
    ),
    ('questions', lines(QUESTION), 'questions.jsonl, line 2 has the id .*line'),
    ('questions', lines({'prompt': 'a'}), 'line 2 has no "choices"'),
    ('questions', lines(QUESTION | {'answer': 2}), '"answer": 2; .*0 to 1'),
    ('questions', lines(QUESTION | {'answer': True}), '"answer": true; '),
    ('questions', lines(QUESTION | {'answer': []}), r'"answer": \[\]; '),
    ('questions', lines(QUESTION | {'answer': [0, 0]}), r'"answer": \[0, 0\]'),
    ('questions', lines(QUESTION | {'choices': ['a']}), 'two or more texts'),
    ('questions', lines(QUESTION | {'choices': 'ab'}), 'two or more texts'),
    ('questions', lines(QUESTION | {'choices': ['a', '']}), 'two or more'),
    ('questions', lines(QUESTION | {'choices': ['a', ' a']}), "' a' twice"),
    ('questions', lines(QUESTION | {'kind': ''}), '"kind": ""; expected'),
    ('questions', lines(QUESTION | {'stratum': 1}), '"stratum": 1; expected'),
  ],
)
def test_mistakes_name_file_and_line(tmp_path, name, content, message):
  good = {'documents': lines(DOCUMENT), 'questions': lines(QUESTION)}
  write(tmp_path, **good)
  read(tmp_path)
  if isinstance(content, str):
    content = content.encode()
  write(tmp_path, **{name: good[name].encode() + content})
  with pytest.raises(ValueError, match=message) as caught:
    read(tmp_path)
  assert str(tmp_path) in str(caught.value)


def test_a_folder_without_documents_is_an_error(tmp_path):
  (tmp_path / 'empty').mkdir()
  (tmp_path / 'file').touch()
  write(tmp_path / 'blank', documents='\n \n')
  for path, message in (
    ('', 'give --config.size.path=DIRECTORY'),
    (tmp_path / 'none', 'none does not exist; give the folder'),
    (tmp_path / 'file', 'file is a file; give the folder'),
    (tmp_path / 'empty', 'empty has no documents'),
    (tmp_path / 'blank', 'blank has no documents'),
  ):
    with pytest.raises(ValueError, match=message):
      read(path)
  (tmp_path / 'empty' / 'a.txt').write_bytes(b'one\ntwo \xff')
  with pytest.raises(ValueError, match=r'a.txt, line 2 is not UTF-8'):
    read(tmp_path / 'empty')
  (tmp_path / 'empty' / 'a.txt').write_bytes(b' \n')
  with pytest.raises(ValueError, match=r'a.txt is empty'):
    read(tmp_path / 'empty')


@pytest.mark.parametrize('link', ['documents.jsonl', 'questions.jsonl', 'a.md'])
def test_a_link_that_leads_out_of_the_folder_is_an_error(tmp_path, link):
  outside = tmp_path / 'outside'
  outside.write_text(lines(DOCUMENT))
  folder = tmp_path / 'folder'
  folder.mkdir()
  (folder / 'b.md').write_text('text')
  (folder / link).symlink_to(outside)
  for reads in (read, custom.fingerprint):
    with pytest.raises(ValueError, match=f'{link} is a link that leads out'):
      reads(folder)


def test_a_linked_directory_of_texts_is_an_error(tmp_path):
  (tmp_path / 'folder').mkdir()
  (tmp_path / 'folder' / 'a.md').write_text('text')
  (tmp_path / 'folder' / 'more').symlink_to(tmp_path)
  with pytest.raises(ValueError, match='more is a link that leads out'):
    read(tmp_path / 'folder')


def test_links_within_a_folder_and_to_it_are_followed(tmp_path):
  (tmp_path / 'folder').mkdir()
  (tmp_path / 'folder' / 'a.md').write_text('text')
  (tmp_path / 'folder' / 'b.md').symlink_to('a.md')
  (tmp_path / 'link').symlink_to('folder')
  corpus = read(tmp_path / 'link')
  assert [(d.id, d.text) for d in corpus.documents] == [
    ('a.md', 'text'),
    ('b.md', 'text'),
  ]


@pytest.mark.parametrize('make', ['directory', 'dangling', 'loop', 'pipe'])
@pytest.mark.parametrize('name', ['documents.jsonl', 'questions.jsonl'])
def test_a_name_that_is_no_regular_file_is_an_error(tmp_path, name, make):
  (tmp_path / 'a.md').write_text('text')
  other = tmp_path / name
  if make == 'directory':
    other.mkdir()
  elif make == 'pipe':
    os.mkfifo(other)
  else:
    other.symlink_to(name if make == 'loop' else 'none')
  for reads in (read, custom.fingerprint):
    with pytest.raises(ValueError, match=f'{name} is not a regular file'):
      reads(tmp_path)


@pytest.mark.parametrize('target', ['none', 'a.md'])
def test_a_text_that_links_to_nothing_is_an_error(tmp_path, target):
  (tmp_path / 'b.md').write_text('text')
  (tmp_path / 'a.md').symlink_to(target)
  with pytest.raises(ValueError, match='a.md is not a regular file'):
    read(tmp_path)


def same(choice):
  return unicodedata.normalize('NFC', choice.strip())


texts = st.text(min_size=1, max_size=12).filter(str.strip)


@settings(
  max_examples=40,
  deadline=None,
  suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
  documents=st.dictionaries(texts, texts, min_size=1, max_size=4),
  choices=st.lists(texts, min_size=2, max_size=4, unique_by=same),
  prompt=st.text(max_size=8),
  escaped=st.booleans(),
)
def test_any_text_survives(tmp_path, documents, choices, prompt, escaped):
  rows = [{'id': name, 'text': text} for name, text in documents.items()]
  asked = QUESTION | {'prompt': prompt, 'choices': choices}
  dumped = [
    '\n'.join(json.dumps(row, ensure_ascii=escaped) for row in part)
    for part in (rows, [asked])
  ]
  corpus = read(write(tmp_path, documents=dumped[0], questions=dumped[1]))
  assert {d.id: d.text for d in corpus.documents} == documents
  (question,) = corpus.questions
  assert question.prompt == prompt
  for given_choice, choice in zip(choices, question.choices, strict=True):
    assert choice in (given_choice, f' {given_choice}')


# On Linux, getrusage would include the test's process, from which the measured
# one is forked.
MEASURED = """
import pathlib, re, resource, sys, time
from icl_gen.worlds import custom
began = time.monotonic()
_, corpus = custom.from_folder(sys.argv[1], seed='s')
status = pathlib.Path('/proc/self/status')
if status.exists():
  (kilobytes,) = re.findall(r'VmHWM:\\s*(\\d+) kB', status.read_text())
  peak = 1024 * int(kilobytes)
else:
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(corpus.documents), sum(len(d.text) for d in corpus.documents))
print(peak, time.monotonic() - began)
"""


@pytest.mark.slow
def test_a_hundred_megabytes_are_read_line_by_line(tmp_path):
  with open(tmp_path / 'documents.jsonl', 'w', encoding='utf-8') as file:
    for i in range(50_000):
      text = f'{i} ' + 'glon are red. ' * 143
      file.write(json.dumps({'id': f'd{i}', 'text': text}) + '\n')
  size = (tmp_path / 'documents.jsonl').stat().st_size
  assert size > 100e6
  done = subprocess.run(
    [sys.executable, '-c', MEASURED, str(tmp_path)],
    capture_output=True,
    check=True,
    text=True,
  )
  count, characters, peak, seconds = map(float, done.stdout.split())
  assert (count, characters > 99e6) == (50_000, True)
  # Little more than the texts themselves.
  assert peak < 2.5 * size
  print(f'{size / 1e6:.0f} MB: {seconds:.1f} s, {peak / 1e6:.0f} MB')


def test_a_letter_and_its_accent_are_one_character(tmp_path):
  """Else what was read from a file and what is asked have other tokens."""
  apart = unicodedata.normalize('NFD', 'Zoë built the café.')
  (tmp_path / 'a.txt').write_text(apart, 'utf-8')
  (tmp_path / 'b.jsonl').write_text(json.dumps({'text': apart}))
  texts = [d.text for d in read(tmp_path).documents]
  assert texts == ['Zoë built the café.'] * 2 != [apart] * 2


def test_old_line_ends_are_read(tmp_path):
  (tmp_path / 'a.txt').write_bytes(b'One.\rTwo.\r\rThree.\r')
  (document,) = read(tmp_path).documents
  assert document.text == 'One.\nTwo.\n\nThree.'


def test_front_matter_is_no_text_and_it_is_said(tmp_path):
  (tmp_path / 'a.md').write_text('---\r\ntitle: A\r\nb: c\r\n---\r\n\r\nText.')
  (tmp_path / 'b.markdown').write_text('B\n=\nc\nd')
  corpus = read(tmp_path)
  assert [d.text for d in corpus.documents] == ['# A\n\nText.', '# B\nc d']
  (note,) = corpus.manifest['notes']
  assert note.startswith('pages with front matter') and note.endswith(': 1')
  (tmp_path / 'c.md').write_text('---\ntags: a\n---\n')
  with pytest.raises(ValueError, match='c.md is empty'):
    read(tmp_path)


def test_texts_in_formats_that_are_not_read_are_named(tmp_path):
  for name in ('a.txt', 'b.html', 'c.HTML', 'd.csv', 'e.py', '.f.csv'):
    (tmp_path / name).write_text('A.')
  (note,) = read(tmp_path).manifest['notes']
  assert note == 'files of other kinds, not read: .csv (1), .html (2)'


def test_copies_are_counted(tmp_path):
  (tmp_path / 'b').mkdir()
  for name in ('a.md', 'b/a.md', 'b/c.txt', 'd.txt'):
    (tmp_path / name).write_text('One.' if name < 'c' else 'Two.')
  (note,) = read(tmp_path).manifest['notes']
  assert note == (
    "documents with the text of another one: 2, the first 'b/a.md' with that of"
    " 'a.md'"
  )


@pytest.mark.parametrize('other', ['caf\u00e9 ', 'cafe\u0301'])
def test_choices_that_look_alike_are_an_error(tmp_path, other):
  asked = QUESTION | {'choices': ['caf\u00e9', other]}
  write(tmp_path, documents=lines(DOCUMENT), questions=lines(asked))
  with pytest.raises(ValueError, match='twice; expected distinct'):
    read(tmp_path)


def test_no_space_is_put_into_a_script_that_has_none(tmp_path):
  asked = QUESTION | {'prompt': '磨坊是', 'choices': ['奥德。', 'Odd.']}
  write(tmp_path, documents=lines(DOCUMENT), questions=lines(asked))
  (question,) = read(tmp_path).questions
  assert question.choices == ('奥德。', ' Odd.')
