"""The undisturbed study, and the states of it that rounds begin with."""

import json
import os
import pathlib
import shutil

from icl_gen.model import registry
from tests.chaos import judge, results
from tests.chaos.commands import Commands
from tests.chaos.settings import NAME
from tests.chaos.stages import COMMANDS, ROOT
from tests.doors import forks, noise

TOKENIZER = ROOT / 'icl_gen/assets/tokenizer.model'
# State -> the command that was killed in it, before it printed this.
INTERRUPTED = {
  'training': ('train ft', 'step 6/8'),
  'training with inferences': ('train ft_aug', 'step 8/8'),
  'training with fewer inferences': (f'train {NAME}', 'step 8/8'),
  'sampling': ('augment', 'sampled 72/72'),
  'sampling after all documents': ('augment', 'sampled 6/6'),
  'scoring': ('evaluate icl', 'scored 8/10'),
  'scoring the last': ('evaluate ft', 'scored 10/10'),
  'pretraining': ('pretrain', 'step 6/6'),
  'own, reporting': ('study own', 'report of'),
  'study, training': ('study', '] train reversal-ft_aug'),
  'study, scoring': ('study', '] evaluate reversal-ft_aug'),
}
# What is run, so that everything is there.
_ALL = (
  *('study', 'study own'),
  *('export hf', 'export lm_eval', 'measure', 'pretrain'),
)


class Reference:
  """States of the study on disk, and what is known of them.

  Attributes:
    folder: where they are.
    results: of the finished study; see results.py.
    seconds: seconds of the processor that each command takes.
    touches: how often each command touches a path in the study's directory.
  """

  def __init__(self, folder):
    self.folder = pathlib.Path(folder)
    known = json.loads((self.folder / 'known.json').read_text())
    self.results = known['results']
    self.seconds, self.touches = known['seconds'], known['touches']

  @property
  def model_flags(self):
    return _model_flags(self.folder)

  @property
  def interrupted(self):
    """Names of the states in which a command was killed."""
    return [name for name in INTERRUPTED if self.state(name).is_dir()]

  def state(self, name):
    """Directory of a state: 'finished', 'empty', or one of INTERRUPTED."""
    return self.folder / 'states' / name


def _model_flags(folder):
  noise_path = folder / 'noise' / 'params'
  return (
    f'--config.checkpoint={noise_path}',
    f'--config.tokenizer={TOKENIZER}',
  )


def make(folder):
  """Runs the study and everything else once; returns the Reference.

  Args:
    folder: an empty directory.
  """
  registry.NANO['nano'] = forks.SHRUNK
  noise.write(folder / 'noise' / 'params', tokenizer=TOKENIZER)
  states = folder / 'states'
  (states / 'empty').mkdir(parents=True)
  commands = Commands(folder / 'commands', compiled=folder / 'compiled')
  try:
    # In place of a cache of its own in every copy.
    (folder / 'compiled').mkdir(exist_ok=True)
    (states / 'empty' / 'own').mkdir()
    for place in ('compiled', 'own/compiled'):
      os.symlink(folder / 'compiled', states / 'empty' / place)
    root = folder / 'out' / 'study'
    shutil.copytree(states / 'empty', root, symlinks=True)
    _launch_in_vain(commands, root)
    for name in _ALL:
      _succeed(commands, name, root, folder)
    shutil.copytree(root, states / 'finished', symlinks=True)
    seconds, touches = {}, {}
    for name in COMMANDS:  # everything is compiled now
      ended, touches[name] = _counted(commands, name, root, folder)
      seconds[name] = ended.took
      _restart(root, states / 'finished')
    for state, (name, printed) in INTERRUPTED.items():
      _undo(name, root)
      die = {'printed': printed, 'signum': 9}
      door = COMMANDS[name].door
      flags = COMMANDS[name].flags(root, _model_flags(folder))
      ended = commands.run(door, *flags, die=die)
      assert ended.code == -9, (state, ended)
      shutil.copytree(root, states / state, symlinks=True)
      _restart(root, states / 'finished')
  finally:
    commands.close()
  known = {
    'results': results.of_study(states / 'finished'),
    'seconds': seconds,
    'touches': touches,
  }
  (folder / 'known.json').write_text(json.dumps(known, indent=2))
  return Reference(folder)


def _launch_in_vain(commands, root):
  """Leaves the log of a unit that failed, as its weights were missing."""
  flags = [f for f in COMMANDS['launch'].config if f != '--dry_run']
  flags += [f'--workdir={root.parent}', '--config.checkpoint=/missing']
  ended = commands.run('launch', *flags)
  assert ended.code == judge.MISTAKE and list(root.glob('launch/*.log')), ended


def _restart(root, state):
  shutil.rmtree(root)
  shutil.copytree(state, root, symlinks=True)


def _undo(name, root):
  COMMANDS[name].undo(root)


def _succeed(commands, name, root, folder, **options):
  command = COMMANDS[name]
  flags = command.flags(root, _model_flags(folder))
  ended = commands.run(command.door, *flags, limit=600, **options)
  assert ended.code == 0, (name, ended)
  return ended


def _counted(commands, name, root, folder):
  """Runs a command again; returns its end, and how many paths it touched."""
  _undo(name, root)
  count = folder / 'count'
  die = {'under': str(root), 'count': str(count)}
  ended = _succeed(commands, name, root, folder, die=die)
  return ended, int(count.read_text())
