"""The data card: what a corpus is, in Markdown, made from the corpus itself.

Nothing in it is written by hand, so nothing in it can differ from the data.
"""

import json
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from icl_gen.storage import files
from icl_gen.types import Corpus, Question

CARD = 'README.md'

LOADING = """\
The directory holds the same records three times over.

```python
# TFDS: one split of documents, one of questions per kind.
import tensorflow_datasets as tfds
builder = tfds.builder_from_directory('{directory}')
documents = {tfds_call}

# Parquet, with typed columns: pandas, or anything else that reads it.
import pandas
questions = pandas.read_parquet('{directory}/questions.parquet')

# JSONL, with nothing but the standard library.
import json
with open('{directory}/documents.jsonl', encoding='utf-8') as file:
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
  manifest: dict[str, Any],
  *,
  about: str,
) -> None:
  """Writes README.md; give it to `shards.write`, `about` bound to the world.

  Args:
    directory: where the corpus is being written.
    corpus: what is written.
    manifest: what `shards.write` says of it.
    about: what the world is, in Markdown.
  """
  loading = LOADING.format(
    directory='DIRECTORY', tfds_call=_TFDS_CALLS[manifest['file_format']]
  )
  text = render(corpus, manifest, about=about, loading=loading)
  (pathlib.Path(directory) / CARD).write_text(text, encoding='utf-8')


def render(
  corpus: Corpus, manifest: dict[str, Any], *, about: str, loading: str
) -> str:
  """The card's text; `loading` says how to open what it lies beside."""
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


def _counts(corpus: Corpus, manifest: dict[str, Any]) -> str:
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
  header = ['what', 'records', 'choices', 'chance (%)', 'strata']
  return table(header, rows) + (
    f'\nDocuments have {_range(lengths)} characters, {sum(lengths):,} in all.'
    '\nChance is the accuracy of choosing at random.\n'
  )


def _tokens(manifest: Mapping[str, Any]) -> str:
  """What the documents take in tokens, where they were counted."""
  if 'tokens' not in manifest:
    return ''
  told = manifest['tokens']
  text = (
    f'\nWith a tokenizer of {told["pieces"]:,} pieces they take'
    f' {told["documents"]:,} tokens, the longest {told["longest"]:,}.'
  )
  if told['words']:
    each = ', '.join(f'{n:,} take {k}' for k, n in told['words'].items())
    text += f' Of the nonsense words, {each}.'
  return f'{text}\n'


def _range(numbers: Sequence[int]) -> str:
  if not numbers:
    return '0'
  low, high = min(numbers), max(numbers)
  return f'{low:,}' if low == high else f'{low:,} to {high:,}'


def _examples(corpus: Corpus) -> str:
  parts = [f'A document:\n\n{fenced(d.text)}' for d in corpus.documents[:1]]
  first = {}
  for question in corpus.questions:
    first.setdefault(question.kind, question)
  parts += [
    f'A question of kind {kind}, right choices marked:\n\n{_example(question)}'
    for kind, question in first.items()
  ]
  return '\n'.join(parts) or 'There is nothing to show.\n'


def _example(question: Question) -> str:
  lines = [question.prompt]
  for i, choice in enumerate(question.choices):
    lines.append(f'  {"*" if i in question.answers else "-"}{choice}')
  return fenced('\n'.join(lines))


def _origin(manifest: dict[str, Any]) -> str:
  """What the corpus's own manifest says of seeds and sizes."""
  told_above = {'documents', 'questions', 'chance', 'audit', 'tokens'}
  rows = [
    [name, json.dumps(value, ensure_ascii=False)]
    for name, value in manifest['corpus'].items()
    if name not in told_above
  ]
  return table(['what', 'value'], [*rows, ['SHA-256', manifest['sha256']]])


def _audit(audit: dict[str, Any]) -> str:
  """What the checks found; figures of baselines, where they were measured."""
  found = audit['complaints']
  text = 'Checked: ' + '; '.join(audit['checked']) + '.\n\n'
  text += (
    f'{len(found)} complaints:\n\n{fenced(chr(10).join(found))}'
    if found
    else 'No complaints.\n'
  )
  baselines = audit['baselines']
  if baselines:
    names = list(dict.fromkeys(n for row in baselines.values() for n in row))
    rows = [
      [kind, *(f'{100 * row[n]:.1f}' if n in row else '' for n in names)]
      for kind, row in baselines.items()
    ]
    text += '\nAccuracy (%) of baselines that infer nothing:\n\n'
    text += table(['kind', *names], rows)
  return text


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
  """A Markdown table; bars and line breaks in cells are escaped."""
  lines = [header, ['---'] * len(header), *rows]
  return ''.join(
    '| ' + ' | '.join(_cell(value) for value in line) + ' |\n' for line in lines
  )


def _cell(value: Any) -> str:
  return ' '.join(str(value).replace('\\', '\\\\').replace('|', '\\|').split())


def fenced(text: str) -> str:
  """Text as a block that nothing in the text can end."""
  longest = max((len(run) for run in re.findall('`+', text)), default=0)
  fence = '`' * max(3, longest + 1)
  return f'{fence}text\n{text}\n{fence}\n'
