"""What accuracies are to be compared with: answers that need no model."""

from collections.abc import Mapping, Sequence

from icl_gen.reporting import statistics
from icl_gen.reporting.records import MEAN, Cell, Reference, kinds
from icl_gen.types import ChoiceScore, Corpus, Question
from icl_gen.worlds import baselines, constant_answers

ORDER = 4  # of the n-gram model of the documents

# Question id -> measure -> whether the reader is right, from 0 to 1.
_Read = dict[str, dict[str, float]]


def references(
  cells: Sequence[Cell], corpora: Mapping[tuple[str, int], Corpus]
) -> tuple[Reference, ...]:
  """Returns the references of every world, seed and kind of question.

  Args:
    cells: say which questions were asked.
    corpora: (world, seed) -> documents and questions; worlds and seeds without
      have no references.
  """
  asked: dict[tuple[str, int], set[str]] = {}
  for cell in cells:
    ids = {score.question_id for score in cell.scores}
    asked.setdefault((cell.world, cell.seed), set()).update(ids)
  found: list[Reference] = []
  for world in sorted({world for world, _ in asked}):
    by_seed = {
      seed: [q for q in corpora[of, seed].questions if q.id in ids]
      for (of, seed), ids in sorted(asked.items())
      if of == world and (of, seed) in corpora
    }
    read = {
      seed: _read(corpora[world, seed], questions)
      for seed, questions in by_seed.items()
    }
    found += _of_world(world, by_seed, read)
  return tuple(found)


def _of_world(
  world: str,
  by_seed: Mapping[int, Sequence[Question]],
  read: Mapping[int, _Read],
) -> list[Reference]:
  of_kinds: dict[str, dict[int, list[Question]]] = {}
  for seed, questions in by_seed.items():
    for question in questions:
      for kind in kinds(question):
        of_kinds.setdefault(kind, {}).setdefault(seed, []).append(question)
  found = []
  for kind, seeds in sorted(of_kinds.items()):
    name, rule = constant_answers.best(list(seeds.values()))
    # Each seed, then all of them.
    for label, chosen in [*((str(s), [s]) for s in seeds), (MEAN, list(seeds))]:
      groups = [seeds[seed] for seed in chosen]
      found += [
        Reference(
          world=world,
          kind=kind,
          normalisation=measure,
          seed=label,
          questions=sum(map(len, groups)),
          chance=_mean([[q.chance for q in group] for group in groups]),
          constant=constant_answers.accuracy(rule, groups),
          rule=name,
          ngram=_mean(
            [[read[s][q.id][measure] for q in seeds[s]] for s in chosen]
          ),
        )
        for measure in statistics.NORMALISATIONS
      ]
  return found


def _mean(groups: Sequence[Sequence[float]]) -> float:
  """Mean over the groups of their means."""
  return statistics.mean(map(statistics.mean, groups))


def _read(corpus: Corpus, questions: Sequence[Question]) -> _Read:
  """What the n-gram reader answers, by every measure."""
  pairs = [(q.prompt, choice) for q in questions for choice in q.choices]
  merit = baselines.ngram_merit(
    (document.text for document in corpus.documents), order=ORDER, asked=pairs
  )
  return {question.id: _right(merit, question) for question in questions}


def _right(merit: baselines.Merit, question: Question) -> dict[str, float]:
  scores = _scores(merit, question)
  return {
    # Rounded, so that ties are exact.
    measure: baselines.share_right(
      [round(value(s), 9) for s in scores], question
    )
    for measure, value in statistics.NORMALISATIONS.items()
  }


def _scores(merit: baselines.Merit, question: Question) -> list[ChoiceScore]:
  """The choices as if a model had scored them; words are its tokens."""
  return [
    ChoiceScore(
      logp=merit(question.prompt, choice),
      # A choice of blanks has none.
      tokens=max(1, len(baselines.words(choice))),
      characters=max(1, len(choice.lstrip())),
      bytes=max(1, len(choice.lstrip().encode())),
      logp_unconditional=merit('', choice),
    )
    for choice in question.choices
  ]
