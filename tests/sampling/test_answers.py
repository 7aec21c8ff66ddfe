"""Generated answers equal a plain greedy loop and are matched as text."""

import dataclasses

import numpy as np
import pytest

from icl_gen.model import prefix
from icl_gen.sampling import answers, sampler
from icl_gen.text import context as contexts
from icl_gen.types import Document, Question, Score
from tests import tiny

QUESTIONS = tuple(
  Question(f'q{i}', prompt, (' troff.', ' more.'), (0,), 'kind')
  for i, prompt in enumerate(('The femp is', 'All glon are', 'No'))
)
CONTEXTS = tuple(
  contexts.build([Document('a', text)], seed='s')
  for text in ('The glon is blue.', 'All femp are dangerous.')
)
PRECEDING = {
  'none': contexts.NONE,
  'one': CONTEXTS[0],
  'each its own': (CONTEXTS[0], CONTEXTS[1], CONTEXTS[0]),
}


@pytest.fixture(autouse=True)
def small_buckets(monkeypatch):
  monkeypatch.setattr(prefix, 'CHUNK', 32)
  monkeypatch.setattr(sampler, 'PROMPT_BUCKET', 8)


def by_hand(context, prompt):
  """Appends the likeliest id in a loop, each time from the whole row."""
  tokenizer = tiny.model().tokenizer
  text = contexts.tail(context, prompt)
  ids = [tokenizer.bos_id, *tokenizer.encode(context.text + text)]
  start = len(ids)
  while (
    len(ids) < start + answers.BUCKET and tokenizer.eos_id not in ids[start:]
  ):
    ids.append(int(tiny.logits('gemma3', np.int32(ids))[-1].argmax()))
  return tokenizer.decode(ids[start:])


@pytest.mark.parametrize(
  'preceding',
  [
    pytest.param(one, marks=[pytest.mark.slow] * (one == 'one'))
    for one in PRECEDING
  ],
)
def test_answers_equal_a_greedy_loop(preceding):
  context = PRECEDING[preceding]
  one_each = contexts.per_question(context, 3)
  expected = tuple(
    by_hand(one, question.prompt)
    for one, question in zip(one_each, QUESTIONS, strict=True)
  )
  found = answers.write(tiny.model(), QUESTIONS, context)
  assert found == expected
  assert len(set(found)) > 1


def test_an_answer_needs_room_after_the_longest_prompt(monkeypatch):
  calls = []
  monkeypatch.setattr(
    sampler, 'sample', lambda *_, **how: calls.append(how) or iter(())
  )
  count = tiny.model().tokenizer.count
  for preceding in PRECEDING.values():
    with pytest.raises(KeyError):  # nothing is sampled
      answers.write(tiny.model(), QUESTIONS, preceding)
    prompts = [
      count(one.before) + count(contexts.tail(one, question.prompt))
      for one, question in zip(
        contexts.per_question(preceding, 3), QUESTIONS, strict=True
      )
    ]
    assert (
      answers.row_tokens(QUESTIONS, preceding, count)
      == 1 + max(prompts) + calls[-1]['max_tokens']
    )


def test_other_fields_of_scores_are_kept():
  scores = [
    Score(q.id, q.kind, '', q.cluster, q.answers, ()) for q in QUESTIONS
  ]
  found = answers.added(tiny.model(), QUESTIONS, contexts.NONE, scores)
  texts = answers.write(tiny.model(), QUESTIONS, contexts.NONE)
  assert tuple(score.written for score in found) == texts
  assert [score.exact for score in found] == [False] * 3
  assert [
    dataclasses.replace(score, written=None, exact=None) for score in found
  ] == scores


@pytest.mark.parametrize(
  ('text', 'choices', 'exact'),
  [
    (' 3 x.', (' 3 x.',), True),
    ('3 x.', (' 3 x.',), True),
    (' 3 x. And so on.', (' 3 x.',), True),
    (' 3 x.\n- the next', (' 3 x.',), True),
    (' 3 x', (' 3 x',), True),
    (' 3 x\n- the next', (' 3 x',), True),
    (' 3 x\n', (' 3 x',), True),
    (' 4 x.', (' 3 x.', ' 4 x.'), True),
    (' 3 x + 1', (' 3 x',), False),
    (' 3 x.5', (' 3 x.',), False),
    (' 3 x', (' 3 x.',), False),
    ('\n 3 x.', (' 3 x.',), False),
    ('', (' 3 x.',), False),
  ],
)
def test_exact_match(text, choices, exact):
  wrong = ' something else.'
  right = tuple(range(1, 1 + len(choices)))
  question = Question('q', 'p', (wrong, *choices), right, 'kind')
  assert answers.is_exact(text, question) == exact
  assert not answers.is_exact(wrong, question)
