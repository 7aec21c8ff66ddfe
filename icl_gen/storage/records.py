"""Documents and questions as flat rows, and back; knows nothing of disks.

One data set has one set of columns, so documents and questions share theirs:
a document leaves the question's columns empty and the other way round. Nested
fields are JSON text; the rest is plain, so that others can use the rows
without our code.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from icl_gen.types import Corpus, Document, Fact, Origin, Question

Row = dict[str, Any]

# index: the record's place among the corpus's documents, or questions.
EMPTY_ROW = {
  'index': 0,
  'id': '',
  'text': '',
  'prompt_length': 0,
  'facts': '',
  'origin': '',
  'prompt': '',
  'choices': (),
  'answers': (),
  'kind': '',
  'stratum': '',
  'premises': '',
  'target': '',
}


def document_row(index: int, document: Document) -> Row:
  """Returns a row with all columns of `EMPTY_ROW`."""
  return EMPTY_ROW | {
    'index': index,
    'id': document.id,
    'text': document.text,
    'prompt_length': document.prompt_length,
    'facts': _json([_triple(fact) for fact in document.facts]),
    'origin': _json(dataclasses.asdict(document.origin)),
  }


def question_row(index: int, question: Question) -> Row:
  """Returns a row with all columns of `EMPTY_ROW`."""
  target = question.target and _triple(question.target)
  return EMPTY_ROW | {
    'index': index,
    'id': question.id,
    'prompt': question.prompt,
    'choices': question.choices,
    'answers': question.answers,
    'kind': question.kind,
    'stratum': question.stratum,
    'premises': _json([_triple(fact) for fact in question.premises]),
    'target': _json(target),
  }


def row_document(row: Mapping[str, Any]) -> Document:
  """The inverse of `document_row`, the index apart."""
  origin = json.loads(row['origin'])
  return Document(
    id=row['id'],
    text=row['text'],
    facts=tuple(Fact(*triple) for triple in json.loads(row['facts'])),
    prompt_length=row['prompt_length'],
    origin=Origin(
      kind=origin['kind'],
      parents=tuple(origin['parents']),
      details=tuple((name, value) for name, value in origin['details']),
    ),
  )


def row_question(row: Mapping[str, Any]) -> Question:
  """The inverse of `question_row`, the index apart."""
  target = json.loads(row['target'])
  return Question(
    id=row['id'],
    prompt=row['prompt'],
    choices=tuple(row['choices']),
    answers=tuple(row['answers']),
    kind=row['kind'],
    premises=tuple(Fact(*triple) for triple in json.loads(row['premises'])),
    target=None if target is None else Fact(*target),
    stratum=row['stratum'],
  )


def corpus_rows(corpus: Corpus) -> tuple[list[Row], list[Row]]:
  """Returns the rows of documents and of questions, in the corpus's order.

  Raises:
    ValueError: an id occurs twice, or a record would not come back equal
      (text that UTF-8 cannot hold, values that JSON does not know).
  """
  check_unique('document', [document.id for document in corpus.documents])
  check_unique('question', [question.id for question in corpus.questions])
  documents = [document_row(i, d) for i, d in enumerate(corpus.documents)]
  questions = [question_row(i, q) for i, q in enumerate(corpus.questions)]
  for document, row in zip(corpus.documents, documents, strict=True):
    _check_same(document, row_document(row), row)
  for question, row in zip(corpus.questions, questions, strict=True):
    _check_same(question, row_question(row), row)
  return documents, questions


def digest(corpus: Corpus) -> str:
  """Returns the SHA-256 of the corpus's documents and questions, in hex.

  Taken over the UTF-8 JSON of {'documents': [...], 'questions': [...]} with
  every field of every record, sorted keys and no spaces; name and manifest do
  not count.
  """
  content = {
    'documents': [dataclasses.asdict(d) for d in corpus.documents],
    'questions': [dataclasses.asdict(q) for q in corpus.questions],
  }
  return hashlib.sha256(_json(content).encode()).hexdigest()


def check_unique(what: str, ids: Sequence[str]) -> None:
  """Raises ValueError naming the first id that occurs twice."""
  seen = set()
  for id in ids:
    if id in seen:
      raise ValueError(
        f'{what} id {id!r} occurs twice; ids must be unique: rename one, or'
        ' leave one out'
      )
    seen.add(id)


def _check_same(record: Any, back: Any, row: Row) -> None:
  if record != back:
    raise ValueError(
      f'record {record.id!r} would not come back equal from disk; give every'
      f' field the type that icl_gen.types states. Written: {record};'
      f' read: {back}'
    )
  try:
    _json(row).encode()
  except UnicodeEncodeError as error:
    raise ValueError(
      f'record {record.id!r} holds text that UTF-8 cannot hold ({error});'
      ' replace its lone surrogates'
    ) from error


def _triple(fact: Fact) -> list[str]:
  return [fact.subject, fact.relation, fact.object]


def _json(value: Any) -> str:
  return json.dumps(
    value,
    sort_keys=True,
    ensure_ascii=False,
    allow_nan=False,
    separators=(',', ':'),
  )
