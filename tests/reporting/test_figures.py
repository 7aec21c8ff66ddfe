"""What is drawn, and in which order; the pixels are not tested."""

import dataclasses
import struct

import pytest
from matplotlib.axes import Axes

from icl_gen.reporting import (
  answers,
  augmentation_figure,
  augmentations,
  figures,
)
from icl_gen.reporting.records import Cell
from tests.reporting import synthetic


def asked(kinds, *, strata=('',)):
  """One cell with a question of every kind and stratum."""
  scores = [
    synthetic.score(f'{kind}{i}', (-1.0, -2.0), kind=kind, stratum=stratum)
    for kind in kinds
    for i, stratum in enumerate(strata)
  ]
  return Cell('world', 'ft', 'nano', 0, tuple(scores))


def width(cell):
  results = answers.results(answers.table([cell]))
  png = figures.world_figure(results, 'world', normalisation='sum')
  return struct.unpack('>I', png[16:20])[0]


def test_kinds_are_orderedby_distance_from_what_was_stated():
  kinds = ('holdout', 'reversal:b', 'reversal', 'rephrase', 'forward', 'other')
  assert figures.by_distance(kinds) == [
    *('forward', 'rephrase', 'reversal', 'reversal:b', 'holdout', 'other')
  ]


def test_strata_are_drawn_where_there_is_room():
  few, many = ('forward', 'reversal'), ('a', 'b', 'c', 'd', 'e')
  assert width(asked(few, strata=('x', 'y'))) > width(asked(few))
  assert width(asked(many, strata=('x', 'y'))) == width(asked(many))


@pytest.mark.parametrize(
  ('main', 'targets', 'said'),
  [
    ('', True, 'several kinds of questions: see the table'),
    ('', False, 'no question has a known target'),
    ('reversal', True, ''),
  ],
)
def test_covered_questions_of_several_kinds_are_not_told_as_unknown(
  monkeypatch, main, targets, said
):
  cells, records = synthetic.study(seeds=(0,), questions=2)
  (record,) = (one for one in records if one.world == 'reversal')
  if not targets:
    questions = [dataclasses.replace(q, target=None) for q in record.questions]
    record = dataclasses.replace(record, questions=tuple(questions))
  of = [cell for cell in cells if cell.world == 'reversal']
  written = []
  monkeypatch.setattr(
    Axes, 'text', lambda axis, x, y, text, **given: written.append(text)
  )
  augmentation_figure.augmentation_figure(
    augmentations.quality([record]),
    augmentations.coverage([record], answers.table(of)),
    main_kinds={'reversal': main},
    normalisation='sum',
  )
  told = {text for text in written if 'question' in text}
  assert told == ({said} if said else set())
