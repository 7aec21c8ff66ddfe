"""What the functions of the interface return; results print as tables."""

import collections
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from icl_gen import types
from icl_gen.augmentation.audit import LABELS, Verdict
from icl_gen.reporting import statistics, summary
from icl_gen.types import Document, Question, Score


@dataclasses.dataclass(frozen=True, repr=False)
class World:
  """A world with its documents and questions.

  Attributes:
    name: the world's name, a key of `worlds.catalog.WORLDS`.
    truth: its facts and what follows from them.
    documents: the training texts.
    questions: the test questions.
  """

  name: str
  truth: types.World
  documents: tuple[Document, ...]
  questions: tuple[Question, ...]

  def __repr__(self) -> str:
    kinds = collections.Counter(question.kind for question in self.questions)
    asked = ', '.join(f'{count} {kind}' for kind, count in kinds.items())
    return (
      f'World {self.name!r}: {len(self.truth.facts)} facts,'
      f' {len(self.documents)} documents; questions: {asked or "none"}'
    )


@dataclasses.dataclass(frozen=True, repr=False)
class Scores:
  """The scores of questions.

  Attributes:
    questions: the questions.
    scores: one for each of them, in order.
  """

  questions: tuple[Question, ...]
  scores: tuple[Score, ...]

  def accuracy(self, *, normalisation: str = 'sum') -> pd.DataFrame:
    """Accuracy by kind of question, as shares of 1.

    Args:
      normalisation: how choices are ranked; a key of
        `reporting.statistics.NORMALISATIONS`.

    Returns:
      a frame indexed by kind, with columns questions, accuracy, low and high
      (the 95 % interval over clusters of questions), chance.

    Raises:
      ValueError: unknown normalisation.
    """
    by_kind = collections.defaultdict(list)
    for score in self.scores:
      by_kind[score.kind].append(score)
    rows = []
    for kind, scores in by_kind.items():
      found = summary.accuracy(scores, normalisation=normalisation)
      rows.append(
        {
          'kind': kind,
          'questions': len(scores),
          'accuracy': found.mean,
          'low': found.low,
          'high': found.high,
          'chance': statistics.chance(scores),
        }
      )
    return pd.DataFrame(rows).set_index('kind')

  def frame(self, *, normalisation: str = 'sum') -> pd.DataFrame:
    """One row per question, by its id.

    Args:
      normalisation: as in `accuracy`.

    Returns:
      columns kind, prompt, answer (the first right choice), chosen (the choice
      that the model prefers), right, and logp: the log-probability of every
      choice in nats, as a dict.

    Raises:
      ValueError: unknown normalisation.
    """
    rows = []
    for question, score in zip(self.questions, self.scores, strict=True):
      chosen = statistics.choose(score, normalisation)
      logps = [choice.logp for choice in score.choices]
      rows.append(
        {
          'id': question.id,
          'kind': question.kind,
          'prompt': question.prompt,
          'answer': question.choices[question.answers[0]],
          'chosen': question.choices[chosen],
          'right': chosen in question.answers,
          'logp': dict(zip(question.choices, logps, strict=True)),
        }
      )
    return pd.DataFrame(rows).set_index('id')

  def __repr__(self) -> str:
    return self.accuracy().to_string(float_format='{:.3f}'.format)

  def _repr_html_(self) -> str:
    return self.accuracy().to_html(float_format='{:.3f}'.format)


@dataclasses.dataclass(frozen=True, repr=False)
class Inferences(Sequence[Document]):
  """What a model inferred from documents: a sequence of new documents.

  Attributes:
    documents: one for each line that was kept; `origin.parents` names the
      document that it was inferred from.
    dropped: number of dropped lines by reason; see `augmentation.parse.Parsed`.
  """

  documents: tuple[Document, ...]
  dropped: Mapping[str, int]

  def __getitem__(self, index: Any) -> Any:
    return self.documents[index]

  def __len__(self) -> int:
    return len(self.documents)

  def __iter__(self) -> Iterator[Document]:
    return iter(self.documents)

  def frame(self) -> pd.DataFrame:
    """One row per document, by its id; columns kind, parent and text."""
    rows = [
      {
        'id': document.id,
        'kind': document.origin.kind,
        'parent': ', '.join(document.origin.parents),
        'text': document.text,
      }
      for document in self.documents
    ]
    columns = ['id', 'kind', 'parent', 'text']
    return pd.DataFrame(rows, columns=columns).set_index('id')

  def __repr__(self) -> str:
    dropped = ', '.join(f'{n} {why}' for why, n in self.dropped.items())
    first = '\n'.join(f'  {document.text}' for document in self.documents[:5])
    more = '\n  ...' if len(self) > 5 else ''
    return (
      f'{len(self)} inferences (lines dropped: {dropped or "none"})\n'
      f'{first}{more}'
    )


@dataclasses.dataclass(frozen=True, repr=False)
class Audit:
  """How texts compare with a world.

  Attributes:
    texts: the texts.
    verdicts: one for each of them, in order; see `augmentation.audit.Verdict`.
  """

  texts: tuple[str, ...]
  verdicts: tuple[Verdict, ...]

  def counts(self) -> pd.DataFrame:
    """Number and share of texts, indexed by verdict, from best to worst."""
    found = collections.Counter(verdict.label for verdict in self.verdicts)
    rows = [
      {
        'verdict': label,
        'texts': found[label],
        'share': found[label] / len(self.verdicts),
      }
      for label in LABELS
      if found[label]
    ]
    columns = ['verdict', 'texts', 'share']
    return pd.DataFrame(rows, columns=columns).set_index('verdict')

  def frame(self) -> pd.DataFrame:
    """One row per text; columns text, verdict and hops."""
    rows = [
      {'text': text, 'verdict': verdict.label, 'hops': verdict.hops}
      for text, verdict in zip(self.texts, self.verdicts, strict=True)
    ]
    return pd.DataFrame(rows, columns=['text', 'verdict', 'hops'])

  def __repr__(self) -> str:
    return self.counts().to_string(float_format='{:.3f}'.format)

  def _repr_html_(self) -> str:
    return self.counts().to_html(float_format='{:.3f}'.format)
