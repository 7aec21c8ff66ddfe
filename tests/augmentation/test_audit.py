"""A text gets the worst verdict of its facts, and their maximum of hops."""

import itertools

import pytest

from icl_gen.augmentation import audit
from icl_gen.augmentation.audit import Verdict
from icl_gen.text import codebooks, transforms
from icl_gen.types import Entailment, Fact, World
from icl_gen.worlds import catalog
from tests.worlds import paper

GIVEN = Fact('a', 'below', 'b')
NEAR, FAR = Fact('a', 'below', 'c'), Fact('a', 'below', 'd')
WRONG, OTHER = Fact('b', 'below', 'a'), Fact('x', 'below', 'y')
WORLD = World(
  'reversal',
  (GIVEN,),
  (Entailment(NEAR, (GIVEN,), 1), Entailment(FAR, (GIVEN,), 2)),
  frozenset({WRONG}),
)

EMPTY = World('custom', (), ())


@pytest.mark.parametrize(
  ('facts', 'expected'),
  [
    ([GIVEN], Verdict('stated')),
    ([GIVEN, GIVEN], Verdict('stated')),
    ([NEAR], Verdict('entailed', 1)),
    ([GIVEN, NEAR], Verdict('entailed', 1)),
    ([FAR, NEAR], Verdict('entailed', 2)),
    ([OTHER], Verdict('unknown')),
    ([NEAR, OTHER, GIVEN], Verdict('unknown')),
    ([WRONG], Verdict('contradicted')),
    ([FAR, OTHER, WRONG], Verdict('contradicted')),
    (None, Verdict('unparsed')),
    ([], Verdict('unparsed')),
  ],
)
def test_the_worst_fact_decides(facts, expected):
  assert audit.auditor(WORLD)(facts) == expected
  if facts:
    for order in itertools.permutations(facts):
      assert audit.auditor(WORLD)(order) == expected


@pytest.mark.parametrize(
  ('name', 'right', 'wrong'),
  [
    ('reversal', {'stated', 'entailed'}, {'contradicted'}),
    ('celebrity', {'stated', 'entailed'}, {'contradicted'}),
    ('syllogism', {'stated', 'entailed'}, {'contradicted', 'unknown'}),
  ],
)
def test_texts_of_the_worlds_are_judged_right(name, right, wrong):
  world, corpus = paper.build(name)
  read, judge = catalog.reader(world), audit.auditor(world)
  documents = {judge(read(d.text)) for d in corpus.documents}
  assert documents == {Verdict('stated')}
  labels = {True: set(), False: set()}
  for question in corpus.questions:
    for i, choice in enumerate(question.choices):
      label = judge(read(question.prompt + choice)).label
      labels[i in question.answers].add(label)
  assert labels == {True: right, False: wrong}
  assert judge(read('Nothing that the grammar knows.')).label == 'unparsed'


def test_a_transform_has_one_result():
  nano = catalog.SIZES['process']['nano']
  world, _ = catalog.build('process', seed=0, **nano)
  read, judge = catalog.reader(world), audit.auditor(world)
  entailed = next(e for e in world.entailed if '+' not in e.fact.object)
  for fact, label in (
    (world.facts[0], 'stated'),
    (entailed.fact, 'entailed'),
  ):
    for result, verdict in (
      (fact.object, label),
      (f'1*({fact.object})', label),
      (f'0 + {fact.object}', label),
      ('77*x', 'contradicted'),
      (f'2*({fact.object})', 'contradicted'),
      ('9^999999999', 'contradicted'),
    ):
      said = transforms.statement(fact.subject, result)
      assert judge(read(f'{said}.')).label == verdict, said
  unheard = transforms.statement('x^77', '77*x')
  assert judge(read(unheard)).label == 'unknown'


def test_a_word_has_one_code_and_a_code_one_word():
  world, _ = paper.build('codebook', words=8, books=2, held_out=4)
  read, judge = catalog.reader(world), audit.auditor(world)
  told = next(f for f in world.facts if f.relation.startswith('is called'))
  book = told.relation.split()[-1]
  word, code = told.subject, told.object
  for said, label in (
    (codebooks.coded(book, word, code), 'stated'),
    (codebooks.coded(book, word, 'newcode'), 'contradicted'),
    (codebooks.coded(book, 'newword', code), 'contradicted'),
    (codebooks.decoded(book, code, 'newword'), 'contradicted'),
    (codebooks.decoded(book, 'newcode', word), 'contradicted'),
    (codebooks.coded(book, 'newword', 'newcode'), 'unknown'),
    (codebooks.coded('newbook', word, code), 'unknown'),
  ):
    assert judge(read(said)).label == label, said


def test_every_label_is_reachable_and_known():
  texts = [None, [GIVEN], [NEAR], [OTHER], [WRONG]]
  reached = {audit.auditor(WORLD)(facts).label for facts in texts}
  unverified = {audit.auditor(EMPTY)(facts).label for facts in texts}
  assert reached | unverified == set(audit.LABELS)


def test_without_facts_nothing_is_verified():
  read = catalog.reader(EMPTY)
  for text in ('Glon are more dangerous than troff.', ''):
    assert audit.auditor(EMPTY)(read(text)) == Verdict('unverified')
  assert audit.auditor(EMPTY)([GIVEN]) == Verdict('unverified')
