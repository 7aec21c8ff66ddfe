"""What is stored of a place is what the model says there, in context."""

import jax
import numpy as np
import pytest

from icl_gen.augmentation import audit, parse, plan
from icl_gen.sampling import likeliest
from icl_gen.scoring import scorer
from icl_gen.text import context as contexts
from icl_gen.types import Document, Question
from tests import tiny

K = 5
CONTEXT = contexts.build(
  [Document('a', 'The glon is blue.'), Document('b', 'No femp is red.')],
  seed='context',
)
BEFORE = 'Statement: glons are big.\nThis means:\n'
TEXTS = [
  (BEFORE, 'Femp are less big than glon.'),
  (BEFORE + 'Some troff is red.\n- ', 'All glon are femp.'),
  (BEFORE, 'red'),
]


def found(context=CONTEXT, texts=TEXTS, **given):
  return list(
    likeliest.likeliest(tiny.model(), texts, context, count=K, **given)
  )


def row(context, before, text):
  """Ids of everything up to the text's end, read as a whole."""
  tokenizer = tiny.model().tokenizer
  return np.int32(
    [tokenizer.bos_id, *tokenizer.encode(context.text + before + text)]
  )


def assert_same(one, other):
  np.testing.assert_array_equal(one.ids_L, other.ids_L)
  np.testing.assert_array_equal(one.likeliest_NxK, other.likeliest_NxK)
  np.testing.assert_allclose(one.logps_NxK, other.logps_NxK, atol=1e-5)


@pytest.mark.parametrize(
  'context', [pytest.param(contexts.NONE, marks=pytest.mark.slow), CONTEXT]
)
def test_it_is_what_a_plain_forward_pass_over_everything_says(context):
  tokenizer = tiny.model().tokenizer
  for (before, text), one in zip(TEXTS, found(context), strict=True):
    assert one.ids_L.tolist() == tokenizer.encode(text)
    N = len(one.logps_NxK)
    assert len(one.ids_L) - N in (0, 1)  # its first token begins otherwise
    ids_L = row(context, before, text)
    np.testing.assert_array_equal(ids_L[-N:], one.ids_L[-N:])
    logits_LxV = tiny.logits('gemma3', ids_L)
    logps_NxV = np.asarray(jax.nn.log_softmax(logits_LxV))[-N - 1 : -1]
    top_NxK = np.argsort(-logps_NxV, axis=1)[:, :K]
    np.testing.assert_array_equal(one.likeliest_NxK, top_NxK)
    wanted = np.take_along_axis(logps_NxV, top_NxK, axis=1)
    np.testing.assert_allclose(one.logps_NxK, wanted, atol=1e-4)


@pytest.mark.slow
def test_it_is_what_the_scorer_says():
  """Of a choice, the sum over its tokens."""
  prompt, choice = 'All glon are', ' femp and red.'
  question = Question('a', prompt, (choice, ' blue.'), (0,), 'kind')
  (score,) = scorer.score(tiny.model(), [question], CONTEXT)
  # A question is one more bullet of its context.
  texts = [(f'- {prompt} ', choice.lstrip())]
  (one,) = likeliest.likeliest(
    tiny.model(), texts, CONTEXT, count=tiny.VOCABULARY
  )
  assert len(one.likeliest_NxK) == score.choices[0].tokens
  is_own_NxK = one.likeliest_NxK == one.ids_L[:, None]
  assert one.logps_NxK[is_own_NxK].sum() == pytest.approx(
    score.choices[0].logp, abs=1e-4
  )


@pytest.mark.slow
def test_batches_and_their_sizes_do_not_matter():
  for one, other in zip(found(), found(rows_per_batch=2), strict=True):
    assert_same(one, other)


def test_texts_are_scored_where_they_were_written():
  request = plan.Request('global/a/0', 'global', 'a', BEFORE)
  alone = plan.Request('local/a/0', 'local', 'a', BEFORE)
  parsed = parse.parse(
    [
      (request, '\n Some troff is red.\n- All glon are femp. \n', True),
      (alone, 'red', True),
    ],
    given=[],
    read=lambda text: None,
    judge=lambda facts: audit.Verdict('unparsed'),
    fits=lambda text: True,
    details={},
  )
  assert parsed.before == {
    'global/a/0/0': f'{BEFORE}\n ',
    'global/a/0/1': f'{BEFORE}\n Some troff is red.\n- ',
    'local/a/0/0': BEFORE,
  }
  kinds = {'local': contexts.NONE, 'global': CONTEXT}
  scored = likeliest.of_inferences(tiny.model(), parsed, kinds, count=K)
  assert scored.keys() == parsed.before.keys()
  of_global = [
    (parsed.before[name], text)
    for name, text in (
      ('global/a/0/0', 'Some troff is red.'),
      ('global/a/0/1', 'All glon are femp.'),
    )
  ]
  for number, one in enumerate(found(CONTEXT, of_global)):
    assert_same(one, scored[f'global/a/0/{number}'])
  (one,) = found(contexts.NONE, [(BEFORE, 'red')])
  assert_same(one, scored['local/a/0/0'])


def test_texts_without_a_place_have_no_distribution():
  """Alone, the only token of each begins with a space."""
  for one in found(contexts.NONE, [(BEFORE, 'the'), (BEFORE, 'is')]):
    assert len(one.ids_L) == 1
    assert one.likeliest_NxK.shape == one.logps_NxK.shape == (0, K)


def test_more_tokens_than_pieces_are_a_mistake():
  likeliest.require_pieces(9, pieces=9)
  with pytest.raises(ValueError, match='likeliest=10: the tokenizer has 9'):
    likeliest.require_pieces(10, pieces=9)
