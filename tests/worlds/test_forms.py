"""Worlds in held-out forms: the same facts, other words, nothing else new."""

import hashlib

import pytest

from icl_gen.text.forms.split import PARTS
from icl_gen.worlds import audit, catalog
from tests.worlds import paper

WORLDS = (
  'reversal',
  'syllogism',
  'celebrity',
  'semantic',
  'process',
  'codebook',
)
# What the embedded models' studies drew before there were held-out forms.
DIGESTS = {
  'reversal': '6a4a57d2ab10ad15',
  'syllogism': '2e10f2eff5e9a867',
  'celebrity': 'b34a3658ba5e3487',
  'semantic': '0ccefb23b8bc6d34',
  'process': '796f8a66a0a476b5',
  'codebook': 'aac158a5c4997052',
}


# Smaller than nano's, for speed.
SMALL = {
  'reversal': {'facts': 8},
  'syllogism': {'examples': 12},
  'celebrity': {'people': 4, 'phrasings': 3},
  'semantic': {'categories': 12, 'documents': 36, 'questions': 8},
  'process': {'questions': 6},
  'codebook': {'words': 8, 'books': 2, 'documents_per_fact': 1},
}


def nano(name, **changes):
  return catalog.build(name, seed=0, **catalog.SIZES[name]['nano'] | changes)


def build(name, **changes):
  plain = name.removesuffix('_forms')
  size = catalog.SIZES[plain]['nano'] | SMALL[plain]
  return catalog.build(name, seed=0, **size | changes)


def digest(corpus):
  said = [(d.id, d.text, d.prompt_length) for d in corpus.documents]
  said += [
    (q.id, q.prompt, q.choices, q.answers, q.kind, q.stratum)
    for q in corpus.questions
  ]
  return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


@pytest.mark.parametrize('name', WORLDS)
def test_the_default_is_what_was_drawn_before(name):
  world, corpus = nano(name)
  assert digest(corpus) == DIGESTS[name]
  assert (world, corpus) == nano(name, forms='seen')
  assert 'forms' not in corpus.manifest


@pytest.mark.parametrize('part', PARTS[1:])
@pytest.mark.parametrize('name', WORLDS)
def test_a_world_in_held_out_forms_passes_its_audit(name, part):
  world, corpus = build(name, forms=part)
  assert audit.audit(world, corpus)['complaints'] == []
  assert corpus.manifest['forms'] == part
  # As many questions of every kind, about the same names and numbers.
  _, seen = build(name)
  if name != 'semantic':  # Its wrong choices are fitted to the wording.
    assert [q.id for q in corpus.questions] == [q.id for q in seen.questions]
  assert not {d.text for d in corpus.documents} & {
    d.text for d in seen.documents
  }


@pytest.mark.parametrize('part', PARTS[1:])
@pytest.mark.parametrize(
  ('name', 'changes'),
  [
    ('syllogism', {'style': 'varied', 'by_form': True}),
    ('semantic', {'style': 'varied', 'told_backwards': 0.3, 'reworded': True}),
    ('process', {'style': 'long'}),
    ('celebrity', {'names': 'plain'}),
  ],
)
def test_every_style_passes_its_audit_in_held_out_forms(name, part, changes):
  found = audit.audit(*build(name, forms=part, **changes))
  assert found['complaints'] == []


@pytest.mark.parametrize('name', WORLDS)
def test_the_world_that_is_told_again_draws_the_same(name):
  again, told = build(f'{name}_forms')
  assert (again, told) == build(name, forms='test')
  assert again.name == name  # so that its reader and audit are found


def test_the_largest_world_can_be_told_in_test_forms():
  _, corpus = paper.build('celebrity', seed='s', people=4, forms='test')
  assert len(corpus.documents) == 4 * 4 * 30
  with pytest.raises(ValueError, match='phrasings=30.* allowed is 1 to 9'):
    paper.build('celebrity', seed='s', people=4, forms='development')


@pytest.mark.parametrize('name', WORLDS)
def test_unknown_forms_are_an_error(name):
  message = rf"{name} with forms='unseen'; allowed are .*'development', 'test'"
  with pytest.raises(ValueError, match=message):
    build(name, forms='unseen')


def test_rewordings_share_no_words_with_what_is_stated():
  """All but the names, and small words."""
  _, corpus = build('semantic', reworded=True)
  stated = '\n'.join(document.text.lower() for document in corpus.documents)
  asked = [q for q in corpus.questions if q.kind == 'rephrase']
  assert asked
  for question in asked:
    right = question.choices[question.answers[0]]
    whole = f'{question.prompt}{right}'.lower().split()
    ending = ' '.join(whole[-3:])
    assert ending not in stated
