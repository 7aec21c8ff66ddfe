"""Rows and digests cover every field of a record, new fields included."""

import dataclasses

import pytest

from icl_gen.storage import codec
from icl_gen.types import Document, Fact, Origin, Question
from tests.storage.test_corpus_files import FACT, SMALL


@dataclasses.dataclass(frozen=True)
class Tagged(Document):
  """A document with a new field of each type that columns can have."""

  tags: tuple[str, ...] = ()
  ranks: tuple[int, ...] = ()
  said: tuple[Fact, ...] = ()
  denied: Fact | None = None
  source: Origin = Origin()


@pytest.mark.parametrize('denied', [None, FACT])
def test_a_new_field_is_stored_without_further_code(denied):
  record = Tagged('d', 'text', (FACT,), 2, Origin('k'), ('a', 'b'), (3, 1))
  record = dataclasses.replace(
    record,
    said=(FACT, FACT),
    denied=denied,
    source=Origin('s', ('p',), (('model', 'nano'),)),
  )
  row = codec.encode(7, record)
  assert row['index'] == 7
  assert codec.decode(Tagged, row) == record


def test_a_row_has_all_columns_and_leaves_the_others_empty():
  rows = {
    Document: codec.encode_all(SMALL.documents)[0],
    Question: codec.encode_all(SMALL.questions)[0],
  }
  for record_type, row in rows.items():
    assert set(row) == set(codec.COLUMNS)
    own = {field.name for field in dataclasses.fields(record_type)}
    others = {name: row[name] for name in set(row) - own - {'index'}}
    assert others
    assert not any(others.values())


def test_digest_changes_with_every_field():
  document, question = SMALL.documents[0], SMALL.questions[0]
  changed = [
    dataclasses.replace(SMALL, documents=SMALL.documents[::-1]),
    dataclasses.replace(SMALL, questions=SMALL.questions[::-1]),
  ]
  for record, part in ((document, 'documents'), (question, 'questions')):
    others = {
      'id': 'new', 'text': 'new', 'facts': (), 'prompt_length': 1,
      'origin': Origin(), 'prompt': 'new', 'choices': (' new', ''),
      'answers': (1,), 'kind': 'new', 'premises': (FACT,), 'target': None,
      'stratum': 'new',
    }  # fmt: skip
    for field in dataclasses.fields(record):
      new = dataclasses.replace(record, **{field.name: others[field.name]})
      rest = getattr(SMALL, part)[1:]
      changed.append(dataclasses.replace(SMALL, **{part: (new, *rest)}))
  digests = {codec.digest(corpus) for corpus in [SMALL, *changed]}
  assert len(digests) == len(changed) + 1
  renamed = dataclasses.replace(SMALL, name='other', manifest={})
  assert codec.digest(renamed) == codec.digest(SMALL)
