"""Rows by hand, and rows that do not change when cells are added."""

import csv
import dataclasses
import io

import pytest
import scipy.stats

from icl_gen.reporting import answers, formatting, statistics
from tests.reporting import synthetic
from tests.reporting.synthetic import cell, score

COLUMNS = (
  'world, condition, model, kind, normalisation, seed, questions, accuracy,'
  ' low, high, chance'
).split(', ')


def results(cells):
  return answers.results(answers.table(cells))


def comparisons(cells):
  return answers.comparisons(answers.table(cells))


def lines(cells):
  return formatting.csv_text(results(cells), answers.Result).splitlines()


def test_columns_are_the_promised_ones():
  assert lines([cell([True])])[0].split(',') == COLUMNS


def test_rows_by_hand():
  rows = results([cell([1, 1, 1, 0]), cell([1, 0, 0, 0], seed=1)])
  found = {
    row.seed: (row.questions, row.accuracy, row.chance)
    for row in rows
    if row.normalisation == 'sum'
  }
  assert found == {
    '0': (4, 0.75, 0.5),
    '1': (4, 0.25, 0.5),
    'mean': (8, 0.5, 0.5),
  }
  assert [row.seed for row in rows[:3]] == ['0', '1', 'mean']
  assert {row.normalisation for row in rows} == set(statistics.NORMALISATIONS)


def test_exact_has_rows_only_if_all_answers_were_generated():
  one = cell([1, 1, 1, 0])
  wrote = tuple(
    dataclasses.replace(score, written='x', exact=i == 0)
    for i, score in enumerate(one.scores)
  )
  told = results([dataclasses.replace(one, scores=wrote)])
  exact = [row for row in told if row.normalisation == 'exact']
  assert [(row.accuracy, row.chance) for row in exact] == [(0.25, 0.0)] * 2
  others = [row for row in told if row.normalisation != 'exact']
  assert others == list(results([one]))
  partly = dataclasses.replace(one, scores=(*wrote[:3], one.scores[3]))
  assert list(results([partly])) == others


def test_questions_are_counted_per_seed_where_seeds_agree():
  def said(*sizes):
    cells = [cell([1] * size, seed=seed) for seed, size in enumerate(sizes)]
    return answers.questions_and_seeds(results(cells))

  assert said(4, 4, 4) == '4 questions × 3 seeds'
  assert said(4, 3) == '7 questions over 2 seeds'
  assert said(1) == '1 question × 1 seed'
  assert answers.questions_and_seeds([]) == 'no questions'


def test_seeds_that_a_condition_or_a_model_lacks_are_not_told_as_there():
  def said(*cells):
    return answers.questions_and_seeds(results(cells))

  seeds = [cell([1, 0], seed=seed) for seed in (0, 1, 2)]
  lacking = cell([1, 0], condition='icl', seed=1)
  assert said(*seeds, lacking) == '2 questions × 1 to 3 seeds'
  other = cell([1, 0], model='other', seed=1)
  assert said(seeds[0], other) == '2 questions × 1 seed'
  more = cell([1, 0, 1], condition='icl', seed=0)
  assert said(*seeds, more) == '3 to 6 questions over 1 to 3 seeds'


def test_questions_of_other_seeds_are_others_though_their_ids_are_equal():
  def studied(cluster):
    """Eight seeds in which icl is right, and ft wrong, about one question."""
    return [
      dataclasses.replace(
        cell([1], condition=condition, seed=seed),
        scores=(score('q', logps, cluster=cluster.format(seed)),),
      )
      for seed in range(8)
      for condition, logps in (('icl', (-1.0, -2.0)), ('ft', (-2.0, -1.0)))
    ]

  for cluster, clusters in (('one', 1), ('of {}', 8)):
    (mean,) = (
      row
      for row in comparisons(studied(cluster))
      if (row.seed, row.normalisation) == ('mean', 'sum')
    )
    assert (mean.questions, mean.clusters) == (8, clusters)
    # One question proves nothing, under however many seeds.
    assert (mean.p_value < 0.05) == (clusters == 8)


def test_strata_have_rows_of_their_own():
  scores = (
    score('a', (-1.0, -2.0), stratum='seen'),
    score('b', (-2.0, -1.0), stratum='seen'),
    score('c', (-1.0, -2.0), stratum='unseen'),
    score('d', (-1.0, -2.0), kind='forward'),
  )
  rows = results([dataclasses.replace(cell([1]), scores=scores)])
  found = {
    row.kind: (row.questions, row.accuracy)
    for row in rows
    if (row.normalisation, row.seed) == ('sum', 'mean')
  }
  assert found == {
    'forward': (1, 1.0),
    'reversal': (3, pytest.approx(2 / 3)),
    'reversal:seen': (2, 0.5),
    'reversal:unseen': (1, 1.0),
  }


def test_adding_a_cell_changes_no_other_row():
  cells, _ = synthetic.study(questions=20)
  before = set(lines(cells))
  added = cell([1, 0, 1], condition='icl', model='another', seed=5)
  after = set(lines([added, *cells[::-1]]))
  assert before < after
  assert all('another' in line for line in after - before)


def test_adding_a_seed_changes_its_mean_only():
  cells = [cell([1, 0, 1, 1], seed=s) for s in range(2)]
  added = cell([0, 0, 1, 1], seed=2)
  lost = set(lines(cells)) - set(lines([*cells, added]))
  assert lost
  assert all(',mean,' in line for line in lost)


def test_csv_round_trip():
  cells, _ = synthetic.study(questions=7, seeds=(0, 1))
  rows = results(cells)
  text = formatting.csv_text(rows, answers.Result)
  read = list(csv.DictReader(io.StringIO(text)))
  assert len(read) == len(rows)
  for line, row in zip(read, rows, strict=True):
    fields = dataclasses.fields(row)
    assert {field.name for field in fields} - set(line) == {'run'}  # no names
    for field in fields:
      value = getattr(row, field.name)
      if field.name == 'run':
        assert value == ''
      elif isinstance(value, float):
        assert float(line[field.name]) == pytest.approx(value, abs=1e-6)
      else:
        assert line[field.name] == str(value)


def test_comparisons_by_hand():
  cells = [
    cell([1, 1, 1, 1], condition='icl'),
    cell([1, 0, 0, 0], condition='ft'),
    cell([1, 1, 0, 0], condition='ft_aug'),
  ]
  rows = comparisons(cells)
  found = {
    row.comparison: (row.difference, row.p_value)
    for row in rows
    if (row.normalisation, row.seed) == ('sum', 'mean')
  }
  # Variance of the mean of 0 1 1 1, at least that of two clusters more; and of
  # 0 1 0 0, and of 0 0 -1 -1.
  variances = 2 * (1 + 0.75**2) / 6**2, 0.25 / 4, 1 / 3 / 4
  expected = {'icl-ft': 0.75, 'ft_aug-ft': 0.25, 'ft_aug-icl': -0.5}
  for (comparison, mean), variance in zip(
    expected.items(), variances, strict=True
  ):
    p_value = 2 * scipy.stats.t.sf(abs(mean) / variance**0.5, 3)
    assert found.pop(comparison) == pytest.approx((mean, p_value))
  assert not found


def test_exact_is_compared_only_if_both_sides_were_generated():
  def wrote(one, right):
    return dataclasses.replace(
      one,
      scores=tuple(
        dataclasses.replace(score, written='x', exact=i < right)
        for i, score in enumerate(one.scores)
      ),
    )

  icl, ft = cell([0, 0, 0], condition='icl'), cell([0, 0, 0], condition='ft')
  rows = comparisons([wrote(icl, 3), wrote(ft, 1)])
  found = {row.normalisation: row.difference for row in rows}
  assert found == dict.fromkeys(statistics.NORMALISATIONS, 0.0) | {
    'exact': pytest.approx(2 / 3)
  }
  rows = comparisons([wrote(icl, 3), ft])
  assert {r.normalisation for r in rows} == set(statistics.NORMALISATIONS)


def test_a_missing_side_gives_no_comparison():
  cells = [cell([1], condition='icl'), cell([1], condition='ft', seed=1)]
  assert comparisons(cells) == ()
  assert comparisons([cell([1], condition='pretrained')]) == ()


def test_partly_missing_seeds_are_counted():
  cells = [
    cell([1, 1], condition='icl'),
    cell([1, 0], condition='ft'),
    cell([0, 0], condition='ft', seed=1),
  ]
  rows = [r for r in comparisons(cells) if r.normalisation == 'sum']
  assert [(r.seed, r.unpaired) for r in rows] == [('0', 0), ('mean', 2)]


def test_ties_are_counted_over_cells():
  tied = dataclasses.replace(cell([1]), scores=(score('t', (-1.0, -1.0)),))
  assert answers.ties([tied, cell([1], seed=1)])['sum'] == 1


def test_no_negative_zero_and_fixed_places():
  assert formatting.fixed(-1e-9, places=6) == '0.000000'
  assert formatting.fixed(1 / 3, places=6) == '0.333333'
  assert formatting.fixed(None, places=6) == ''
  assert formatting.fixed(12, places=6) == '12'


def test_markdown_escapes_bars():
  assert r'| a\|b |' in formatting.markdown_table([{'x': 'a|b'}])


def test_the_table_has_a_row_per_answer_and_kind():
  scores = (
    score('a', (-1.0, -2.0), stratum='s', cluster='one'),
    score('b', (-2.0, -1.0), cluster='one'),
  )
  table = answers.table([dataclasses.replace(cell([1]), scores=scores)])
  assert list(table['kind']) == ['reversal', 'reversal:s', 'reversal']
  assert list(table['question']) == ['a', 'a', 'b']
  assert list(table['sum']) == [1.0, 1.0, 0.0]
  assert table['cluster'].nunique() == 1
  assert table['exact'].isna().all()
