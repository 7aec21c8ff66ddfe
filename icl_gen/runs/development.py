"""Questions that choose among checkpoints; they are not among those that test.

A checkpoint that was chosen by its answers is better on just these questions
than it is. So they are set apart by cluster, which is to say with all questions
about the same facts, and in every condition only the others are scored.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence

from icl_gen.reporting import statistics
from icl_gen.runs.experiments import Experiment, Training
from icl_gen.types import Corpus, Question, Score


def split(
  questions: Sequence[Question], train: Training, *, seed: int
) -> tuple[tuple[Question, ...], tuple[Question, ...]]:
  """Splits questions into those that choose and those that test.

  The first are those of the kinds `evaluate_kinds` in a share of the clusters
  that have such kinds. The second are the questions of all other clusters. The
  share of the clusters is drawn by a hash of their names, so a question that is
  added moves no other.

  Args:
    questions: of a corpus.
    train: the settings; where nothing is evaluated while training, all
      questions test.
    seed: of the draw.

  Returns:
    (questions that choose, questions that test), both in the order given.

  Raises:
    ValueError: a kind is unknown, or no question is left to test.
  """
  if not train.evaluate_every:
    return (), tuple(questions)
  kinds = _kinds(questions, train.evaluate_kinds)
  clusters = {q.cluster for q in questions if q.kind in kinds}
  count = max(1, round(train.evaluate_share * len(clusters)))
  chosen = set(sorted(clusters, key=lambda name: _place(name, seed))[:count])
  test = tuple(q for q in questions if q.cluster not in chosen)
  if not test:
    raise ValueError(
      f'--config.train.evaluate_share={train.evaluate_share} of'
      f' {len(clusters)} groups of questions about the same facts leaves none'
      ' to test the result: give a smaller share, or --config.train.'
      'evaluate_every=0'
    )
  return (
    tuple(q for q in questions if q.kind in kinds and q.cluster in chosen),
    test,
  )


def tested(corpus: Corpus, experiment: Experiment) -> Corpus:
  """The corpus with the questions that test; raises as `split`."""
  _, test = split(corpus.questions, experiment.train, seed=experiment.seed)
  return dataclasses.replace(corpus, questions=test)


def _kinds(questions: Iterable[Question], wanted: str) -> set[str]:
  there = {question.kind for question in questions}
  if not wanted:
    return there
  found = {name.strip() for name in wanted.split(',')}
  if unknown := found - there:
    raise ValueError(
      f'--config.train.evaluate_kinds={wanted!r}: no question is of kind'
      f' {min(unknown)!r}; there are {", ".join(sorted(there))}'
    )
  return found


def _place(cluster: str, seed: int) -> str:
  return hashlib.sha256(f'development/{seed}/{cluster}'.encode()).hexdigest()


def measures(scores: Sequence[Score]) -> dict[str, float]:
  """What `evaluate_by` may name, of the questions that choose.

  Args:
    scores: theirs.

  Returns:
    accuracy: share whose likeliest choice is right, as in a report; margin: by
      how many nats the likeliest right choice is likelier than the likeliest
      wrong one, on average (accuracies of few questions tie, margins do not);
      and questions: their number.
  """
  right = [float(statistics.choose(s, 'sum') in s.answers) for s in scores]
  return {
    'accuracy': statistics.mean(right),
    'margin': statistics.mean(map(_margin, scores)),
    'questions': len(scores),
  }


def _margin(score: Score) -> float:
  values = [choice.logp for choice in score.choices]
  right = [values[n] for n in set(score.answers)]
  wrong = [v for n, v in enumerate(values) if n not in score.answers]
  return max(right) - max(wrong) if wrong else 0.0
