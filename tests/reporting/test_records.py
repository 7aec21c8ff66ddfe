"""Cells and records refuse what would make a report wrong."""

import dataclasses

import pytest

from icl_gen.reporting import records
from icl_gen.types import Document, Origin
from tests.reporting import synthetic


def test_order_does_not_depend_on_the_order_given():
  found, _ = synthetic.study(questions=2)
  assert records.ordered(found) == records.ordered(found[::-1])
  conditions = [c.condition for c in records.ordered(found[:12])]
  assert conditions == sorted(
    conditions, key=('pretrained', 'icl', 'ft', 'ft_aug').index
  )


def test_there_must_be_cells():
  with pytest.raises(ValueError, match='no cells to report'):
    records.ordered([])


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    ({'condition': 'finetuned'}, 'unknown condition .*allowed are pretrained'),
    ({'world': '../x'}, 'part of a file name'),
    ({'model': ''}, 'part of a file name'),
    ({'scores': ()}, 'no scores'),
  ],
)
def test_bad_cell(change, message):
  with pytest.raises(ValueError, match=message):
    dataclasses.replace(synthetic.cell([True]), **change)


@pytest.mark.parametrize(
  ('details', 'message'),
  [
    ((('verdict', 'likely'),), "verdict 'likely'; allowed are entailed"),
    ((('verdict', 'entailed'),), "entailed and has the hops ''"),
  ],
)
def test_what_was_recalled_has_a_verdict(details, message):
  document = Document('d', 'It is.', origin=Origin('recalled', (), details))
  with pytest.raises(ValueError, match=message):
    dataclasses.replace(synthetic.cell([True]), recalled={'q0': (document,)})


def test_a_question_is_answered_once():
  twice = synthetic.cell([True]).scores * 2
  with pytest.raises(ValueError, match="question 'q0' more than once"):
    dataclasses.replace(synthetic.cell([True]), scores=twice)


def test_a_cell_is_given_once():
  with pytest.raises(ValueError, match='reversal/ft/nano/0'):
    records.ordered([synthetic.cell([True]), synthetic.cell([False])])


@pytest.mark.parametrize(
  ('origin', 'message'),
  [
    (Origin(), 'is a given one'),
    (Origin(kind='local'), 'verdict None'),
    (Origin(kind='local', details=(('verdict', 'maybe'),)), "'maybe'"),
    (Origin(kind='local', details=(('verdict', 'entailed'),)), 'hops'),
    (
      Origin(kind='local', details=(('verdict', 'entailed'), ('hops', '0'))),
      "hops '0'",
    ),
  ],
)
def test_bad_generated_document(origin, message):
  document = Document(id='d', text='t', origin=origin)
  with pytest.raises(ValueError, match=message):
    records.AugmentationRecord('reversal', 'nano', 0, (document,), (), {})
