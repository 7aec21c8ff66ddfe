"""Names are told apart, settings are noted once and for all."""

import pytest

from icl_gen.runs import directories
from icl_gen.storage import files

SETTINGS = {
  'seed': 1,
  'rate': 2e-3,
  'facts': (1, 5),
  'train': {'steps': 4, 'optimizer': {'name': 'muon'}},
}


def test_no_two_stages_write_to_one_place(tmp_path):
  cells = [
    (world, condition, model, seed)
    for world in ('reversal', 'celebrity')
    for condition in directories.CONDITIONS
    for model in ('nano', 'nano_small')
    for seed in (1, 11)
  ]
  there = [
    directories.run(tmp_path, world=w, condition=c, model=m, seed=s)
    for w, c, m, s in cells
  ]
  there += {
    directories.corpus(tmp_path, world=w, seed=s) for w, _, _, s in cells
  }
  there += {
    directories.augmented(tmp_path, world=w, seed=s, model=m)
    for w, _, m, s in cells
  }
  assert len(set(there)) == len(there)
  assert set(directories.TRAINED) < set(directories.CONDITIONS)


def test_unknown_conditions_are_refused(tmp_path):
  with pytest.raises(ValueError, match="'tf'; allowed are pretrained, icl, ft"):
    directories.run(tmp_path, world='w', condition='tf', model='m', seed=0)


def test_the_first_claim_notes_and_the_second_is_silent(tmp_path):
  directory = tmp_path / 'new' / 'run'
  directories.claim(directory, 'train', SETTINGS)
  note = directory / 'train.config.json'
  assert files.read_json(note)['train'] == SETTINGS['train']
  before = note.stat()
  directories.claim(directory, 'train', SETTINGS)
  directories.claim(directory, 'train', SETTINGS | {'facts': [1, 5]})
  after = note.stat()
  assert (before.st_mtime_ns, before.st_ino) == (
    after.st_mtime_ns,
    after.st_ino,
  )


@pytest.mark.parametrize('result', ['params', 'checkpoints/2'])
@pytest.mark.parametrize('verb', [directories.claim, directories.check])
@pytest.mark.parametrize(
  ('other', 'message'),
  [
    (SETTINGS | {'seed': 2}, 'seed=1, now it is 2'),
    (SETTINGS | {'facts': (1, 6)}, r'facts=\[1, 5\], now it is \[1, 6\]'),
    (SETTINGS | {'new': 0}, "new='absent', now it is 0"),
    (
      SETTINGS | {'train': {'steps': 4, 'optimizer': {'name': 'adamw'}}},
      "train.optimizer.name='muon', now it is 'adamw'",
    ),
    (
      {k: v for k, v in SETTINGS.items() if k != 'rate'},
      "rate=0.002, now it is 'absent'",
    ),
  ],
)
def test_other_settings_are_refused_and_named(
  tmp_path, verb, other, message, result
):
  directories.claim(tmp_path, 'train', SETTINGS)
  (tmp_path / result).mkdir(parents=True)
  with pytest.raises(ValueError, match=message):
    verb(tmp_path, 'train', other)
  directories.claim(tmp_path, 'train', SETTINGS)


@pytest.mark.parametrize('left', ['', 'checkpoints', 'checkpoints/2.tmp-1'])
def test_a_note_of_which_nothing_came_is_replaced(tmp_path, left):
  (tmp_path / left).mkdir(parents=True, exist_ok=True)
  directories.claim(tmp_path, 'train', SETTINGS)
  other = SETTINGS | {'seed': 2}
  directories.check(tmp_path, 'train', other)
  assert directories.is_noted(tmp_path, 'train', SETTINGS)
  directories.claim(tmp_path, 'train', other)
  assert directories.is_noted(tmp_path, 'train', other)
  directories.forget(tmp_path, 'train')
  assert not directories.is_noted(tmp_path, 'train', other)


def test_parts_of_other_settings_are_deleted(tmp_path):
  part = tmp_path / 'part'
  directories.claim(tmp_path, 'evaluate', SETTINGS, parts=[part])
  part.touch()
  directories.claim(tmp_path, 'evaluate', SETTINGS, parts=[part])
  assert part.exists()
  directories.claim(tmp_path, 'evaluate', SETTINGS | {'seed': 2}, parts=[part])
  assert not part.exists()


def test_results_without_a_note_are_not_taken(tmp_path):
  (tmp_path / 'DONE').touch()
  with pytest.raises(ValueError, match='evaluate.config.json.*how it was made'):
    directories.check(tmp_path, 'evaluate', SETTINGS)


def test_weights_were_trained_with_todays_tokenizer(tmp_path):
  directories.claim(tmp_path, 'train', SETTINGS)
  directories.require_trained_alike(tmp_path, {'rate': 2e-3})
  with pytest.raises(ValueError, match='rate=0.002, now it is 1. .*trained'):
    directories.require_trained_alike(tmp_path, {'rate': 1})


def test_stages_do_not_mind_each_other(tmp_path):
  directories.claim(tmp_path, 'train', SETTINGS)
  directories.claim(tmp_path, 'evaluate', SETTINGS | {'seed': 2})
  (tmp_path / 'DONE').touch()
  with pytest.raises(ValueError, match='seed=2'):
    directories.check(tmp_path, 'evaluate', SETTINGS)


def test_what_is_there_without_its_note_is_not_taken(tmp_path):
  made = tmp_path / 'made'
  assert not directories.is_finished(made, 'build', SETTINGS, whole=False)
  with pytest.raises(ValueError, match='tells how it was made'):
    directories.is_finished(made, 'build', SETTINGS, whole=True)
  directories.claim(directories.note_beside(made), 'build', SETTINGS)
  for whole in (True, False):
    found = directories.is_finished(made, 'build', SETTINGS, whole=whole)
    assert found == whole
  other = SETTINGS | {'seed': 2}
  assert not directories.is_finished(made, 'build', other, whole=False)
  with pytest.raises(ValueError, match='seed=1.*it and .*made.settings'):
    directories.is_finished(made, 'build', other, whole=True)


def test_a_check_leaves_nothing_behind(tmp_path):
  directories.check(tmp_path / 'run', 'train', SETTINGS)
  assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_named_with_its_door(tmp_path):
  (tmp_path / 'half').mkdir()
  for name in ('none', 'half'):
    with pytest.raises(ValueError, match=rf'{name}.*icl_gen\.augment'):
      directories.require(tmp_path / name, door='augment')
  (tmp_path / 'half' / 'manifest.json').write_text('{}')
  directories.require(tmp_path / 'half', door='augment')
