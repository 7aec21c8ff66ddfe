"""From documents and questions to a corpus with a manifest."""

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
  """Counts what is there; `sizes` are the world's own entries (JSON values)."""
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
