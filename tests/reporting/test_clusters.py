"""What a question's answer hangs on, in every world that is drawn."""

import collections
import dataclasses

from icl_gen.types import Fact, Question
from icl_gen.worlds import catalog, custom

BARE = Question('q', 'Is it?', (' no', ' yes', ' sure'), (1, 2), 'any')


def clusters(world, *, seed=0):
  """Kind -> how many questions each of its clusters has."""
  _, corpus = catalog.build(world, seed=seed, **catalog.SIZES[world]['nano'])
  found = collections.defaultdict(collections.Counter)
  for question in corpus.questions:
    found[question.kind][question.cluster] += 1
  return found


def test_a_person_is_one_cluster_in_every_phrasing_and_direction():
  found = clusters('celebrity')
  people = set(found['reversal'])
  assert len(people) == 10
  assert set(found['forward']) <= people
  assert min(found['forward'].values()) > 1


def test_a_fact_is_one_cluster_in_both_directions():
  found = clusters('reversal')
  assert found['forward'] == found['reversal']
  assert set(found['reversal'].values()) == {1}


def test_elsewhere_no_question_stands_for_another_of_its_kind():
  for world in ('syllogism', 'semantic', 'codebook'):
    for kind, counts in clusters(world).items():
      assert set(counts.values()) == {1}, (world, kind)
  # Where the same parts make two expressions, both questions hang on them.
  for counts in clusters('process').values():
    assert len(counts) > 0.8 * counts.total()


def test_a_drawn_world_has_others_under_another_seed():
  for world in ('celebrity', 'reversal', 'syllogism', 'semantic'):
    one, other = (clusters(world, seed=seed) for seed in range(2))
    for kind in one:
      assert not set(one[kind]) & set(other[kind]), (world, kind)


def test_questions_of_a_file_are_their_own_under_every_seed(tmp_path):
  (tmp_path / 'documents.jsonl').write_text('{"id": "d", "text": "x"}\n')
  (tmp_path / 'questions.jsonl').write_text(
    '{"prompt": "a", "choices": ["b", "c"], "answer": 0, "kind": "k"}\n'
    '{"prompt": "d", "choices": ["b", "c"], "answer": 0, "kind": "k"}\n'
  )
  found = [
    [q.cluster for q in custom.from_folder(seed=s, path=tmp_path)[1].questions]
    for s in ('0', '1')
  ]
  assert found[0] == found[1]
  assert len(set(found[0])) == 2


def test_premises_count_before_the_target_and_that_before_the_words():
  a, b, c = (Fact(name, 'is', 'x') for name in 'abc')

  def same(**changed):
    one, other = (
      dataclasses.replace(BARE, **{k: v[i] for k, v in changed.items()})
      for i in range(2)
    )
    return one.cluster == other.cluster

  assert same(premises=((a, b), (b, a)), target=(b, c))
  assert not same(premises=((a, b), (a, c)), target=(b, b))
  assert same(target=(a, a), prompt=('1', '2'))
  assert not same(target=(a, b))
  assert same(answers=((1, 2), (2, 1)), choices=(BARE.choices,) * 2)
  assert same(choices=((' no', ' yes', ' sure'), (' x', ' sure', ' yes')))
  assert not same(answers=((1,), (2,)))
  assert not same(prompt=('1', '2'))
