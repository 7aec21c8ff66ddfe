"""All doors in order; running them again changes nothing."""

import contextlib
import hashlib
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from icl_gen import augment, build, evaluate, pretrain, train
from icl_gen.pretraining import stream
from icl_gen.runs import directories
from icl_gen.storage import corpus_files, files, scores

ORDER = [
  (build, 'ft'),
  (train, 'ft'),
  (augment, 'ft'),
  (train, 'ft_aug'),
  *((evaluate, condition) for condition in directories.CONDITIONS),
]


def go_through(experiment, workdir):
  """Runs every door; returns what each printed."""
  printed = []
  for door, condition in ORDER:
    with contextlib.redirect_stdout(io.StringIO()) as out:
      door.run(experiment(condition=condition), workdir)
    printed.append(out.getvalue())
  return printed


def everything(folder):
  """Time and digest of everything in a folder."""
  return {
    str(path.relative_to(folder)): (
      path.stat().st_mtime_ns,
      path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    for path in sorted(folder.rglob('*'))
  }


@pytest.fixture(scope='module')
def workdir(experiment, compile_once, tmp_path_factory):
  return tmp_path_factory.mktemp('pulse')


@pytest.fixture(scope='module')
def printed(experiment, workdir):
  return go_through(experiment, workdir)


def found(workdir, condition):
  """The scores of a cell, as one array, and their metadata."""
  directory = run_of(workdir, condition)
  path = directory / 'scores.parquet'
  values = [
    (choice.logp, choice.logp_unconditional)
    for score in scores.read_scores(path)
    for choice in score.choices
  ]
  return np.asarray(values), json.loads(
    pq.read_schema(path).metadata[scores.METADATA_KEY]
  )


def run_of(workdir, condition):
  return directories.run(
    workdir, world='reversal', condition=condition, model='nano', seed=0
  )


def test_every_door_prints_what_it_did(printed):
  for (door, _), text in zip(ORDER, printed, strict=True):
    for words in {
      build: ['built'],
      train: ['step 4/4', 'weights: ', 'nano-s0/params\n'],
      augment: ['augmented', 'reversal-s0-augmented-nano\n'],
      evaluate: ['scored', 'reversal', 'chance 50.0', 'scores.parquet\n'],
    }[door]:
      assert words in text


def test_every_question_is_scored_in_every_condition(printed, workdir):
  corpus = corpus_files.read(
    directories.corpus(workdir, world='reversal', seed=0)
  )
  for condition in directories.CONDITIONS:
    directory = run_of(workdir, condition)
    answered = scores.read_scores(directory / 'scores.parquet')
    assert [s.question_id for s in answered] == [q.id for q in corpus.questions]
    assert [s.answers for s in answered] == [
      q.answers for q in corpus.questions
    ]


def test_no_two_conditions_score_alike(printed, workdir):
  values = {c: found(workdir, c)[0] for c in directories.CONDITIONS}
  for one in values:
    for other in values:
      differ = one != other
      assert (values[one][:, 0] != values[other][:, 0]).any() == differ
  # Log-probabilities without a prompt do not depend on the context.
  np.testing.assert_array_equal(values['icl'][:, 1], values['pretrained'][:, 1])


def test_only_condition_icl_has_a_context(printed, workdir):
  for condition in directories.CONDITIONS:
    _, metadata = found(workdir, condition)
    seen = metadata['context_documents'], metadata['context_left_out']
    assert seen == ((6, 12) if condition == 'icl' else (0, 0))
    assert (metadata['context_tokens'] > 20) == (condition == 'icl')


def test_training_writes_metrics_and_checkpoints(printed, workdir):
  for condition in directories.TRAINED:
    directory = run_of(workdir, condition)
    records = files.read_json_lines(directory / 'metrics.jsonl')
    assert [record['step'] for record in records] == [2, 4]
    assert list(directory.glob('events.out.tfevents.*'))
    steps = {path.name for path in (directory / 'checkpoints').iterdir()}
    assert {'2', '4'} <= steps


def test_inferences_are_documents_with_an_origin(printed, workdir):
  source = directories.corpus(workdir, world='reversal', seed=0)
  directory = directories.augmented(
    workdir, world='reversal', seed=0, model='nano'
  )
  given = {document.id for document in corpus_files.read_documents([source])}
  corpus = corpus_files.read(directory)
  assert corpus.questions == ()
  assert corpus.documents
  for document in corpus.documents:
    details = dict(document.origin.details)
    assert set(document.origin.parents) < given
    assert document.origin.kind in ('local', 'global')
    assert details['model'] == 'nano'
    assert details['verdict'] == 'unparsed'  # the weights are random
  manifest = corpus.manifest
  dropped = sum(manifest['dropped'].values())
  assert len(corpus.documents) + dropped == manifest['lines']
  for kind, cost in manifest['costs'].items():
    assert cost['requests'] == 6
    assert cost['tokens_in'] > cost['requests'] <= cost['tokens_out']
    assert (cost['context_tokens'] > 0) == (kind == 'global')


def test_a_second_time_changes_no_file(printed, experiment, workdir):
  before = everything(workdir)
  again = go_through(experiment, workdir)
  for (door, _), first, second in zip(ORDER, printed, again, strict=True):
    line, *others = second.splitlines()
    assert line.startswith('nothing to do, complete already: ')
    # The accuracies are the same.
    assert others == (first.splitlines()[-4:] if door is evaluate else [])
  assert everything(workdir) == before


def test_the_same_experiment_elsewhere_gives_the_same_result(
  printed, experiment, workdir, same_weights, tmp_path
):
  for door, condition in ORDER[:2]:
    door.run(experiment(condition=condition), tmp_path)
  ours, theirs = (
    everything(directories.corpus(folder, world='reversal', seed=0))
    for folder in (workdir, tmp_path)
  )
  assert {k: v[1] for k, v in ours.items()} == {
    k: v[1] for k, v in theirs.items()
  }
  assert same_weights(
    run_of(workdir, 'ft') / 'params', run_of(tmp_path, 'ft') / 'params'
  )


@pytest.mark.slow
def test_where_and_how_it_is_computed_does_not_change_scores(
  printed, experiment, workdir, tmp_path
):
  scoring = {
    'questions': 5,
    'core': 'blockwise',
    'data': 2,
    'model': 2,
    'generate': True,
  }
  config = experiment(condition='icl', scoring=scoring)
  build.run(config, tmp_path)
  with contextlib.redirect_stdout(io.StringIO()) as out:
    evaluate.run(config, tmp_path)
  values, _ = found(tmp_path, 'icl')
  np.testing.assert_allclose(values, found(workdir, 'icl')[0], atol=1e-4)
  answered = scores.read_scores(run_of(tmp_path, 'icl') / 'scores.parquet')
  assert f'scored 5/{len(answered)}\nscored 10/' in out.getvalue()
  assert None not in [score.exact for score in answered]


def test_pretraining_makes_a_model_that_the_doors_take(
  pretraining, experiment, compile_once, pytestconfig, tmp_path
):
  pretrain.run(pretraining, tmp_path)
  directory = tmp_path / 'pretrain' / 'nano'
  ships = pytestconfig.rootpath / 'icl_gen/assets/tokenizer.model'
  made = directory / 'tokenizer.model'
  assert made.stat().st_size == ships.stat().st_size
  records = files.read_json_lines(directory / 'metrics.jsonl')
  assert [record['step'] for record in records] == [2, 3, 4, 6]

  before = everything(tmp_path)
  pretrain.run(pretraining, tmp_path)
  assert everything(tmp_path) == before

  learned = experiment(
    condition='pretrained',
    checkpoint=str(directory / 'params'),
    tokenizer=str(made),
  )
  for door in (build, evaluate):
    door.run(learned, tmp_path)
  assert (run_of(tmp_path, 'pretrained') / 'scores.parquet').exists()


def test_pretrainings_time_left_covers_all_its_stages():
  tiny = {'rows': 2, 'families': {}, 'modes': {}, 'facts': (1, 1)}
  weights = dict.fromkeys(
    ('document_weight', 'decisive_weight', 'lookup_weight'), 1.0
  )
  stages = [
    stream.Stage(
      steps=steps, length=length, learning_rate=(1, 1), **tiny, **weights
    )
    for steps, length in ((3, 10), (2, 100))
  ]
  left = [
    pretrain._seconds_left(stages, number, {'tokens_per_second': 20.0})
    for number in range(6)
  ]
  assert left == [23.0, 22.0, 21.0, 20.0, 10.0, 0.0]
