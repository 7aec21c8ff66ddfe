"""A row is a function of its seed, and has no evaluation word."""

import dataclasses
import hashlib
import itertools
import pathlib
import re
import sys

import ml_collections
import numpy as np
import pytest

from icl_gen.pretraining import stream
from icl_gen.text import lexicon, tokens

ROOT = pathlib.Path(__file__).parents[2]
STAGE = stream.Stage(
  steps=4,
  learning_rate=(0.01, 0.01),
  rows=3,
  length=200,
  facts=(1, 6),
  families={
    'comparisons': 1,
    'syllogisms': 1,
    'people': 1,
    'kinds': 1,
    'inheritance': 1,
    'filler': 1,
  },
  modes={'context': 1, 'local': 1, 'global': 1, 'plain': 1},
  document_weight=0.25,
  decisive_weight=4.0,
  lookup_weight=2.0,
)


@pytest.fixture(scope='module')
def nano():
  return tokens.load(ROOT / 'icl_gen/assets/tokenizer.model')


def configured():
  """Returns the stages of the recipe, in order, and the name of the stream."""
  sys.path.insert(0, str(ROOT))
  try:
    from configs import pretrain
  finally:
    sys.path.remove(str(ROOT))
  config = ml_collections.FrozenConfigDict(pretrain.get_config('nano'))
  return {
    name: stream.Stage(
      **stage.to_dict(),
      modes=config.modes.to_dict(),
      document_weight=config.document_weight,
      forms=config.forms,
    )
    for name, stage in sorted(config.stages.items())
  }, config.stream


# --- seeds ------------------------------------------------------------------


def first(count, stage, tokenizer, *, seed, first_step):
  return list(
    itertools.islice(
      stream.batches(stage, tokenizer, seed=seed, first_step=first_step), count
    )
  )


def test_a_resumed_stream_equals_an_uninterrupted_one(nano):
  whole = first(6, STAGE, nano, seed='s', first_step=0)
  rest = first(3, STAGE, nano, seed='s', first_step=3)
  for one, other in zip(whole[3:], rest, strict=True):
    for field in dataclasses.fields(one):
      np.testing.assert_array_equal(
        getattr(one, field.name), getattr(other, field.name)
      )


def test_a_row_depends_on_its_seed_alone(nano):
  narrow = dataclasses.replace(STAGE, rows=2)
  wide = first(2, STAGE, nano, seed='s', first_step=5)
  for batch, less in zip(
    wide, first(2, narrow, nano, seed='s', first_step=5), strict=True
  ):
    np.testing.assert_array_equal(batch.tokens_BxL[:2], less.tokens_BxL)
  ids, weights = stream.row(STAGE, nano, seed='s/6/2')
  np.testing.assert_array_equal(wide[1].tokens_BxL[2], ids)
  np.testing.assert_array_equal(wide[1].weights_BxL[2], weights)


def test_the_recipe_of_the_embedded_models_is_reproducible(nano):
  """The first rows of every stage with short ones, as they were pretrained."""
  stages, seed = configured()
  found, step = hashlib.sha256(), 0
  for stage in stages.values():
    if stage.length <= 512:
      for r in (0, 1):
        ids, weights = stream.row(stage, nano, seed=f'{seed}/{step}/{r}')
        found.update(ids.tobytes() + weights.tobytes())
    step += stage.steps
  assert found.hexdigest()[:16] == 'ef6056a914fb5d0f'


def test_what_is_held_out_changes_rows(nano):
  held_out = dataclasses.replace(STAGE, forms='pretraining')
  assert STAGE.forms == 'all'
  rows = [
    [stream.row(stage, nano, seed=str(n))[0].tobytes() for n in range(20)]
    for stage in (STAGE, held_out)
  ]
  assert rows[0] != rows[1]


def test_no_two_rows_are_the_same(nano):
  rows = [
    row.tobytes()
    for seed in ('s', 't')
    for batch in first(5, STAGE, nano, seed=seed, first_step=0)
    for row in batch.tokens_BxL
  ]
  assert len(set(rows)) == len(rows) == 30


def test_batches_have_the_shape_of_the_stage(nano):
  (batch,) = first(1, STAGE, nano, seed='s', first_step=0)
  shape = (STAGE.rows, STAGE.length)
  arrays = [getattr(batch, field.name) for field in dataclasses.fields(batch)]
  assert {a.shape for a in arrays if a is not batch.targets} == {shape}
  assert batch.targets is None
  assert batch.weights_BxL.dtype == np.float32
  assert batch.tokens_BxL.dtype == batch.positions_BxL.dtype == np.int32
  assert (batch.segments_BxL == 1).all()
  assert (batch.positions_BxL == np.arange(STAGE.length)).all()
  assert (batch.tokens_BxL[:, 0] == nano.bos_id).all()
  assert (batch.weights_BxL[:, 0] == 0).all()
  assert (batch.tokens_BxL[:, 1:] != nano.bos_id).all()
  assert (batch.tokens_BxL != nano.pad_id).all()


# --- ids and weights --------------------------------------------------------


def test_marks_become_loss_weights(nano):
  writer = stream.Writer(nano, STAGE)
  writer.line('- femp are big.', document=True)
  writer.line('- ~glon are ^more big.')
  writer.end()
  writer.line('Zab is.')
  ids, weights = writer.row()
  low, decisive = STAGE.document_weight, STAGE.decisive_weight
  expected = [
    *[(nano.bos_id, 0)],
    *[(i, low) for i in nano.encode('- femp are big.')],
    *[(nano.newline_id, 1)],
    *[(i, 1) for i in nano.encode_inner('-')],
    *[(i, low) for i in nano.encode('glon')],
    *[(i, 1) for i in nano.encode('are')],
    *[(i, decisive) for i in nano.encode('more')],
    *[(i, 1) for i in nano.encode('big.')],
    *[(nano.eos_id, 1)],
    *[(i, 1) for i in nano.encode('Zab is.')],
    *[(nano.newline_id, 1)],
  ]
  assert list(zip(ids.tolist(), weights.tolist(), strict=True)) == expected


def test_ids_are_those_of_the_decoded_text(nano):
  for seed in range(150):
    ids, weights = stream.row(STAGE, nano, seed=str(seed))
    assert len(ids) == len(weights) == STAGE.length
    # The last line may be cut inside a character.
    whole = max(np.flatnonzero(np.isin(ids, (nano.newline_id, nano.eos_id))))
    texts = np.split(ids[1:whole], np.flatnonzero(ids[1:whole] == nano.eos_id))
    for text in texts:
      text = text[text != nano.eos_id].tolist()
      assert nano.encode(nano.decode(text)) == text


def test_every_layout_and_weight_occurs(nano):
  weights = np.concatenate(
    [stream.row(STAGE, nano, seed=str(seed))[1] for seed in range(50)]
  )
  assert set(weights.tolist()) == {0.0, 1.0, 0.25, 2.0, 4.0}
  for mode in STAGE.modes:
    only = dataclasses.replace(STAGE, modes={mode: 1})
    ids, _ = stream.row(only, nano, seed='s')
    text = nano.decode(ids)
    assert ('In other words' in text) == (mode == 'local')
    assert ('Together with the above' in text) == (mode == 'global')
    assert (nano.eos_id in ids) == (mode != 'context')


# --- what is held out -------------------------------------------------------


def test_rounds_are_statements_about_each_document(nano):
  def lines(rounds):
    stage = dataclasses.replace(
      STAGE,
      facts=(3, 3),
      families={'comparisons': 1},
      modes={'context': 1},
      rounds=rounds,
    )
    stage = dataclasses.replace(stage, length=2)  # one episode fills it
    text = nano.decode(stream.written(stage, nano, seed='one').ids)
    return text.strip().split('\n')

  documents = lines(0)
  assert len(documents) == 3
  for rounds in (1, 5):
    assert lines(rounds)[:3] == documents
    assert len(lines(rounds)) == 3 + 3 * rounds


def held_out(tokenizer):
  """Returns the id pairs of evaluation words, in lower case and capitalised."""
  words = lexicon.words(evaluation=True)
  return {
    tuple(tokenizer.encode(said))
    for word in words
    for said in (word, lexicon.title([word]))
  }


def evaluation_words(ids, tokenizer, pairs, known):
  """Finds evaluation words in a row: as ids, and as whole words in any case."""
  ids = ids.tolist()
  found = [
    tokenizer.decode(pair) for pair in itertools.pairwise(ids) if pair in pairs
  ]
  # The last word of a row may be cut.
  words = re.findall('[a-z0-9]+', tokenizer.decode(ids).lower())[:-1]
  return found + [word for word in words if word in known]


@pytest.mark.parametrize('name', configured()[0])
def test_no_evaluation_word_is_pretrained_on(nano, name):
  stages, seed = configured()
  stage = stages[name]
  before = list(stages).index(name)
  step = sum(s.steps for s in list(stages.values())[:before])
  pairs, known = held_out(nano), set(lexicon.words(evaluation=True))
  found = []
  for n in range(300 if stage.length < 1000 else 60):
    row = f'{seed}/{step + n // stage.rows}/{n % stage.rows}'
    ids, _ = stream.row(stage, nano, seed=row)
    found += evaluation_words(ids, nano, pairs, known)
  assert found == []


@pytest.mark.slow
def test_no_evaluation_word_is_anywhere_in_the_stream(nano):
  """Takes minutes: every row of the recipe.

  A word that a random string happens to spell has to be excluded from the
  evaluation lexicon.
  """
  stages, seed = configured()
  pairs, known = held_out(nano), set(lexicon.words(evaluation=True))
  found, begun = set(), 0
  for stage in stages.values():
    for step, r in itertools.product(range(stage.steps), range(stage.rows)):
      ids, _ = stream.row(stage, nano, seed=f'{seed}/{begun + step}/{r}')
      found.update(evaluation_words(ids, nano, pairs, known))
    begun += stage.steps
  assert found == set()


def test_the_search_for_evaluation_words_finds_them(nano):
  pairs, known = held_out(nano), set(lexicon.words(evaluation=True))
  word = lexicon.words(evaluation=True)[0]
  for said in (word, word.capitalize(), f'{word}an'):
    ids = np.asarray(nano.encode(f'the {said} is one.'))
    assert evaluation_words(ids, nano, pairs, known)
  assert not evaluation_words(
    np.asarray(nano.encode('the one is.')), nano, pairs, known
  )
