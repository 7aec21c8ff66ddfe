"""A control is written like inferences, with the tokens that these have."""

import collections
import json

import ml_collections
import pytest

from configs import reversal
from icl_gen import assets, augment, build
from icl_gen.augmentation import matching
from icl_gen.storage import corpus_files
from icl_gen.text import tokens

PLAIN = 'reversal-s0-augmented-nano'


def config(**augmentation):
  found = reversal.get_config('tiny')
  found.augment.update(augmentation)
  return ml_collections.FrozenConfigDict(found)


@pytest.fixture(scope='module')
def workdir(tmp_path_factory):
  """With a control in the place of a model's inferences, which take longer."""
  folder = tmp_path_factory.mktemp('controls')
  build.run(config(), folder)
  augment.run(config(source='wrong_pairs', tokens=300), folder)
  return folder


def test_it_has_the_tokens_of_the_inferences(workdir, capsys):
  oracle = config(source='oracle', noise=0.5, name='oracle')
  augment.run(oracle, workdir)
  paths = [workdir / 'corpora' / f'{PLAIN}{name}' for name in ('', '+oracle')]
  count = tokens.load(assets.path('tokenizer.model')).count
  sizes = [
    matching.tokens(
      [document.text for document in corpus_files.read_documents([path])], count
    )
    for path in paths
  ]
  assert sizes == pytest.approx([300, 300], abs=8)
  rows = [
    json.loads(line)
    for line in (paths[1] / 'generated.jsonl').read_text().splitlines()
  ]
  verdicts = collections.Counter(row['verdict'] for row in rows)
  assert verdicts['contradicted'] == round(len(rows) / 2)
  assert verdicts['contradicted'] + verdicts['entailed'] == len(rows)
  assert {row['model'] for row in rows} == {'none'}
  capsys.readouterr()
  augment.run(oracle, workdir)
  assert 'complete already' in capsys.readouterr().out
  with pytest.raises(ValueError, match='created with noise=0.5, now it is'):
    augment.run(config(source='oracle', name='oracle'), workdir)


def test_a_control_needs_what_it_is_compared_with(workdir):
  other = config(source='oracle', name='b', match='none')
  with pytest.raises(ValueError, match=rf'no .*{PLAIN}\+none.*run .*augment'):
    augment.run(other, workdir)


def test_the_model_has_no_settings_of_controls(workdir):
  with pytest.raises(ValueError, match='augment.noise=0.5 with .*source=model'):
    augment.run(config(noise=0.5), workdir)
