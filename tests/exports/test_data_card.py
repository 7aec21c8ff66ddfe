"""The card's numbers, examples and instructions match the corpus."""

import dataclasses
import functools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from icl_gen.exports import data_card
from icl_gen.storage import corpus_files
from icl_gen.types import Corpus, Document, Question
from tests.storage.test_corpus_files import SMALL

ABOUT = 'A small world.'


def written(tmp_path, corpus, **options):
  extra_writers = [functools.partial(data_card.write, about=ABOUT)]
  directory = corpus_files.write(
    corpus, tmp_path / 'c', extra_writers=extra_writers, **options
  )
  return (directory / data_card.FILE_NAME).read_text('utf-8'), directory


def rows(text):
  """The cells of every line of every table."""
  return [
    [cell.strip() for cell in line.strip('|').split('|')]
    for line in text.splitlines()
    if line.startswith('| ')
  ]


def test_counts_and_chance_are_those_of_the_corpus(tmp_path):
  text, directory = written(tmp_path, SMALL)
  assert text.startswith('# small\n\nA small world.\n')
  manifest = corpus_files.read_manifest(directory)
  found = {cells[0]: cells[1:] for cells in rows(text)}
  assert found['documents'] == ['2', '', '', '']
  assert found['reversal_far'] == ['2', '1 to 2', '75.0', 'seen']
  assert found['all'] == ['1', '3', '66.7', '']
  assert found['SHA-256 of the records'] == [manifest['sha256']]
  assert found['seed'] == ['3']
  assert data_card.FILE_NAME in manifest['files']


def test_tokens_are_given_if_they_were_counted(tmp_path):
  assert 'tokenizer' not in written(tmp_path, SMALL)[0]
  words = {'2': 7, '3': 8}
  counts = {'pieces': 9876, 'documents': 1234, 'longest': 56, 'words': words}
  counted = dataclasses.replace(
    SMALL, manifest={**SMALL.manifest, 'tokens': counts}
  )
  text, _ = written(tmp_path, counted)
  assert '9,876 pieces splits the documents into 1,234 tokens' in text
  assert 'the longest has 56.' in text
  assert '7 have 2 tokens, 8 have 3 tokens.' in text


def test_every_kind_has_an_example_with_marked_answers(tmp_path):
  text, _ = written(tmp_path, SMALL)
  assert SMALL.documents[0].text in text
  assert 'Troff\n  * are\n  -\n' in text
  assert text.count('A question of kind') == 2


@example(text='```')
@example(text='a\n`````\nb')
@given(text=st.text(alphabet='`~|\\ a\n', max_size=12))
def test_no_text_closes_its_block_or_its_cell(text):
  block = data_card.fenced(text).splitlines()
  fence = block[0].removesuffix('text')
  assert [line for line in block[1:] if line.startswith(fence)] == [fence]
  (_, _, line) = data_card.table(['a'], [[text]]).splitlines()
  assert len(re.findall(r'(?<!\\)(?:\\\\)*\|', line)) == 2


@pytest.mark.parametrize('opening', ['', '`', '\n\n', '``` '])
def test_no_text_is_html(tmp_path, opening):
  evil = f'{opening}<script>alert(1)</script><!-- '
  corpus = Corpus(
    'c',
    (Document('d', evil),),
    (Question('q', evil, (evil, 'b'), (0,), evil, stratum=evil),),
    {'joiner': evil},
  )
  text, _ = written(tmp_path, corpus)
  outside = re.sub(r'(?ms)^(`{3,})\w+\n.*?^\1$', '', text)
  outside = re.sub(r'(?s)(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)', '', outside)
  assert not re.search('<[a-z/!]', outside)
  assert '&lt;script>alert(1)&lt;/script>&lt;!--' in outside


def test_complaints_and_baselines_are_listed(tmp_path):
  audit = {
    'checked': ['ids are unique'],
    'complaints': ['question q: ``` is wrong'],
    'baselines': {'all': {'n-gram': 0.25, 'longest match': 0.5}},
  }
  corpus = dataclasses.replace(SMALL, manifest={'audit': audit})
  text, _ = written(tmp_path, corpus)
  assert '- ids are unique\n' in text
  assert 'Number of complaints: 1\n' in text
  assert 'question q: ``` is wrong' in text
  assert ['all', '25.0', '50.0'] in rows(text)
  without, _ = written(tmp_path, SMALL)
  assert 'Not audited.' in without


@pytest.mark.parametrize('file_format', corpus_files.FILE_FORMATS)
def test_the_loading_instructions_work(tmp_path, file_format):
  corpus = Corpus(
    'c', (Document('d', 'x'),), (Question('q', '', (' a',), (0,), 'k'),)
  )
  text, directory = written(tmp_path, corpus, file_format=file_format)
  (code,) = re.findall('```python\n(.*?)```', text, re.DOTALL)
  tfds_part = code.replace('DIRECTORY', str(directory)).split('\n\n')[0]
  names = {}
  exec(tfds_part, names)
  assert len(names['documents']) == 1


def test_an_empty_corpus_has_a_card(tmp_path):
  text, _ = written(tmp_path, Corpus('', (), ()))
  assert ['documents', '0', '', '', ''] in rows(text)
