"""A corpus as a folder to upload to the Hugging Face Hub: parquet and a card.

`datasets.load_dataset(DIRECTORY, 'documents')` loads the documents, and
`'questions'` a split per kind of question, named as in TFDS.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from icl_gen.exports import data_card, jsonl_and_parquet
from icl_gen.storage import corpus_files, files
from icl_gen.types import Corpus, Document, Question

_LOADING = """\
```python
import datasets
documents = datasets.load_dataset('DIRECTORY', 'documents', split='train')
questions = datasets.load_dataset('DIRECTORY', 'questions')
```
"""


def write(
  directory: files.Path,
  corpus: Corpus,
  manifest: Mapping[str, Any],
  *,
  about: str,
) -> None:
  """Writes the folder atomically, replacing an existing one.

  Args:
    directory: the folder to write.
    corpus: what to write.
    manifest: from `corpus_files.read_manifest`.
    about: what the world is, in Markdown.

  Raises:
    ValueError: the corpus is empty, or two kinds have the same split name.
    OSError: the disk is full, or the directory is not writable.
  """
  if not corpus.documents and not corpus.questions:
    raise ValueError(
      f'corpus {corpus.name!r} is empty: it has neither documents nor'
      ' questions to export'
    )
  splits = corpus_files.split_names([q.kind for q in corpus.questions])
  parts: dict[str, dict[str, Sequence[Document | Question]]] = {}
  if corpus.documents:
    parts['documents'] = {'train': corpus.documents}
  if corpus.questions:
    parts['questions'] = {
      split: [q for q in corpus.questions if q.kind == kind]
      for kind, split in splits.items()
    }
  with files.atomic_write(directory) as partial:
    for part, records_of in parts.items():
      (partial / part).mkdir(parents=True)
      for split, records in records_of.items():
        path = partial / part / f'{split}.parquet'
        rows = jsonl_and_parquet.nested_rows(records)
        jsonl_and_parquet.write_parquet(path, rows, part=part)
    text = data_card.render(corpus, manifest, about=about, loading=_LOADING)
    text = _front_matter(corpus.name, parts) + text
    (partial / data_card.FILE_NAME).write_text(text, 'utf-8')


def _front_matter(name: str, parts: Mapping[str, Iterable[str]]) -> str:
  """Returns the card's YAML header, which names the file of every split.

  Its values are JSON, which is also YAML.
  """
  configs = [
    {
      'config_name': part,
      'data_files': [
        {'split': split, 'path': f'{part}/{split}.parquet'} for split in splits
      ],
    }
    for part, splits in parts.items()
  ]
  entries = {
    'pretty_name': name,
    'tags': ['icl_gen'],
    'configs': configs,
  }
  lines = [f'{key}: {json.dumps(value)}' for key, value in entries.items()]
  return '\n'.join(['---', *lines, '---', '', ''])
