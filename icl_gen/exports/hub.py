"""A corpus as a folder that a data hub takes: parquet and a card.

`datasets.load_dataset(DIRECTORY, 'documents')` gives the documents, and
`'questions'` one split per kind, with the names that TFDS has.
"""

import json
from typing import Any

from icl_gen.exports import card, plain_files
from icl_gen.storage import corpus_files, files
from icl_gen.types import Corpus

LOADING = """\
```python
import datasets
documents = datasets.load_dataset('DIRECTORY', 'documents', split='train')
questions = datasets.load_dataset('DIRECTORY', 'questions')
```
"""


def write(
  directory: files.Path,
  corpus: Corpus,
  manifest: dict[str, Any],
  *,
  about: str,
) -> None:
  """Writes the folder whole; replaces one that is there.

  Args:
    directory: where.
    corpus: what to write.
    manifest: what `corpus_files.read_manifest` says of it.
    about: what the world is, in Markdown.

  Raises:
    ValueError: the corpus is empty, or has kinds that cannot be told apart.
  """
  if not corpus.documents and not corpus.questions:
    raise ValueError(f'corpus {corpus.name!r} is empty; build another one')
  splits = corpus_files.split_names([q.kind for q in corpus.questions])
  parts = {'documents': {'train': corpus.documents}} if corpus.documents else {}
  if corpus.questions:
    parts['questions'] = {
      split: [q for q in corpus.questions if q.kind == kind]
      for kind, split in splits.items()
    }
  with files.written_whole(directory) as partial:
    for part, records_of in parts.items():
      (partial / part).mkdir(parents=True)
      for split, records in records_of.items():
        path = partial / part / f'{split}.parquet'
        plain_files.write_parquet(path, plain_files.fields(records), part=part)
    text = card.render(corpus, manifest, about=about, loading=LOADING)
    (partial / card.CARD).write_text(_front(corpus, parts) + text, 'utf-8')


def _front(corpus: Corpus, parts: dict[str, dict[str, Any]]) -> str:
  """The card's YAML, in JSON's part of it: which file is which split."""
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
    'pretty_name': corpus.name,
    'tags': ['icl_gen'],
    'configs': configs,
  }
  lines = [f'{key}: {json.dumps(value)}' for key, value in entries.items()]
  return '\n'.join(['---', *lines, '---', '', ''])
