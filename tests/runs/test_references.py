"""References of a study: what is right without a model."""

import dataclasses

import pytest

from icl_gen.reporting import statistics
from icl_gen.reporting.records import Cell
from icl_gen.runs.references import references
from icl_gen.types import ChoiceScore, Corpus, Document, Question, Score
from icl_gen.worlds import baselines
from tests.worlds import paper

TEXTS = ('Glon are more tall than troff.', 'Plim are less old than zefts.')
QUESTIONS = (
  Question('a', 'Glon are', (' more tall.', ' less tall.'), (0,), 'forward'),
  Question('b', 'Plim are', (' more old.', ' less old.'), (1,), 'forward'),
)


def corpus(texts=TEXTS, questions=QUESTIONS):
  documents = tuple(Document(str(i), text) for i, text in enumerate(texts))
  return Corpus('c', documents, tuple(questions))


def cell(questions=QUESTIONS, *, world='w', seed=0):
  scores = tuple(
    Score(
      q.id,
      q.kind,
      q.stratum,
      q.cluster,
      q.answers,
      tuple(ChoiceScore(-1.0, 1, 1, 1, 0.0) for _ in q.choices),
    )
    for q in questions
  )
  return Cell(world, 'ft', 'nano', seed, scores)


def means(cells, corpora, *, measure='sum'):
  """Kind -> its reference over all seeds."""
  return {
    row.kind: row
    for row in references(cells, corpora)
    if (row.seed, row.normalisation) == ('mean', measure)
  }


@pytest.mark.parametrize('measure', statistics.NORMALISATIONS)
def test_a_reader_of_documents_that_state_the_answer_is_right(measure):
  found = means([cell()], {('w', 0): corpus()}, measure=measure)
  assert found['forward'].ngram == 1
  assert found['forward'].chance == 0.5


def test_a_reader_of_other_documents_guesses():
  found = means([cell()], {('w', 0): corpus(['Nothing of the kind.'])})
  assert found['forward'].ngram == 0.5


def test_the_order_of_documents_does_not_matter():
  _, built = paper.build('celebrity', seed='s', people=6, phrasings=4)
  turned = dataclasses.replace(built, documents=built.documents[::-1])
  cells = [cell(built.questions)]
  found = references(cells, {('w', 0): built})
  assert found == references(cells, {('w', 0): turned})


def test_the_reader_is_that_of_the_audit():
  _, built = paper.build('syllogism', seed='s')
  found = means([cell(built.questions)], {('w', 0): built})
  audited = baselines.ngram(built)
  assert {kind: row.ngram for kind, row in found.items()} == pytest.approx(
    audited
  )
  assert found['syllogism'].ngram > 0.6


def test_the_longest_choice_may_always_be_right():
  questions = [
    dataclasses.replace(q, choices=(q.choices[0], ' x.'), answers=(0,))
    for q in QUESTIONS[:1]
  ]
  found = means([cell(questions)], {('w', 0): corpus([], questions)})
  assert (found['forward'].constant, found['forward'].rule) == (1, 'longest')


def test_only_questions_that_a_cell_answered_count():
  found = means([cell(QUESTIONS[:1])], {('w', 0): corpus(TEXTS[:1])})
  assert found['forward'].questions == 1
  assert found['forward'].ngram == 1
  both = means([cell(QUESTIONS)], {('w', 0): corpus(TEXTS[:1])})
  assert both['forward'].ngram < 1


def test_means_are_over_seeds_and_strata_have_rows():
  second = [dataclasses.replace(q, stratum='s') for q in QUESTIONS]
  cells = [cell(), cell(second, seed=1)]
  corpora = {('w', 0): corpus(), ('w', 1): corpus(['No.'], second)}
  rows = {
    (row.kind, row.seed): row
    for row in references(cells, corpora)
    if row.normalisation == 'sum'
  }
  shares = [rows['forward', seed].ngram for seed in ('0', '1', 'mean')]
  assert shares == [1, 0.5, 0.75]
  assert rows['forward', 'mean'].questions == 4
  assert rows['forward:s', 'mean'].ngram == 0.5
  assert ('forward:s', '0') not in rows


def test_cells_without_a_corpus_have_none():
  assert references([cell()], {}) == ()
  found = references([cell(), cell(seed=1)], {('w', 1): corpus()})
  assert {row.seed for row in found} == {'1', 'mean'}
