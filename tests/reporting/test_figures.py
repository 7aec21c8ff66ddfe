"""What is drawn, and in which order; the pixels are not tested."""

import struct

from icl_gen.reporting import answers, figures
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
