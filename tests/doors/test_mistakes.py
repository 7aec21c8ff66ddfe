"""A person's mistakes: exit 2, a message that helps, and nothing is left."""

import pytest

from icl_gen.data import places

# door, further flags, what the message says
AT_ONCE = [
  ('train', [], ['reversal-s0', 'run `python -m icl_gen.build`']),
  ('augment', [], ['reversal-s0', 'run `python -m icl_gen.build`']),
  ('evaluate', [], ['reversal-s0', 'run `python -m icl_gen.build`']),
  ('build', ['--config.world=reversals'], ["'reversals'", 'syllogism']),
  ('build', ['--config.world=syllogism'], ["'facts'", 'examples']),
  ('build', ['--config.size.facts=0'], ['empty world', 'facts=0']),
  ('build', ['--config.size.facts=100000'], ['200000', 'smaller']),
  (
    'evaluate',
    ['--config.condition=tf'],
    ["'tf'", 'pretrained, icl, ft, ft_aug'],
  ),
  ('train', ['--config.condition=tf'], ["'tf'", 'pretrained, icl, ft, ft_aug']),
  ('train', ['--config.condition=icl'], ["'icl' does not train", 'ft, ft_aug']),
]
AFTER_BUILD = [
  ('evaluate', [], ['ft-nano-s0', 'not trained', 'icl_gen.train']),
  (
    'train',
    ['--config.condition=ft_aug'],
    ['augmented-nano', 'run `python -m icl_gen.augment`'],
  ),
  ('train', ['--config.train.length=8'], ['a row holds 8', 'raise the length']),
  ('train', ['--config.train.loss_on=all'], ["'all'", "'completion'"]),
  ('train', ['--config.train.splitting=words'], ["'words'", 'cumulative']),
  ('train', ['--config.train.optimizer=sgd'], ["'sgd'", "'adamw'"]),
  ('train', ['--config.train.batch_size=3'], ['3 rows', '8 devices']),
  ('train', ['--config.checkpoint=/none'], ['/none', 'no checkpoint']),
  ('augment', ['--config.checkpoint=/none'], ['/none', 'no checkpoint']),
  ('augment', ['--config.augment.documents_per_fact=0'], ['0 documents per']),
  (
    'evaluate',
    ['--config.condition=icl', '--config.tokenizer=/none'],
    ['/none', 'no tokenizer'],
  ),
  (
    'evaluate',
    ['--config.condition=icl', '--config.tokenizer=setup.py'],
    ['setup.py', 'not a SentencePiece model'],
  ),
  (
    'evaluate',
    ['--config.condition=icl', '--config.context.factor=0'],
    ['factor 0'],
  ),
  (
    'evaluate',
    ['--config.condition=icl', '--config.context.budget=5'],
    ['5 tokens'],
  ),
  (
    'evaluate',
    ['--config.condition=pretrained', '--config.model=nano_small'],
    ['is not of this model'],
  ),
  (
    'evaluate',
    ['--config.condition=pretrained', '--config.model=gemma9'],
    ["'gemma9'", 'gemma3_1b'],
  ),
  (
    'evaluate',
    [
      '--config.condition=pretrained',
      '--config.model=gemma3_1b',
      '--config.checkpoint=',
    ],
    ["'gemma3_1b' is not embedded", '--config.checkpoint=PATH'],
  ),
]


def check(ended, messages):
  assert ended.code == 2, ended.stderr
  assert ended.stderr.startswith('error: ')
  assert 'Traceback' not in ended.stderr
  for message in messages:
    assert message in ended.stderr
  # One message, and where to see more of it.
  assert ended.stderr.count('\n') <= 3


@pytest.mark.parametrize(('door', 'more', 'messages'), AT_ONCE)
def test_mistakes_before_anything_is_there(
  commands, flags, tmp_path, door, more, messages
):
  check(commands.run(door, *flags, *more), messages)
  assert list(tmp_path.rglob('*')) == []


@pytest.fixture(scope='module')
def built(commands, noise, tmp_path_factory):
  """A workdir with a corpus."""
  workdir = tmp_path_factory.mktemp('built')
  ended = commands.run(
    'build', '--config=configs/reversal.py:tiny', f'--workdir={workdir}'
  )
  assert (ended.code, ended.stderr) == (0, '')
  return workdir


@pytest.mark.parametrize(('door', 'more', 'messages'), AFTER_BUILD)
def test_mistakes_after_the_corpus_is_built(
  commands, flags, built, door, more, messages
):
  before = sorted(built.rglob('*'))
  ended = commands.run(door, *flags, *more, f'--workdir={built}')
  check(ended, messages)
  # Nothing keeps the mended command from working in the same place.
  assert sorted(built.rglob('*')) == before


def test_another_size_in_the_same_place_is_refused(commands, built):
  ended = commands.run(
    'build',
    '--config=configs/reversal.py:tiny',
    '--config.size.facts=7',
    f'--workdir={built}',
  )
  check(ended, ['size.facts=6, now it is 7', 'another --workdir'])
  assert places.corpus(built, world='reversal', seed=0).exists()


def test_batches_of_pretraining_must_suit_the_devices(commands, tmp_path):
  ended = commands.run(
    'pretrain',
    '--config=configs/pretrain.py:tiny',
    f'--workdir={tmp_path}',
    '--config.stages.1_short.rows=3',
  )
  check(ended, ['3 rows', '8 devices'])
