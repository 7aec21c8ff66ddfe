"""The question explorer: every answer of a study, as data for the page.

Small studies are embedded in the page. Larger ones are split into a file per
world and model, which the page loads when they are chosen. Both also work from
the file system, where a page may run scripts next to it but not read files.
"""

import dataclasses
import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from icl_gen.reporting import statistics
from icl_gen.reporting.covering import COVERED, UNCLEAR, Covering
from icl_gen.reporting.glossary import reading_order
from icl_gen.reporting.records import (
  CONDITIONS,
  VERDICTS,
  AugmentationRecord,
  Cell,
  hops,
  ordered,
  verdict,
)
from icl_gen.types import Corpus, Document, Fact, Question, Score

# Where the pieces of a study are that is not embedded.
FOLDER = 'explorer'
# Bytes of data up to which a study is embedded.
EMBEDDED = 2_000_000

# (world, seed) -> what the cells of that world and seed were asked about.
Corpora = Mapping[tuple[str, int], Corpus]
# (world, seed) -> question id -> its premises in words, and then its answer.
Derivations = Mapping[tuple[str, int], Mapping[str, Sequence[str]]]


@dataclasses.dataclass(frozen=True)
class Explorer:
  """The data of the explorer; texts are JSON that is safe within a script.

  Attributes:
    index: of the page: labels and the list of pieces, with their data if they
      are embedded.
    files: name -> content of the pieces that are not embedded.
    nonce: what the page's policy knows their scripts by; '' without pieces. It
      depends on all of them, so no text in them can contain it.
    absent: sentences on cells whose corpora are not there.
  """

  index: str
  files: Mapping[str, bytes]
  nonce: str
  absent: tuple[str, ...]


def build(
  cells: Sequence[Cell],
  records: Sequence[AugmentationRecord],
  corpora: Corpora,
  derivations: Derivations,
  *,
  normalisation: str,
  recalling: Sequence[Cell] = (),
) -> Explorer | None:
  """Puts answers, questions and documents together.

  Args:
    cells: finished cells, in any order.
    records: of the generated documents, in any order.
    corpora: documents and questions of the cells' worlds and seeds; cells
      without one are left out.
    derivations: of their questions, as far as they are known.
    normalisation: decides which choice was chosen.
    recalling: further cells, with what was recalled before the answers; each
      is shown like another condition.

  Returns:
    None if no cell has a corpus.

  Raises:
    ValueError: a cell answered a question that its corpus does not have.
  """
  columns = {cell.name: cell.condition for cell in cells} | {
    cell.name: f'{cell.condition}+{cell.run}' for cell in recalling
  }
  every = sorted(
    ordered((*cells, *recalling)),
    key=lambda cell: (
      *(reading_order(cell.world), cell.model),
      columns[cell.name] not in CONDITIONS,
    ),
  )
  groups = itertools.groupby(every, key=lambda cell: (cell.world, cell.model))
  made, absent = [], []
  for (world, model), group in groups:
    seeds, without = _seeds(
      [(columns[cell.name], cell) for cell in group],
      records,
      corpora,
      derivations,
      normalisation,
    )
    if seeds:
      made.append({'world': world, 'model': model, 'seeds': seeds})
    if without:
      absent.append(
        f'{world}, {model}: no corpus for seed'
        f'{"s" * (len(without) > 1)} {", ".join(map(str, without))}.'
      )
  if not made:
    return None
  labels = {
    columns[cell.name]: f'{CONDITIONS[cell.condition]}, {cell.run}'
    for cell in every
    if columns[cell.name] not in CONDITIONS
  }
  return _explorer(made, tuple(absent), CONDITIONS | labels)


def _explorer(
  pieces: Sequence[Mapping[str, Any]],
  absent: tuple[str, ...],
  conditions: Mapping[str, str],
) -> Explorer:
  texts = {f'{p["world"]}-{p["model"]}': _json(p) for p in pieces}
  assert len(texts) == len(pieces), 'two pieces would have one name'
  split = sum(map(len, texts.values())) > EMBEDDED
  index = {
    'conditions': conditions,
    'verdicts': VERDICTS,
    'pieces': [
      {'name': name, 'world': piece['world'], 'model': piece['model']}
      | ({'file': f'{FOLDER}/{name}.js'} if split else {'data': piece})
      for name, piece in zip(texts, pieces, strict=True)
    ],
  }
  files = {
    f'{FOLDER}/{name}.js': f'explorerPiece({_json(name)}, {text});\n'.encode()
    for name, text in texts.items()
    if split
  }
  every = b''.join(files.values())
  nonce = hashlib.sha256(every).hexdigest() if files else ''
  return Explorer(_json(index), files, nonce, absent)


def _json(value: Any) -> str:
  """JSON in ASCII that neither ends a script nor begins a comment in it."""
  text = json.dumps(value, separators=(',', ':'), allow_nan=False)
  # These occur within strings only.
  for mark in '<>&':
    text = text.replace(mark, f'\\u{ord(mark):04x}')
  return text


def _seeds(
  cells: Sequence[tuple[str, Cell]],
  records: Sequence[AugmentationRecord],
  corpora: Corpora,
  derivations: Derivations,
  normalisation: str,
) -> tuple[list[dict[str, Any]], list[int]]:
  """What is shown of one world and model; and seeds without a corpus.

  Args:
    cells: all of the world and model, each after its condition or what is
      shown like one.
    records: as for `build`.
    corpora: likewise.
    derivations: likewise.
    normalisation: likewise.
  """
  found, without = [], []
  of_record = {(r.world, r.model, r.seed): r for r in records}
  world, model = cells[0][1].world, cells[0][1].model
  for seed in sorted({cell.seed for _, cell in cells}):
    chosen = {name: cell for name, cell in cells if cell.seed == seed}
    if corpus := corpora.get((world, seed)):
      record = of_record.get((world, model, seed))
      derived = derivations.get((world, seed), {})
      shown = _Shown(chosen, record, corpus, derived, normalisation)
      found.append({'seed': seed} | shown.values())
    else:
      without.append(seed)
  return found, without


class _Shown:
  """The questions of one world, model and seed, and what belongs to them."""

  def __init__(
    self,
    cells: Mapping[str, Cell],
    record: AugmentationRecord | None,
    corpus: Corpus,
    derivations: Mapping[str, Sequence[str]],
    normalisation: str,
  ) -> None:
    self._cells = cells
    self._scores = {
      condition: {s.question_id: s for s in cell.scores}
      for condition, cell in cells.items()
    }
    _check_questions(cells.values(), corpus)
    asked = set().union(*self._scores.values())
    self._questions = [q for q in corpus.questions if q.id in asked]
    self._derivations = derivations
    self._normalisation = normalisation
    self._facts: dict[Fact, int] = {}
    premises = {fact for q in self._questions for fact in q.premises}
    self._documents = [
      d for d in corpus.documents if not premises.isdisjoint(d.facts)
    ]
    self._place = {d.id: n for n, d in enumerate(self._documents)}
    generated = record.documents if record else ()
    covering = Covering(generated)
    # Question -> whether it is covered, and the numbers of the documents that
    # decide it; {} if coverage is unknown.
    self._covered = {
      question.id: covering.look_up(record.targets(question))
      for question in self._questions
      if record
    }
    numbers = list(self._of_questions(generated))
    self._generated = [generated[number] for number in numbers]
    self._place_of = {number: n for n, number in enumerate(numbers)}

  def values(self) -> dict[str, Any]:
    """As JSON; documents, generated ones and facts are named by their place."""
    values = {
      'documents': [
        {'text': d.text, 'facts': self._numbers(d.facts)}
        for d in self._documents
      ],
      'generated': [self._inference(d) for d in self._generated],
      'questions': [self._question(q) for q in self._questions],
    }
    facts = [[f.subject, f.relation, f.object] for f in self._facts]
    return {'facts': facts} | values

  def _of_questions(self, generated: Sequence[Document]) -> Iterator[int]:
    """Numbers of those from a shown one, or that may cover a question."""
    deciding = set[int]().union(*(found for _, found in self._covered.values()))
    for number, document in enumerate(generated):
      if number in deciding or any(
        parent in self._place for parent in document.origin.parents
      ):
        yield number

  def _inference(self, document: Document) -> dict[str, Any]:
    origin = document.origin
    return _judged(document) | {
      'kind': origin.kind,
      'parents': [self._place[p] for p in origin.parents if p in self._place],
    }

  def _question(self, question: Question) -> dict[str, Any]:
    answered = {
      condition: scores[question.id]
      for condition, scores in self._scores.items()
      if question.id in scores
    }
    values: dict[str, Any] = {
      'id': question.id,
      'kind': question.kind,
      'stratum': question.stratum,
      'prompt': question.prompt,
      'choices': question.choices,
      'answers': question.answers,
      'premises': self._numbers(question.premises),
      'answered': {c: self._answer(c, s) for c, s in answered.items()},
    }
    if question.id in self._derivations:
      values['derivation'] = self._derivations[question.id]
    if question.target:
      values['target'] = self._numbers([question.target])[0]
    if question.target and question.id in self._covered:
      coverage, numbers = self._covered[question.id]
      deciding = sorted(self._place_of[number] for number in numbers)
      values['coverage'] = coverage
      values['covering'] = deciding if coverage == COVERED else []
      if coverage == UNCLEAR:
        values['mentioning'] = deciding
    return values

  def _answer(self, condition: str, score: Score) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if score.written is not None:
      more['written'] = score.written
    recalled = self._cells[condition].recalled
    if score.question_id in recalled:
      more['recalled'] = [_judged(one) for one in recalled[score.question_id]]
    return {
      'logp': [_rounded(choice.logp) for choice in score.choices],
      'chosen': statistics.choose(score, self._normalisation),
    } | more

  def _numbers(self, facts: Sequence[Fact]) -> list[int]:
    return [self._facts.setdefault(f, len(self._facts)) for f in facts]


def _judged(document: Document) -> dict[str, Any]:
  """What a model wrote, with the audit's verdict."""
  label = verdict(document)
  said: dict[str, Any] = {'text': document.text, 'verdict': label}
  return said | ({'hops': hops(document)} if label == 'entailed' else {})


def _rounded(logp: float) -> float | None:
  """None for what is not finite, which JSON does not have."""
  return round(logp, 3) if math.isfinite(logp) else None


def _check_questions(cells: Iterable[Cell], corpus: Corpus) -> None:
  known = {question.id: question for question in corpus.questions}
  for cell in cells:
    for score in cell.scores:
      question = known.get(score.question_id)
      if question is None or len(question.choices) != len(score.choices):
        raise ValueError(
          f'cell {cell.name} answered question {score.question_id!r} of'
          f' {len(score.choices)} choices, which is not among the {len(known)}'
          f' questions of corpus {corpus.name!r}; restore the corpus that was'
          ' evaluated, or evaluate again'
        )
