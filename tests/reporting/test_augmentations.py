"""Shares, coverage and costs of two hand-made records."""

import dataclasses

import pytest

from icl_gen.reporting import answers, augmentations, intervals
from icl_gen.reporting.records import AugmentationRecord
from icl_gen.types import Document, Fact, Origin, Question
from tests.reporting.synthetic import cell

FACTS = tuple(Fact(f'e{i}', 'is', 'x') for i in range(4))


def document(name, verdict, *, kind='local', facts=(), hops=None):
  details = (('verdict', verdict),) + ((('hops', hops),) if hops else ())
  return Document(
    id=name, text=name, facts=facts, origin=Origin(kind, (), details)
  )


def question(i, *, target=True):
  return Question(
    id=f'q{i}',
    prompt='',
    choices=(' a', ' b'),
    answers=(0,),
    kind='reversal',
    premises=FACTS[:1],  # Asserted as well, but it is the target that covers.
    target=FACTS[i] if target else None,
  )


RECORD = AugmentationRecord(
  world='reversal',
  model='nano',
  seed=0,
  documents=(
    document('a', 'entailed', facts=FACTS[:1], hops='1'),
    document('b', 'entailed', facts=FACTS[1:2], hops='2', kind='global'),
    document('c', 'stated', facts=FACTS[:1]),
    document('d', 'contradicted'),
    document('e', 'unparsed'),
  ),
  questions=tuple(question(i, target=i < 3) for i in range(4)),
  costs={'seconds': 2.0},
)
CELL = cell([1, 0, 0, 1], condition='ft_aug')


def coverage(records, cells):
  return augmentations.coverage(records, answers.table(cells))


def mean_rows(rows, **wanted):
  return [
    row
    for row in rows
    if all(getattr(row, k) == v for k, v in ({'seed': 'mean'} | wanted).items())
  ]


def test_shares_by_hand():
  (local,) = mean_rows(augmentations.quality([RECORD]), augmentation='local')
  assert (local.documents, local.true, local.new) == (4, 0.5, 0.25)
  assert (local.stated, local.contradicted) == (0.25, 0.25)
  assert (local.unknown, local.unparsed) == (0.0, 0.25)
  assert local.hops == '1:1'
  assert local.true_low < local.true < local.true_high
  (both,) = mean_rows(augmentations.quality([RECORD]), augmentation='all')
  assert (both.documents, both.new, both.hops) == (5, 0.4, '1:1 2:1')


def test_shares_sum_to_one():
  for row in augmentations.quality([RECORD]):
    parts = (
      row.new, row.stated, row.contradicted, row.unknown, row.unparsed,
      row.unverified,
    )  # fmt: skip
    assert sum(parts) == pytest.approx(1.0)


def made_from(*parents, seed=0):
  """Documents by turns entailed and false, two from each of the parents."""
  documents = tuple(
    dataclasses.replace(
      document(f'{parent}{i}', verdict, hops='1'),
      origin=Origin('local', (parent,), (('verdict', verdict), ('hops', '1'))),
    )
    for place, parent in enumerate(parents)
    for verdict in [('entailed', 'contradicted')[place % 2]]
    for i in range(2)
  )
  return dataclasses.replace(RECORD, documents=documents, seed=seed)


def true_width(*records):
  (row,) = mean_rows(augmentations.quality(records), augmentation='local')
  return row.true_high - row.true_low


def test_documents_made_from_the_same_ones_vary_together():
  # Four families of two are not eight documents, but four.
  four, eight = (
    true_width(made_from(*'abcd')),
    true_width(made_from(*'abcdefgh')),
  )
  alone = intervals.wilson(0.5, 8)
  assert eight == pytest.approx(alone[1] - alone[0], rel=0.2)
  assert four > 1.2 * eight


def test_documents_of_other_seeds_are_others_though_their_parents_are_equal():
  names = [f'd{i}' for i in range(40)]
  same = [made_from(*names, seed=seed) for seed in range(4)]
  assert true_width(*same) < 0.7 * true_width(same[0])


def test_what_nobody_can_check_is_neither_true_nor_false():
  record = dataclasses.replace(
    RECORD,
    documents=(document('a', 'unverified'), document('b', 'unverified')),
  )
  (local,) = mean_rows(augmentations.quality([record]), augmentation='local')
  assert (local.documents, local.unverified, local.hops) == (2, 1.0, '')
  for share in ('true', 'true_low', 'new', 'contradicted', 'unparsed'):
    assert getattr(local, share) is None


def test_coverage_by_hand():
  rows = coverage([RECORD], [CELL])
  (both,) = mean_rows(rows, augmentation='all', normalisation='sum')
  # q0 and q1 are covered, q2 is not, q3 has no target.
  assert (both.questions, both.untargeted) == (3, 1)
  assert both.coverage == pytest.approx(2 / 3)
  assert both.covered_accuracy == 0.5
  assert both.uncovered_accuracy == 0.0
  (local,) = mean_rows(rows, augmentation='local', normalisation='sum')
  assert local.coverage == pytest.approx(1 / 3)
  assert (local.covered_accuracy, local.uncovered_accuracy) == (1.0, 0.0)


def test_what_another_right_choice_states_covers_too():
  """The converse of 'no A are B' means the same."""
  converse = Fact('x', 'is', 'e2')
  assert FACTS[2] not in RECORD.documents[0].facts
  record = dataclasses.replace(
    RECORD,
    documents=(document('a', 'entailed', facts=(converse,), hops='1'),),
  )
  for said_right, covered in (({}, 0), ({'q2': frozenset({converse})}, 1)):
    asked = dataclasses.replace(record, said_right=said_right)
    row = mean_rows(coverage([asked], [CELL]), augmentation='all')[0]
    assert row.coverage == pytest.approx(covered / 3)


def asked_about(texts, target):
  """Coverage of one question by documents, without facts or about others."""
  record = dataclasses.replace(
    RECORD,
    documents=tuple(
      dataclasses.replace(document(f'd{n}', 'unparsed', facts=facts), text=text)
      for n, (text, facts) in enumerate(texts)
    ),
    questions=(dataclasses.replace(question(0), target=target),),
  )
  (row,) = mean_rows(
    coverage([record], [cell([1], condition='ft_aug')]),
    augmentation='all',
    normalisation='sum',
  )
  return row.coverage, row.unclear, row.uncovered_accuracy


COVERED, UNCLEAR, UNCOVERED = (1, 0, None), (0, 1, None), (0, 0, 1)
SAID = Fact('strisp', 'less generous', 'krarm')


@pytest.mark.parametrize(
  'text',
  [
    'strisp are less generous than krarm. This is so.',
    'Q: are strisp less generous than krarm? A: Yes.',
    'KRARM, not a strisp!',
    'Every krarm likes Strisps.',
  ],
)
def test_what_could_not_be_read_may_cover_what_it_mentions(text):
  assert asked_about([(text, ())], SAID) == UNCLEAR
  assert asked_about([(text, ()), ('It is.', (SAID,))], SAID) == COVERED


@pytest.mark.parametrize(
  ('text', 'facts'),
  [
    (
      'krarm are more generous than strisp.',
      (Fact('krarm', 'more', 'strisp'),),
    ),
    ('strisp are less generous than glon. This is so.', ()),
    ('strispo are less generous than krarm. This is so.', ()),
    ('', ()),
  ],
)
def test_what_was_read_or_is_about_others_leaves_it_uncovered(text, facts):
  assert asked_about([(text, facts)], SAID) == UNCOVERED


def test_a_mention_has_every_word_of_both_things():
  target = Fact('Glon Trask', 'is', 'the composer of the opera Glomp')
  told = 'The opera Glomp? Trask (Glon) is the composer of it.'
  assert asked_about([(told, ())], target) == UNCLEAR
  for word in ('Glon', 'Glomp'):
    assert asked_about([(told.replace(word, ''), ())], target) == UNCOVERED
  two = told.split('? ')  # together they mention both, but neither does
  assert asked_about([(text, ()) for text in two], target) == UNCOVERED


def stratified(record, names):
  asked = tuple(
    dataclasses.replace(question, stratum=names[i % len(names)])
    for i, question in enumerate(record.questions)
  )
  return dataclasses.replace(record, questions=asked)


def test_strata_are_covered_by_themselves():
  answered = tuple(
    dataclasses.replace(score, stratum='ab'[i % 2])
    for i, score in enumerate(CELL.scores)
  )
  rows = coverage(
    [stratified(RECORD, 'ab')], [dataclasses.replace(CELL, scores=answered)]
  )
  found = {
    row.kind: (
      row.questions,
      row.untargeted,
      row.coverage,
      row.covered_accuracy,
      row.uncovered_accuracy,
    )
    for row in mean_rows(rows, augmentation='all', normalisation='sum')
  }
  # q0 and q2 are of 'a', q1 and q3 of 'b'; q0 and q1 are covered, q0 is right.
  assert found == {
    'reversal': (3, 1, pytest.approx(2 / 3), 0.5, 0.0),
    'reversal:a': (2, 0, 0.5, 1.0, 0.0),
    'reversal:b': (1, 1, 1.0, 0.0, None),
  }


def test_what_was_written_is_set_against_coverage_too():
  wrote = tuple(
    dataclasses.replace(score, written='x', exact=i == 2)
    for i, score in enumerate(CELL.scores)
  )
  rows = coverage([RECORD], [dataclasses.replace(CELL, scores=wrote)])
  (row,) = mean_rows(rows, augmentation='all', normalisation='exact')
  assert (row.covered_accuracy, row.uncovered_accuracy) == (0.0, 1.0)
  rows = coverage([RECORD], [CELL])
  assert not mean_rows(rows, normalisation='exact')


def test_other_kinds_worlds_and_models_are_kept_apart():
  other = dataclasses.replace(
    RECORD.questions[2], id='q9', kind='forward', target=FACTS[0]
  )
  record = dataclasses.replace(RECORD, questions=(*RECORD.questions, other))
  poor = cell([0] * 4, condition='ft_aug')
  rows = coverage(
    [record],
    [
      CELL,
      dataclasses.replace(poor, world='w'),
      dataclasses.replace(poor, model='m'),
      dataclasses.replace(poor, seed=9),
      dataclasses.replace(poor, condition='ft'),
    ],
  )
  found = {
    row.kind: (row.questions, row.coverage, row.covered_accuracy)
    for row in mean_rows(rows, augmentation='all', normalisation='sum')
  }
  assert found == {
    'reversal': (3, pytest.approx(2 / 3), 0.5),
    'forward': (1, 1.0, None),
  }


def test_coverage_weighs_seeds_alike_and_accuracy_questions():
  # Seed 1 covers one of one, of two covered and one uncovered of seed 0; in
  # seed 2 nothing has a target.
  second = dataclasses.replace(RECORD, seed=1, questions=RECORD.questions[:1])
  third = dataclasses.replace(RECORD, seed=2, questions=RECORD.questions[3:])
  wrong = dataclasses.replace(CELL, seed=1, scores=cell([0]).scores)
  rows = coverage([RECORD, second, third], [CELL, wrong])
  (row,) = mean_rows(rows, augmentation='all', normalisation='sum')
  assert (row.questions, row.untargeted) == (4 / 3, 2 / 3)
  assert row.coverage == pytest.approx((2 / 3 + 1) / 2)
  assert row.covered_accuracy == pytest.approx((1 + 0 + 0) / 3)
  assert row.uncovered_accuracy == 0.0
  assert row.covered_low < row.covered_accuracy < row.covered_high
  seeds = [r for r in rows if r.augmentation == 'all' and r.seed == '2']
  assert {(r.questions, r.untargeted, r.coverage) for r in seeds} == {
    (0, 1, None)
  }


def test_without_the_cell_accuracy_is_unknown():
  other = cell([1, 0, 0, 1], condition='ft')
  (row,) = mean_rows(
    coverage([RECORD], [other]),
    augmentation='all',
    normalisation='sum',
  )
  assert row.coverage == pytest.approx(2 / 3)
  assert row.covered_accuracy is row.uncovered_low is None


def test_a_question_of_another_corpus_is_an_error():
  with pytest.raises(ValueError, match="question 'q4'.* 4 questions"):
    coverage([RECORD], [cell([1] * 5, condition='ft_aug')])


def test_means_over_seeds():
  second = dataclasses.replace(
    RECORD, seed=1, documents=RECORD.documents[:1], costs={'seconds': 6.0}
  )
  (local,) = mean_rows(
    augmentations.quality([RECORD, second]), augmentation='local'
  )
  assert local.true == (0.5 + 1.0) / 2
  (cost,) = mean_rows(augmentations.costs([RECORD, second]))
  assert (cost.cost, cost.value) == ('seconds', 4.0)
  (row,) = mean_rows(
    coverage([second, RECORD], [CELL]),
    augmentation='all',
    normalisation='sum',
  )
  assert row.coverage == pytest.approx((2 / 3 + 1 / 3) / 2)


def test_a_seed_without_documents_counts_in_their_mean_number():
  some = dataclasses.replace(RECORD, seed=1, documents=RECORD.documents[2:])
  none = dataclasses.replace(RECORD, seed=2, documents=())
  rows = mean_rows(augmentations.quality([RECORD, some, none]))
  assert {row.augmentation: row.documents for row in rows} == {
    'local': (4 + 3 + 0) / 3,
    'global': 1 / 3,
    'all': (5 + 3 + 0) / 3,
  }


def test_a_seed_without_such_questions_is_none_of_the_mean():
  other = dataclasses.replace(RECORD.questions[0], kind='forward')
  second = dataclasses.replace(RECORD, seed=1, questions=(other,))
  unasked = dataclasses.replace(RECORD, seed=2, questions=())
  cells = [CELL, dataclasses.replace(CELL, seed=2)]
  rows = coverage([RECORD, second, unasked], cells)
  (row,) = mean_rows(
    rows, augmentation='all', normalisation='sum', kind='reversal'
  )
  assert (row.questions, row.untargeted) == (3, 1)
  assert row.coverage == pytest.approx(2 / 3)


def test_nothing_generated_gives_no_rows():
  empty = dataclasses.replace(RECORD, documents=())
  assert augmentations.quality([empty]) == coverage([empty], [CELL]) == ()
