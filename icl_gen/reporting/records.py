"""The report's input: finished cells, generated documents, training curves.

And references, with which accuracies are compared.
"""

import dataclasses
import itertools
import re
import types
from collections.abc import Mapping, Sequence

from icl_gen.types import Document, Fact, Question, Score

# In the order of figures and tables, with the labels that readers see.
CONDITIONS = {
  'pretrained': 'pretrained',
  'icl': 'in context',
  'ft': 'fine-tuned',
  'ft_aug': 'fine-tuned + own inferences',
}

# The label of rows that average over seeds.
MEAN = 'mean'

# Run -> setting of the pretraining -> its value; see `reported.factors`.
Factors = Mapping[str, Mapping[str, str]]
NO_FACTORS: Factors = types.MappingProxyType({})

# What a choice among runs is called, in place of a run's name.
CHOSEN = 'chosen'
# What the name of a run begins with in which a fine-tuned model answers after
# what it recalls: 'recalled_ft'.
RECALLED = 'recalled'
# Such a name, with the condition that the model was fine-tuned in; not those of
# models of other runs.
RECALLS = re.compile(rf'{RECALLED}_(ft|ft_aug)(?:-agree_\d+)?')

# The audit's verdicts, from best to worst, with the labels that readers see.
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
  """One finished cell of the study: a model's answers to a world's questions.

  Attributes:
    world: the world's name; becomes part of a file name.
    condition: one of `CONDITIONS`.
    model: the model's name.
    seed: the cell's seed.
    scores: at least one; each question occurs once.
    run: its name among cells with other settings; '' for the first one.
    recalled: question id -> what the model wrote from memory before it
      answered, with verdicts; {} if it was not asked to.
  """

  world: str
  condition: str
  model: str
  seed: int
  scores: tuple[Score, ...]
  run: str = ''
  recalled: Mapping[str, tuple[Document, ...]] = dataclasses.field(
    default_factory=dict, hash=False
  )

  def __post_init__(self) -> None:
    _check_names(self.world, self.model)
    if self.condition not in CONDITIONS:
      raise ValueError(
        f'unknown condition {self.condition!r} of a cell of world'
        f' {self.world!r}; allowed are {", ".join(CONDITIONS)}'
      )
    if not self.scores:
      raise ValueError(
        f'cell {self.name!r} has no scores; run its evaluation first'
      )
    ids = [score.question_id for score in self.scores]
    if len(set(ids)) != len(ids):
      twice = next(i for i in ids if ids.count(i) > 1)
      raise ValueError(
        f'cell {self.name!r} answers question {twice!r} more than once;'
        ' give each question once'
      )
    for document in itertools.chain(*self.recalled.values()):
      _check_verdict(document)

  @property
  def name(self) -> str:
    """The cell's name, unique in a study."""
    name = f'{self.world}/{self.condition}/{self.model}/{self.seed}'
    return f'{name}/{self.run}' if self.run else name


@dataclasses.dataclass(frozen=True)
class CellName:
  """What a cell is called, whether it is finished or not; as in `Cell`."""

  world: str
  condition: str
  model: str
  seed: int
  run: str


@dataclasses.dataclass(frozen=True)
class AugmentationRecord:
  """The documents that one model generated for one world under one seed.

  Attributes:
    world: the world's name.
    model: the model's name.
    seed: the seed of the cell that was trained on the documents.
    documents: generated documents; `origin.kind` is the augmentation kind and
      `origin.details` has a 'verdict' of `VERDICTS`, and 'hops' if entailed.
    questions: the world's test questions.
    costs: name -> cost of generation, e.g. tokens in and out, seconds.
    run: its name among augmentations with other settings; '' for the first one.
    runs: those of the cells that were trained on the documents.
    said_right: question id -> the facts that its right choices state, where
      there are several, one of them the question's target.
  """

  world: str
  model: str
  seed: int
  documents: tuple[Document, ...]
  questions: tuple[Question, ...]
  costs: Mapping[str, float]
  run: str = ''
  runs: tuple[str, ...] = ('',)
  said_right: Mapping[str, frozenset[Fact]] = dataclasses.field(
    default_factory=dict
  )

  def __post_init__(self) -> None:
    _check_names(self.world, self.model)
    for document in self.documents:
      if document.origin.kind == 'given':
        raise ValueError(
          f'document {document.id!r} of {self.name!r} is a given one; an'
          ' augmentation record must have generated documents only'
        )
      _check_verdict(document)

  @property
  def name(self) -> str:
    """The record's name, unique in a study."""
    name = f'{self.world}/{self.model}/{self.seed}'
    return f'{name}/{self.run}' if self.run else name

  def targets(self, question: Question) -> frozenset[Fact]:
    """The facts of which a document has to state one to cover the question."""
    one = () if question.target is None else (question.target,)
    return self.said_right.get(question.id, frozenset()).union(one)


@dataclasses.dataclass(frozen=True)
class Curve:
  """The logged losses of one training run.

  Attributes:
    world: the world's name.
    condition: one of `CONDITIONS`.
    model: the model's name.
    seed: the run's seed.
    steps: the steps whose loss was logged, ascending.
    losses: of the batch of each of them, in nats per token.
  """

  world: str
  condition: str
  model: str
  seed: int
  steps: tuple[int, ...]
  losses: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Reference:
  """One row of references.csv; the attributes are its columns, in order.

  What those answer right who infer nothing. Equally good choices count by the
  share of them that is right.

  Attributes:
    world: the world's name.
    kind: the questions' kind, or '<kind>:<stratum>'.
    normalisation: how the n-gram reader's choices were ranked.
    seed: the corpus's seed as text, or 'mean' over the seeds.
    questions: questions asked; for 'mean' their sum over the seeds.
    chance: accuracy of guessing, from 0 to 1.
    constant: accuracy of the best constant answer: of the one rule, among those
      that look at the choices only, that is right most often over all seeds.
    rule: that rule: 'longest', 'shortest', 'choice 2' (the second one), 'with
      "no"' (a choice that has this word).
    ngram: accuracy of an n-gram model of the documents, which answers with the
      likeliest continuation of the prompt.
  """

  world: str
  kind: str
  normalisation: str
  seed: str
  questions: int
  chance: float
  constant: float
  rule: str
  ngram: float


def kinds(asked: Question | Score) -> tuple[str, ...]:
  """Its kind and, if it has a stratum, '<kind>:<stratum>'."""
  strata = (f'{asked.kind}:{asked.stratum}',) if asked.stratum else ()
  return (asked.kind, *strata)


def parts(run: str) -> set[str]:
  """The settings in the name of a run, each with its value."""
  return set(run.split(',')) - {''}


def is_main(kind: str, *, main: str) -> bool:
  """Whether figures and summary show a kind of question.

  Args:
    kind: a kind, or '<kind>:<stratum>'.
    main: the one kind that they show; '' for all kinds, without strata.
  """
  return kind == main if main else ':' not in kind


def verdict(document: Document) -> str:
  """The audit's verdict on a generated document, one of `VERDICTS`.

  Raises:
    ValueError: the document has no verdict, or an unknown one.
  """
  found = dict(document.origin.details).get('verdict')
  if found not in VERDICTS:
    raise ValueError(
      f'document {document.id!r} has the verdict {found!r}; allowed are'
      f' {", ".join(VERDICTS)}; audit the generated documents first'
    )
  return found


def _check_verdict(document: Document) -> None:
  if verdict(document) == 'entailed':
    hops(document)


def hops(document: Document) -> int:
  """Rule applications that an entailed document's facts need; 1 or more.

  Raises:
    ValueError: the document has no such number.
  """
  found = dict(document.origin.details).get('hops', '')
  if not found.isdecimal() or int(found) < 1:
    raise ValueError(
      f'document {document.id!r} is entailed and has the hops {found!r};'
      ' it must be an integer from 1; audit the generated documents again'
    )
  return int(found)


def ordered(cells: Sequence[Cell]) -> tuple[Cell, ...]:
  """Sorts the cells by world, condition, model, run and seed.

  Raises:
    ValueError: no cells at all, or two with the same name.
  """
  if not cells:
    raise ValueError('there are no cells to report')
  _check_unique([cell.name for cell in cells])
  places = list(CONDITIONS)
  return tuple(
    sorted(
      cells,
      key=lambda c: (
        *(c.world, places.index(c.condition)),
        *(c.model, c.run, c.seed),
      ),
    )
  )


def ordered_records(
  records: Sequence[AugmentationRecord],
) -> tuple[AugmentationRecord, ...]:
  """Sorts the records by world, model, run and seed.

  Raises:
    ValueError: two with the same name.
  """
  _check_unique([record.name for record in records])
  return tuple(sorted(records, key=lambda r: (r.world, r.model, r.run, r.seed)))


def _check_unique(names: list[str]) -> None:
  if len(set(names)) != len(names):
    twice = sorted({name for name in names if names.count(name) > 1})
    raise ValueError(
      f'given more than once: {", ".join(twice)}; each combination of world,'
      ' condition, model, seed and run must be unique'
    )


def _check_names(world: str, model: str) -> None:
  for what, name in (('world', world), ('model', model)):
    if not re.fullmatch(r'[A-Za-z0-9][A-Za-z0-9_.-]*', name):
      raise ValueError(
        f'{what} is named {name!r}; the name becomes part of a file name: use'
        ' letters, digits, "_", "-" and ".", starting with a letter or digit'
      )
