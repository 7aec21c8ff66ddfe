"""Commands whose config, or other flags, are hostile."""

import functools
import os

from tests.chaos import features, hostile, judge, settings
from tests.chaos.kills import results_of
from tests.chaos.stages import COMMANDS
from tests.rules import leaves

_LIMIT = 60  # seconds; the same commands take less than 10 when they work
_MEMORY = 8 * 2**30  # bytes
_SHARE_OF_FEATURES, _SHARE_OF_KEYS = 0.45, 0.45  # the rest: other flags


def play(this):
  """Gives a command hostile values.

  It refuses and changes nothing, or it works, or it is stopped as it works for
  too long. Whichever it is, the right command works afterwards.
  """
  rng = this.rng
  name = rng.choice(sorted(COMMANDS))
  command = COMMANDS[name]
  this.copy('finished')
  command.undo(this.root)
  elsewhere = this.folder / 'cwd'
  (elsewhere / 'inner').mkdir(parents=True)
  flags = list(this.flags(name))
  keys, drawn = _keys(command), rng.random()
  stays_inside = True
  if keys and drawn < _SHARE_OF_FEATURES:
    for key, value in features.draw(rng, keys, hostile.VALUES):
      flags.append(f'--config.{key}={value}')
  elif keys and drawn < _SHARE_OF_FEATURES + _SHARE_OF_KEYS:
    for _ in range(rng.choice((1, 1, 2))):
      flags.append(f'--config.{rng.choice(keys)}={rng.choice(hostile.VALUES)}')
  else:
    stays_inside = _change_a_flag(this, flags, elsewhere)
  before, outside = _tree(this.root), _tree(this.folder, without='out')
  ended = this.call(
    command.door,
    *flags,
    limit=_LIMIT,
    memory=_MEMORY,
    cwd=elsewhere / 'inner',
  )
  if ended.late:
    if not ended.stdout:
      raise judge.Failure(f'it was silent for {_LIMIT} s')
  elif judge.ended(ended) == judge.REFUSED:
    this.refused = True
  if stays_inside and _tree(this.folder, without='out') != outside:
    raise judge.Failure('it wrote outside the workdir')
  if this.refused and _tree(this.root) == before:
    return
  this.succeed(name)
  this.same(results_of(this.reference.results, command))


@functools.cache
def _keys_of(variant):
  return [key for key, _ in leaves(settings.get_config(variant))]


def _keys(command):
  if command.door == 'pretrain':
    from configs import pretrain

    return [key for key, _ in leaves(pretrain.get_config('tiny'))]
  if command.door == 'status':
    return []  # it has no config
  if command.door in ('study', 'report', 'launch'):
    return _keys_of('own' if command.name.endswith(' own') else '')
  return _keys_of('measure' if command.door == 'measure' else 'cell')


def _change_a_flag(this, flags, elsewhere):
  """Replaces or adds a flag; returns whether all is still under the workdir."""
  rng = this.rng
  value = rng.choice(hostile.VALUES)
  kinds = ('workdir', 'config', 'variant', 'to', 'more', 'key', 'documents')
  kind = rng.choice((*kinds, 'only'))
  if kind == 'workdir':
    at = next(i for i, flag in enumerate(flags) if flag.startswith('--workdir'))
    (elsewhere / 'file').write_text('not a directory')
    given = rng.choice(
      [elsewhere / 'file', elsewhere / 'file' / 'x', '/dev/null/x', '/proc/x']
      + [elsewhere / (value.strip('/.~') or 'w')] * 4
    )
    flags[at] = f'--workdir={given}'
    return False
  if kind == 'config':
    flags[0] = f'--config={value}'
  elif kind == 'variant':
    flags[0] = f'{flags[0].partition(":")[0]}:{value}'
  elif kind in ('to', 'documents', 'only'):
    flags.append(f'--{kind}={value}')
  elif kind == 'more':
    flags.append(value)
  else:
    flags.append(f'--config.{value}={value}')
  return True


def _tree(folder, *, without=''):
  """Names, sizes and times of everything in a folder."""
  found = {}
  for above, folders, names in os.walk(folder):
    folders[:] = [f for f in folders if f not in (without, 'compiled')]
    for name in (*folders, *names):
      path = os.path.join(above, name)
      stat = os.lstat(path)
      is_directory = name in folders
      found[path] = is_directory or (stat.st_size, stat.st_mtime_ns)
  return found
