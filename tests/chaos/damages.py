"""Damaged files, in a finished and in an interrupted study."""

import dataclasses
import pathlib

from tests.chaos import damage
from tests.chaos.judge import Failure
from tests.chaos.reference import INTERRUPTED
from tests.chaos.settings import NAME
from tests.chaos.stages import COMMANDS, OWN, run_of

# Where a file is in the study -> commands that read it once their own results
# are gone. The first that fits counts.
_READERS = {
  f'corpora/reversal-s0-augmented-nano+{NAME}': (f'train {NAME}', 'report'),
  'corpora/reversal-s0-augmented-nano': ('train ft_aug', 'report'),
  'corpora/': (
    'augment',
    'evaluate icl',
    'evaluate pretrained',
    'train ft',
    'export hf',
    'export lm_eval',
    'report',
  ),
  'report': ('report', 'study'),
  'study.json': ('status', 'study'),
  'launch': ('status',),
  'own/corpora': ('report own',),
} | {
  f'{run_of(condition, run)}/{what}': (name,)
  for condition, run in (
    *(('ft', ''), ('ft_aug', ''), ('ft_aug', NAME)),
    *(('icl', ''), ('pretrained', '')),
  )
  for what, command in {
    'params': 'evaluate {}',
    'checkpoints': 'train {}',
    'metrics': 'train {}',
    'events': 'train {}',
    'train.config': 'train {}',
    'evaluate.config': 'evaluate {}',
    'scores': 'report',
  }.items()
  if (name := command.format(run or condition)) in COMMANDS
}
# What of a training is deleted, so that it resumes and reads them.
_RESUMES = {'checkpoints': ('params',), 'metrics': ('params', 'checkpoints/8')}
# What has no digest: logs, leftovers of killed commands, and what a complete
# stage does not read any more. Weights are compared array by array.
_HARMLESS = (
  'events.*',
  '*.log',
  'scored.jsonl',
  'sampled.*.jsonl',
  '.*',
  '*.lock',
)
_HARMLESS_IN = ('checkpoints', 'params', 'compiled')
# What is damaged together -> how the paths in it begin. The command of this
# name makes all of it, and a study's says with --verify if it is whole.
AREAS = {
  'study': ('corpora', 'runs', 'report', 'study.json', 'launch'),
  'study own': OWN,
  'measure': ('measure',),
  'pretrain': ('pretrain',),
}
# Areas of finished rounds; a finished pretraining is not read again.
_FINISHED = (*('study',) * 7, 'study own', 'study own', 'measure')


@dataclasses.dataclass(frozen=True)
class _Harmed:
  """A file that was damaged: its path, and what is in it since."""

  path: pathlib.Path
  content: bytes | None


def finished(this):
  """Damages a file of the finished study.

  In half of the rounds a command reads it whose own results are gone. In all,
  the study is then checked and mended until it says that it is whole.
  """
  rng = this.rng
  this.copy('finished')
  area = rng.choice(_FINISHED)
  harmed = _damage(this, _sorts(this.root, AREAS[area]))
  inner = harmed[0].path.relative_to(this.root).as_posix()
  readers = [r for start, r in _READERS.items() if inner.startswith(start)]
  if readers and rng.random() < 0.5:
    name = rng.choice(readers[0])
    _undo(this, name, inner)
    this.succeed(name)
  if area == 'study' and rng.random() < 0.2:
    this.succeed('status')
  _mend(this, area, harmed)


def interrupted(this):
  """Damages files of a study in which a command was killed.

  The command that was killed is run again, then the rest of the study.
  """
  rng = this.rng
  state = rng.choice(this.reference.interrupted)
  this.say(f'state: {state}')
  this.copy(state)
  name, _ = INTERRUPTED[state]
  area = name if name in AREAS else 'study'
  harmed = []
  for _ in range(rng.choice((1, 1, 2))):
    sorts = _sorts(this.root, AREAS[area])
    own = {
      sort: found
      for sort, found in sorts.items()
      if _is_in(found[0].relative_to(this.root), COMMANDS[name].outputs)
    }
    harmed += _damage(this, own if own and rng.random() < 0.7 else sorts)
  this.succeed(name)
  # Lines of a log have no digest before the training ends.
  _mend(this, area, [h for h in harmed if h.path.name != 'metrics.jsonl'])


def _sorts(root, area):
  """The files in some directories of the study, by sort."""
  found = damage.by_sort(root)
  return {s: paths for s, paths in found.items() if s.startswith(area)}


def missed(root):
  """The files under a study's directory that no round damages."""
  every = [path for path in root.rglob('*') if path.is_file()]
  for area in AREAS.values():
    for paths in _sorts(root, area).values():
      every = [path for path in every if path not in paths]
  return every


def _is_in(inner, places):
  paths = (inner, *inner.parents)
  return any(path.match(place) for place in places for path in paths)


def _damage(this, sorts):
  """Damages a file, or swaps two; returns what is harmed."""
  rng = this.rng
  path = rng.choice(sorts[rng.choice(sorted(sorts))])
  harmed = [path]
  if rng.random() < 0.1:
    other = rng.choice(sorts[rng.choice(sorted(sorts))])
    siblings = [p for p in sorted(path.parent.iterdir()) if p.is_file()]
    if len(siblings) > 1 and rng.random() < 0.6:
      other = rng.choice([p for p in siblings if p != path])
    this.say(damage.swap(rng, path, other))
    harmed.append(other)
  else:
    this.say(damage.harm(rng, path))
  return [_Harmed(path, _content(path)) for path in harmed]


def _content(path):
  return path.read_bytes() if path.is_file() else None


def _undo(this, name, inner):
  """Deletes the results of a command, but not what is damaged."""
  command = COMMANDS[name]
  if not _is_in(pathlib.PurePath(inner), command.outputs):
    command.undo(this.root)
    return
  for part, gone in _RESUMES.items():
    if f'/{part}' in inner:
      cell = this.root.joinpath(*pathlib.PurePath(inner).parts[:2])
      for path in (
        *(cell / what for what in gone),
        *(this.root / stale for stale in command.stale),
      ):
        damage.remove(path)


def _mend(this, area, harmed):
  """Makes an area and checks it until it is whole; compares its results."""
  this.succeed(area)
  if COMMANDS[area].door == 'study':
    this.succeed(area, '--verify')
  this.same(_names(this, AREAS[area]))
  for one in harmed if area != 'pretrain' else ():
    _require_mended(this, one)


def _require_mended(this, harmed):
  """Raises Failure if a file is still damaged and nobody noticed."""
  path, inner = harmed.path, harmed.path.relative_to(this.root)
  original = this.reference.state('finished') / inner
  if _content(path) != harmed.content or not original.exists():
    return  # written again, or never a part of the study
  if _content(path) == _content(original):
    return
  harmless = any(path.match(name) for name in _HARMLESS)
  if not harmless and not set(inner.parts) & set(_HARMLESS_IN):
    raise Failure(f'{path} is still damaged, and nothing says so')


def _names(this, area):
  """Results in some directories, without logs and what is drawn of them.

  A damaged line of a log is left out with a warning.
  """
  return [
    name
    for name in this.reference.results
    if name.startswith(area)
    and not name.endswith(('metrics.jsonl', 'curves.png'))
  ]
