"""Generated documents: are they true and new, what do they cover and cost?"""

import collections
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from icl_gen.reporting import covering, statistics
from icl_gen.reporting.answers import MEAN, estimate, measures, per_seed
from icl_gen.reporting.records import (
  VERDICTS,
  AugmentationRecord,
  hops,
  kinds,
  ordered_records,
  verdict,
)

# All augmentation kinds of a record together: the training data of ft_aug.
ALL = 'all'


@dataclasses.dataclass(frozen=True)
class Quality:
  """One row of augmentation.csv; the attributes are its columns, in order.

  Attributes:
    world: the world's name.
    model: the model's name.
    run: name of the augmentation among those with other settings.
    augmentation: the augmentation kind, or 'all' for all of them together.
    seed: the record's seed as text, or 'mean' over the seeds.
    documents: number of generated documents (mean: over the seeds, also those
      without any).
    true: share that is true, stated or entailed.
    true_low: lower end of its 95 % interval, over seeds and clusters of
      documents that were generated from the same documents.
    true_high: upper end.
    new: share that is true and was not stated (entailed).
    new_low: lower end of its 95 % interval.
    new_high: upper end.
    stated: share that is true and was stated.
    contradicted: share that is false.
    unknown: share that is neither true nor false in the world.
    unparsed: share in which no statement was recognised.
    unverified: share that could not be checked, 1 in worlds without known
      facts; all other shares are then None.
    hops: for the new ones, 'hops:documents' pairs, e.g. '1:34 2:5'; for 'mean'
      summed over the seeds.
  """

  world: str
  model: str
  run: str
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

  A question is covered if some generated document asserts its target, or what
  another of its right choices states. It is uncovered if none does, and none
  that could not be read mentions what the target is about; see `covering`.

  Attributes:
    world: the world's name.
    model: the model's name.
    run: name of the cells among those with other settings.
    augmentation: the augmentation kind, or 'all' for all of them together.
    kind: the questions' kind, or '<kind>:<stratum>'.
    normalisation: how choices were ranked; 'exact': generated text.
    seed: the record's seed as text, or 'mean' over the seeds.
    questions: questions that have a target (mean: over the seeds).
    untargeted: questions without one; they are neither covered nor uncovered.
    coverage: share of questions that are covered; None without questions.
    unclear: share of questions that are neither covered nor uncovered.
    covered_accuracy: accuracy of ft_aug on covered questions; None if there
      are none or the cell is missing.
    covered_low: lower end of its 95 % interval, over clusters and seeds.
    covered_high: upper end.
    uncovered_accuracy: the same on uncovered questions.
    uncovered_low: lower end of its 95 % interval.
    uncovered_high: upper end.
  """

  world: str
  model: str
  run: str
  augmentation: str
  kind: str
  normalisation: str
  seed: str
  questions: float
  untargeted: float
  coverage: float | None
  unclear: float | None
  covered_accuracy: float | None
  covered_low: float | None
  covered_high: float | None
  uncovered_accuracy: float | None
  uncovered_low: float | None
  uncovered_high: float | None


@dataclasses.dataclass(frozen=True)
class Cost:
  """One row of costs.csv: a cost of generation, per seed or 'mean'."""

  world: str
  model: str
  run: str
  seed: str
  cost: str
  value: float


def quality(records: Sequence[AugmentationRecord]) -> tuple[Quality, ...]:
  """Truth and novelty per world, model, run, augmentation kind and seed."""
  return tuple(
    _quality((*key, augmentation, label), rows, seeds=len(group))
    for key, group in _grouped(records, lambda one: (one.run,))
    for documents in [_documents(group)]
    for augmentation in _augmentations(group)
    for label, rows in per_seed(
      documents[documents['augmentation'] == augmentation]
    )
  )


def _documents(records: Sequence[AugmentationRecord]) -> pd.DataFrame:
  """Generated documents, each under its augmentation kind and under `ALL`.

  Columns: seed, augmentation, cluster, hops (0 unless entailed), 'true', and
  one per verdict; these are 1.0 or 0.0.
  """
  rows = [
    {
      'seed': record.seed,
      'augmentation': augmentation,
      # Documents made from the same ones are not independent evidence; ids
      # may repeat under other seeds although the texts differ.
      'cluster': f'{record.seed}/{document.origin.parents or document.id}',
      'hops': hops(document) if found == 'entailed' else 0,
      'true': float(found in ('stated', 'entailed')),
    }
    | {name: float(found == name) for name in VERDICTS}
    for record in records
    for document in record.documents
    for found in [verdict(document)]
    for augmentation in (document.origin.kind, ALL)
  ]
  return pd.DataFrame(rows)


def _quality(
  key: tuple[str, str, str, str, str], documents: pd.DataFrame, *, seeds: int
) -> Quality:
  """One row.

  Args:
    key: world, model, run, augmentation kind and seed.
    documents: of these.
    seeds: how many there are in 'mean', with those that have no documents.
  """
  world, model, run, augmentation, label = key
  shares = {name: estimate(documents, name) for name in ('true', *VERDICTS)}
  true, new = shares['true'], shares['entailed']
  row = Quality(
    world=world,
    model=model,
    run=run,
    augmentation=augmentation,
    seed=label,
    documents=len(documents) / (seeds if label == MEAN else 1),
    true=true.mean,
    true_low=true.low,
    true_high=true.high,
    new=new.mean,
    new_low=new.low,
    new_high=new.high,
    stated=shares['stated'].mean,
    contradicted=shares['contradicted'].mean,
    unknown=shares['unknown'].mean,
    unparsed=shares['unparsed'].mean,
    unverified=shares['unverified'].mean,
    hops=_hops(documents),
  )
  if row.unverified < 1:
    return row
  unknown: dict[str, Any] = dict.fromkeys(_NEEDS_FACTS)
  return dataclasses.replace(row, **unknown)


# What is unknown where no document could be checked.
_NEEDS_FACTS = (
  *('true', 'true_low', 'true_high', 'new', 'new_low', 'new_high'),
  *('stated', 'contradicted', 'unknown', 'unparsed'),
)


def _hops(documents: pd.DataFrame) -> str:
  counts = collections.Counter(documents['hops'][documents['hops'] > 0])
  return ' '.join(f'{number}:{counts[number]}' for number in sorted(counts))


def coverage(
  records: Sequence[AugmentationRecord], answers: pd.DataFrame
) -> tuple[Coverage, ...]:
  """Coverage of test questions, and ft_aug's accuracy with and without it.

  Args:
    records: records of generated documents.
    answers: the table of answers.

  Raises:
    ValueError: a cell answered a question that its record does not have.
  """
  augmented = answers[answers['condition'] == 'ft_aug']
  rows = []
  for (world, model, run), group in _grouped(records, lambda one: one.runs):
    with_questions = [record for record in group if record.questions]
    if not with_questions:
      continue
    seeds = [record.seed for record in with_questions]
    answered = augmented[
      (augmented['world'] == world)
      & (augmented['model'] == model)
      & (augmented['run'] == run)
      & augmented['seed'].isin(seeds)
    ]
    _check_questions(with_questions, answered)
    asked = _questions(with_questions).merge(
      answered[['seed', 'kind', 'question', 'cluster', *statistics.MEASURES]],
      how='left',
      on=['seed', 'kind', 'question'],
    )
    for augmentation in _augmentations(with_questions):
      for kind, chosen in asked.groupby('kind'):
        labelled = [
          (label, _split(found, augmentation))
          for label, found in per_seed(chosen)
        ]
        rows += [
          _coverage(
            (*(world, model, run), *(augmentation, kind, measure, label)), split
          )
          for measure in measures(answered)
          for label, split in labelled
        ]
  return tuple(rows)


def _questions(records: Sequence[AugmentationRecord]) -> pd.DataFrame:
  """Questions per kind; a column per augmentation says whether it covers them.

  The columns 'coverage by <augmentation>' have what `Covering.of` returns.
  """
  augmentations = _augmentations(records)
  rows = []
  for record in records:
    covers = {name: _covering(record, name) for name in augmentations}
    rows += [
      {
        'seed': record.seed,
        'kind': kind,
        'question': question.id,
        'has target': question.target is not None,
      }
      | {
        f'coverage by {name}': covers[name].of(record.targets(question))
        for name in augmentations
      }
      for question in record.questions
      for kind in kinds(question)
    ]
  return pd.DataFrame(rows)


def _covering(
  record: AugmentationRecord, augmentation: str
) -> covering.Covering:
  """What the documents of one augmentation kind cover."""
  return covering.Covering(
    [
      document
      for document in record.documents
      if augmentation in (document.origin.kind, ALL)
    ]
  )


@dataclasses.dataclass(frozen=True)
class _Split:
  """Questions of one kind, split by coverage; counts are means over seeds."""

  questions: float
  untargeted: float
  coverage: float | None
  unclear: float | None
  covered: pd.DataFrame
  uncovered: pd.DataFrame


def _split(asked: pd.DataFrame, augmentation: str) -> _Split:
  targeted = asked[asked['has target']]
  found = targeted[f'coverage by {augmentation}']
  counts = [rows for _, rows in asked.groupby('seed')['has target']]

  def share(wanted: str) -> float | None:
    per = (found == wanted).groupby(targeted['seed'])
    shares = [float(rows.mean()) for _, rows in per]
    return statistics.mean(shares) if shares else None

  # Only questions that ft_aug answered have a cluster.
  answered = targeted['cluster'].notna()
  return _Split(
    questions=statistics.mean(float(has.sum()) for has in counts),
    untargeted=statistics.mean(float((~has).sum()) for has in counts),
    coverage=share(covering.COVERED),
    unclear=share(covering.UNCLEAR),
    covered=targeted[(found == covering.COVERED) & answered],
    uncovered=targeted[(found == covering.UNCOVERED) & answered],
  )


def _coverage(key: tuple[str, ...], split: _Split) -> Coverage:
  world, model, run, augmentation, kind, measure, label = key

  def accuracy(
    asked: pd.DataFrame,
  ) -> tuple[float, float, float] | tuple[None, None, None]:
    if asked.empty:
      return None, None, None
    # Seeds differ in how many questions they cover.
    found = estimate(asked, measure, pooled=True)
    return found.mean, found.low, found.high

  covered, covered_low, covered_high = accuracy(split.covered)
  other, other_low, other_high = accuracy(split.uncovered)
  return Coverage(
    world=world,
    model=model,
    run=run,
    augmentation=augmentation,
    kind=kind,
    normalisation=measure,
    seed=label,
    questions=split.questions,
    untargeted=split.untargeted,
    coverage=split.coverage,
    unclear=split.unclear,
    covered_accuracy=covered,
    covered_low=covered_low,
    covered_high=covered_high,
    uncovered_accuracy=other,
    uncovered_low=other_low,
    uncovered_high=other_high,
  )


def costs(records: Sequence[AugmentationRecord]) -> tuple[Cost, ...]:
  """Costs of generation, per seed and on average."""
  spent = pd.DataFrame(
    [
      (record.world, record.model, record.run, record.seed, cost, value)
      for record in records
      for cost, value in record.costs.items()
    ],
    columns=['world', 'model', 'run', 'seed', 'cost', 'value'],
  )
  return tuple(
    Cost(world, model, run, label, cost, statistics.mean(rows['value']))
    for (world, model, run, cost), group in spent.groupby(
      ['world', 'model', 'run', 'cost']
    )
    for label, rows in per_seed(group)
  )


def _grouped(
  records: Sequence[AugmentationRecord],
  runs: Callable[[AugmentationRecord], Sequence[str]],
) -> list[tuple[tuple[str, str, str], list[AugmentationRecord]]]:
  """Records by world, model and run; `runs` says in which a record counts."""
  found: dict[tuple[str, str, str], list[AugmentationRecord]] = {}
  for record in ordered_records(records):
    for run in runs(record):
      found.setdefault((record.world, record.model, run), []).append(record)
  return sorted(found.items(), key=lambda group: group[0])


def _augmentations(records: Sequence[AugmentationRecord]) -> list[str]:
  found = sorted({d.origin.kind for r in records for d in r.documents})
  return [*found, ALL] if found else []


def _check_questions(
  records: Sequence[AugmentationRecord], answered: pd.DataFrame
) -> None:
  for record in records:
    known = {question.id for question in record.questions}
    for question in answered['question'][answered['seed'] == record.seed]:
      if question not in known:
        raise ValueError(
          f'cell {record.world}/ft_aug/{record.model}/{record.seed} answered'
          f' question {question!r}, which is not among the {len(known)}'
          f' questions of the augmentation record {record.name!r}; read both'
          ' from the same corpus'
        )
