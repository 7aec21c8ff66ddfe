"""Every corpus and every cell has a directory of its own."""

import pytest

from icl_gen.runs import directories


def test_no_two_stages_write_to_one_place(tmp_path):
  cells = [
    (world, condition, model, seed)
    for world in ('reversal', 'celebrity')
    for condition in directories.CONDITIONS
    for model in ('nano', 'nano_small')
    for seed in (1, 11)
  ]
  found = [
    directories.run(tmp_path, world=w, condition=c, model=m, seed=s)
    for w, c, m, s in cells
  ]
  found += {
    directories.corpus(tmp_path, world=w, seed=s) for w, _, _, s in cells
  }
  found += {
    directories.augmented(tmp_path, world=w, seed=s, model=m)
    for w, _, m, s in cells
  }
  assert len(set(found)) == len(found)
  assert set(directories.TRAINED) < set(directories.CONDITIONS)


def test_unknown_conditions_are_errors(tmp_path):
  with pytest.raises(ValueError, match="'tf'; allowed are pretrained, icl, ft"):
    directories.run(tmp_path, world='w', condition='tf', model='m', seed=0)
