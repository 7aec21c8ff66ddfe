"""Worlds by name: the same name, seed and size give the same corpus."""

import pytest

from icl_gen.worlds import catalog

SMALL = {
  'reversal': {'facts': 3, 'documents_per_fact': 2},
  'syllogism': {'examples': 3},
  'celebrity': {'people': 4, 'phrasings': 2},
  'process': {'examples': 3, 'questions': 2},
  'codebook': {'words': 8, 'books': 1, 'held_out': 4},
}


@pytest.mark.parametrize('name', SMALL)
def test_seeds_are_names_of_worlds_too(name):
  built = catalog.build(name, seed=0, **SMALL[name])
  assert built == catalog.build(name, seed=0, **SMALL[name])
  assert built[1] != catalog.build(name, seed=1, **SMALL[name])[1]
  assert built[0].name == name


def test_worlds_of_one_seed_do_not_share_their_words():
  _, reversals = catalog.build('reversal', seed=0, facts=9)
  _, syllogisms = catalog.build('syllogism', seed=0, examples=6)
  words = [
    {
      word
      for d in corpus.documents
      for f in d.facts
      for word in (f.subject, f.object)
    }
    for corpus in (reversals, syllogisms)
  ]
  assert words[0] != words[1]


def test_unknown_worlds_are_refused():
  with pytest.raises(ValueError, match="'reversals'; known are reversal, syl"):
    catalog.build('reversals', seed=0)


@pytest.mark.parametrize(
  ('name', 'size'),
  [
    ('reversal', {'facts': 3, 'examples': 3}),
    ('syllogism', {'facts': 3}),
    ('celebrity_files', {'facts': 3}),
  ],
)
def test_sizes_of_another_world_are_refused(name, size):
  with pytest.raises(ValueError, match=f"not of world '{name}'.*its keys are"):
    catalog.build(name, seed=0, **size)
