"""Statements are repeated evenly to a size, and made false by share."""

import collections

import pytest

from icl_gen.augmentation import audit, matching
from icl_gen.augmentation.sources import SOURCES, Statement
from icl_gen.worlds import catalog
from tests.augmentation.test_sources import given


def count(text):
  return len(text.split())


STATEMENTS = tuple(
  Statement(
    f's{i}',
    'd',
    tuple(f'true {i} {w}' + ' x' * i for w in 'ab'),
    tuple(f'false {i} {w}' + ' x' * i for w in 'ab'),
  )
  for i in range(5)
)


def lines(size=100, *, noise=0.0, statements=STATEMENTS, seed='s'):
  return matching.lines(
    statements, size=size, count=count, noise=noise, seed=seed
  )


def tokens(found):
  return matching.tokens([line.text for line in found], count)


@pytest.mark.parametrize('size', [5, 6, 17, 100, 1001])
def test_the_size_is_met_to_half_a_document(size):
  longest = max(matching.tokens(s.texts[:1], count) for s in STATEMENTS)
  assert abs(tokens(lines(size)) - size) <= longest / 2


def test_training_adds_two_tokens_to_a_document():
  assert matching.tokens(['a b', 'c'], count) == 3 + 2 * 2


def test_no_statement_is_told_more_often_than_others():
  found = lines(1001)
  told = collections.Counter(line.name.partition('/')[0] for line in found)
  assert set(told) == {s.name for s in STATEMENTS}
  assert max(told.values()) - min(told.values()) <= 1
  assert len({line.name for line in found}) == len(found)
  # In all wordings, and every round in another order.
  assert len({line.text for line in found}) == 10
  names = [line.name.partition('/')[0] for line in found]
  assert names[:5] != names[5:10]


def test_more_tokens_go_on_where_fewer_end():
  assert lines(300)[: len(lines(100))] == lines(100)


def test_a_share_of_lines_is_false_in_the_same_places():
  plain = lines(1001)
  before = set()
  for noise in (0.0, 0.1, 0.25, 0.5, 1.0):
    found = lines(1001, noise=noise)
    false = {i for i, line in enumerate(found) if 'false' in line.text}
    assert len(false) == round(noise * len(plain))
    assert before <= false
    before = false
    for i, (line, true) in enumerate(zip(found, plain, strict=True)):
      wanted = true.text.replace('true', 'false') if i in false else true.text
      assert line.text == wanted
    # It is no more words.
    assert tokens(found) == tokens(plain)


def test_mistakes():
  with pytest.raises(ValueError, match='no statements'):
    lines(statements=())
  with pytest.raises(ValueError, match='1 tokens do not hold'):
    lines(1)


@pytest.mark.parametrize('noise', [0.0, 0.25])
def test_verdicts_say_what_is_false(noise):
  of = given('reversal')
  found = matching.lines(
    SOURCES['oracle'](of), size=500, count=count, noise=noise, seed='s'
  )
  made = matching.documents(
    found,
    kind='oracle',
    read=catalog.reader(of.world),
    judge=audit.auditor(of.world),
    details={'model': 'none'},
  )
  verdicts = collections.Counter(
    dict(d.origin.details)['verdict'] for d in made
  )
  false = round(noise * len(made))
  assert verdicts == collections.Counter(
    entailed=len(made) - false, contradicted=false
  )
  assert {document.origin.kind for document in made} == {'oracle'}
  assert all(document.facts for document in made)
