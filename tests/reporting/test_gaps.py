"""Absent cells, questions and records are reported; complete ones are not."""

import dataclasses

import pytest

from icl_gen.reporting.gaps import gaps
from icl_gen.reporting.records import CellName
from tests.reporting import synthetic

CELLS, RECORDS = synthetic.study(questions=2)


def found(cells=CELLS, records=RECORDS, main_kinds=synthetic.MAIN_KINDS):
  return gaps(cells, records, main_kinds=main_kinds)


def test_a_complete_study_has_no_gaps():
  assert found() == ()


def test_every_gap_is_reported():
  cells = [
    cell
    for cell in CELLS
    if (cell.world, cell.condition) != ('reversal', 'icl')
    and (cell.world, cell.condition, cell.seed) != ('celebrity', 'ft', 2)
  ]
  text = ' '.join(found(cells, RECORDS[1:], synthetic.MAIN_KINDS | {'w': 'k'}))
  assert 'w: no finished cell' in text
  assert 'reversal, nano: condition in context was not run' in text
  assert 'celebrity, nano: condition fine-tuned lacks seed 2' in text
  assert 'reversal, nano, fine-tuned + own inferences: no record' in text
  assert text.count('.') == 4


def test_what_is_not_finished_in_any_condition_is_reported():
  def is_there(cell):
    return (cell.world, cell.seed) != ('reversal', 2)

  def named(world, model, seed, run=''):
    return [
      CellName(world, condition, model, seed, run)
      for condition in synthetic.CONDITIONS
    ]

  told = gaps(
    list(filter(is_there, CELLS)),
    list(filter(is_there, RECORDS)),
    main_kinds=synthetic.MAIN_KINDS | {'process': ''},
    unfinished=[
      *named('reversal', 'nano', 2),
      *named('syllogism', 'nano_small', 0),
      *named('syllogism', 'nano', 1, 'lr_0.1'),
      *named('process', 'nano', 0),
    ],
  )
  assert [text for text in told if 'only two seeds' not in text] == [
    'process: no finished cell.',
    'syllogism, nano, lr_0.1: no finished cell.',
    'syllogism, nano_small: no finished cell.',
    'reversal, nano: no finished cell of seed 2.',
  ]


@pytest.mark.parametrize(
  ('seeds', 'said'), [((3,), 'only one seed'), ((3, 4), 'only two seeds')]
)
def test_few_seeds_are_reported(seeds, said):
  cells, records = synthetic.study(questions=2, seeds=seeds)
  assert all(said in text for text in found(cells, records))
  assert found(cells, records)


def test_an_absent_kind_is_reported():
  cells = [
    dataclasses.replace(
      cell, scores=tuple(s for s in cell.scores if s.kind == 'reversal')
    )
    if (cell.world, cell.condition) == ('reversal', 'ft')
    else cell
    for cell in CELLS
  ]
  assert found(cells) == (
    'reversal, nano: condition fine-tuned has no answers to forward questions.',
  )


def test_an_empty_record_is_reported():
  empty = dataclasses.replace(RECORDS[0], documents=(), questions=())
  text = ' '.join(found(records=(empty, *RECORDS[1:])))
  assert 'no documents were generated' in text
  assert 'coverage is unknown' in text
