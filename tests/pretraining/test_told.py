"""Two factors of the stream, each of which changes nothing else."""

import collections
import dataclasses
import random
import re

import numpy as np
import pytest

from icl_gen.pretraining import compared, episode, episodes, told
from icl_gen.pretraining.told import Told
from icl_gen.text import comparisons, lexicon
from icl_gen.worlds import reversal
from tests.pretraining import test_stream
from tests.pretraining.test_stream import nano  # noqa: F401

FACTS = Told(facts=20, share=0.4)
STAGE = dataclasses.replace(
  test_stream.STAGE,
  families={'comparisons': 1},
  length=128,
  facts=(1, 5),
  told=FACTS,
)
FORWARD = dataclasses.replace(STAGE, reversals=0.0)
BOTH = dataclasses.replace(
  STAGE, told=dataclasses.replace(FACTS, both_orders=True)
)


def said(batch, tokenizer):
  """The comparisons of each row, in order, without questions."""
  for row in batch.tokens_BxL:
    lines = re.split(r'\n|\. |<eos>', tokenizer.decode(row.tolist()))
    matches = [
      re.search(r'\w+ are (?:more|less) \w+ than \w+', line)
      for line in lines
      if not line.startswith('- Q:')
    ]
    facts = [comparisons.read(match[0]) for match in matches if match]
    found = [fact for fact in facts if fact is not None]
    yield found


def reversals(stage, tokenizer):
  """How often a row reverses what it said before."""
  batches = test_stream.first(8, stage, tokenizer, seed='s', first_step=0)
  return sum(
    reversal.reverse(fact) in found[:i]
    for batch in batches
    for found in said(batch, tokenizer)
    for i, fact in enumerate(found)
  )


def test_contexts_are_followed_by_reversals_or_by_none(nano):  # noqa: F811
  assert reversals(STAGE, nano) > 20
  assert reversals(FORWARD, nano) == 0
  both = dataclasses.replace(BOTH, reversals=0.0)
  assert reversals(both, nano) == 0  # no row has a persistent fact twice


def test_shares_of_reversals_are_in_order(nano):  # noqa: F811
  stages = [dataclasses.replace(STAGE, reversals=r) for r in (0.05, 0.3, 1.0)]
  few, some, many = (reversals(stage, nano) for stage in stages)
  assert few < some < many


@pytest.mark.parametrize('other', [FORWARD, BOTH])
def test_streams_are_else_equal(nano, other):  # noqa: F811
  """Rows have the same words and weights, up to the order within a fact."""
  changed = 0
  for one, two in zip(
    test_stream.first(6, STAGE, nano, seed='s', first_step=0),
    test_stream.first(6, other, nano, seed='s', first_step=0),
    strict=True,
  ):
    np.testing.assert_array_equal(one.weights_BxL, two.weights_BxL)
    ends = [
      np.isin(b.tokens_BxL, (nano.newline_id, nano.eos_id)) for b in (one, two)
    ]
    np.testing.assert_array_equal(*ends)
    degrees = {nano.encode('more')[0], nano.encode('less')[0]}
    for row, again in zip(one.tokens_BxL, two.tokens_BxL, strict=True):
      changed += (row != again).any()
      # The last statement may be cut.
      whole = max(np.flatnonzero(np.isin(row, (nano.newline_id, nano.eos_id))))
      counts = [
        collections.Counter(set_of.tolist())
        for set_of in (row[:whole], again[:whole])
      ]
      for count in counts:
        count['degree'] = sum(count.pop(d, 0) for d in degrees)
      assert counts[0] == counts[1]
  assert changed > 2


def orders(stage, tokenizer):
  """Fact, in the order of `told.facts` -> in which orders rows tell it."""
  known = {
    comparisons.read(comparisons.statement(*fact))
    for fact in told.facts(stage.told)
  }
  seen = collections.defaultdict(set)
  for batch in test_stream.first(20, stage, tokenizer, seed='s', first_step=0):
    for found in said(batch, tokenizer):
      for fact in found:
        for order, one in (('own', fact), ('other', reversal.reverse(fact))):
          if one in known:
            seen[one].add(order)
  return seen


def test_facts_are_told_in_one_order_or_in_both(nano):  # noqa: F811
  one, both = orders(STAGE, nano), orders(BOTH, nano)
  assert len(one) == len(both) == FACTS.facts
  assert all(found == {'own'} for found in one.values())
  assert sum(found == {'own', 'other'} for found in both.values()) > 15


def test_no_episode_is_about_a_persistent_entity():
  entities = set(FACTS.entities)
  assert len(entities) == 2 * FACTS.facts
  assert entities < set(lexicon.words(evaluation=False))
  drawn = set()
  for seed in range(300):
    found = compared.compared(
      random.Random(seed), 9, source=episode.Source(reserved=len(entities))
    )
    drawn.update(word for d in found.documents for word in d[:-1].split())
  assert len(drawn) > 1000 and not drawn & entities


def test_nothing_is_told_by_default():
  assert not Told().entities and not told.facts(Told())


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    ({'facts': -1}, r'entities.facts=-1; give 0 to 960'),
    ({'facts': 5000}, r'facts=5000; give 0'),
    ({'share': 1.5}, r'share=1.5; give 0 to 1'),
    ({'share': 0.0}, r'facts=20 and .share=0.0: give both'),
  ],
)
def test_what_cannot_be_told_is_refused(change, message):
  wrong = dataclasses.replace(FACTS, **change)
  with pytest.raises(ValueError, match=message):
    told.require_possible(wrong, flag='entities')


def test_families_without_reversals_are_few():
  episodes.require_families(['comparisons', 'people'], reversals=0.7)
  episodes.require_families(['comparisons'], reversals=0.0)
  with pytest.raises(ValueError, match="no family 'people' with .*=0.0; there"):
    episodes.require_families(['people'], reversals=0.0)
  with pytest.raises(ValueError, match='reversals=1.1; give 0 to 1'):
    episodes.require_families(['comparisons'], reversals=1.1)
