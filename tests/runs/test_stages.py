"""The settings of a stage are what decides its result."""

import dataclasses

import pytest

from configs import reversal as recipe
from icl_gen.runs import experiments, stages
from icl_gen.runs.stage import Stage
from icl_gen.storage import corpus_files, files, working_copies
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


def complete(training):
  """Leaves what a finished training leaves."""
  training.result.mkdir(parents=True)
  (training.result / 'weights').touch()
  files.write_sealed_json(training.settings_file, training.settings)


def evaluation(workdir, **changes):
  train = dataclasses.replace(EXPERIMENT.train, **changes)
  changed = dataclasses.replace(EXPERIMENT, train=train, condition='ft')
  return stages.evaluate(changed, workdir)


def test_questions_that_chose_the_weights_are_not_scored(trained, tmp_path):
  complete(trained(chat=False, evaluate_every=20, keep_best=True))
  # How often they were asked does not decide which they are.
  left_out = evaluation(tmp_path, evaluate_every=50).settings['development']
  assert left_out == (0.1, '')
  for others in (
    {},
    {'evaluate_every': 20, 'evaluate_share': 0.3},
    {'evaluate_every': 20, 'evaluate_kinds': 'forward'},
  ):
    with pytest.raises(
      ValueError, match=r'must not be scored.*\.evaluate_every=20 '
    ):
      evaluation(tmp_path, **others)


def test_weights_that_nothing_chose_are_scored_on_any_questions(
  trained, tmp_path
):
  complete(trained(chat=False))
  assert 'development' not in evaluation(tmp_path).settings
  assert 'development' in evaluation(tmp_path, evaluate_every=20).settings


@pytest.fixture
def cell(trained, tmp_path):
  """A cell of condition 'ft_aug' whose stages are as if complete."""
  other = dataclasses.replace(EXPERIMENT, condition='ft_aug')
  directory = stages.directories.corpus(tmp_path, world='reversal', seed=0)
  corpus = corpus_files.read(directory)
  made = stages.augmented_directory(other, tmp_path)
  corpus_files.write(
    dataclasses.replace(
      corpus,
      documents=tuple(
        dataclasses.replace(one, id=f'made/{one.id}')
        for one in corpus.documents
      ),
      questions=(),
    ),
    made,
  )
  of = {'corpus': corpus_files.read_manifest(directory)['sha256']}
  augmented = Stage('augment', made, of)
  files.write_sealed_json(augmented.settings_file, of)
  weights = stages.train(other, tmp_path)
  weights.result.mkdir(parents=True)
  files.write_sealed_json(weights.settings_file, weights.settings)
  return other


def test_stages_fit_the_corpus_that_is_there(cell, tmp_path):
  stages.evaluate(cell, tmp_path)
  _, corpus = reversal.build(seed='1', facts=6, documents_per_fact=2)
  directory = stages.directories.corpus(tmp_path, world='reversal', seed=0)
  corpus_files.write(corpus, directory)
  with pytest.raises(ValueError, match='reversal-s0=.*python -m icl_gen.train'):
    stages.evaluate(cell, tmp_path)
  with pytest.raises(ValueError, match='corpus=.*python -m icl_gen.augment'):
    stages.train(cell, tmp_path)


def test_weights_in_a_bucket_have_the_same_name_in_every_command(url):
  def settings():
    with working_copies.opened(url) as root:
      return stages.of_model(
        'nano', checkpoint=str(root / 'x/params'), tokenizer='', dtype='float32'
      )

  assert settings() == settings()
  assert settings()['checkpoint'] == f'{url}/x/params'
