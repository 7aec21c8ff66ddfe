"""Targets of generated texts are distributions; rows stay as they are."""

import dataclasses

import numpy as np
import pytest

from icl_gen.runs.experiments import Training
from icl_gen.storage.distributions import Distributions
from icl_gen.training import inputs
from icl_gen.types import Document, Origin
from tests import tiny

TRAIN = Training(steps=6, length=24, batch_size=2)
DISTILLED = dataclasses.replace(TRAIN, targets='distribution')
GENERATED = Origin('local', ('a',))
DOCUMENTS = (
  Document('a', 'The glon is blue and red.'),
  Document('b', 'Some femp.'),
  Document('c', 'Blue is the glon.', origin=GENERATED),
  Document('d', 'Red is the femp, too.', origin=GENERATED),
)
FIELDS = ('tokens_BxL', 'weights_BxL', 'positions_BxL', 'segments_BxL')


def ids(document):
  return np.int32(tiny.model().tokenizer.encode(document.text))


def made(document, *, K=4, places=None):
  """Distributions of all but the first token, or of so many."""
  rng = np.random.default_rng(len(document.text))
  N = len(ids(document)) - 1 if places is None else places
  likeliest_NxK = np.argsort(rng.random((N, tiny.VOCABULARY)))[:, :K]
  logps_NxK = np.log(rng.dirichlet(np.ones(K + 1), N)[:, :K])
  return Distributions(
    ids(document),
    likeliest_NxK.astype(np.int32),
    logps_NxK.astype(np.float32),
  )


FOUND = {one.id: made(one) for one in DOCUMENTS[2:]}


def batches(train=DISTILLED, distributions=FOUND, documents=DOCUMENTS):
  return inputs.make(
    documents,
    tiny.model().tokenizer,
    train,
    model='nano',
    seed=0,
    distributions=distributions,
  )


def test_tokens_order_and_steps_are_those_of_training_on_tokens():
  plain, distilled = list(batches(TRAIN, None)), list(batches())
  assert len(plain) == len(distilled) == TRAIN.steps
  for one, other in zip(plain, distilled, strict=True):
    assert one.targets is None and other.targets is not None
    for field in FIELDS:
      np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


def test_every_place_has_its_own_target():
  """Its distribution, scaled to 1; elsewhere, its token."""
  length, seen = TRAIN.length, set()
  for batch in batches():
    targets = batch.targets
    assert targets.ids_BxLxK.shape == (TRAIN.batch_size, length, 4)
    np.testing.assert_allclose(targets.shares_BxLxK.sum(-1), 1, atol=1e-6)
    for b, segments_L in enumerate(batch.segments_BxL):
      for number in range(1, segments_L.max() + 1):
        here = b, segments_L == number
        ids_L = batch.tokens_BxL[here]
        (name,) = (
          d.id for d in DOCUMENTS if np.array_equal(ids(d), ids_L[1:-1])
        )
        seen.add(name)
        wanted = np.zeros((len(ids_L), tiny.VOCABULARY))
        wanted[np.arange(len(ids_L)), ids_L] = 1
        if name in FOUND:
          own = FOUND[name]
          places = np.arange(2, len(ids_L) - 1)
          wanted[places] = 0
          mass_N = np.exp(own.logps_NxK).sum(axis=1)
          assert (mass_N < 0.99).any()
          np.put_along_axis(
            wanted[places[0] : places[-1] + 1],
            own.likeliest_NxK,
            np.exp(own.logps_NxK) / mass_N[:, None],
            axis=1,
          )
        given = np.zeros_like(wanted)
        rows = np.arange(len(ids_L))[:, None]
        np.add.at(
          given,
          (rows, targets.ids_BxLxK[here]),
          targets.shares_BxLxK[here],
        )
        np.testing.assert_allclose(given, wanted, atol=1e-6)
  assert seen == {document.id for document in DOCUMENTS}


def test_a_teacher_that_is_certain_gives_the_tokens():
  sure = {
    document.id: Distributions(
      ids(document),
      ids(document)[:, None],
      np.zeros((len(ids(document)), 1), np.float32),
    )
    for document in DOCUMENTS[2:]
  }
  for batch in batches(distributions=sure):
    np.testing.assert_array_equal(
      batch.targets.ids_BxLxK[..., 0], batch.tokens_BxL
    )
    np.testing.assert_array_equal(batch.targets.shares_BxLxK, 1)


def test_without_generated_documents_the_tokens_are_the_targets():
  (first, *_) = batches(distributions={}, documents=DOCUMENTS[:2])
  assert first.targets is None


def test_resumed_batches_are_those_of_an_uninterrupted_run():
  whole = list(batches())
  begun = batches()
  for _ in range(2):
    next(begun)
  again = batches()
  again.restore(begun.state())
  for one, other in zip(whole[2:], again, strict=True):
    for field in ('ids_BxLxK', 'shares_BxLxK'):
      np.testing.assert_array_equal(
        getattr(one.targets, field), getattr(other.targets, field)
      )


def test_a_position_of_other_distributions_is_not_resumed():
  state = batches(distributions=FOUND | {'d': made(DOCUMENTS[3], places=1)})
  with pytest.raises(ValueError, match='resume with the same data'):
    batches().restore(state.state())


@pytest.mark.parametrize(
  ('distributions', 'message'),
  [
    (None, "targets='tokens' here"),
    ({'c': FOUND['c']}, "document 'd' has no distributions.*likeliest=32"),
    (FOUND | {'d': FOUND['c']}, "of 'd' are of other tokens.*same tokenizer"),
  ],
)
def test_missing_distributions_are_a_mistake(distributions, message):
  with pytest.raises(ValueError, match=message):
    batches(distributions=distributions)
