"""What is absent is said; what is complete is not complained about."""

import dataclasses

from icl_gen.reporting.gaps import missing
from tests.reporting import synthetic

CELLS, RECORDS = synthetic.study(questions=2)


def told(cells=CELLS, records=RECORDS, main_kinds=synthetic.MAIN_KINDS):
  return missing(cells, records, main_kinds=main_kinds)


def test_a_whole_study_misses_nothing():
  assert told() == ()


def test_every_gap_is_said():
  cells = [
    cell
    for cell in CELLS
    if (cell.world, cell.condition) != ('reversal', 'icl')
    and (cell.world, cell.condition, cell.seed) != ('celebrity', 'ft', 2)
  ]
  text = ' '.join(told(cells, RECORDS[1:], synthetic.MAIN_KINDS | {'w': 'k'}))
  assert 'w: no finished cell' in text
  assert 'reversal, nano: condition in context was not run' in text
  assert 'celebrity, nano: finetuned is missing seed 2' in text
  assert 'reversal, nano, finetuned + augmented: no record' in text
  assert text.count('.') == 4


def test_one_seed_is_said():
  cells, records = synthetic.study(questions=2, seeds=(3,))
  assert [t for t in told(cells, records) if 'one seed only' in t]


def test_an_absent_kind_is_said():
  cells = [
    dataclasses.replace(
      cell, scores=tuple(s for s in cell.scores if s.kind == 'reversal')
    )
    if (cell.world, cell.condition) == ('reversal', 'ft')
    else cell
    for cell in CELLS
  ]
  assert told(cells) == (
    'reversal, nano: finetuned answered no question of kind forward.',
  )


def test_an_empty_record_is_said():
  empty = dataclasses.replace(RECORDS[0], documents=(), questions=())
  text = ' '.join(told(records=(empty, *RECORDS[1:])))
  assert 'no document was generated' in text
  assert 'coverage is unknown' in text
