"""Scores of Gemma 3n and 4 equal the package's own, on whole rows."""

import jax
import numpy as np
import pytest

from icl_gen.model.loading import Model
from icl_gen.scoring import scorer, whole_rows
from icl_gen.text import context as contexts
from icl_gen.text import tokens
from icl_gen.types import Question
from tests import packaged, tiny

CONTEXT = contexts.Context('- The glon is more dangerous.\n', (), 0)
QUESTIONS = (
  Question('one', 'The femp is', (' more', ' less dangerous'), (0,), 'kind'),
  Question('two', '', ('All glon', 'No'), (0,), 'kind'),
)


@pytest.fixture(autouse=True)
def ranks_may_differ():
  with jax.numpy_rank_promotion('allow'):  # in the package
    yield


def model(name):
  tokenizer = tokens.Tokenizer(tiny.tokenizer_bytes())
  return Model(name, packaged.module(name), packaged.params(name), tokenizer)


def by_hand(name, rows):
  """Summed log-probability of each row's scored ids, by the package."""
  padded = np.zeros((len(rows), 64), np.int32)
  for out, row in zip(padded, rows, strict=True):
    out[: len(row.ids)] = row.ids
  found = packaged.module(name).apply({'params': packaged.params(name)}, padded)
  logps = jax.nn.log_softmax(np.asarray(found.logits), axis=-1)
  return [
    sum(logps[r, i - 1, row.ids[i]] for i in range(row.given, len(row.ids)))
    for r, row in enumerate(rows)
  ]


@pytest.mark.parametrize(
  'name', ['gemma4_e2b', pytest.param('gemma3n_e2b', marks=pytest.mark.slow)]
)
def test_scores_are_those_of_whole_rows(name):
  """One question with a context, one without."""
  preceding, encode = (CONTEXT, contexts.NONE), tiny.model().tokenizer.encode
  found = scorer.score(model(name), QUESTIONS, preceding, tokens_per_pass=256)
  rows, alone = [], []
  for asked, context in zip(QUESTIONS, preceding, strict=True):
    for choice in asked.choices:
      before = context.text + contexts.tail(context, asked.prompt)
      ids, given = encode(before + choice), len(encode(before))
      assert ids[:given] == encode(before)
      rows.append(tokens.Row(np.int32([2, *ids]), 1 + given))
      alone.append(tokens.Row(np.int32([2, *ids[given:]]), 1))
  choices = [choice for score in found for choice in score.choices]
  np.testing.assert_allclose(
    [(c.logp, c.logp_unconditional) for c in choices],
    np.transpose(np.reshape(by_hand(name, rows + alone), (2, -1))),
    atol=1e-4,
  )
  for choice in found[0].choices:
    assert abs(choice.logp - choice.logp_unconditional) > 1e-3


def test_rows_of_any_length_in_any_number(monkeypatch):
  """Sums keep the order of the rows, and passes have few shapes."""
  shapes = []

  def row_logps(module, params, tokens_BxL, positions_BxL, segments_BxL):
    shapes.append(tokens_BxL.shape)
    assert (positions_BxL[0] == np.arange(tokens_BxL.shape[1])).all()
    # Made up: at l, the id at l + 1; NaN if padding entered the sums.
    return np.where(segments_BxL > 0, np.roll(tokens_BxL, -1, 1), np.nan)

  monkeypatch.setattr(whole_rows.package_forward, 'row_logps', row_logps)
  rng = np.random.default_rng(0)
  rows = [
    tokens.Row(rng.integers(1, 99, length), int(rng.integers(1, length)))
    for length in (2, 200, 64, 65, 3, 4, 5, 128, 7, 2, 9)
  ]
  found = whole_rows.sums(tiny.model(), rows, tokens_per_pass=256)
  assert found.tolist() == [row.ids[row.given :].sum() for row in rows]
  assert shapes == [(1, 256), (2, 128), (4, 64), (4, 64)]
