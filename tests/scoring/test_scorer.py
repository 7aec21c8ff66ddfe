"""Scores equal the package's own log-probabilities of whole rows."""

import dataclasses
import functools
import logging

import jax
import numpy as np
import pytest

from icl_gen.model import head, prefix, prefix_cache, sharding
from icl_gen.scoring import scorer
from icl_gen.text import context as contexts
from icl_gen.text import tokens
from icl_gen.types import Document, Question
from tests import gemma_like, tiny


def question(name, prompt, *choices):
  return Question(name, prompt, choices, (0,), 'kind', stratum='stratum')


QUESTIONS = (
  question('plain', 'The femp is', ' more dangerous', ' less dangerous'),
  question('nested', 'All glon', ' are', ' are troff', ' are troff.'),
  question('one piece', 'Yes or no?', ' Yes', ' No'),
  question('no prompt', '', 'Some glon are troff', 'No glon'),
  question('merging', 'The fem', 'p is', 'p', ' is'),
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
def small_sizes(monkeypatch):
  monkeypatch.setattr(prefix, 'CHUNK', 32)
  monkeypatch.setattr(scorer, 'BUFFER', 64)


def score(
  questions=QUESTIONS, context=contexts.NONE, *, model=None, at_a_time=512
):
  model = tiny.model() if model is None else model
  return scorer.score(model, questions, context, tokens_per_pass=at_a_time)


@functools.cache
def scored(context):
  return score(context=context)


def logps(scores):
  return [[choice.logp for choice in found.choices] for found in scores]


def flat(scores):
  """Conditional and unconditional log-probabilities, float[choices, 2]."""
  return np.array(
    [
      [choice.logp, choice.logp_unconditional]
      for found in scores
      for choice in found.choices
    ]
  )


def kept(text, choice):
  """Number of ids of the text that stay the same before the choice."""
  encode = tiny.model().tokenizer.encode
  before, ids = encode(text), encode(text + choice)
  given = 0
  while given < len(before) and before[given] == ids[given]:
    given += 1
  return given


def by_hand(text, choice, choices=()):
  """Scores a choice after a text, in one long row.

  Returns its summed log-probability, the same after BOS alone, and its number
  of ids. `choices` are the question's others, which may move the boundary.
  """
  given = min(kept(text, one) for one in (choice, *choices))
  ids = tiny.model().tokenizer.encode(text + choice)
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
      logp, alone, tokens = by_hand(text, choice, asked.choices)
      assert given.tokens == tokens
      assert given.logp == pytest.approx(logp, abs=1e-4)
      assert given.logp_unconditional == pytest.approx(alone, abs=1e-4)


def test_the_questions_cover_the_cases_they_name():
  """Otherwise the test above would not cover them."""
  encode = tiny.model().tokenizer.encode
  plain, nested, piece, empty, merging, *_ = scored(contexts.NONE)
  counts = [c.tokens for c in nested.choices]
  assert counts == sorted(set(counts))
  assert [c.tokens for c in piece.choices] == [1, 1]
  assert empty.choices[0].logp == pytest.approx(
    empty.choices[0].logp_unconditional, abs=1e-4
  )
  assert plain.choices[0].logp != plain.choices[0].logp_unconditional
  assert kept('The fem', 'p') < kept('The fem', ' is') == len(encode('The fem'))
  assert len(tiny.model().tokenizer.encode(CONTEXT.text)) > 2 * tiny.WINDOW
  with_context = scored(CONTEXT)
  assert not np.allclose(
    flat(with_context)[:, 0], flat(scored(contexts.NONE))[:, 0]
  )


def test_programs_are_compiled_once_and_logged(caplog):
  scorer._edge_logps.clear_cache()
  with caplog.at_level(logging.INFO, logger='icl_gen.scoring.scorer'):
    score()
    made = [record.getMessage() for record in caplog.records]
    score()
    score(QUESTIONS[::-1])
  assert made and all(one.startswith('compiling passes of ') for one in made)
  assert len(caplog.records) == len(made)


def test_a_score_carries_over_the_fields_of_its_question():
  for asked, found in zip(QUESTIONS, scored(contexts.NONE), strict=True):
    assert (found.question_id, found.kind) == (asked.id, 'kind')
    assert (found.stratum, found.answers) == ('stratum', (0,))
    assert found.cluster == asked.cluster
  (wide, _) = scored(contexts.NONE)[-1].choices
  assert (wide.characters, wide.bytes) == (2, 3)


def test_order_and_other_questions_do_not_matter():
  found = scored(CONTEXT)
  reverse = score(QUESTIONS[::-1], CONTEXT)[::-1]
  np.testing.assert_allclose(flat(reverse), flat(found), atol=1e-5)
  alone = [score([asked], CONTEXT)[0] for asked in QUESTIONS]
  np.testing.assert_allclose(flat(alone), flat(found), atol=1e-5)


@pytest.mark.parametrize(
  'sizes',
  [
    (32, 96),
    pytest.param((32, 32), marks=pytest.mark.slow),
    pytest.param((256, 2048), marks=pytest.mark.slow),
  ],
)
def test_buffer_and_pass_sizes_do_not_matter(sizes, monkeypatch):
  """Five positions of logits at a time, which divides nothing."""
  buffer, at_a_time = sizes
  monkeypatch.setattr(scorer, 'BUFFER', buffer)
  monkeypatch.setattr(head, 'TOKENS', 5)
  found = score(context=CONTEXT, at_a_time=at_a_time)
  np.testing.assert_allclose(flat(found), flat(scored(CONTEXT)), atol=1e-5)


# The prefix is all but the last token: below, at and above the window of 5.
@pytest.mark.parametrize(
  'words',
  [*(3, 4, 5), *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 6, 9))],
)
def test_around_the_window(words):
  preceding = contexts.Context('- ' + 'is ' * words + '\n', (), 0)
  (found,) = score(QUESTIONS[:1], preceding)
  for choice, given in zip(QUESTIONS[0].choices, found.choices, strict=True):
    text = preceding.text + contexts.tail(preceding, QUESTIONS[0].prompt)
    logp, _, _ = by_hand(text, choice)
    assert given.logp == pytest.approx(logp, abs=1e-4)


def test_equal_rows_score_equally_to_the_bit():
  """Wherever they are in the buffers, so that ties are exact."""
  twice = [dataclasses.replace(q, id=f'{q.id} again') for q in QUESTIONS]
  found = flat(score((*QUESTIONS, *twice), CONTEXT, at_a_time=64))
  one, other = np.split(found, 2)
  np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_a_thousand_choices():
  """Most of them one token, all after one prompt."""
  pieces = tiny.model().tokenizer
  words = dict.fromkeys(pieces.decode([i]) for i in range(300, 1700))
  choices = [f' {word}' for word in words if word.strip() == word != ''][:1000]
  asked = question('many', 'The femp is', *choices)
  (found,) = score([asked], CONTEXT)
  assert len(found.choices) == 1000
  ids = pieces.encode(CONTEXT.text + '- The femp is')
  logits_V = tiny.logits('gemma3', np.int32([2, *ids]))[-1].astype(np.float64)
  logps_V = logits_V - np.log(np.exp(logits_V).sum())
  single = 0
  for choice, given in zip(choices, found.choices, strict=True):
    whole = pieces.encode(CONTEXT.text + '- The femp is' + choice)
    if whole[:-1] == ids:
      single += 1
      assert given.tokens == 1
      assert given.logp == pytest.approx(logps_V[whole[-1]], abs=1e-4)
  assert single > 300


OWN = (
  CONTEXT,
  contexts.NONE,
  contexts.Context('- No troff are able to sing.\n', (), 0),
  contexts.Context('- No troff are blue.\n', (), 0),
  CONTEXT,
  contexts.Context('- No troff are able to sing.\n', (), 0),
  contexts.NONE,
)


@pytest.mark.parametrize('in_tree', [0, 512], ids=['prefixes', 'trees'])
def test_each_question_after_its_own_context(in_tree, monkeypatch):
  monkeypatch.setattr(scorer, 'IN_TREE', in_tree)
  found = score(QUESTIONS, OWN)
  alone = [
    score([asked], preceding)[0]
    for asked, preceding in zip(QUESTIONS, OWN, strict=True)
  ]
  np.testing.assert_allclose(flat(found), flat(alone), atol=1e-5)
  assert [f.question_id for f in found] == [q.id for q in QUESTIONS]
  together = scored(CONTEXT)
  np.testing.assert_allclose(flat(found[:1]), flat(together[:1]), atol=1e-5)
  assert not np.allclose(flat(found[2:3]), flat(together[2:3]), atol=1e-2)


def test_equal_contexts_are_encoded_once(monkeypatch):
  encoded, encode = [], prefix.encode

  def counted(module, params, ids):
    encoded.append(ids)
    return encode(module, params, ids)

  monkeypatch.setattr(prefix, 'encode', counted)
  score(QUESTIONS[:3], [CONTEXT] * 3)
  assert len(encoded) == 1
  monkeypatch.setattr(scorer, 'IN_TREE', 0)
  score(QUESTIONS, OWN)
  assert len(encoded) == 1 + 3


@pytest.mark.parametrize('preceding', [CONTEXT, OWN], ids=['one', 'own'])
def test_parts_score_as_the_whole_does(preceding, monkeypatch):
  """With a cache, a context in several parts is encoded once."""
  monkeypatch.setattr(scorer, 'IN_TREE', 0)
  model, encoded, encode = tiny.model(), [], prefix.encode

  def counted(module, params, ids, *, core):
    encoded.append(ids)
    return encode(module, params, ids, core=core)

  monkeypatch.setattr(prefix, 'encode', counted)
  kept = prefix_cache.PrefixCache(
    model.module, model.params, budget_bytes=2**30
  )
  parts = list(
    scorer.in_parts(
      model, QUESTIONS, preceding, questions_per_part=3, encode=kept.encode
    )
  )
  assert [len(part) for part in parts] == [3, 3, 1]
  assert len(encoded) == (1 if preceding is CONTEXT else 3)
  monkeypatch.undo()
  whole = scored(CONTEXT) if preceding is CONTEXT else score(QUESTIONS, OWN)
  np.testing.assert_allclose(flat(sum(parts, ())), flat(whole), atol=1e-5)


def test_a_later_start_scores_the_same_parts():
  model = tiny.model()
  encode = functools.partial(prefix.encode, model.module, model.params)
  whole, rest = (
    list(
      scorer.in_parts(
        model,
        QUESTIONS,
        OWN,
        questions_per_part=2,
        encode=encode,
        start=start,
      )
    )
    for start in (0, 4)
  )
  assert rest == whole[2:]


def test_eight_devices_score_as_one_does():
  mesh = sharding.make_mesh(data=4, model=2)
  model = tiny.model()
  split = dataclasses.replace(
    model,
    params=tiny.placed(mesh, model.module, model.params),
    mesh=mesh,
  )
  found = score(context=CONTEXT, model=split)
  np.testing.assert_allclose(flat(found), flat(scored(CONTEXT)), atol=1e-5)


def test_a_part_without_questions_is_refused():
  with pytest.raises(ValueError, match='0 questions at a time'):
    # No part is requested: the call itself checks.
    scorer.in_parts(
      tiny.model(), QUESTIONS, CONTEXT, questions_per_part=0, encode=None
    )


def test_a_chat_puts_prompt_and_choice_in_turns():
  """The ids are SentencePiece's own of the whole text, markers included."""
  model = dataclasses.replace(
    tiny.model(), tokenizer=tokens.Tokenizer(gemma_like.model())
  )
  encode = gemma_like.as_declared().encode
  preceding = contexts.build([Document('a', 'All femp.')], seed='c', chat=True)
  for context, opening in (
    (preceding, '<start_of_turn>user\n- All femp.\n- '),
    (contexts.NONE_IN_CHAT, '<start_of_turn>user\n'),
  ):
    (found,) = score(QUESTIONS[:1], context, model=model)
    text = f'{opening}The femp is<end_of_turn>\n<start_of_turn>model\n'
    for choice, given in zip(QUESTIONS[0].choices, found.choices, strict=True):
      ids, before = encode(text + choice.lstrip()), len(encode(text))
      logps_L = tiny.logps('gemma3', np.int32([2, *ids]))
      alone_L = tiny.logps('gemma3', np.int32([2, *ids[before:]]))
      assert given.tokens == len(ids) - before
      assert given.logp == pytest.approx(logps_L[before:].sum(), abs=1e-4)
      assert given.logp_unconditional == pytest.approx(alone_L.sum(), abs=1e-4)


def test_in_a_chat_choices_that_differ_in_leading_space_are_refused():
  """A reply has no space before it, so both would score the same."""
  asked = Question('q', 'The femp is', (' more', 'more', ' less'), (0,), 'k')
  (found,) = score([asked], contexts.NONE)
  assert len({choice.logp for choice in found.choices}) == 3
  for call in (
    lambda: score([asked], contexts.NONE_IN_CHAT),
    lambda: scorer.in_parts(
      tiny.model(),
      [asked],
      contexts.NONE_IN_CHAT,
      questions_per_part=1,
      encode=None,
    ),
  ):
    with pytest.raises(ValueError, match="'q' has choices ' more' and 'more'"):
      call()


def test_a_chat_needs_a_tokenizer_with_turn_markers():
  with pytest.raises(ValueError, match="no turns .no pieces '<start_of_turn>'"):
    score(context=contexts.NONE_IN_CHAT)


def test_the_number_of_contexts_must_be_that_of_questions():
  with pytest.raises(ValueError, match='2 contexts for 7 questions'):
    score(context=[CONTEXT, CONTEXT])


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


def test_a_uniform_model_scores_the_log_of_the_vocabulary():
  found = score(model=with_embeddings(lambda table: 0 * table))
  for answered in found:
    for choice in answered.choices:
      wanted = -choice.tokens * np.log(tiny.VOCABULARY)
      assert choice.logp == pytest.approx(wanted, rel=1e-6)
      assert choice.logp_unconditional == pytest.approx(wanted, rel=1e-6)


def test_non_finite_log_probabilities_are_refused():
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
def test_bad_questions_are_refused(questions, message):
  with pytest.raises(ValueError, match=message):
    score(questions)
