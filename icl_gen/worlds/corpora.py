"""Makes a corpus, with its manifest, from documents and questions."""

import collections
import statistics
from collections.abc import Mapping, Sequence

from icl_gen.types import Corpus, Document, Question


def corpus(
  name: str,
  documents: Sequence[Document],
  questions: Sequence[Question],
  *,
  world: str,
  seed: str,
  sizes: Mapping[str, object],
) -> Corpus:
  """Makes the corpus and counts what is in it.

  Args:
    name: the corpus's name.
    documents: training texts, with distinct ids.
    questions: test questions, with distinct ids.
    world: the world's name.
    seed: the name of the world's random draw.
    sizes: entries that the world adds to the manifest; JSON values.
  """
  for records in (documents, questions):
    ids = collections.Counter(record.id for record in records)
    assert all(count == 1 for count in ids.values()), ids.most_common(1)
  by_kind = collections.defaultdict(list)
  for question in questions:
    by_kind[question.kind].append(question)
  manifest = {
    'world': world,
    'seed': seed,
    **sizes,
    'documents': len(documents),
    'questions': {kind: len(asked) for kind, asked in by_kind.items()},
    'chance': {
      kind: statistics.fmean(question.chance for question in asked)
      for kind, asked in by_kind.items()
    },
  }
  return Corpus(name, tuple(documents), tuple(questions), manifest)
