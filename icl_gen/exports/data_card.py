"""The data card: a Markdown description of a corpus for those who download it.

It is generated from the corpus, so that it cannot disagree with the data.
"""

import json
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from icl_gen.storage import files
from icl_gen.types import Corpus, Question

FILE_NAME = 'README.md'

# The beginning of an HTML tag or comment in Markdown.
_TAG = re.compile(r'<(?=[A-Za-z/!?])')

_LOADING = """\
The directory contains the same records in three formats.

```python
# TFDS: one split for documents and one for each kind of question.
import tensorflow_datasets as tfds
builder = tfds.builder_from_directory('DIRECTORY')
documents = {tfds_call}

# Parquet, with typed columns.
import pandas
questions = pandas.read_parquet('DIRECTORY/questions.parquet')

# JSONL, with the standard library alone.
import json
with open('DIRECTORY/documents.jsonl', encoding='utf-8') as file:
  documents = [json.loads(line) for line in file]
```
"""
_TFDS_CALLS = {
  'array_record': "builder.as_data_source('documents')",
  'tfrecord': "builder.as_dataset(split='documents')",
}


def write(
  directory: files.Path,
  corpus: Corpus,
  manifest: Mapping[str, Any],
  *,
  about: str,
) -> None:
  """Writes the card; an extra writer of `corpus_files.write`.

  Args:
    directory: the corpus's directory.
    corpus: what the card describes.
    manifest: the corpus's manifest.
    about: what the world is, in Markdown; bind it with functools.partial.

  Raises:
    OSError: the disk is full, or the directory is not writable.
  """
  loading = _LOADING.format(tfds_call=_TFDS_CALLS[manifest['file_format']])
  text = render(corpus, manifest, about=about, loading=loading)
  (pathlib.Path(directory) / FILE_NAME).write_text(text, encoding='utf-8')


def render(
  corpus: Corpus, manifest: Mapping[str, Any], *, about: str, loading: str
) -> str:
  """Returns the card's text.

  Args:
    corpus: what the card describes.
    manifest: the corpus's manifest.
    about: what the world is, in Markdown.
    loading: how to load the files next to the card, in Markdown.
  """
  sections = {
    'Counts': _counts(corpus, manifest) + _tokens(corpus.manifest),
    'Examples': _examples(corpus),
    'Origin': _origin(manifest),
    'Audit': _audit(corpus.manifest['audit'])
    if 'audit' in corpus.manifest
    else 'Not audited.\n',
    'Loading': loading,
  }
  return f'# {corpus.name}\n\n{about.strip()}\n' + ''.join(
    f'\n## {title}\n\n{text}' for title, text in sections.items()
  )


def _counts(corpus: Corpus, manifest: Mapping[str, Any]) -> str:
  rows = [['documents', manifest['documents']['count'], '', '', '']]
  for kind, entry in manifest['questions'].items():
    asked = [q for q in corpus.questions if q.kind == kind]
    strata = dict.fromkeys(q.stratum for q in asked if q.stratum)
    rows.append(
      [
        kind,
        entry['count'],
        _range([len(question.choices) for question in asked]),
        f'{100 * entry["chance"]:.1f}',
        ', '.join(strata),
      ]
    )
  lengths = [len(document.text) for document in corpus.documents]
  header = ['records', 'count', 'choices', 'chance (%)', 'strata']
  return table(header, rows) + (
    f'\nA document has {_range(lengths)} characters; all documents together'
    f' have {sum(lengths):,}.\nChance is the accuracy of choosing at random.\n'
  )


def _tokens(manifest: Mapping[str, Any]) -> str:
  if 'tokens' not in manifest:
    return ''
  counts = manifest['tokens']
  text = (
    f'\nA tokenizer with {counts["pieces"]:,} pieces splits the documents into'
    f' {counts["documents"]:,} tokens; the longest has {counts["longest"]:,}.'
  )
  if counts['words']:
    each = ', '.join(
      f'{words:,} have {length} {"token" if length == "1" else "tokens"}'
      for length, words in counts['words'].items()
    )
    text += f' Of the nonsense words, {each}.'
  return f'{text}\n'


def _range(numbers: Sequence[int]) -> str:
  if not numbers:
    return '0'
  low, high = min(numbers), max(numbers)
  return f'{low:,}' if low == high else f'{low:,} to {high:,}'


def _examples(corpus: Corpus) -> str:
  parts = [f'A document:\n\n{fenced(d.text)}' for d in corpus.documents[:1]]
  first: dict[str, Question] = {}
  for question in corpus.questions:
    first.setdefault(question.kind, question)
  parts += [
    f'A question of kind {_code(kind)}; correct choices are marked with *:\n\n'
    f'{_example(question)}'
    for kind, question in first.items()
  ]
  return '\n'.join(parts) or 'The corpus is empty.\n'


def _example(question: Question) -> str:
  lines = [question.prompt]
  for i, choice in enumerate(question.choices):
    lines.append(f'  {"*" if i in question.answers else "-"}{choice}')
  return fenced('\n'.join(lines))


def _origin(manifest: Mapping[str, Any]) -> str:
  """Seeds and sizes that the corpus was generated with, and its digest."""
  in_other_sections = {'documents', 'questions', 'chance', 'audit', 'tokens'}
  rows = [
    [name, json.dumps(value, ensure_ascii=False)]
    for name, value in manifest['corpus'].items()
    if name not in in_other_sections
  ]
  sha256 = ['SHA-256 of the records', manifest['sha256']]
  return table(['setting', 'value'], [*rows, sha256])


def _audit(audit: Mapping[str, Any]) -> str:
  found = audit['complaints']
  text = 'These properties were checked:\n\n'
  text += ''.join(f'- {check}\n' for check in audit['checked'])
  text += (
    f'\nNumber of complaints: {len(found)}\n\n{fenced(chr(10).join(found))}'
    if found
    else '\nNo complaints.\n'
  )
  baselines = audit['baselines']
  if baselines:
    names = list(dict.fromkeys(n for row in baselines.values() for n in row))
    rows = [
      [kind, *(f'{100 * row[n]:.1f}' if n in row else '' for n in names)]
      for kind, row in baselines.items()
    ]
    text += '\nAccuracy (%) of baselines that make no inference:\n\n'
    text += table(['kind', *names], rows)
  return text


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
  """Returns a Markdown table; bars, line breaks and HTML are escaped."""
  lines = [header, ['---'] * len(header), *rows]
  return ''.join(
    '| ' + ' | '.join(_cell(value) for value in line) + ' |\n' for line in lines
  )


def _cell(value: Any) -> str:
  text = str(value).replace('\\', '\\\\').replace('|', '\\|')
  return ' '.join(_TAG.sub('&lt;', text).split())


def _code(text: str) -> str:
  """Text as code in a line, which no text can end."""
  text = ' '.join(text.split())
  if '`' not in text:
    return f'`{text}`'
  fence = '`' * (1 + _longest_run(text))
  return f'{fence} {text} {fence}'


def fenced(text: str) -> str:
  """Returns text as a code block whose fence does not occur in the text."""
  fence = '`' * max(3, _longest_run(text) + 1)
  return f'{fence}text\n{text}\n{fence}\n'


def _longest_run(text: str) -> int:
  """Length of the longest run of backticks."""
  return max((len(run) for run in re.findall('`+', text)), default=0)
