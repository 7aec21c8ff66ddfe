"""What the report is made of: finished cells and generated documents.

Refuses to know where they were stored or how they were made.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence

from icl_gen.types import Document, Question, Score

# The order of figures and tables, and the words that readers see.
CONDITIONS = {
  'pretrained': 'pretrained',
  'icl': 'in context',
  'ft': 'finetuned',
  'ft_aug': 'finetuned + augmented',
}

# Verdicts of the audit, from best to worst, and the words that readers see.
VERDICTS = {
  'entailed': 'true and new',
  'stated': 'true, stated already',
  'unknown': 'unknown',
  'contradicted': 'false',
  'unparsed': 'not parsed',
  'unverified': 'not verifiable',
}


@dataclasses.dataclass(frozen=True)
class Cell:
  """One finished cell of the study: a model that answered a world's questions.

  Attributes:
    world: the world's name; becomes part of a file name.
    condition: one of `CONDITIONS`.
    model: the model's name.
    seed: the cell's seed.
    scores: one record per question, each question once, at least one.
  """

  world: str
  condition: str
  model: str
  seed: int
  scores: tuple[Score, ...]

  def __post_init__(self):
    _check_names(self.world, self.model)
    if self.condition not in CONDITIONS:
      raise ValueError(
        f'unknown condition {self.condition!r} of a cell of world'
        f' {self.world!r}; allowed are {", ".join(CONDITIONS)}'
      )
    if not self.scores:
      raise ValueError(f'cell {self.name!r} has no scores; evaluate it first')
    ids = [score.question_id for score in self.scores]
    if len(set(ids)) != len(ids):
      twice = next(i for i in ids if ids.count(i) > 1)
      raise ValueError(
        f'cell {self.name!r} answers question {twice!r} more than once;'
        ' give each question once'
      )

  @property
  def name(self) -> str:
    """The cell's name, unique in a study."""
    return f'{self.world}/{self.condition}/{self.model}/{self.seed}'


@dataclasses.dataclass(frozen=True)
class AugmentationRecord:
  """What one model generated for one world under one seed.

  Attributes:
    world: the world's name.
    model: the model's name.
    seed: the seed of the cell that was trained on the documents.
    documents: generated documents; `origin.kind` is the augmentation kind and
      `origin.details` has a 'verdict' of `VERDICTS`, and 'hops' if entailed.
    questions: the world's test questions.
    costs: what it cost, e.g. tokens in and out, seconds.
  """

  world: str
  model: str
  seed: int
  documents: tuple[Document, ...]
  questions: tuple[Question, ...]
  costs: Mapping[str, float]

  def __post_init__(self):
    _check_names(self.world, self.model)
    for document in self.documents:
      if document.origin.kind == 'given':
        raise ValueError(
          f'document {document.id!r} of {self.name!r} is a given one; an'
          ' augmentation record holds generated documents only'
        )
      if verdict(document) == 'entailed':
        hops(document)

  @property
  def name(self) -> str:
    """The record's name, unique in a study."""
    return f'{self.world}/{self.model}/{self.seed}'


def kinds(asked: Question | Score) -> tuple[str, ...]:
  """The kinds it counts under: its own and, if it has one, with its stratum."""
  strata = (f'{asked.kind}:{asked.stratum}',) if asked.stratum else ()
  return (asked.kind, *strata)


def verdict(document: Document) -> str:
  """The audit's verdict on a generated document, one of `VERDICTS`.

  Raises:
    ValueError: the document carries no verdict, or an unknown one.
  """
  found = dict(document.origin.details).get('verdict')
  if found not in VERDICTS:
    raise ValueError(
      f'document {document.id!r} has the verdict {found!r}; allowed are'
      f' {", ".join(VERDICTS)}; audit the generated documents first'
    )
  return found


def hops(document: Document) -> int:
  """Rule applications that an entailed document's statement needs, from 1.

  Raises:
    ValueError: the document does not say, or says something else.
  """
  found = dict(document.origin.details).get('hops', '')
  if not found.isdecimal() or int(found) < 1:
    raise ValueError(
      f'document {document.id!r} is entailed and has the hops {found!r};'
      ' an integer from 1 is needed; audit the generated documents again'
    )
  return int(found)


def ordered(cells: Sequence[Cell]) -> tuple[Cell, ...]:
  """The cells in the report's order, whatever order they came in.

  Raises:
    ValueError: no cells at all, or two with the same name.
  """
  if not cells:
    raise ValueError(
      'there are no finished cells to report; run the study first:'
      ' python -m icl_gen.study --config=configs/<experiment>.py'
    )
  _check_unique([cell.name for cell in cells])
  places = list(CONDITIONS)
  return tuple(
    sorted(
      cells,
      key=lambda c: (c.world, places.index(c.condition), c.model, c.seed),
    )
  )


def ordered_records(
  records: Sequence[AugmentationRecord],
) -> tuple[AugmentationRecord, ...]:
  """The records in the report's order. Two of one name: ValueError."""
  _check_unique([record.name for record in records])
  return tuple(sorted(records, key=lambda r: (r.world, r.model, r.seed)))


def _check_unique(names: list[str]) -> None:
  if len(set(names)) != len(names):
    twice = sorted({name for name in names if names.count(name) > 1})
    raise ValueError(
      f'given more than once: {", ".join(twice)}; give every world, condition,'
      ' model and seed once'
    )


def _check_names(world: str, model: str) -> None:
  for what, name in (('world', world), ('model', model)):
    if not re.fullmatch(r'[A-Za-z0-9][A-Za-z0-9_.-]*', name):
      raise ValueError(
        f'{what} is named {name!r}; a name becomes part of a file name: use'
        ' letters, digits, "_", "-" and ".", a letter or digit first'
      )
