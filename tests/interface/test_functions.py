"""The interface gives what the rooms give, and changes nothing it is given."""

import subprocess
import sys

import jax
import numpy as np
import pytest

import icl_gen as ig
from icl_gen import assets
from icl_gen.model import initialisation, registry
from icl_gen.model.loading import Model
from icl_gen.sampling import sampler
from icl_gen.sampling.sampler import Completion
from icl_gen.scoring import scorer
from icl_gen.text import context as contexts
from icl_gen.text import prompts, tokens
from tests.doors import forks

SIZE = {'facts': 6, 'documents_per_fact': 2}


@pytest.fixture(scope='module')
def model():
  """nano with two layers and random weights, which compiles in seconds."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setitem(registry.NANO, 'nano', forks.SHRUNK)
    tokenizer = tokens.load(assets.path('tokenizer.model'))
    module = registry.make_module('nano')
    module = registry.with_rows(module, tokenizer.size)
    params = initialisation.make_params(module, seed=0)
    return Model('nano', module, params, tokenizer)


@pytest.fixture(scope='module')
def world():
  return ig.world('reversal', **SIZE)


def leaves(model):
  return [np.array(leaf) for leaf in jax.tree.leaves(model.params)]


def test_importing_stays_light():
  heavy = ('jax', 'numpy', 'pandas', 'tensorflow', 'gemma')
  code = (
    'import sys, icl_gen; icl_gen.__dir__();'
    f' print([name for name in {heavy} if name in sys.modules])'
  )
  done = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True, check=True
  )
  assert done.stdout == '[]\n'


def test_an_unknown_name_is_an_attribute_error():
  with pytest.raises(AttributeError, match="no attribute 'scroe'"):
    _ = ig.scroe


def test_a_world_prints_what_is_in_it(world):
  assert repr(world) == (
    "World 'reversal': 6 facts, 12 documents; questions: 6 forward, 6 reversal"
  )
  assert ig.world('reversal', seed=1, **SIZE) != world


def test_a_world_told_in_another_way_has_the_size_of_the_first():
  one, other = ig.world('reversal'), ig.world('reversal_forms')
  assert len(one.documents) == len(other.documents)
  assert not {d.text for d in one.documents} & {d.text for d in other.documents}
  with pytest.raises(ValueError, match="unknown world 'reversed'"):
    ig.world('reversed')


def test_scores_are_those_of_the_scorer(model, world):
  context = contexts.build(
    world.documents, seed='0', count_tokens=model.tokenizer.count
  )
  for given, wanted in ((), contexts.NONE), (world.documents, context):
    found = ig.score(model, world.questions, context=given)
    assert found.scores == scorer.score(model, world.questions, wanted)


def test_accuracy_and_frame_agree(model, world):
  found = ig.score(model, world.questions)
  frame, accuracy = found.frame(), found.accuracy()
  assert list(frame.index) == [q.id for q in world.questions]
  for kind, row in accuracy.iterrows():
    right = frame[frame['kind'] == kind]['right']
    assert (row['questions'], row['accuracy']) == (len(right), right.mean())
    assert row['low'] < row['accuracy'] < row['high'] or right.nunique() == 1
  for question, (_, row) in zip(world.questions, frame.iterrows(), strict=True):
    assert set(row['logp']) == set(question.choices)
    assert row['chosen'] == max(row['logp'], key=row['logp'].get)
  assert 'reversal' in repr(found)
  assert '<table' in found._repr_html_()


def test_texts_may_stand_for_documents(model):
  asked = ig.question('The capital of Blorp is', [' Zed', ' Quon'], answer=1)
  alone = ig.score(model, asked).scores[0]
  after = ig.score(model, asked, context=['The capital of Blorp is Quon.'])
  assert after.scores[0].choices != alone.choices
  assert after.scores[0].answers == (1,)
  with pytest.raises(ValueError, match='a list of texts, not one text'):
    ig.score(model, asked, context='The capital of Blorp is Quon.')


def test_too_much_context_is_an_error(model, world):
  long = [f'{document.text} ' * 400 for document in world.documents]
  with pytest.raises(ValueError, match='tokens'):
    ig.score(model, world.questions, context=long)


@pytest.mark.slow
def test_inferences_are_repeatable_documents(world):
  model = ig.load()  # noise writes no lines
  found, again, other = (
    ig.infer(model, world.documents, max_tokens=32, seed=seed)
    for seed in (3, 3, 4)
  )
  assert found == again
  assert found != other
  # One prompt for each fact, and every line is kept or counted.
  assert len(found) + sum(found.dropped.values()) >= SIZE['facts']
  ids = {document.id for document in world.documents}
  assert {p for d in found for p in d.origin.parents} <= ids
  assert list(found.frame()['text']) == [document.text for document in found]


def test_inferences_are_asked_for_in_the_wording_that_is_named(
  model, world, monkeypatch
):
  def sample(model, requests, *given, **settings):
    asked[:] = [request.prompt for request in requests]
    return [[Completion(r.name, 'A line.', 1, 1, True) for r in requests]]

  asked, found = [], {}
  monkeypatch.setattr(sampler, 'sample', sample)
  for name in prompts.WORDINGS:
    ig.infer(model, [world.documents[0]], prompt=name)
    found[name] = asked[0]
  text = world.documents[0].text
  assert found == {
    name: prompts.local(text, wording=name) for name in prompts.WORDINGS
  }
  with pytest.raises(ValueError, match="prompt 'tense'; known are contin"):
    ig.infer(model, world.documents, prompt='tense')


def test_an_audit_knows_what_is_stated_and_what_follows(world):
  fact = world.truth.facts[0]
  stated = next(d.text for d in world.documents if fact in d.facts)
  entailed = next(
    q for q in world.questions if q.kind == 'reversal' and fact in q.premises
  )
  follows = entailed.prompt + entailed.choices[entailed.answers[0]] + '.'
  wrong = next(c for c in entailed.choices if c not in follows)
  texts = (stated, follows, entailed.prompt + wrong + '.', 'No such sentence.')
  found = ig.audit(world, texts)
  labels = [verdict.label for verdict in found.verdicts]
  assert labels[:2] == ['stated', 'entailed']
  assert labels[2] in ('contradicted', 'unknown')
  assert labels[3] == 'unparsed'
  assert found.counts()['texts'].sum() == 4
  assert list(found.frame()['verdict']) == labels
  with pytest.raises(ValueError, match='a list of texts, not one text'):
    ig.audit(world, stated)  # not a text of every letter


def test_finetuning_learns_and_leaves_the_given_model_alone(model, world):
  before, lines = leaves(model), []
  tuned = ig.finetune(
    model, world.documents, steps=30, report_every=10, report=lines.append
  )
  for one, other in zip(before, leaves(model), strict=True):
    np.testing.assert_array_equal(one, other)
  losses = [float(line.split()[-1]) for line in lines]
  assert len(losses) == 3
  assert losses[-1] < losses[0] - 1
  again = ig.finetune(model, world.documents, steps=30, report=None)
  for one, other in zip(leaves(tuned), leaves(again), strict=True):
    np.testing.assert_array_equal(one, other)


def test_settings_of_training_are_checked(model, world):
  with pytest.raises(TypeError, match='learning_rat'):
    ig.finetune(model, world.documents, learning_rat=1.0)
  with pytest.raises(ValueError, match='learning_rate'):
    ig.finetune(model, world.documents, learning_rate=-1.0)
  with pytest.raises(ValueError, match='no documents'):
    ig.finetune(model, [])
