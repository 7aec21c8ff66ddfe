"""Every corpus and every cell has a directory of its own."""

import dataclasses

import pytest

from icl_gen.runs import directories


def test_no_two_stages_write_to_one_place(tmp_path):
  cells = [
    (world, condition, model, seed, run)
    for world in ('reversal', 'celebrity')
    for condition in directories.CONDITIONS
    for model in ('nano', 'my-nano-s2')
    for seed in (1, 11)
    for run in ('', 'lr_0.001', 's1', 'a-s1', 'lr_0.001,steps_9')
  ]
  found = [
    directories.run(tmp_path, world=w, condition=c, model=m, seed=s, run=r)
    for w, c, m, s, r in cells
  ]
  # The name of a cell says what it is.
  assert [
    dataclasses.astuple(directories.read_run(path.name)) for path in found
  ] == cells
  found += {
    directories.corpus(tmp_path, world=w, seed=s) for w, _, _, s, _ in cells
  }
  found += {
    directories.augmented(tmp_path, world=w, seed=s, model=m, name=r)
    for w, _, m, s, r in cells
  }
  assert len(set(found)) == len(found)
  assert set(directories.TRAINED) < set(directories.CONDITIONS)


def test_unknown_conditions_are_errors(tmp_path):
  with pytest.raises(ValueError, match="'tf'; allowed are pretrained, icl, ft"):
    directories.run(tmp_path, world='w', condition='tf', model='m', seed=0)


@pytest.mark.parametrize('name', ['corpora', 'w-ft-m', 'w-tf-m-s0', '.lock'])
def test_other_names_are_of_no_cell(name):
  assert directories.read_run(name) is None


@pytest.mark.parametrize(
  'name', ['a/b', '..', 'a+b', '-a', 'a b', 'x' * 101, 'chosen', 'a=1']
)
def test_names_that_a_run_cannot_have(name):
  with pytest.raises(ValueError, match='^--config.run=.*: give up to 100'):
    directories.require_name(name, flag='run')
