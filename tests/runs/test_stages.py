"""The settings of a stage are what decides its result."""

import dataclasses

import pytest

from configs import reversal as recipe
from icl_gen.runs import experiments, stages
from icl_gen.runs.stage import Stage
from icl_gen.storage import corpus_files, files
from icl_gen.worlds import reversal

EXPERIMENT = experiments.read(recipe.get_config('').to_dict())


@pytest.fixture
def trained(tmp_path):
  """The stage of training, under changed settings, on a corpus."""
  _, corpus = reversal.build(seed='0', facts=6, documents_per_fact=2)
  directory = stages.directories.corpus(tmp_path, world='reversal', seed=0)
  corpus_files.write(corpus, directory)
  built = Stage('build', directory, {'size': dict(EXPERIMENT.size)})
  files.write_sealed_json(built.settings_file, built.settings)

  def make(*, chat, **changes):
    train = dataclasses.replace(EXPERIMENT.train, **changes)
    changed = dataclasses.replace(EXPERIMENT, train=train, chat=chat)
    return stages.train(changed, tmp_path)

  return make


def test_how_the_questions_are_asked_that_choose_decides_the_weights(trained):
  choosing = {'evaluate_every': 20, 'keep_best': True}
  plain, chat = (trained(chat=c, **choosing) for c in (False, True))
  assert plain.directory == chat.directory
  assert 'chat' not in plain.settings  # as before it was recorded
  assert chat.settings == plain.settings | {'chat': True}


def test_how_other_questions_are_asked_does_not(trained):
  assert trained(chat=True).settings == trained(chat=False).settings
