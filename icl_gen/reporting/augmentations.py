"""What the augmentations were worth: truth, novelty, coverage, costs.

Knows records of generated documents and the cells trained on them; refuses to
know how documents were generated or audited.
"""

import collections
import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence

from icl_gen.reporting import statistics
from icl_gen.reporting.records import (
  VERDICTS,
  AugmentationRecord,
  Cell,
  hops,
  kinds,
  ordered_records,
  verdict,
)
from icl_gen.reporting.tables import MEAN
from icl_gen.types import Document

# All augmentation kinds of a record together: what was trained on.
ALL = 'all'


@dataclasses.dataclass(frozen=True)
class Worth:
  """One row of augmentation.csv; the attributes are its columns, in order.

  Attributes:
    world: the world's name.
    model: the model's name.
    augmentation: the augmentation kind, or 'all' of them together.
    seed: the record's seed as text, or 'mean' over the seeds.
    documents: number of generated documents (mean: over the seeds).
    true: share that is true, stated or entailed.
    true_low: lower end of its 95 % interval, over seeds and the documents that
      were generated from (what was made from the same ones varies together).
    true_high: upper end.
    new: share that is true and was not stated (entailed).
    new_low: lower end of its 95 % interval.
    new_high: upper end.
    stated: share that is true and was stated.
    contradicted: share that is false.
    unknown: share that is neither true nor false in the world.
    unparsed: share in which no statement was recognised.
    unverified: share that nothing could be checked against, 1 in worlds
      without known facts; there, all other shares are None.
    hops: of the new ones, 'hops:documents' pairs, e.g. '1:34 2:5'; for 'mean'
      of all seeds together.
  """

  world: str
  model: str
  augmentation: str
  seed: str
  documents: float
  true: float | None
  true_low: float | None
  true_high: float | None
  new: float | None
  new_low: float | None
  new_high: float | None
  stated: float | None
  contradicted: float | None
  unknown: float | None
  unparsed: float | None
  unverified: float
  hops: str


@dataclasses.dataclass(frozen=True)
class Coverage:
  """One row of coverage.csv; the attributes are its columns, in order.

  A question is covered when some generated document asserts its target.

  Attributes:
    world: the world's name.
    model: the model's name.
    augmentation: the augmentation kind, or 'all' of them together.
    kind: the questions' kind, or '<kind>:<stratum>'.
    normalisation: how choices were compared; 'exact': what was written.
    seed: the record's seed as text, or 'mean' over the seeds.
    questions: questions that have a target (mean: over the seeds).
    untargeted: questions without one; they can be neither.
    coverage: share of questions that are covered; None without questions.
    covered_accuracy: accuracy of ft_aug on covered questions; None where
      there are none or the cell is missing.
    covered_low: lower end of its 95 % interval, over clusters and seeds.
    covered_high: upper end.
    uncovered_accuracy: the same on the other questions.
    uncovered_low: lower end of its 95 % interval.
    uncovered_high: upper end.
  """

  world: str
  model: str
  augmentation: str
  kind: str
  normalisation: str
  seed: str
  questions: float
  untargeted: float
  coverage: float | None
  covered_accuracy: float | None
  covered_low: float | None
  covered_high: float | None
  uncovered_accuracy: float | None
  uncovered_low: float | None
  uncovered_high: float | None


@dataclasses.dataclass(frozen=True)
class Cost:
  """One row of costs.csv: what generating cost, or its mean over seeds."""

  world: str
  model: str
  seed: str
  cost: str
  value: float


def worths(records: Sequence[AugmentationRecord]) -> tuple[Worth, ...]:
  """Truth and novelty per world, model, augmentation kind and seed."""
  rows = []
  for (world, model), group in _grouped(records):
    for augmentation in _augmentations(group):
      by_seed = {
        record.seed: chosen
        for record in group
        if (chosen := _chosen(record, augmentation))
      }
      for label, seeds in _labelled(by_seed):
        rows.append(
          _worth(
            (world, model, augmentation, label),
            {seed: by_seed[seed] for seed in seeds},
          )
        )
  return tuple(rows)


def _worth(key, by_seed: Mapping[int, Sequence[Document]]) -> Worth:
  def share(name: str, verdicts: Iterable[str]) -> statistics.Estimate:
    # What was made from the same documents is no independent evidence; ids
    # may repeat between seeds though the texts differ.
    return statistics.estimate(
      {
        seed: {
          (f'{seed}/{d.origin.parents or d.id}', d.id): float(
            verdict(d) in verdicts
          )
          for d in documents
        }
        for seed, documents in by_seed.items()
      },
      name='/'.join((*key, name)),
    )

  found = {name: share(name, (name,)) for name in VERDICTS}
  true = share('true', ('stated', 'entailed'))
  row = Worth(
    *key,
    documents=sum(map(len, by_seed.values())) / len(by_seed),
    true=true.mean,
    true_low=true.low,
    true_high=true.high,
    new=found['entailed'].mean,
    new_low=found['entailed'].low,
    new_high=found['entailed'].high,
    stated=found['stated'].mean,
    contradicted=found['contradicted'].mean,
    unknown=found['unknown'].mean,
    unparsed=found['unparsed'].mean,
    unverified=found['unverified'].mean,
    hops=_hops(itertools.chain.from_iterable(by_seed.values())),
  )
  # Where nothing can be checked, none is true and none is false either.
  return row if row.unverified < 1 else dataclasses.replace(row, **_UNKNOWN)


_UNKNOWN = {
  field.name: None
  for field in dataclasses.fields(Worth)
  if field.type == float | None
}


def _hops(documents: Iterable[Document]) -> str:
  counts = collections.Counter(
    hops(document) for document in documents if verdict(document) == 'entailed'
  )
  return ' '.join(f'{number}:{counts[number]}' for number in sorted(counts))


def coverages(
  records: Sequence[AugmentationRecord], cells: Sequence[Cell]
) -> tuple[Coverage, ...]:
  """Coverage of test questions, and accuracy of ft_aug on either side of it.

  Raises:
    ValueError: a cell answered a question that its record does not have.
  """
  trained = {
    (cell.world, cell.model, cell.seed): cell
    for cell in cells
    if cell.condition == 'ft_aug'
  }
  rows = []
  for (world, model), group in _grouped(records):
    group = [record for record in group if record.questions]
    for record in group:
      _check_questions(record, trained.get((world, model, record.seed)))
    asked = set()
    for record in group:
      asked.update(*map(kinds, record.questions))
    seen = {
      (record.seed, augmentation): _facts(record, augmentation)
      for record in group
      for augmentation in _augmentations(group)
    }
    measures = _measures(group, trained)
    answers = {
      (record.seed, measure): _answers(
        trained.get((world, model, record.seed)), measure
      )
      for record in group
      for measure in measures
    }
    for augmentation, kind, normalisation in itertools.product(
      _augmentations(group), sorted(asked), measures
    ):
      sides = {
        record.seed: _sides(
          record,
          kind,
          facts=seen[record.seed, augmentation],
          answers=answers[record.seed, normalisation],
        )
        for record in group
        if any(kind in kinds(q) for q in record.questions)
      }
      for label, seeds in _labelled(sides):
        rows.append(
          _coverage(
            (world, model, augmentation, kind, normalisation, label),
            {seed: sides[seed] for seed in seeds},
          )
        )
  return tuple(rows)


@dataclasses.dataclass(frozen=True)
class _Sides:
  """One seed's questions of one kind, and what ft_aug made of them."""

  questions: int
  untargeted: int
  coverage: float | None
  covered: statistics.Outcomes
  uncovered: statistics.Outcomes


def _sides(record, kind: str, *, facts, answers) -> _Sides:
  asked = [q for q in record.questions if kind in kinds(q)]
  targeted = [q for q in asked if q.target is not None]
  covered = {q.id for q in targeted if q.target in facts}
  others = {q.id for q in targeted} - covered
  return _Sides(
    questions=len(targeted),
    untargeted=len(asked) - len(targeted),
    coverage=len(covered) / len(targeted) if targeted else None,
    covered={key: v for key, v in answers.items() if key[1] in covered},
    uncovered={key: v for key, v in answers.items() if key[1] in others},
  )


def _coverage(key, by_seed: Mapping[int, _Sides]) -> Coverage:
  def accuracy(side: str):
    found = {
      seed: getattr(sides, side)
      for seed, sides in by_seed.items()
      if getattr(sides, side)
    }
    if not found:
      return None, None, None
    return dataclasses.astuple(
      statistics.estimate(found, name='/'.join((*key, side)))
    )

  return Coverage(
    *key,
    *(
      _mean(getattr(sides, number) for sides in by_seed.values())
      for number in ('questions', 'untargeted', 'coverage')
    ),
    *accuracy('covered'),
    *accuracy('uncovered'),
  )


def _mean(values: Iterable[float | None]) -> float | None:
  known = [value for value in values if value is not None]
  return sum(known) / len(known) if known else None


def costs(records: Sequence[AugmentationRecord]) -> tuple[Cost, ...]:
  """What generating cost, per seed and on average."""
  rows = []
  for (world, model), group in _grouped(records):
    for name in sorted({name for record in group for name in record.costs}):
      values = {r.seed: r.costs[name] for r in group if name in r.costs}
      for label, seeds in _labelled(values):
        mean = sum(values[seed] for seed in seeds) / len(seeds)
        rows.append(Cost(world, model, label, name, mean))
  return tuple(rows)


def _grouped(records: Sequence[AugmentationRecord]):
  key = lambda record: (record.world, record.model)  # noqa: E731
  groups = itertools.groupby(ordered_records(records), key)
  return [(k, list(group)) for k, group in groups]


def _augmentations(records: Sequence[AugmentationRecord]) -> list[str]:
  kinds = sorted({d.origin.kind for r in records for d in r.documents})
  return [*kinds, ALL] if kinds else []


def _chosen(record, augmentation: str) -> list[Document]:
  return [
    document
    for document in record.documents
    if augmentation in (document.origin.kind, ALL)
  ]


def _facts(record, augmentation: str) -> frozenset:
  chosen = _chosen(record, augmentation)
  return frozenset(fact for document in chosen for fact in document.facts)


def _answers(cell: Cell | None, normalisation: str) -> statistics.Outcomes:
  return statistics.outcomes(cell.scores, normalisation) if cell else {}


def _measures(records, trained: Mapping[tuple, Cell]) -> tuple[str, ...]:
  """What all cells that were trained on the records can be judged by."""
  keys = [(r.world, r.model, r.seed) for r in records]
  cells = [trained[key] for key in keys if key in trained]
  scores = [score for cell in cells for score in cell.scores]
  return (
    statistics.measures(scores) if scores else tuple(statistics.NORMALISATIONS)
  )


def _check_questions(record: AugmentationRecord, cell: Cell | None) -> None:
  known = {question.id for question in record.questions}
  for score in cell.scores if cell else ():
    if score.question_id not in known:
      raise ValueError(
        f'cell {cell.name!r} answered question {score.question_id!r}, which'
        f' is not among the {len(known)} questions of the augmentation record'
        f' {record.name!r}; give both from the same corpus'
      )


def _labelled(by_seed: Mapping[int, object]) -> list[tuple[str, list[int]]]:
  """Every seed alone, then all of them under 'mean'; nothing for none."""
  seeds = sorted(by_seed)
  alone = [(str(seed), [seed]) for seed in seeds]
  return [*alone, (MEAN, seeds)] if seeds else []
