"""User mistakes: a message that helps, and no files left behind."""

import math
import shutil

import ml_collections
import pytest

from icl_gen import assets, augment, build, evaluate, pretrain, train
from icl_gen.model import prefix_cache
from icl_gen.pretraining import vocabulary
from icl_gen.runs import directories, models, stages
from icl_gen.runs.stage import Stage
from icl_gen.sampling import resumable
from icl_gen.scoring import scorer
from icl_gen.storage import checksums, corpus_files, files, scores
from icl_gen.training import loop
from icl_gen.types import Corpus
from icl_gen.worlds import catalog
from tests import tiny

# A file other than the tokenizer that a model was trained with.
OTHER = __file__

# --- as commands ------------------------------------------------------------


@pytest.fixture(scope='module')
def built(experiment, tmp_path_factory):
  """A workdir with a corpus."""
  workdir = tmp_path_factory.mktemp('built')
  build.run(experiment(), workdir)
  return workdir


@pytest.mark.parametrize(
  ('door', 'more', 'messages'),
  [
    ('train', [], ['reversal-s0', 'run `python -m icl_gen.build`']),
    # Found before anything is read.
    ('train', ['--config.train.length=5000'], ['5,000 tokens', '3,072']),
    ('train', ['--config.model=gemma9'], ["--config.model='gemma9'; allowed"]),
    ('build', ['--config.world=reversals'], ["'reversals'", 'syllogism']),
    (
      'evaluate',
      ['--config.condition=tf'],
      ["'tf'", 'pretrained, icl, ft, ft'],
    ),
  ],
)
def test_mistakes_before_a_corpus_is_built(
  commands, flags, tmp_path, door, more, messages
):
  check(commands.run(door, *flags, *more), messages)
  assert list(tmp_path.rglob('*')) == []


@pytest.mark.parametrize(
  ('door', 'more', 'messages'),
  [
    ('evaluate', [], ['ft-nano-s0/params', 'run `python -m icl_gen.train`']),
    (
      'train',
      ['--config.train.length=8'],
      ['row holds 8: give --config.train.length='],
    ),
    ('train', ['--config.checkpoint=/none'], ['/none', 'no checkpoint']),
  ],
)
def test_mistakes_after_the_corpus_is_built(
  commands, flags, built, door, more, messages
):
  before = sorted(built.rglob('*'))
  check(commands.run(door, *flags, *more, f'--workdir={built}'), messages)
  # Nothing keeps the corrected command from working in the same place.
  assert sorted(built.rglob('*')) == before


def check(ended, messages):
  assert ended.code == 2, ended.stderr
  assert ended.stderr.startswith('error: ')
  assert 'Traceback' not in ended.stderr
  for message in messages:
    assert message in ended.stderr
  # The message, and the hint at --debug.
  assert ended.stderr.count('\n') == 2


def test_commands_that_work_are_quiet_on_stderr(commands, flags, tmp_path):
  assert commands.greeting.read_text() == ''
  for door in ('build', 'train', 'evaluate'):
    ended = commands.run(door, *flags)
    assert (ended.code, ended.stderr) == (0, '')
    assert ended.stdout


# --- as functions -----------------------------------------------------------


def changed(config, **changes):
  """The config with other values for dotted keys."""
  thawed = ml_collections.ConfigDict(config)
  thawed.update_from_flattened_dict(changes)
  return ml_collections.FrozenConfigDict(thawed)


def refuses(door, config, changes, workdir, message):
  """Checks that a door raises this message."""
  condition = 'icl' if door is evaluate else 'ft'
  config = changed(config, **({'condition': condition} | changes))
  with pytest.raises(ValueError, match=message):
    door.run(config, workdir)


@pytest.mark.parametrize(
  ('door', 'changes', 'message'),
  [
    (augment, {}, 'reversal-s0.*run `python -m icl_gen.build`'),
    (evaluate, {}, 'reversal-s0.*run `python -m icl_gen.build`'),
    (build, {'world': 'syllogism'}, "'facts'.*keys are examples"),
    (build, {'size.facts': 0}, 'empty world.*facts=0'),
    (build, {'size.facts': 100_000}, '200000 nonsense words.*smaller'),
    (train, {'condition': 'tf'}, "'tf'; allowed are pretrained, icl, ft"),
    (train, {'condition': 'icl'}, "'icl' does not train.*ft, ft_aug"),
  ],
)
def test_mistakes_leave_the_workdir_empty(
  experiment, tmp_path, door, changes, message
):
  with pytest.raises(ValueError, match=message):
    door.run(changed(experiment(), **changes), tmp_path)
  assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
  ('door', 'changes', 'message'),
  [
    (train, {'condition': 'ft_aug'}, 'augmented-nano.*run .*icl_gen.augment'),
    (train, {'train.loss_on': 'all'}, "loss_on='all'; allowed are text"),
    (train, {'train.splitting': 'words'}, "'words'; allowed are none"),
    (train, {'train.optimizer': 'sgd'}, "'sgd'; allowed are adamw"),
    (train, {'train.batch_size': 3}, '3 rows.*8 devices'),
    (augment, {'checkpoint': '/none'}, 'no checkpoint at .*/none'),
    (augment, {'augment.documents_per_fact': 0}, 'per_fact=0; give 1 to 100'),
    (
      augment,
      {'augment.local_samples': 0, 'augment.global_samples': 0},
      'global_samples=0: nothing would be sampled; give 1 or more',
    ),
    (evaluate, {'tokenizer': '/none'}, 'no tokenizer at .*/none'),
    (evaluate, {'context.factor': 0}, 'context.factor=0; give 1 to'),
    (evaluate, {'context.budget': 5}, 'a context of 5 tokens'),
    (
      evaluate,
      {'context.kind': 'recalled', 'context.agree': 5},
      'documents=4 samples of each cue, of which .*agree=5 have to be the same',
    ),
    (evaluate, {'context.kind': 'web'}, "'web'; allowed are all, oracle, bm25"),
    (
      evaluate,
      {'context.kind': 'oracle', 'context.distractors': 99},
      'forward-0000.*99 distractors, but only 15',
    ),
    (
      evaluate,
      {'size.facts': 7},
      r'size.facts=6, now it is 7.*icl_gen.build` again',
    ),
    (
      train,
      {'size.facts': 7},
      r'size.facts=6, now it is 7.*icl_gen.build` again',
    ),
    (
      augment,
      {'size.facts': 7},
      r'size.facts=6, now it is 7.*icl_gen.build` again',
    ),
    (train, {'train.report_every': 0}, 'report_every=0; give 1 to'),
    (train, {'train.learning_rate': math.nan}, 'learning_rate=nan; give more'),
    (train, {'train.learning_rate': math.inf}, 'learning_rate=inf; give more'),
    (train, {'train.warmup_steps': -2}, 'warmup_steps=-2; give 0 to'),
    (train, {'train.clip': -1.0}, 'clip=-1.0; give more than 0'),
    (train, {'train.steps': 0}, 'train.steps=0; give 1 to'),
    (train, {'seed': -1}, '--config.seed=-1; give 0 to'),
    (train, {'dtype': 'float17'}, "'float17'; allowed are float32, bfloat16"),
    (evaluate, {'dtype': 'int32'}, "'int32'; allowed are float32, bfloat16"),
    (train, {'train.save_every': 0}, 'save_every=0; give 1'),
    (evaluate, {'chat': True}, "no turns .no pieces '<start_of_turn>'"),
    (train, {'train.length': 5000}, 'takes 5,000 tokens, more than the 3,072'),
    (augment, {'augment.max_tokens': 0}, 'max_tokens=0; give 1 to 1,000,000'),
    (evaluate, {'scoring.contexts_gib': math.inf}, 'contexts_gib=inf; give 0'),
    (evaluate, {'scoring.core': 'fast'}, "'fast'; allowed are auto, plain"),
    (evaluate, {'scoring.questions': 0}, 'scoring.questions=0; give 1 to'),
    (evaluate, {'scoring.data': 9}, 'needs 9; there are 8'),
    (evaluate, {'scoring.model': 4}, '2 heads cannot be split over 4'),
    (evaluate, {'model': 'nano_small'}, 'is not of this model'),
    (evaluate, {'model': 'gemma9'}, "'gemma9'; allowed are nano"),
    (
      evaluate,
      {'model': 'gemma3_1b', 'checkpoint': ''},
      "'gemma3_1b' is not embedded: give --config.checkpoint=PATH",
    ),
  ],
)
def test_mistakes_leave_no_new_files(experiment, built, door, changes, message):
  before = sorted(built.rglob('*'))
  refuses(door, experiment(), changes, built, message)
  assert sorted(built.rglob('*')) == before


@pytest.mark.parametrize(
  ('door', 'condition', 'longest', 'what'),
  [
    (evaluate, 'icl', 50, r'longest question \(with its context\)'),
    (evaluate, 'pretrained', 5, r'longest question'),
    (augment, 'ft', 50, 'longest prompt'),
  ],
)
def test_rows_longer_than_the_models_context_are_an_error(
  experiment, built, monkeypatch, door, condition, longest, what
):
  """The message has both numbers; nothing is computed."""
  monkeypatch.setitem(models._LONGEST, 'nano', longest)
  monkeypatch.setattr(prefix_cache.PrefixCache, 'encode', None)
  monkeypatch.setattr(scorer, 'score', None)
  config = changed(experiment(), condition=condition)
  message = rf'{what}.* takes \d+ tokens, more than the {longest} that'
  with pytest.raises(ValueError, match=message):
    door.run(config, built)


def test_a_corpus_that_its_world_no_longer_generates_is_not_augmented(
  experiment, built, monkeypatch
):
  made = catalog.build
  monkeypatch.setattr(
    catalog, 'build', lambda name, *, seed, **size: made(name, seed=7, **size)
  )
  with pytest.raises(ValueError, match='reversal-s0 is not what its world'):
    augment.run(experiment(), built)


def test_a_tokenizer_of_another_model_is_an_error(experiment, built, tmp_path):
  other = tmp_path / 'other.model'
  other.write_bytes(tiny.tokenizer_bytes())
  config = changed(experiment(), condition='icl', tokenizer=str(other))
  with pytest.raises(ValueError, match='tokenizer has 1792 pieces'):
    evaluate.run(config, built)


def test_ft_aug_is_not_trained_on_an_augmentation_without_documents(
  experiment, built, tmp_path
):
  workdir = tmp_path / 'out'
  shutil.copytree(built, workdir)
  augmented = directories.augmented(
    workdir, world='reversal', seed=0, model='nano'
  )
  made = {'lines': 5, 'dropped': {'empty': 2, 'unfinished': 3}}
  corpus_files.write(Corpus(augmented.name, (), (), made), augmented)
  source = directories.corpus(workdir, world='reversal', seed=0)
  of = {'corpus': corpus_files.read_manifest(source)['sha256']}
  files.write_sealed_json(Stage('augment', augmented, of).settings_file, of)
  before = sorted(workdir.rglob('*'))
  with pytest.raises(ValueError) as refused:
    train.run(experiment(condition='ft_aug'), workdir)
  for words in (
    str(augmented),
    'of 5 sampled lines none was kept (dropped: 2 empty, 3 unfinished)',
    'run `python -m icl_gen.augment` again',
  ):
    assert words in str(refused.value)
  assert sorted(workdir.rglob('*')) == before


def test_a_corpus_without_questions_is_not_scored(
  experiment, built, tmp_path, monkeypatch
):
  shutil.copytree(built, tmp_path / 'out')
  read = corpus_files.read_manifest
  monkeypatch.setattr(
    corpus_files, 'read_manifest', lambda path: read(path) | {'questions': {}}
  )
  with pytest.raises(ValueError, match='reversal-s0 has no questions to score'):
    evaluate.run(experiment(condition='icl'), tmp_path / 'out')


def test_pretraining_needs_as_many_pieces_as_embeddings(pretraining, tmp_path):
  for pieces in (2400, 50):
    with pytest.raises(ValueError, match=f"{pieces} pieces, model 'nano' 2304"):
      pretrain.run(changed(pretraining, vocabulary=pieces), tmp_path)
  assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
  ('reversals', 'message'),
  [
    (3.0, r'--config.stages.1_short.reversals=3.0; give 0 to 1'),
    (
      0.0,
      r"no family '\w+' with .*stages.1_short.reversals=0.0; there are comp",
    ),
  ],
)
def test_reversals_of_a_stage_are_checked(
  pretraining, tmp_path, reversals, message
):
  config = ml_collections.ConfigDict(pretraining.to_dict())
  config.stages['1_short'].reversals = reversals
  with pytest.raises(ValueError, match=message):
    pretrain.run(ml_collections.FrozenConfigDict(config), tmp_path)
  assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_pretraining_without_checkpoints_can_be_corrected(
  pretraining, monkeypatch, tmp_path
):
  """Its tokenizer is trained again."""

  def stop(path):
    raise ValueError('stopped')

  monkeypatch.setattr(
    vocabulary, 'train', lambda *, size, seed: str(size).encode()
  )
  monkeypatch.setattr(pretrain.tokens, 'load', stop)
  for pieces in (2200, 2304):
    with pytest.raises(ValueError, match='stopped'):
      pretrain.run(changed(pretraining, vocabulary=pieces), tmp_path)
    made = tmp_path / 'pretrain' / 'nano' / 'tokenizer.model'
    assert made.read_text() == str(pieces)


def test_following_the_message_builds_again(experiment, tmp_path):
  build.run(experiment(), tmp_path)
  other = changed(experiment(), **{'size.facts': 7})
  with pytest.raises(ValueError, match='size.facts=6') as refused:
    build.run(other, tmp_path)
  named = [
    tmp_path / 'corpora' / name
    for name in ('reversal-s0', 'reversal-s0.settings')
  ]
  assert all(str(path) in str(refused.value) for path in named)
  # Deleting the settings alone is not enough.
  shutil.move(named[1], tmp_path / 'kept')
  with pytest.raises(ValueError, match='build.config.json.*created with'):
    build.run(other, tmp_path)
  shutil.move(tmp_path / 'kept', named[1])
  shutil.rmtree(named[0])
  build.run(other, tmp_path)
  assert len(corpus_files.read(named[0]).questions) == 14


def test_a_corpus_without_its_manifest_is_built_again(experiment, tmp_path):
  build.run(experiment(), tmp_path)
  directory = directories.corpus(tmp_path, world='reversal', seed=0)
  corpus = corpus_files.read(directory)
  for path in directory.iterdir():
    path.unlink()
  build.run(experiment(), tmp_path)
  assert corpus_files.read(directory) == corpus


def test_batches_of_pretraining_must_suit_the_devices(pretraining, tmp_path):
  stages = {f'stages.{name}.rows': 3 for name in pretraining.stages}
  with pytest.raises(ValueError, match=r'3 rows.*8 devices'):
    pretrain.run(changed(pretraining, **stages), tmp_path)
  assert not list(tmp_path.rglob('*.json'))


@pytest.fixture(scope='module')
def finished(experiment, built, compile_once, tmp_path_factory):
  """A workdir in which every door has finished."""
  workdir = tmp_path_factory.mktemp('finished') / 'out'
  shutil.copytree(built, workdir)
  for door, condition in (
    (train, 'ft'),
    (augment, 'ft'),
    (evaluate, 'icl'),
    (evaluate, 'ft'),
  ):
    door.run(experiment(condition=condition), workdir)
  return workdir


@pytest.mark.parametrize(
  ('door', 'change', 'message'),
  [
    (build, {'size.facts': 7}, 'size.facts=6, now it is 7'),
    (train, {'train.steps': 5}, 'steps=4, now it is 5'),
    (train, {'tokenizer': 'o'}, "tokenizer=.*now it is 'o'"),
    (evaluate, {'context.factor': 2}, 'context.factor=3, now it'),
    (augment, {'context.factor': 2}, r'=\[3, 0\], now it is \[2, 0'),
    (augment, {'augment.temperature': 0.1}, 'temperature=0.7, now'),
    (augment, {'train.length': 40}, 'length=48, now it is 40'),
    # A cell is scored with the tokenizer and dtype that it was trained with.
    (
      evaluate,
      {'condition': 'ft', 'tokenizer': OTHER},
      'tokenizer_is=.*icl_gen.train` again',
    ),
    (
      evaluate,
      {'condition': 'ft', 'dtype': 'bfloat16'},
      "dtype='float32', now it is 'bfloat16'.*icl_gen.train` again",
    ),
  ],
)
def test_a_stage_that_is_finished_keeps_its_settings(
  experiment, finished, door, change, message
):
  refuses(door, experiment(), change, finished, message)


@pytest.mark.parametrize('what', ['checkpoint', 'tokenizer'])
@pytest.mark.parametrize('door', [train, augment, evaluate])
def test_a_file_replaced_under_the_same_path_is_noticed(
  experiment, finished, door, what
):
  """Its fingerprint differs."""
  condition = 'icl' if door is evaluate else 'ft'
  again = experiment(condition=condition)
  door.run(again, finished)
  before = checksums.fingerprint(again[what])
  with pytest.MonkeyPatch.context() as patch:
    fingerprint = checksums.fingerprint
    patch.setattr(
      checksums,
      'fingerprint',
      lambda path: 'new' if str(path) == again[what] else fingerprint(path),
    )
    with pytest.raises(ValueError, match=f"{what}_is='{before}', now .*'new'"):
      door.run(again, finished)


def test_embedded_weights_that_changed_are_noticed(monkeypatch, tmp_path):
  def fingerprints():
    return stages.of_model('nano', checkpoint='', tokenizer='', dtype='float32')

  before = fingerprints()
  assert before['checkpoint_is'] and before['tokenizer_is']
  (tmp_path / 'nano').mkdir()
  shutil.copy(OTHER, tmp_path / 'tokenizer.model')
  monkeypatch.setattr(assets, 'path', lambda name: str(tmp_path / name))
  now = fingerprints()
  for what in ('checkpoint_is', 'tokenizer_is'):
    assert before[what] != now[what]


def test_weights_that_changed_after_they_were_scored_are_noticed(
  experiment, finished, tmp_path
):
  shutil.copytree(finished, tmp_path / 'out')
  config = experiment(condition='ft')
  evaluate.run(config, tmp_path / 'out')
  (params,) = tmp_path.glob('out/runs/reversal-ft-*/params')
  (params / 'd').mkdir(exist_ok=True)
  (params / 'd' / 'other').write_text('numbers')
  with pytest.raises(ValueError, match='created with checkpoint_is='):
    evaluate.run(config, tmp_path / 'out')


@pytest.mark.parametrize(
  ('door', 'changes', 'broken', 'message'),
  [
    (augment, {}, (resumable, 'sample'), 'the disk is full'),
    (build, {'seed': 1}, (corpus_files, 'write'), 'the disk is full'),
    (train, {}, (loop, 'loop'), 'the disk is full'),
    (evaluate, {}, (scores, 'write_scores'), 'the disk is full'),
  ],
)
def test_settings_without_results_may_be_overwritten(
  experiment, built, tmp_path, monkeypatch, door, changes, broken, message
):
  """The corrected command, or a smaller one, works in the same place."""
  workdir = tmp_path / 'out'
  shutil.copytree(built, workdir)
  condition = 'pretrained' if door is evaluate else 'ft'

  def full(*args, **kwargs):
    raise OSError('the disk is full')

  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(*broken, full)
    with pytest.raises((ValueError, OSError), match=message):
      door.run(changed(experiment(condition=condition), **changes), workdir)
  corrected = {
    augment: {'context.factor': 2},
    build: {'seed': 1, 'size.facts': 4},
    train: {'train.steps': 2},
    evaluate: {'scoring.generate': True},
  }[door]
  door.run(changed(experiment(condition=condition), **corrected), workdir)
