"""Every world: right answers, wrong distractors, stated premises."""

import collections
import functools
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icl_gen.worlds import audit, catalog
from tests.worlds import paper

SMALL = {
  'reversal': lambda seed, n: paper.build('reversal', seed=seed, facts=n),
  'syllogism': lambda seed, n: paper.build('syllogism', seed=seed, examples=n),
  'syllogism, varied': lambda seed, n: paper.build(
    'syllogism', seed=seed, examples=n, style='varied'
  ),
  'celebrity': lambda seed, n: paper.build(
    'celebrity', seed=seed, people=n + 3, phrasings=2, question_phrasings=2
  ),
  'celebrity, plain names': lambda seed, n: paper.build(
    'celebrity',
    seed=seed,
    people=n + 3,
    phrasings=2,
    question_phrasings=2,
    names='plain',
  ),
  'process': lambda seed, n: paper.build(
    'process',
    seed=seed,
    examples=n,
    questions=1 + n // 3,
    numbers=3,
    depth=1 + n % 2,
  ),
  'codebook': lambda seed, n: paper.build(
    'codebook',
    seed=seed,
    words=n + 7,
    books=n,
    held_out=4,
    documents_per_fact=1,
  ),
}
DRAWN = sorted(catalog.SIZES)
# The semantic world has its own tests; its audit is in test_world.py.
PAPER = sorted(set(DRAWN) - {'semantic'})


@functools.cache
def at_paper_size(name):
  return paper.build(name, seed='paper')


any_small_world = given(
  st.sampled_from(sorted(SMALL)), st.text(max_size=4), st.integers(1, 12)
)


def check(world, corpus):
  """Audits a whole corpus; used on every world and on the real files."""
  found = audit.audit(world, corpus)
  assert found['complaints'] == []
  assert len(found['checked']) == 8
  # The audit allows a prompt to occur in a document; these worlds avoid it.
  texts = '\n'.join(document.text for document in corpus.documents)
  repeating = catalog.definition(world.name).repeating
  for question in corpus.questions:
    repeats = question.kind in repeating
    assert (question.prompt in texts) == repeats


@any_small_world
@settings(max_examples=30, deadline=None)
def test_every_small_world_passes_its_audit(name, seed, size):
  check(*SMALL[name](seed, size))


@pytest.mark.parametrize('name', PAPER)
def test_every_world_at_paper_size_passes_its_audit(name):
  check(*at_paper_size(name))


@any_small_world
@settings(max_examples=15, deadline=None)
def test_the_seed_determines_the_world(name, seed, size):
  assert SMALL[name](seed, size) == SMALL[name](seed, size)
  assert SMALL[name](seed, size) != SMALL[name](seed + '+', size)


@any_small_world
@settings(max_examples=15, deadline=None)
def test_the_manifest_counts_the_corpus(name, seed, size):
  world, corpus = SMALL[name](seed, size)
  manifest = corpus.manifest
  assert json.loads(json.dumps(manifest)) == manifest
  assert (manifest['world'], manifest['seed']) == (world.name, seed)
  assert manifest['documents'] == len(corpus.documents)
  kinds = collections.Counter(question.kind for question in corpus.questions)
  assert manifest['questions'] == kinds
  for kind, chance in manifest['chance'].items():
    shares = [
      len(question.answers) / len(question.choices)
      for question in corpus.questions
      if question.kind == kind
    ]
    assert chance == pytest.approx(sum(shares) / len(shares))


@pytest.mark.parametrize('name', PAPER)
def test_positions_carry_no_information(name):
  _, corpus = at_paper_size(name)
  groups = collections.defaultdict(list)
  for question in corpus.questions:
    shape = len(question.answers), len(question.choices)
    groups[question.kind, question.stratum, shape].append(question.answers)
  for (_, _, (right, choices)), answers in groups.items():
    counts = collections.Counter(a for each in answers for a in each)
    even = len(answers) * right / choices
    # Whole rounds are exactly even; only the last round may be incomplete.
    assert all(abs(counts[i] - even) <= 4 for i in range(choices))
    if right == 1:
      assert all(abs(counts[i] - even) < 1 for i in range(choices))


@pytest.mark.parametrize(
  ('name', 'size'),
  [
    ('reversal', 'facts'),
    ('syllogism', 'examples'),
    ('celebrity', 'people'),
    ('semantic', 'categories'),
    ('process', 'examples'),
    ('codebook', 'words'),
    ('codebook', 'books'),
  ],
)
@pytest.mark.parametrize('count', [0, -1])
def test_an_empty_world_is_an_error(name, size, count):
  with pytest.raises(ValueError, match=f'empty world.*{size}={count}'):
    paper.build(name, **{size: count})


def test_more_nonsense_words_than_there_are_is_an_error():
  with pytest.raises(ValueError, match='nonsense words'):
    paper.build('reversal', seed='s', facts=10_000)


BYTES = """
import hashlib
from tests.worlds import paper
for name, changes in (
  ('reversal', {}),
  ('syllogism', {}),
  ('syllogism', {'style': 'varied'}),
  ('celebrity', {}),
  ('celebrity', {'names': 'plain'}),
  ('process', {'examples': 20, 'numbers': 3}),
  ('codebook', {'words': 12, 'books': 4, 'held_out': 4}),
):
  world, corpus = paper.build(name, seed='bytes', **changes)
  world = world.facts, world.entailed, sorted(world.contradicted)
  print(hashlib.sha256(repr((world, corpus)).encode()).hexdigest())
"""


def test_worlds_do_not_depend_on_the_hash_seed_of_the_process():
  printed = {
    subprocess.run(
      [sys.executable, '-c', BYTES],
      env=os.environ | {'PYTHONHASHSEED': hash_seed},
      capture_output=True,
      check=True,
      text=True,
    ).stdout
    for hash_seed in ('1', '2')
  }
  assert len(printed) == 1
  assert len(set(printed.pop().split())) == 7
