"""What every world owes: true answers, false distractors, stated premises."""

import collections
import functools
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icl_gen.worlds import audit, codebook, reversal, syllogism
from icl_gen.worlds.celebrity import invented as celebrity
from icl_gen.worlds.process import world as process

SMALL = {
  'reversal': lambda seed, n: reversal.build(seed=seed, facts=n),
  'syllogism': lambda seed, n: syllogism.build(seed=seed, examples=n),
  'syllogism in other words': lambda seed, n: syllogism.build(
    seed=seed, examples=n, style='varied'
  ),
  'celebrity': lambda seed, n: celebrity.build(
    seed=seed, people=n + 3, phrasings=2, question_phrasings=2
  ),
  'celebrity with plain names': lambda seed, n: celebrity.build(
    seed=seed, people=n + 3, phrasings=2, question_phrasings=2, names='plain'
  ),
  'process': lambda seed, n: process.build(
    seed=seed, examples=n, questions=1 + n // 3, numbers=3, depth=1 + n % 2
  ),
  'codebook': lambda seed, n: codebook.build(
    seed=seed, words=n + 7, books=n, held_out=4, documents_per_fact=1
  ),
}
PAPER = {
  'reversal': reversal.build,
  'syllogism': syllogism.build,
  'celebrity': celebrity.build,
  'process': process.build,
  'codebook': codebook.build,
}


@functools.cache
def at_paper_size(name):
  return PAPER[name](seed='paper')


any_small_world = given(
  st.sampled_from(sorted(SMALL)), st.text(max_size=4), st.integers(1, 12)
)


def check(world, corpus):
  """The audit of a whole corpus; used on every world and on real files."""
  found = audit.audit(world, corpus)
  assert found['complaints'] == []
  assert len(found['checked']) == 8
  # More than the audit asks for: not even a prompt is in a document.
  texts = '\n'.join(document.text for document in corpus.documents)
  for question in corpus.questions:
    repeats = (world.name, question.kind) in audit.REPEATING
    assert (question.prompt in texts) == repeats


@any_small_world
@settings(max_examples=30, deadline=None)
def test_every_small_world_passes_its_audit(name, seed, size):
  check(*SMALL[name](seed, size))


@pytest.mark.parametrize('name', sorted(PAPER))
def test_every_world_at_paper_size_passes_its_audit(name):
  check(*at_paper_size(name))


@any_small_world
@settings(max_examples=15, deadline=None)
def test_same_seed_same_world_other_seed_other_world(name, seed, size):
  assert SMALL[name](seed, size) == SMALL[name](seed, size)
  assert SMALL[name](seed, size) != SMALL[name](seed + '+', size)


@any_small_world
@settings(max_examples=15, deadline=None)
def test_the_manifest_counts_what_is_there(name, seed, size):
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


@pytest.mark.parametrize('name', sorted(PAPER))
def test_positions_do_not_give_the_answer_away(name):
  _, corpus = at_paper_size(name)
  groups = collections.defaultdict(list)
  for question in corpus.questions:
    shape = len(question.answers), len(question.choices)
    groups[question.kind, question.stratum, shape].append(question.answers)
  for (_, _, (right, choices)), answers in groups.items():
    counts = collections.Counter(a for each in answers for a in each)
    even = len(answers) * right / choices
    # Exactly even in whole rounds; at worst a last round is cut short.
    assert all(abs(counts[i] - even) <= 4 for i in range(choices))
    if right == 1:
      assert all(abs(counts[i] - even) < 1 for i in range(choices))


@pytest.mark.parametrize(
  ('build', 'size'),
  [
    (reversal.build, 'facts'),
    (syllogism.build, 'examples'),
    (celebrity.build, 'people'),
    (process.build, 'examples'),
    (codebook.build, 'words'),
    (codebook.build, 'books'),
  ],
)
@pytest.mark.parametrize('count', [0, -1])
def test_an_empty_world_is_an_error(build, size, count):
  with pytest.raises(ValueError, match=f'empty world.*{size}={count}'):
    build(seed='s', **{size: count})


def test_too_large_a_world_is_an_error():
  with pytest.raises(ValueError, match='nonsense words'):
    reversal.build(seed='s', facts=10_000)


BYTES = """
import functools
import hashlib
from icl_gen.worlds import codebook, reversal, syllogism
from icl_gen.worlds.celebrity import invented as celebrity
from icl_gen.worlds.process import world as process
for build in (
  reversal.build,
  syllogism.build,
  functools.partial(syllogism.build, style='varied'),
  celebrity.build,
  functools.partial(celebrity.build, names='plain'),
  functools.partial(process.build, examples=20, numbers=3),
  functools.partial(codebook.build, words=12, books=4, held_out=4),
):
  world, corpus = build(seed='bytes')
  world = world.facts, world.entailed, sorted(world.contradicted)
  print(hashlib.sha256(repr((world, corpus)).encode()).hexdigest())
"""


def test_worlds_are_the_same_to_the_byte_in_every_process():
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
