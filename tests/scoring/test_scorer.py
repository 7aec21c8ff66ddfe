"""Scores are the package's own log-probabilities of whole rows, exactly."""

import dataclasses
import functools

import jax
import numpy as np
import pytest

from icl_gen.model import prefix
from icl_gen.scoring import scorer
from icl_gen.text import context as contexts
from icl_gen.types import Document, Question
from tests import tiny


def question(name, prompt, *choices):
  return Question(name, prompt, choices, (0,), 'kind', stratum='stratum')


QUESTIONS = (
  question('plain', 'The femp is', ' more dangerous', ' less dangerous'),
  question('nested', 'All glon', ' are', ' are troff', ' are troff.'),
  question('one piece', 'Yes or no?', ' Yes', ' No'),
  question('no prompt', '', 'Some glon are troff', 'No glon'),
  question('merging', 'The fem', 'p is', 'p', 'ps'),
  question('same choices', 'The troff is', ' more dangerous', ' less'),
  question('wide', 'It is', ' né', ' ne'),
)
CONTEXT = contexts.build(
  [
    Document('a', 'The glon is more dangerous than the femp.'),
    Document('b', 'No troff are able to sing.'),
    Document('c', 'All femp are blue.'),
  ],
  seed='context',
)


@pytest.fixture(autouse=True)
def small_buckets(monkeypatch):
  monkeypatch.setattr(prefix, 'CHUNK', 32)


def score(questions=QUESTIONS, context=contexts.NONE, *, model=None, rows=8):
  model = tiny.model() if model is None else model
  return scorer.score(model, questions, context, rows_per_batch=rows)


@functools.cache
def scored(context):
  return score(context=context)


def logps(scores):
  return [[choice.logp for choice in found.choices] for found in scores]


def flat(scores):
  """Everything that was computed, float[choices, 2]."""
  return np.array(
    [
      [choice.logp, choice.logp_unconditional]
      for found in scores
      for choice in found.choices
    ]
  )


def by_hand(text, choice):
  """(sum, number of ids) of what a choice adds to a text, in one long row."""
  encode = tiny.model().tokenizer.encode
  before, ids = encode(text), encode(text + choice)
  given = 0
  while given < len(before) and before[given] == ids[given]:
    given += 1
  logps_L = tiny.logps('gemma3', np.int32([2, *ids]))
  alone_L = tiny.logps('gemma3', np.int32([2, *ids[given:]]))
  return logps_L[given:].sum(), alone_L.sum(), len(ids) - given


@pytest.mark.parametrize(
  'context', [contexts.NONE, CONTEXT], ids=['none', 'some']
)
def test_scores_are_those_of_whole_rows(context):
  found = scored(context)
  for asked, answered in zip(QUESTIONS, found, strict=True):
    for choice, given in zip(asked.choices, answered.choices, strict=True):
      text = context.text + contexts.tail(context, asked.prompt)
      logp, alone, tokens = by_hand(text, choice)
      assert given.tokens == tokens
      assert given.logp == pytest.approx(logp, abs=1e-4)
      assert given.logp_unconditional == pytest.approx(alone, abs=1e-4)


def test_the_questions_are_what_they_are_called():
  """Or the test above would not see what it is meant to see."""
  encode = tiny.model().tokenizer.encode
  plain, nested, piece, empty, merging, *_ = scored(contexts.NONE)
  counts = [c.tokens for c in nested.choices]
  assert counts == sorted(set(counts))
  assert [c.tokens for c in piece.choices] == [1, 1]
  assert empty.choices[0].logp == empty.choices[0].logp_unconditional
  assert plain.choices[0].logp != plain.choices[0].logp_unconditional
  assert encode('The femp')[: len(encode('The fem'))] != encode('The fem')
  assert len(tiny.model().tokenizer.encode(CONTEXT.text)) > 2 * tiny.WINDOW
  with_context = scored(CONTEXT)
  assert not np.allclose(
    flat(with_context)[:, 0], flat(scored(contexts.NONE))[:, 0]
  )


def test_what_is_asked_comes_back():
  for asked, found in zip(QUESTIONS, scored(contexts.NONE), strict=True):
    assert (found.question_id, found.kind) == (asked.id, 'kind')
    assert (found.stratum, found.answers) == ('stratum', (0,))
  (wide, _) = scored(contexts.NONE)[-1].choices
  assert (wide.characters, wide.bytes) == (2, 3)


def test_neither_batches_nor_the_order_matter(monkeypatch):
  """Three rows and five logits at a time: nothing comes out even."""
  found = scored(CONTEXT)
  reverse = score(QUESTIONS[::-1], CONTEXT)[::-1]
  np.testing.assert_allclose(flat(reverse), flat(found), atol=1e-5)
  alone = [score([asked], CONTEXT)[0] for asked in QUESTIONS]
  np.testing.assert_allclose(flat(alone), flat(found), atol=1e-5)
  monkeypatch.setattr(scorer, 'LOGITS_AT_A_TIME', 5 * tiny.VOCABULARY)
  small = score(context=CONTEXT, rows=3)
  np.testing.assert_allclose(flat(small), flat(found), atol=1e-5)


def test_permuting_choices_permutes_scores():
  turned = [
    dataclasses.replace(asked, choices=asked.choices[::-1])
    for asked in QUESTIONS
  ]
  found = [row[::-1] for row in logps(score(turned))]
  assert sum(found, []) == pytest.approx(
    sum(logps(scored(contexts.NONE)), []), abs=1e-5
  )


def with_embeddings(change):
  params = jax.tree.map(lambda leaf: leaf, tiny.params('gemma3'))
  table = change(params['embedder']['input_embedding'])
  params = params | {'embedder': {'input_embedding': table}}
  return dataclasses.replace(tiny.model(), params=params)


def test_a_uniform_model_gives_log_of_the_vocabulary():
  found = score(model=with_embeddings(lambda table: 0 * table))
  for answered in found:
    for choice in answered.choices:
      wanted = -choice.tokens * np.log(tiny.VOCABULARY)
      assert choice.logp == pytest.approx(wanted, rel=1e-6)
      assert choice.logp_unconditional == pytest.approx(wanted, rel=1e-6)


def test_a_broken_model_is_no_result():
  with pytest.raises(ValueError, match='not finite'):
    score(model=with_embeddings(lambda table: table * float('nan')))


@pytest.mark.parametrize(
  ('questions', 'message'),
  [
    ((), 'no questions'),
    ((QUESTIONS[0], QUESTIONS[1], QUESTIONS[0]), 'same id'),
    ((question('void', 'The femp', '', ' is'),), 'adds no token'),
  ],
)
def test_what_cannot_be_scored_is_refused(questions, message):
  with pytest.raises(ValueError, match=message):
    score(questions)
