"""The figure of gains: what its marks are, and that equal ones are equal."""

import dataclasses

import pytest

from icl_gen.reporting import answers, augmentations, gain_figure
from tests.reporting import synthetic

CELLS, RECORDS = synthetic.study(questions=12, seeds=(0, 1))
TABLE = answers.table(CELLS)
COVERAGE = augmentations.coverage(RECORDS, TABLE)
COMPARISONS = answers.comparisons(TABLE)
QUALITY = augmentations.quality(RECORDS)


def gains(coverage=COVERAGE, comparisons=COMPARISONS, quality=QUALITY):
  return gain_figure.gains(coverage, comparisons, quality, normalisation='sum')


def test_one_mark_per_world_kind_and_seed():
  found = {(g.world, g.kind, g.seed) for g in gains()}
  assert len(gains()) == len(found)
  assert found == {
    (world, kind, seed)
    for world, kind in synthetic.ACCURACIES
    for seed in ('0', '1')
  }


def test_a_mark_has_the_numbers_of_the_tables():
  for one in gains():
    right = {
      condition: rows['sum'].mean()
      for condition, rows in TABLE[
        (TABLE['world'] == one.world)
        & (TABLE['kind'] == one.kind)
        & (TABLE['seed'] == int(one.seed))
      ].groupby('condition', observed=True)
    }
    assert one.gain == pytest.approx(right['ft_aug'] - right['ft'])
    (record,) = (
      r for r in RECORDS if (r.world, str(r.seed)) == (one.world, one.seed)
    )
    stated = {fact for d in record.documents for fact in d.facts}
    asked = [q for q in record.questions if q.kind == one.kind]
    covered = sum(q.target in stated for q in asked)
    assert one.coverage == pytest.approx(covered / len(asked))
    true = [
      dict(d.origin.details)['verdict'] in ('entailed', 'stated')
      for d in record.documents
    ]
    assert one.precision == pytest.approx(sum(true) / len(true))


def test_without_a_side_of_the_difference_there_is_no_mark():
  assert gains(comparisons=[]) == ()
  assert gains(coverage=[]) == ()


def test_precision_may_be_unknown():
  unknown = [dataclasses.replace(row, true=None) for row in QUALITY]
  found = gains(quality=unknown)
  assert {one.precision for one in found} == {None}
  png = gain_figure.figure(found, normalisation='sum')
  assert png.startswith(b'\x89PNG')
  assert gain_figure.figure(found, normalisation='sum') == png
  assert gain_figure.figure(gains(), normalisation='sum') != png
