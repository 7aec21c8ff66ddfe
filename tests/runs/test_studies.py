"""A study's own settings: names, seeds and models."""

import dataclasses

import pytest

from icl_gen.runs import studies
from tests.runs.test_experiments import EXPERIMENT

VALUES = {
  'name': 'study',
  'experiments': {'reversal': dataclasses.asdict(EXPERIMENT)},
  'main_kinds': {'reversal': 'reversal'},
  'conditions': ('icl',),
  'seeds': (0,),
  'models': ('nano',),
  'checkpoint': '',
  'tokenizer': '',
  'dtype': '',
}


@pytest.mark.parametrize('name', ['study', 'my study', '.hidden', 'a..b'])
def test_a_study_is_named_after_a_directory(name):
  assert studies.read(VALUES | {'name': name}).name == name


@pytest.mark.parametrize(
  'name', ['', '.', '..', '../x', 'a/b', '/x', 'x/', 'a\\b', 'a\0b']
)
def test_a_study_is_not_written_outside_the_workdir(name):
  with pytest.raises(ValueError, match='^name=.*: give the name of a dir'):
    studies.read(VALUES | {'name': name})
