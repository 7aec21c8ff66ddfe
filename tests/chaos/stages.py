"""Every command of the study: its flags, and where it writes.

Everything is under one directory, the study's own (`root`): a door that is
called on its own with that directory as its --workdir shares the study's files.
The study of own documents is in a directory of its own there.
"""

import dataclasses
import pathlib
import shutil

from icl_gen.runs import directories
from tests.chaos.settings import LOCAL_SAMPLES, NAME, TEXTS

ROOT = pathlib.Path(__file__).parents[2]
_SETTINGS = ROOT / 'tests/chaos/settings.py'
_CORPUS = 'corpora/reversal-s0'
_AUGMENTED = f'{_CORPUS}-augmented-nano'
# What the study of own documents writes.
OWN = (
  *('own/corpora', 'own/report', 'own/report.config.json'),
  'own/study.json',
)


def run_of(condition, run=''):
  """Directory of a cell in the study."""
  return f'runs/{directories.named(f"reversal-{condition}-nano-s0", run)}'


@dataclasses.dataclass(frozen=True)
class Command:
  """A door with what it is given.

  Attributes:
    name: e.g. 'train ft'.
    door: e.g. 'train'.
    config: the config and its overrides.
    outputs: where it writes in the study's directory; globs.
    stale: results of other commands that it makes out of date.
    above: whether its workdir is the one that the study's directory is in.
  """

  name: str
  door: str
  config: tuple[str, ...]
  outputs: tuple[str, ...]
  stale: tuple[str, ...] = ()
  above: bool = False

  @property
  def writes(self):
    """Whether it writes anything."""
    return bool(self.outputs)

  def flags(self, root, model):
    """The flags.

    Args:
      root: the study's directory.
      model: flags of the weights and the tokenizer.
    """
    workdir = pathlib.Path(root).parent if self.above else root
    flags = (*self.config, f'--workdir={workdir}')
    return flags if self.door in ('pretrain', 'status') else (*flags, *model)

  def undo(self, root):
    """Deletes what the command wrote."""
    for pattern in (*self.outputs, *self.stale):
      for path in sorted(pathlib.Path(root).glob(pattern)):
        if path.is_dir() and not path.is_symlink():
          shutil.rmtree(path)
        else:
          path.unlink()


_OF_NAME = (
  f'--config.run={NAME}',
  f'--config.augment.name={NAME}',
  f'--config.augment.local_samples={LOCAL_SAMPLES[1]}',
)


def _cell(door, condition, outputs, stale=(), run=''):
  config = (f'--config={_SETTINGS}:cell', f'--config.condition={condition}')
  name = door if door in ('build', 'augment') else f'{door} {condition}'
  if run:
    name, config = f'{door} {run}', (*config, *_OF_NAME)
  return Command(name, door, config, outputs, stale)


def _augment(run=''):
  made = directories.named(_AUGMENTED, run)
  return _cell('augment', 'ft', (made, f'{made}.settings'), run=run)


def _train(condition, run=''):
  names = ('params', 'checkpoints', 'train.config.json', 'metrics.jsonl*')
  return _cell(
    'train',
    condition,
    tuple(f'{run_of(condition, run)}/{n}' for n in (*names, 'events.*')),
    # Weights that are trained again are the same, but their files are not.
    _scores(condition, run),
    run,
  )


def _scores(condition, run=''):
  names = ('scores.parquet', 'scored.jsonl', 'evaluate.config.json')
  return tuple(f'{run_of(condition, run)}/{name}' for name in names)


def _all():
  yield _cell('build', 'ft', (_CORPUS, f'{_CORPUS}.settings'))
  yield _augment()
  yield _augment(NAME)
  for condition in directories.TRAINED:
    yield _train(condition)
  yield _train('ft_aug', NAME)
  for condition in directories.CONDITIONS:
    yield _cell('evaluate', condition, _scores(condition))
  yield _cell('evaluate', 'ft_aug', _scores('ft_aug', NAME), run=NAME)
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
  yield from _studies()


def _studies():
  of_report = ('report', 'report.config.json')
  made = ('corpora', 'runs')
  study, own = (f'--config={_SETTINGS}',), (f'--config={_SETTINGS}:own',)
  documents = (*own, f'--documents={TEXTS}')
  yield Command('report own', 'report', own, OWN[1:3])
  yield Command('study own', 'study', documents, OWN)
  yield Command('report', 'report', study, of_report, above=True)
  unit = (*study, '--only=reversal-nano-s0')
  yield Command('study unit', 'study', unit, made, of_report, above=True)
  made = (*made, *of_report, 'study.json')
  yield Command('study', 'study', study, made, above=True)
  yield Command('status', 'status', (), (), above=True)
  launch = (*study, '--on=local', '--dry_run')
  yield Command('launch', 'launch', launch, (), above=True)


COMMANDS = {command.name: command for command in _all()}
