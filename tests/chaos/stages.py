"""Every command of the study: its flags, and where it writes.

Everything is under one directory, the study's own (`root`): a door that is
called on its own with that directory as its --workdir shares the study's files.
"""

import dataclasses
import pathlib
import shutil

from icl_gen.runs import directories

ROOT = pathlib.Path(__file__).parents[2]
_SETTINGS = ROOT / 'tests/chaos/settings.py'
_CORPUS = 'corpora/reversal-s0'
_AUGMENTED = f'{_CORPUS}-augmented-nano'


def run_of(condition):
  """Directory of a cell in the study."""
  return f'runs/reversal-{condition}-nano-s0'


@dataclasses.dataclass(frozen=True)
class Command:
  """A door with what it is given.

  Attributes:
    name: e.g. 'train ft'.
    door: e.g. 'train'.
    config: the config and its overrides.
    outputs: where it writes in the study's directory; globs.
    stale: results of other commands that it makes out of date.
  """

  name: str
  door: str
  config: tuple[str, ...]
  outputs: tuple[str, ...]
  stale: tuple[str, ...] = ()

  def flags(self, root, model):
    """The flags.

    Args:
      root: the study's directory.
      model: flags of the weights and the tokenizer.
    """
    workdir = pathlib.Path(root)
    if self.door in ('study', 'report'):
      workdir = workdir.parent
    flags = (*self.config, f'--workdir={workdir}')
    return flags if self.door == 'pretrain' else (*flags, *model)

  def undo(self, root):
    """Deletes what the command wrote."""
    for pattern in (*self.outputs, *self.stale):
      for path in sorted(pathlib.Path(root).glob(pattern)):
        if path.is_dir() and not path.is_symlink():
          shutil.rmtree(path)
        else:
          path.unlink()


def _cell(door, condition, outputs, stale=()):
  config = (f'--config={_SETTINGS}:cell', f'--config.condition={condition}')
  name = door if door in ('build', 'augment') else f'{door} {condition}'
  return Command(name, door, config, outputs, stale)


def _scores(condition):
  names = ('scores.parquet', 'scored.jsonl', 'evaluate.config.json')
  return tuple(f'{run_of(condition)}/{name}' for name in names)


def _all():
  yield _cell('build', 'ft', (_CORPUS, f'{_CORPUS}.settings'))
  yield _cell('augment', 'ft', (_AUGMENTED, f'{_AUGMENTED}.settings'))
  for condition in directories.TRAINED:
    trained = ('params', 'checkpoints', 'train.config.json', 'metrics.jsonl*')
    yield _cell(
      'train',
      condition,
      tuple(f'{run_of(condition)}/{name}' for name in (*trained, 'events.*')),
      # Weights that are trained again are the same, but their files are not.
      _scores(condition),
    )
  for condition in directories.CONDITIONS:
    yield _cell('evaluate', condition, _scores(condition))
  for form in ('hf', 'lm_eval'):
    yield Command(
      f'export {form}',
      'export',
      (f'--config={_SETTINGS}:cell', f'--to={form}'),
      tuple(f'exports/*-{form}{end}' for end in ('', '.settings')),
    )
  yield Command(
    'measure', 'measure', (f'--config={_SETTINGS}:measure',), ('measure',)
  )
  yield Command(
    'pretrain',
    'pretrain',
    (f'--config={ROOT}/configs/pretrain.py:tiny',),
    ('pretrain',),
  )
  of_report = ('report', 'report.config.json')
  study = (f'--config={_SETTINGS}',)
  yield Command('report', 'report', study, of_report)
  yield Command('study', 'study', study, ('corpora', 'runs', *of_report))


COMMANDS = {command.name: command for command in _all()}
