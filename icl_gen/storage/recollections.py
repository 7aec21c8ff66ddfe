"""What a model recalled before it answered, next to the scores of its cell."""

import pathlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from icl_gen.storage import files
from icl_gen.types import Document, Origin

NAME = 'recalled.jsonl'
KIND = 'recalled'
# In the metadata of the scores of every cell that has such a file, and of no
# other: number of the samples.
COST = f'{KIND}_requests'


def write(
  directory: files.Path, recalled: Mapping[str, Sequence[Document]]
) -> None:
  """Writes a line per question, with each recalled text and its verdict.

  Args:
    directory: of the cell.
    recalled: id of a question -> documents whose parent is their cue.

  Raises:
    OSError: the disk is full.
  """
  files.write_sealed_lines(
    pathlib.Path(directory) / NAME,
    [
      {'question': question, 'recalled': [_row(one) for one in documents]}
      for question, documents in recalled.items()
    ],
  )


def read(
  directory: files.Path, *, questions: Collection[str]
) -> dict[str, tuple[Document, ...]]:
  """Returns what `write` was given.

  Documents have other ids, and their details sorted by name.

  Args:
    directory: of the cell.
    questions: ids of those that the cell answered.

  Raises:
    ValueError: there is no file, a line is not what was written, or a question
      has none.
  """
  path = pathlib.Path(directory) / NAME
  if not path.exists():
    raise ValueError(
      f'{path} is missing, and the scores next to it are of questions that were'
      ' asked after what a model recalled; delete them, and evaluate the cell'
      ' again'
    )
  content = path.read_bytes()
  rows = files.unsealed_lines(content)
  missing = set(questions) - {row['question'] for row in rows}
  if missing or len(rows) < len(content.splitlines()):
    raise ValueError(
      f'{path} is damaged: of {len(questions)} questions that were scored, it'
      f' has all but {len(missing)}; delete it and the scores next to it, and'
      ' evaluate the cell again'
    )
  return {
    row['question']: tuple(
      _document(f'{row["question"]}/{place}', **values)
      for place, values in enumerate(row['recalled'])
    )
    for row in rows
  }


def _row(document: Document) -> dict[str, Any]:
  (cue,) = document.origin.parents
  return {'cue': cue, 'text': document.text, **dict(document.origin.details)}


def _document(name: str, *, cue: str, text: str, **details: str) -> Document:
  origin = Origin(KIND, (cue,), tuple(details.items()))
  return Document(f'{KIND}/{name}', text, origin=origin)
