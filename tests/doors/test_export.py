"""Exported weights are the run's: loaded again, they score the same."""

import json
import shutil

import pytest

from icl_gen import build, evaluate, export, train
from icl_gen.runs import directories
from icl_gen.storage import scores


@pytest.fixture(scope='module')
def trained(experiment, compile_once, tmp_path_factory):
  """A workdir with a corpus and fine-tuned weights."""
  workdir = tmp_path_factory.mktemp('trained')
  for door in (build, train):
    door.run(experiment(), workdir)
  return workdir


@pytest.fixture(scope='module')
def folder(experiment, trained):
  """The exported weights."""
  export.run(experiment(), trained, to='safetensors')
  return trained / 'exports' / 'reversal-ft-nano-s0-safetensors'


def scored(config, workdir):
  """The scores of a cell, after evaluating it."""
  evaluate.run(config, workdir)
  cell = directories.run(
    workdir,
    world='reversal',
    condition=config.condition,
    model='nano',
    seed=0,
  )
  return scores.read_scores(cell / 'scores.parquet')


def test_exported_weights_score_as_those_they_are_of(
  experiment, trained, folder, tmp_path, capsys
):
  shutil.copytree(trained / 'corpora', tmp_path / 'corpora')
  # The folder's own tokenizer is used.
  given = {'checkpoint': str(folder), 'tokenizer': ''}
  again = scored(experiment(condition='pretrained', **given), tmp_path)
  assert again == scored(experiment(), trained)
  assert 'casting' not in capsys.readouterr().out


def test_the_folder_says_what_it_is(folder):
  assert {path.name for path in folder.iterdir()} == {
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'special_tokens_map.json',
    'tokenizer.json',
    'tokenizer.model',
    'tokenizer_config.json',
  }
  settings = json.loads((folder / 'config.json').read_text())
  assert settings['architectures'] == ['Gemma3ForCausalLM']
  assert settings['max_position_embeddings'] == 3072


def test_a_second_export_changes_nothing(experiment, trained, folder, capsys):
  before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
  export.run(experiment(), trained, to='safetensors')
  assert before == {path: path.stat().st_mtime_ns for path in folder.iterdir()}
  assert 'exported' not in capsys.readouterr().out


def test_what_cannot_be_exported_is_refused(experiment, trained, tmp_path):
  for config, message in (
    (experiment(condition='ft_aug'), 'run `python -m icl_gen.train`'),
    (experiment(model='gemma4_e2b'), 'cannot use model'),
  ):
    with pytest.raises(ValueError, match=message):
      export.run(config, tmp_path, to='safetensors')
  assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_training_goes_on_from_a_folder(experiment, folder, trained, tmp_path):
  """And its run is used with the folder's tokenizer."""
  shutil.copytree(trained / 'corpora', tmp_path / 'corpora')
  config = experiment(checkpoint=str(folder), tokenizer='')
  train.run(config, tmp_path)
  assert scored(config, tmp_path) != scored(experiment(), trained)
